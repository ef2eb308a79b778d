"""A real process that writes a spool until it is killed, and what must be there afterwards.

The writer says `(False, stream, seq, serial)` for each envelope that is about to be flushed and `(True, ...)` for each that
`flush` confirmed. Envelopes tell their serial; sizes vary, so that segments rotate.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

from firmware.uplink.envelope import Place
from firmware.uplink.filesystem import RealFolder, open_folder
from firmware.uplink.segment import LaneLimits, Missing
from firmware.uplink.spool import Spool, SpoolLimits
from tests.uplink.crash_model import offered

LIMITS = SpoolLimits(LaneLimits(64 * 1024, 64), LaneLimits(64 * 1024, 8), 0)
OWNER = b"owner-of-16-byte"
Said = tuple[bool, bytes, int, int]
Key = tuple[bytes, int]


def gap(missing: Missing, place: Place) -> bytes:
    """Readable; `place` makes no difference here."""
    return b"gap " + missing.stream.hex().encode() + f" {missing.first} {missing.last} {missing.reason} {place.seq}".encode()


def envelope(serial: int) -> bytes:
    """Tells its number, and is of a size of its own."""
    return serial.to_bytes(8, "big") * (20 + serial * 7919 % 300)


def opened(path: Path, limits: SpoolLimits = LIMITS) -> tuple[Spool, RealFolder]:
    """A spool in a real folder."""
    folder = open_folder(path)
    assert isinstance(folder, RealFolder)
    return Spool.open(folder, limits, OWNER, os.urandom, gap), folder


def write(path: Path, serial: int, say: Connection) -> None:
    """Until killed."""
    spool, _ = opened(path)
    while True:
        serials = range(serial, serial + 1 + serial % 3)
        places = [spool.put("batches", lambda _, number=number: envelope(number)) for number in serials]  # type: ignore[misc]
        for place, number in zip(places, serials, strict=True):
            say.send((False, place.stream, place.seq, number))
        spool.flush()
        for place, number in zip(places, serials, strict=True):
            say.send((True, place.stream, place.seq, number))
        serial = serials[-1] + 1


def life(path: Path, serial: int, seconds: float) -> list[Said]:
    """What one writer said before kill -9, so many seconds after its first word."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.uplink.spool_writer"])
    ours, theirs = context.Pipe(duplex=False)
    writer = context.Process(target=write, args=(path, serial, theirs))
    writer.start()
    theirs.close()
    said = [ours.recv()]
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        if ours.poll(left_s):
            said.append(ours.recv())
    writer.kill()
    while True:
        try:
            said.append(ours.recv())
        except (EOFError, OSError):
            break
    writer.join()
    ours.close()
    return said


def kill_cycles(path: Path, cycles: int, seed: int = 1) -> dict[str, int]:
    """Kill a writer so many times; how many confirmed envelopes there were, and how many of them were lost or changed."""
    rng = random.Random(seed)
    confirmed: dict[Key, int] = {}
    tally = {"cycles": cycles, "confirmed": 0, "lost": 0, "bad_segments": 0, "acknowledged": 0}
    serial = 1
    for _ in range(cycles):
        for sure, stream, seq, number in life(path, serial, rng.random() * 0.05):
            serial = max(serial, number + 1)
            if sure:
                confirmed[stream, seq] = number
                tally["confirmed"] += 1
        spool, folder = opened(path)
        found = offered(spool)
        tally["lost"] += sum(found.get(key) != envelope(number) for key, number in confirmed.items())
        tally["bad_segments"] += spool.health().segments_bad
        if len(found) > 100:
            stream, seq = sorted(found)[len(found) // 2]
            spool.acknowledge(stream, seq)
        kept = offered(spool)
        tally["acknowledged"] += len(found) - len(kept)
        confirmed = {key: int.from_bytes(each[:8], "big") for key, each in kept.items() if each[:3] != b"gap"}
        spool.close()
        folder.close()
    return tally
