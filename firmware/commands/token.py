"""Make a new token for the status page, and show the QR code that opens it.

    passerby token --config shop.toml            a new token, the address, the pin, a QR code for a phone
    passerby token --config shop.toml --png t.png    the QR code as a picture, for a label
    passerby token --config shop.toml --json     one JSON object

The device keeps a hash alone, so a token that is lost cannot be shown again, only replaced: the old one is worth nothing from
the next start of the device. The QR code carries an address, the token and the pin: SHA-256 over the public key of the page's
certificate, by which a browser's one warning is told from an impostor. Exit codes: 0 done, 2 configuration, 6 storage.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

import segno

from firmware.commands.config_file import read_text
from firmware.config import parse
from firmware.errors import ConfigError
from firmware.page import keys_folder
from firmware.status.certificate import page_keys
from firmware.status.listening import LOOPBACK, serving_addresses

PNG_SCALE: Final = 6  # dots a module: 3 cm on a label at 300 dots an inch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--config", metavar="FILE", required=True, help="the device's configuration (TOML)")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the page's keys lie (default: as the device finds them)")
    parser.add_argument("--png", type=Path, metavar="FILE", help="write the QR code as a picture, too")
    parser.add_argument("--json", action="store_true", help="one JSON object, for machines")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    config = parse(read_text(arguments.config), arguments.config)
    folder = arguments.folder or keys_folder(config.uplink.spool)
    if folder is None:
        raise ConfigError("this configuration has no place for the page's keys", "name a [uplink] spool, or say --folder")
    keys = page_keys(folder, new=True)
    address = next((each for each in serving_addresses(config.status.interfaces) if each != LOOPBACK), LOOPBACK)
    url = f"https://{address}:{config.status.port}/#token={keys.token}&pin={keys.pin}"
    code = segno.make(url, error="m")
    if arguments.png is not None:
        code.save(str(arguments.png), scale=PNG_SCALE, border=4)
    if arguments.json:
        print(json.dumps({"url": url, "token": keys.token, "pin": keys.pin, "folder": str(folder)}))
        return 0
    print(f"token  {keys.token}\npin    {keys.pin}\npage   https://{address}:{config.status.port}/\n")
    if sys.stdout.isatty():
        code.terminal(compact=True)
    print("Restart the device: from then on this token opens its page, and no other.")
    return 0
