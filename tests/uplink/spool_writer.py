"""A process that writes a spool until it is killed: `python -m tests.uplink.spool_writer FOLDER FIRST`.

It prints a line `S STREAM SEQ` for each envelope that is about to be flushed and `D SEQ` once `flush` returned, so that the
test that kills it knows what was confirmed. Envelopes say their number; sizes vary, so that segments rotate.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from firmware.uplink.envelope import Place
from firmware.uplink.filesystem import open_folder
from firmware.uplink.lane import LaneLimits, Missing
from firmware.uplink.spool import Spool, SpoolLimits

LIMITS = SpoolLimits(LaneLimits(64 * 1024, 64), LaneLimits(64 * 1024, 8), 0)
OWNER = b"owner-of-16-byte"


def gap(missing: Missing, place: Place) -> bytes:
    return b"gap " + missing.stream.hex().encode() + f" {missing.first} {missing.last} {missing.reason}".encode()


def envelope(serial: int) -> bytes:
    """Tells its number, and is of a size of its own."""
    return serial.to_bytes(8, "big") * (20 + serial * 7919 % 300)


def main(path: Path, serial: int) -> None:
    """Until killed."""
    spool = Spool.open(open_folder(path), LIMITS, OWNER, os.urandom, gap)
    while True:
        serials = range(serial, serial + 1 + serial % 3)
        places = [spool.put("batches", lambda place, number=number: envelope(number)) for number in serials]  # type: ignore[misc]
        for place, number in zip(places, serials, strict=True):
            print("S", place.stream.hex(), place.seq, number, flush=True)
        spool.flush()
        print("D", places[-1].stream.hex(), places[-1].seq, serials[-1], flush=True)
        serial = serials[-1] + 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
