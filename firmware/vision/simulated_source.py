"""The simulated shop as a source: `sim:` gives frames, `sim-boxes:` gives boxes with a detector's faults.

Both are recordings: every frame, as fast as they are read (`firmware.vision.pacing` plays them in real time). With `endless`, the next run
with the next seed follows in the same room and the time goes on. Everything comes from the seed and the number of the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final
from urllib.parse import parse_qsl

import numpy as np

from firmware.errors import SourceError
from firmware.vision.canary import painted
from firmware.vision.detection import Detections
from firmware.vision.frame import Frame
from firmware.vision.shop.installer import WALKS_MAX
from firmware.vision.simulated_shop import PEOPLE_MAX, SimulatedShop

FPS: Final = 10.0
BOXES_SIZE: Final = (160, 120)  # pixels are only counted, to know who is hidden
HIDDEN: Final = 0.25  # visible share below which a detector finds nobody
WEAK_SHARE: Final = 0.6  # of the visible share, in a score


@dataclass(frozen=True, slots=True)
class Wish:
    """What a `sim:` address asks for.

    Attributes:
        seed: of the world.
        fps: frames a second.
        people: shoppers in one run.
        minutes: of one run.
        size: width and height, pixels.
        miss: share of visible people that a detector misses in a frame.
        jitter: sigma of a box's edges, as a share of its height and width.
        false: chance of a box where nobody is, a frame.
        walks: instead of shoppers, an installer walks so often in and out, loiters on the line and peeks over it.
        canary: not 0: the seed of a known pattern over the upper part of each picture, to look for traces of pixels by.
    """

    seed: int = 1
    fps: float = FPS
    people: int = 20
    minutes: float = 10.0
    size: tuple[int, int] = (640, 480)
    miss: float = 0.05
    jitter: float = 0.02
    false: float = 0.02
    walks: int = 0
    canary: int = 0


def parse(spec: str, fps_max: float | None = None) -> Wish:
    """The wish in `sim:?seed=3&fps=10`; `fps_max` is the rate where the address names none.

    Raises:
        SourceError: an unknown parameter, or a value that is none.
    """
    kind, _, rest = spec.partition(":")
    if rest and not rest.startswith("?"):
        raise SourceError(f"{spec}: what follows {kind}: begins with ?", f"for instance {kind}:?seed=3&people=20")
    wanted: dict[str, int | float | tuple[int, int]] = {"fps": min(FPS, fps_max or FPS)}
    for name, text in parse_qsl(rest[1:], keep_blank_values=True):
        if name not in _READERS:
            raise SourceError(f"{spec}: there is no parameter {name}", "one of " + ", ".join(field.name for field in fields(Wish)))
        reader, says = _READERS[name]
        try:
            wanted[name] = reader(text)
        except ValueError as error:
            raise SourceError(f"{spec}: {name} is {text or 'empty'}", f"{name} is {says}") from error
    return Wish(**wanted)  # type: ignore[arg-type]  # each reader gives its field's type


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:  # false for NaN, too
            raise ValueError(text)
        return value

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


def _size(text: str) -> tuple[int, int]:
    width, height = (int(part) for part in text.split("x"))
    if not (64 <= width <= 1920 and 48 <= height <= 1440):
        raise ValueError(text)
    return width, height


_READERS: Final[dict[str, tuple[Callable[[str], int | float | tuple[int, int]], str]]] = {
    "seed": (_whole(0, 2**31 - 1), "a whole number, 0 or more"),
    "fps": (_number(0.5, 120.0), "frames a second, 0.5 to 120"),
    "people": (_whole(0, PEOPLE_MAX), f"a whole number, 0 to {PEOPLE_MAX}"),
    "minutes": (_number(0.1, 24 * 60.0), "minutes, 0.1 to 1440"),
    "size": (_size, "width x height in pixels, 64x48 to 1920x1440: 640x480"),
    "miss": (_number(0.0, 1.0), "a share, 0 to 1"),
    "jitter": (_number(0.0, 0.5), "a share of the box, 0 to 0.5"),
    "false": (_number(0.0, 1.0), "a chance a frame, 0 to 1"),
    "canary": (_whole(0, 2**31 - 1), "a whole number, 0 or more"),
    "walks": (_whole(0, WALKS_MAX), f"a whole number, 0 to {WALKS_MAX}"),
}


class _Runs:
    """One run after the other: which shop, at which of its times, for the frame of a number."""

    def __init__(self, wish: Wish, size: tuple[int, int], *, endless: bool) -> None:
        self._wish, self._size, self._endless = wish, size, endless
        self._begin, self._number, self._run = 0, 0, 0
        self.first = self.shop(0)
        self._shop: SimulatedShop | None = self.first
        if self.first.world.paths:  # compile now, with somebody in the picture: later the process may write no files
            path = self.first.world.paths[0]
            self.first.frame((path.start_s + path.end_s) / 2)

    def shop(self, run: int) -> SimulatedShop:
        wish = self._wish
        return SimulatedShop(wish.seed + run, wish.people, wish.minutes, self._size, room_seed=wish.seed, walks=wish.walks)

    def next(self) -> tuple[SimulatedShop, int, float] | None:
        """Shop, number of the frame, and time in the shop; None at the end."""
        if self._shop is None:
            return None
        within_s = (self._number - self._begin) / self._wish.fps
        if within_s >= self._shop.duration_s:
            self._run, self._begin, within_s = self._run + 1, self._number, 0.0
            self._shop = self.shop(self._run) if self._endless else None
            if self._shop is None:
                return None
        self._number += 1
        return self._shop, self._number - 1, within_s


class SimulatedFrames:
    """A FrameSource. A frame is drawn at once, so that compiling is over before the first read."""

    live = False

    def __init__(self, wish: Wish, *, endless: bool = False) -> None:
        self._runs, self._fps, self._canary = _Runs(wish, wish.size, endless=endless), wish.fps, wish.canary
        self.seconds: float | None = None if endless else self._runs.first.duration_s

    def read(self) -> Frame | None:
        """The next frame; None when the run is over."""
        step = self._runs.next()
        if step is None:
            return None
        shop, number, within_s = step
        frame = Frame(number / self._fps, shop.frame(within_s).pixels)
        return painted(frame, self._canary) if self._canary else frame

    def close(self) -> None:
        """Nothing to release."""


class SimulatedBoxes:
    """A DetectionSource: the shop's own boxes, with misses, jitter and false positives."""

    live = False

    def __init__(self, wish: Wish, *, endless: bool = False) -> None:
        self._runs, self._wish = _Runs(wish, BOXES_SIZE, endless=endless), wish
        self.seconds: float | None = None if endless else self._runs.first.duration_s

    def read(self) -> Detections | None:
        """The next frame's detections; None when the run is over."""
        step = self._runs.next()
        if step is None:
            return None
        shop, number, within_s = step
        found = seen_by_a_detector(shop, within_s, self._wish, np.random.default_rng([self._wish.seed, number]))
        return Detections(number / self._wish.fps, found[:, :4], found[:, 4], self._wish.size[0] / self._wish.size[1])

    def close(self) -> None:
        """Nothing to release."""


def seen_by_a_detector(
    shop: SimulatedShop, t_s: float, wish: Wish, rng: np.random.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(N, 5) boxes and scores, best first: who is hidden is missed or weak, edges tremble, now and then a box of nothing."""
    rows: list[list[float]] = []
    for person in shop.boxes(t_s):
        if person.visible < HIDDEN or rng.random() < wish.miss:
            continue
        x0, y0, x1, y1 = person.box
        spread = wish.jitter * np.array([x1 - x0, y1 - y0, x1 - x0, y1 - y0])
        box = np.clip(np.array(person.box) + rng.normal(0.0, 1.0, 4) * spread, 0.0, 1.0)
        score = np.clip(1.0 - WEAK_SHARE * (1.0 - person.visible) - abs(rng.normal(0.0, 0.08)), 0.05, 0.99)
        rows.append([*box.tolist(), float(score)])
    if rng.random() < wish.false:
        x, y = rng.uniform(0.0, 0.9), rng.uniform(0.0, 0.75)
        rows.append([x, y, x + rng.uniform(0.03, 0.1), y + rng.uniform(0.08, 0.25), rng.uniform(0.1, 0.6)])
    found = np.array(rows, dtype=np.float64).reshape(-1, 5)
    found = found[(found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])]
    return found[np.argsort(-found[:, 4], kind="stable")]
