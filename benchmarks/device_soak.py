"""Eight simulated hours of a device at 20 people, accelerated: resident memory must stay flat from the tenth minute on.

The loop of vision (`firmware.vision.live`), the codec of the wall, the daemon's desk with its stitcher, and what the uplink
makes of it (fold, encode, seal) run in one process, so that one number is the memory of both. Time is the frames' own.
The floor view is looked at now and then, and the still map is learned. Not here: the model's and the camera's buffers,
which do not depend on what is seen; the spool, which has its own soak.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.figure import Figure, figure, print_figures
from benchmarks.pipeline_memory import busy_shop, resident_kb
from firmware import wall
from firmware.config import parse
from firmware.daemon import CameraDesk
from firmware.events import Event, Window
from firmware.still_places import StillMap
from firmware.uplink.batch import kind_of, to_bytes
from firmware.uplink.envelope import Place, header_for, seal
from firmware.uplink.fold import About, fold, roll_up
from firmware.uplink.recipient import OpeningKey
from firmware.uplink.stamp import Stamp, WallQuality
from firmware.vision.confine import Locks
from firmware.vision.detection import Detections
from firmware.vision.live import Live
from firmware.vision.simulated_shop import SimulatedShop

COMMAND: Final = "python -m benchmarks.device_soak"
HOURS: Final = 8.0
PEOPLE: Final = 20  # in view
IN_SHOP: Final = 58  # so many make that: the others are between two visits, or just outside
FPS: Final = 10.0
WARM_S: Final = 600.0
FLAT_PERCENT: Final = 2.0
SAMPLE_S: Final = 300.0


class SimulatedTime:
    """The clock of both processes: the newest frame's."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return 1_793_520_000_000 + int(self.now_s * 1000)

    def boot_id(self) -> str:
        return "soak"


class Crowd:
    """A source of people that moves the clock, and notes resident memory now and then."""

    def __init__(self, clock: SimulatedTime, seconds: float) -> None:
        self._frames = busy_shop(int(seconds * FPS), IN_SHOP, FPS)
        self._clock, self._next_s = clock, WARM_S
        self.resident: list[int] = []
        self.people = 0

    def read(self) -> Detections | None:
        """The next frame."""
        found = next(self._frames, None)
        if found is not None:
            self._clock.now_s = found.t_s
            self.people += len(found.scores)
            if found.t_s >= self._next_s:
                gc.collect()
                self.resident.append(resident_kb())
                self._next_s += SAMPLE_S
        return found

    def close(self) -> None:
        """Nothing to release."""


class Uplink:
    """A sink that folds, encodes, seals and forgets, twice a minute; an hour is rolled up."""

    def __init__(self) -> None:
        self._recipient = OpeningKey.from_private_bytes(1, bytes(range(32))).recipient()
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self._events: list[Event] = []
        self._windows: list[Window] = []
        self._hour: list[Window] = []
        self.sealed_bytes = 0

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        self._events += events
        self._windows += windows
        if len(self._windows) >= 2:
            stamp = Stamp(bytes(8), self._windows[-1].start_ms, 1_793_520_000_000, WallQuality.NTP)
            about = About("soak", camera, "events", b"", stamp)
            for window in self._windows:
                if self._hour and self._hour[0].start_ms // 3_600_000 != window.start_ms // 3_600_000:
                    self._seal(roll_up(about, self._hour), stamp)
                    self._hour = []
                self._hour.append(window)
            for batch in fold(about, self._windows, self._events):
                self._seal(batch, stamp)
            self._events, self._windows = [], []

    async def close(self) -> None:
        """Nothing to make durable."""

    def _seal(self, payload: Any, stamp: Stamp) -> None:
        header = header_for(kind_of(payload), Place(bytes(8), 1, b"\x01" * 16), stamp, self._recipient, bytes(16))
        self.sealed_bytes += len(seal(header, to_bytes(payload), self._recipient, self._key))


class Wall:
    """The channel of vision; the desk hears each message at once, decoded from its bytes."""

    def __init__(self, desk: CameraDesk, clock: SimulatedTime) -> None:
        self._desk, self._clock, self._looked_s = desk, clock, 0.0
        self.messages = 0

    def send(self, message: wall.FromVision) -> None:
        self.messages += 1
        body = wall.encode(message)[wall.PREFIX_BYTES :]
        _done(self._desk.heard(wall.decode_from_vision(body)))

    def receive(self, timeout_s: float) -> wall.ToVision | None:
        del timeout_s
        _done(self._desk.tick())
        if self._clock.now_s - self._looked_s < 600.0:
            return None
        self._looked_s = self._clock.now_s
        return wall.Watch(10.0)


def _done(work: Coroutine[Any, Any, None]) -> None:
    """Run what never waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("a sink of the soak waits")


def soaked(hours: float) -> tuple[Crowd, Wall, Uplink]:
    """So many hours."""
    config = parse(SimulatedShop().config_toml(), "soak")
    clock, sink = SimulatedTime(), Uplink()
    desk = CameraDesk(config.camera[0], config.window_s, clock, [sink])
    desk.begin()
    crowd, crossing = Crowd(clock, hours * 3600.0), Wall(desk, clock)
    live = Live(config, config.camera[0], crowd, None, crossing, StillMap())
    live._clock = clock  # noqa: SLF001 time is the frames' own
    live.run(Locks(namespace=True, seccomp=True, files=True))
    _done(desk.finish())
    return crowd, crossing, sink


def figures(*, hours: float = HOURS) -> Iterator[Figure]:
    """How much resident memory moved after the tenth minute, against what it was then; and what went through."""
    crowd, crossing, sink = soaked(hours)
    first = crowd.resident[0]
    moved = max(abs(each - first) for each in crowd.resident) / first * 100.0
    yield figure("soak.resident_moved", moved, "at most", FLAT_PERCENT, unit="percent", command=COMMAND)
    yield figure("soak.resident_at_ten_minutes", first / 1024, "shown", unit="MB", command=COMMAND)
    yield figure("soak.hours", hours, "shown", unit="hours", command=COMMAND)
    yield figure("soak.people_a_frame", crowd.people / (hours * 3600 * FPS), "at least", 0.98 * PEOPLE, unit="people", command=COMMAND)
    yield figure("soak.messages", crossing.messages, "at least", hours * 3600, unit="messages", command=COMMAND)
    yield figure("soak.sealed", sink.sealed_bytes / 1e6, "shown", unit="MB", command=COMMAND)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half an hour instead of eight")
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--seed", type=int, help="the crowd is always the same one")
    asked = parser.parse_args()
    print_figures(figures(hours=0.5 if asked.quick else asked.hours))
