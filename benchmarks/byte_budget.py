"""V2: the bytes that a day of a busy door seals, by the very functions of the device, over 24 simulated hours.

Ten minutes of the simulated shop at its busiest are lived through the real pipeline; a day is made of them, with the
device's own rhythm: a batch a flush, a roll-up an hour, health every five minutes, an anchor every ten. Each envelope is
really sealed. The control: what one small still of 10 KB a minute would add does not fit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from benchmarks.figure import Figure, figure, print_figures
from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import parse
from firmware.events import Disclosure, Event, Window
from firmware.health import UplinkHealth, VisionHealth
from firmware.outbound import ANCHOR_S, HEALTH_S
from firmware.uplink.batch import Anchor, Health, Payload, Pulse, kind_of, to_bytes
from firmware.uplink.budget import DAY_BYTES_MAX
from firmware.uplink.envelope import Place, header_for, seal
from firmware.uplink.fold import About, fold, roll_up
from firmware.uplink.recipient import OpeningKey
from firmware.uplink.stamp import Stamp, WallQuality
from firmware.vision.simulated_shop import SimulatedShop
from firmware.vision.simulated_source import SimulatedBoxes
from firmware.vision.simulated_source import parse as wish_of

COMMAND: Final = "python -m benchmarks.byte_budget"
DAY_S: Final = 86_400
FLUSH_S: Final = 30
STILL_BYTES: Final = 10 * 1024
BUSY: Final = "sim-boxes:?people=90&minutes={minutes}&seed=4&fps=5"


class Sealing:
    """Counts what is sealed, by size."""

    def __init__(self) -> None:
        self._recipient = OpeningKey.from_private_bytes(1, bytes(range(32))).recipient()
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self.sizes: dict[int, int] = {}
        self.seq = 1

    def put(self, payload: Payload, stamp: Stamp) -> None:
        """Seal it, and forget all but its size."""
        place = Place(bytes(8), self.seq, b"\x01" * 16)
        header = header_for(kind_of(payload), place, stamp, self._recipient, bytes(16))
        size = len(seal(header, to_bytes(payload), self._recipient, self._key))
        self.sizes[size] = self.sizes.get(size, 0) + 1
        self.seq += 1

    @property
    def total(self) -> int:
        return sum(size * times for size, times in self.sizes.items())

    @property
    def padded(self) -> set[int]:
        """The padded sizes that occur: the header around them varies by a few bytes with the numbers in it."""
        return {1 << (size.bit_length() - 1) for size in self.sizes}


def busy(disclosure: Disclosure, minutes: int) -> tuple[list[Event], list[Window], int]:
    """Events and windows of a busy shop, times from 0, and how long they lasted in ms (whole windows)."""
    camera = parse(SimulatedShop().config_toml(), "shop").camera[0]
    pipeline = Pipeline(camera, Pseudonyms(lambda n: bytes(range(n)), (300, 900)), disclosure)
    boxes = SimulatedBoxes(wish_of(BUSY.format(minutes=minutes)))
    events: list[Event] = []
    windows: list[Window] = []
    while (seen := boxes.read()) is not None and seen.t_s < minutes * 60:
        step = pipeline.step(seen)
        events += step.events
        windows += step.windows
    return events, windows, len(windows) * 15_000


def day(disclosure: Disclosure, minutes: int = 10, seconds: int = DAY_S) -> Sealing:
    """A day (or so many seconds of it) of that."""
    events, windows, length_ms = busy(disclosure, minutes)
    sealing, hour = Sealing(), [windows[0]]
    pulse = Pulse("running", 9_900, "durable", 12, 0, 0)
    health = VisionHealth(
        "shop", 0, "running", model="person-320", model_sha256="ab" * 32, runtime="litert x2", stage_us={"detect": 21_000}
    )
    for now_s in range(0, seconds, FLUSH_S):
        stamp = Stamp(bytes(8), now_s * 1000, 1_793_491_200_000 + now_s * 1000, WallQuality.NTP)
        at_ms, from_ms = now_s * 1000 % length_ms, now_s * 1000 // length_ms * length_ms
        of_windows = [
            replace(each, start_ms=each.start_ms + from_ms) for each in windows if at_ms <= each.start_ms < at_ms + FLUSH_S * 1000
        ]
        of_events = [replace(each, t_ms=each.t_ms + from_ms) for each in events if at_ms <= each.t_ms < at_ms + FLUSH_S * 1000]
        about = About("simulated", "shop", disclosure, b"\xab" * 8, stamp, pulse)
        for batch in fold(about, of_windows, of_events):
            sealing.put(batch, stamp)
        if now_s % 3600 == 0:
            sealing.put(roll_up(about, hour), stamp)
        if now_s % int(HEALTH_S) == 0:
            sealing.put(Health(site="simulated", clock=stamp, firmware="0.1.0", cameras=(health,), uplink=UplinkHealth()), stamp)
        if now_s % int(ANCHOR_S) == 0:
            sealing.put(Anchor(reason="ack", clock=stamp, error_ms=20), stamp)
    return sealing


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """A day at each level of disclosure, and how many sizes an envelope can have."""
    seconds = DAY_S // 24 if quick else DAY_S
    for disclosure in ("windows", "events"):
        sealing = day(disclosure, 3 if quick else 10, seconds)
        bound = DAY_BYTES_MAX[disclosure] * seconds / DAY_S
        yield figure(f"v2.bytes_a_day.{disclosure}", sealing.total, "at most", bound, unit="bytes", command=COMMAND)
        stills = sealing.total + STILL_BYTES * seconds // 60
        yield figure(f"v2.with_a_still_a_minute.{disclosure}", stills, "at least", bound, unit="bytes", command=COMMAND)
        yield figure(f"v2.sizes.{disclosure}", len(sealing.padded), "at most", 9, unit="sizes", command=COMMAND)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="an hour instead of a day")
    parser.add_argument("--seed", type=int, help="the busy shop is always the same one")
    print_figures(figures(quick=parser.parse_args().quick))
