"""Where the passphrase of a site's private keys comes from: a file, the environment, a prompt; or none, said aloud."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import Final

from firmware.errors import ConfigError

VARIABLE: Final = "PASSERBY_PASSPHRASE"
CHARACTERS_MIN: Final = 12  # NIST SP 800-63B asks for 8; these keys open a chain's counts


def add_passphrase_arguments(parser: argparse.ArgumentParser) -> None:
    """`--passphrase-file` and `--no-passphrase`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--passphrase-file", type=Path, metavar="FILE", help=f"first line of FILE (else ${VARIABLE}, else a prompt)")
    group.add_argument("--no-passphrase", action="store_true", help="leave the site's private keys unencrypted (tests and demonstrations)")


def read_passphrase(arguments: argparse.Namespace, *, new: bool) -> bytes | None:
    """The passphrase, or None for --no-passphrase.

    Raises:
        ConfigError: there is none, or it is too short for a new site.
    """
    if arguments.no_passphrase:
        return None
    text = _from_file(arguments.passphrase_file) if arguments.passphrase_file else os.environ.get(VARIABLE) or _ask(new=new)
    if new and len(text) < CHARACTERS_MIN:
        raise ConfigError(f"the passphrase has {len(text)} characters", f"at least {CHARACTERS_MIN}; four random words are easy to keep")
    return text.encode()


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read a passphrase from {path}", "the first line of a text file") from error


def _ask(*, new: bool) -> str:
    if not sys.stdin.isatty():
        raise ConfigError("no passphrase was given", f"--passphrase-file FILE, or set {VARIABLE}, or --no-passphrase for a demonstration")
    text = getpass.getpass("Passphrase of the site's keys: ")
    if new and getpass.getpass("The same again: ") != text:
        raise ConfigError("the two passphrases differ", "try again")
    return text
