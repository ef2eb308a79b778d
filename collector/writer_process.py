"""The process that opens, enters and signs: `python -m collector.writer_process --fd N`, started by `collector.writer`.

It has the opening key (not in the ingest tier), the receipt key and the writing connection; it has no port. What it is to
do comes over the socket, first of all where its keys are. It ends when the other side closes the socket, by will or by
death, after what it has taken is answered; signals are for the other process to obey.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
from pathlib import Path

import msgspec

from collector.database import open_database
from collector.frames import Frames, Start, Started, frame
from collector.group_commit import GroupCommit
from firmware.clock import SystemClock
from firmware.errors import PasserbyError
from provisioning.site import load_opening_key, load_receipt_key


def work(connection: socket.socket) -> None:
    """Serve one face over its socket, until it closes it."""
    told = _start(connection)
    if told is None:
        return
    try:
        site = Path(told.site)
        receipt = load_receipt_key(site)
        key = load_opening_key(site, told.passphrase) if told.opens else None
        database = open_database(told.database)
    except PasserbyError as error:
        connection.sendall(frame(Started(type(error).__name__, error.what, error.hint)))
        return
    try:
        connection.sendall(frame(Started()))
        GroupCommit(connection, database, receipt, {key.key_id: key} if key else None, SystemClock().wall_ms).run()
    finally:
        database.close()


def _start(connection: socket.socket) -> Start | None:
    """Nothing else is sent before it is answered."""
    frames = Frames()
    while received := connection.recv(4096):
        for message in frames.feed(received):
            return msgspec.msgpack.decode(message, type=Start)
    return None


def main() -> int:
    """The process's exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the connected socket")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    with socket.socket(fileno=parser.parse_args().fd) as connection:
        try:
            work(connection)
        except ConnectionError:
            return 1  # the other process died; what was entered stays, what was not answered comes again
    return 0


if __name__ == "__main__":
    sys.exit(main())
