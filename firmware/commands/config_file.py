"""Reads a configuration file for a command: the path's troubles become a ConfigError of one line.

Left to others: what the text means (`firmware.config`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from firmware.config import TEXT_BYTES_MAX, Config, parse
from firmware.errors import ConfigError

BYTES_MAX = 64 * 1024 * 1024  # a deployment manifest may be larger than a configuration, never this large


def load(path: str) -> Config:
    """The configuration in a file; "-" is standard input. Raises ConfigError."""
    return parse(read_text(path), path)


def read_text(path: str, bytes_max: int = TEXT_BYTES_MAX + 1) -> str:
    """The text of a UTF-8 file, cut after `bytes_max`; "-" is standard input. Raises ConfigError, one line, with the path."""
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(bytes_max)
        else:
            with Path(path).open("rb") as file:
                raw = file.read(bytes_max)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file", "give the path of a configuration, for example examples/door.toml") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"{path}: cannot be read: {reason}", "check the path and its permissions") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text", "save the file as UTF-8") from error
