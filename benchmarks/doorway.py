"""A simulated doorway that knows its own truth: who crossed the line, and in which direction.

People walk through, walk abreast, stand on the line, step over it and back, or turn round before it. Boxes jitter, boxes
are missed, ids change. The picture is 640 by 480; lengths are pixels here because the literature's grid is in pixels, and
nothing of it reaches the counter but boxes in 0..1. Every number is drawn from the seed.

A scene gives the same sights twice: as `Tracks` with ids that switch (what a poor tracker would make of them) and as
`Detections` without ids (for a real one).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firmware.config import LineConfig
from firmware.vision.detection import Detections
from firmware.vision.track import Tracks

WIDTH, HEIGHT = 640.0, 480.0
ASPECT = WIDTH / HEIGHT
BEYOND_S = 0.8  # people out of view still have bodies

Crowd = Literal["walkers", "abreast", "loiterers", "peeks", "turners", "strollers"]
Floats = NDArray[np.float64]
Spot = Callable[[Floats, Floats], tuple[Floats, Floats]]  # across and along the line -> x, y in pixels


@dataclass(frozen=True, slots=True)
class Place:
    """Where the line lies, how far people walk beyond it before they leave the view, and how large they are."""

    angle_deg: float = 0.0  # of the line; 0: from left to right
    exit_px: float = 140.0  # the view ends so far beyond the line: y 280 to 420 in the first grid
    far_px: float = 200.0  # and begins so far before it
    box_px: tuple[float, float] = (60.0, 160.0)
    speed_px_s: tuple[float, float] = (80.0, 180.0)
    spread_px: float = 180.0  # people pass the line up to so far from its middle
    line_px: float = 480.0  # its length
    every_s: tuple[float, float] = (1.0, 3.0)  # between arrivals
    body_px: float = 45.0  # nobody walks through anybody, in view or just beyond; 0: ghosts who do


@dataclass(frozen=True, slots=True)
class Sensor:
    """How badly people are seen."""

    fps: float = 10.0
    jitter_px: float = 2.0
    miss: float = 0.1
    switch: float = 0.0  # chance per sight that the track goes on under a new id
    swap: float = 0.0  # chance per frame that two neighbours exchange their ids


@dataclass(frozen=True, slots=True)
class Walk:
    """The way of one foot across (s) and along (a) the line, pixels, at the corner times."""

    t_s: tuple[float, ...]
    s: tuple[float, ...]
    a: tuple[float, ...]
    sway_px: float = 0.0
    phase: float = 0.0

    def at(self, t_s: Floats) -> tuple[Floats, Floats]:
        sway = self.sway_px * np.sin(2 * np.pi * 0.35 * t_s + self.phase)
        return np.interp(t_s, self.t_s, self.s) + sway, np.interp(t_s, self.t_s, self.a) + sway / 2

    def beyond(self, t_s: Floats) -> tuple[Floats, Floats]:
        """The same, walked on at the same pace before the first and after the last corner."""
        s, a = self.at(t_s)
        for edge, outside in ((0, np.minimum(t_s - self.t_s[0], 0.0)), (-1, np.maximum(t_s - self.t_s[-1], 0.0))):
            inner = 1 if edge == 0 else -2
            span_s = self.t_s[edge] - self.t_s[inner]
            s = s + outside * (self.s[edge] - self.s[inner]) / span_s
            a = a + outside * (self.a[edge] - self.a[inner]) / span_s
        return s, a


@dataclass(slots=True)
class Scene:
    """A recording: frames in the order of time, and the truth."""

    place: Place
    line: LineConfig
    truth_in: int
    truth_out: int
    tracks: list[Tracks] = field(default_factory=list)
    detections: list[Detections] = field(default_factory=list)


def _straight(rng: np.random.Generator, place: Place, start_s: float) -> Walk:
    """Through the door, inwards (s falls) or outwards (s rises: beyond the line is the exit)."""
    speed = rng.uniform(*place.speed_px_s)
    ends = (-place.far_px, place.exit_px) if rng.random() < 0.5 else (place.exit_px, -place.far_px)
    a = rng.uniform(-place.spread_px, place.spread_px)
    slant = math.tan(math.radians(rng.uniform(-15, 15)))
    length = abs(ends[1] - ends[0])
    return Walk((start_s, start_s + length / speed), ends, (a - slant * ends[0], a - slant * ends[1]), 2.0, rng.uniform(0, 6))


def _there_and_back(rng: np.random.Generator, place: Place, start_s: float, turn_px: float, stay_s: float) -> Walk:
    """From inside to `turn_px` beyond the line (before it: negative), and back."""
    speed = rng.uniform(*place.speed_px_s)
    way_s = (place.far_px + turn_px) / speed
    a = rng.uniform(-place.spread_px, place.spread_px)
    drift = rng.uniform(-20, 20)
    times = (start_s, start_s + way_s, start_s + way_s + stay_s, start_s + 2 * way_s + stay_s)
    return Walk(times, (-place.far_px, turn_px, turn_px, -place.far_px), (a, a, a + drift, a + 2 * drift), 2.0, rng.uniform(0, 6))


def _collide(one: Walk, other: Walk, body_px: float) -> bool:
    """Whether two people would walk through each other, in view or within the next steps beyond it."""
    begin, end = max(one.t_s[0], other.t_s[0]) - BEYOND_S, min(one.t_s[-1], other.t_s[-1]) + BEYOND_S
    if begin >= end:
        return False
    t_s = np.arange(begin, end, 0.1)
    (s0, a0), (s1, a1) = one.beyond(t_s), other.beyond(t_s)
    return bool(((s0 - s1) ** 2 + (a0 - a1) ** 2 < body_px**2).any())


def walks(crowd: Crowd, count: int, place: Place, rng: np.random.Generator) -> list[Walk]:
    """`count` people of one kind, one after the other or two by two; who would walk through somebody comes later."""
    made: list[Walk] = []
    clock_s = 1.0
    while len(made) < count:
        clock_s += rng.uniform(*place.every_s)
        group = _group(crowd, place, clock_s, rng)
        if not place.body_px or not any(_collide(walk, other, place.body_px) for walk in group for other in made[-24:]):
            made += group
    return made[:count]


def _group(crowd: Crowd, place: Place, clock_s: float, rng: np.random.Generator) -> list[Walk]:
    height = place.box_px[1]
    if crowd == "walkers":
        return [_straight(rng, place, clock_s)]
    if crowd == "abreast":
        one = _straight(rng, place, clock_s)
        apart = rng.uniform(0.8, 1.3) * place.box_px[0]
        late = rng.uniform(-0.15, 0.15) * height * (one.t_s[1] - one.t_s[0]) / abs(one.s[1] - one.s[0])
        left, right = (tuple(a + side * apart / 2 for a in one.a) for side in (-1, 1))
        return [replace(one, a=left), Walk((one.t_s[0] + late, one.t_s[1] + late), one.s, right, 2.0, rng.uniform(0, 6))]
    if crowd == "loiterers":
        s, a = rng.uniform(-8, 8), rng.uniform(-place.spread_px, place.spread_px)
        return [Walk((clock_s, clock_s + 20.0), (s, s), (a, a), rng.uniform(0, 0.04) * height, rng.uniform(0, 6))]
    if crowd == "strollers":  # come, stand on the line, go back where they came from
        return [_there_and_back(rng, place, clock_s, rng.uniform(-10, 10), rng.uniform(5, 15))]
    if crowd == "peeks":
        turn_px = rng.uniform(0.2, min(0.5, place.exit_px / height)) * height
        return [_there_and_back(rng, place, clock_s, turn_px, rng.uniform(0, 0.7))]
    return [_there_and_back(rng, place, clock_s, -rng.uniform(0.0, 0.4) * height, rng.uniform(0, 1.0))]


def scene(crowds: dict[Crowd, int], place: Place, sensor: Sensor, seed: int) -> Scene:
    """Draw people, walk them, look at them."""
    rng = np.random.default_rng(seed)
    people = [walk for crowd, count in crowds.items() for walk in walks(crowd, count, place, rng)]
    angle = math.radians(place.angle_deg)
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))  # across: down for angle 0
    middle = (320.0 - across[0] * (place.exit_px - place.far_px) / 2, 240.0 - across[1] * (place.exit_px - place.far_px) / 2 + 40.0)
    half = place.line_px / 2

    def spot(s: Floats, a: Floats) -> tuple[Floats, Floats]:
        return middle[0] + along[0] * a + across[0] * s, middle[1] + along[1] * a + across[1] * s

    x, y = spot(np.zeros(2), np.array([-half, half]))
    line = LineConfig("door", (float(x[0]) / WIDTH, float(y[0]) / HEIGHT), (float(x[1]) / WIDTH, float(y[1]) / HEIGHT))
    # Left of start -> end is up for angle 0: s falls. In = up.
    inwards = sum(w.s[0] > 0 > w.s[-1] for w in people)
    outwards = sum(w.s[0] < 0 < w.s[-1] for w in people)
    made = Scene(place, line, inwards, outwards)
    _look(made, people, spot, sensor, rng)
    return made


def _look(made: Scene, people: list[Walk], spot: Spot, sensor: Sensor, rng: np.random.Generator) -> None:
    """Fill in the frames."""
    end_s = max(w.t_s[-1] for w in people) + 6.0
    frames = np.arange(0.0, end_s, 1.0 / sensor.fps)
    sights: list[list[tuple[int, Floats]]] = [[] for _ in frames]
    w_px, h_px = made.place.box_px
    for i, walk in enumerate(people):
        inside = np.flatnonzero((frames >= walk.t_s[0]) & (frames <= walk.t_s[-1]))
        s, a = walk.at(frames[inside])
        x, y = spot(s, a)
        size = rng.uniform(0.9, 1.1)
        w, h = w_px * size, h_px * size
        boxes = np.column_stack((x - w / 2, y - h, x + w / 2, y)) + rng.normal(0, sensor.jitter_px, (len(inside), 4))
        boxes /= (WIDTH, HEIGHT, WIDTH, HEIGHT)
        kept = rng.random(len(inside)) >= sensor.miss
        for j in np.flatnonzero(kept):
            sights[inside[j]].append((i, boxes[j]))
    ids: dict[int, int] = {}
    born: dict[int, tuple[float, Floats]] = {}
    next_id = 1
    for t_s, seen in zip(frames.tolist(), sights, strict=True):
        for i, box in seen:
            if i not in ids or rng.random() < sensor.switch:
                ids[i], next_id = next_id, next_id + 1
                born[ids[i]] = (t_s, box)
        if sensor.swap and len(seen) > 1 and rng.random() < sensor.swap:
            one, other = rng.choice(len(seen), 2, replace=False)
            one, other = seen[one][0], seen[other][0]
            ids[one], ids[other] = ids[other], ids[one]
        order = sorted((ids[i], k) for k, (i, _) in enumerate(seen))
        boxes = np.array([seen[k][1] for _, k in order]).reshape(-1, 4)
        keys = [key for key, _ in order]
        made.tracks.append(
            Tracks(
                t_s,
                np.array(keys, np.int64),
                boxes,
                np.full(len(keys), 0.9),
                np.ones(len(keys), np.bool_),
                np.array([born[key][0] for key in keys]),
                np.array([born[key][1] for key in keys]).reshape(-1, 4),
                np.zeros(len(keys)),
                aspect=ASPECT,
            )
        )
        shuffled = rng.permutation(len(seen))
        made.detections.append(Detections(t_s, boxes[shuffled], np.full(len(seen), 0.9), ASPECT))


def frames_of(made: Scene) -> Iterator[tuple[Tracks, Detections]]:
    """Both views of each frame."""
    yield from zip(made.tracks, made.detections, strict=True)
