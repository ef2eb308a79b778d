"""What happens in the simulated shop: who comes, walks, looks, queues, is served or gives up, peeks, passes by.

The whole run is lived once in steps of STEP_S and kept as paths in continuous time: a frame of any rate samples the same
world. People step aside for one another; those in a queue move up when the one before them has gone. Drawn from one seed;
`random.Random` is stable over Python versions. What happened, as a shop would count it, is `truth`'s work.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from firmware.vision.shop import plan
from firmware.vision.shop.plan import Place

Values = NDArray[np.float64]
Part = Literal["shopper", "pair", "peeker", "passer"]

STEP_S: Final = 0.05  # a brisk walker moves 7 cm: a tenth of a shoulder's width
ROOM_M: Final = 0.62  # people keep this far from one another
BODY_M: Final = 0.45  # two people's middles are never nearer
YIELD_M: Final = 0.8  # nearer than this, one of two walkers slows down
ABREAST_M: Final = 0.72  # between two who belong together
SETTLED_S: Final = 8.0  # who comes in stays at least so long: nobody's way in and out cancels out
STRIDE_M: Final = 1.35  # two steps of a grown walker


@dataclass(frozen=True, slots=True)
class Path:
    """One person's way, sampled every STEP_S from `start_s`. The identity is the index in `World.paths`."""

    part: Part
    start_s: float
    x_m: Values
    y_m: Values
    heading: Values
    phase: Values  # of the gait
    stride: Values  # 0 standing, 1 walking briskly
    busy: Values  # 0 arms hang, 1 hands at work

    @property
    def end_s(self) -> float:
        """When the person is gone."""
        return self.start_s + STEP_S * (len(self.x_m) - 1)

    def at(self, t_s: float) -> tuple[float, float, float, float, float, float]:
        """x, y, heading, phase, stride, busy; between samples on a straight line."""
        place = (t_s - self.start_s) / STEP_S
        row = min(max(int(place), 0), len(self.x_m) - 2)
        share = min(max(place - row, 0.0), 1.0)
        rows = (self.x_m, self.y_m, self.heading, self.phase, self.stride, self.busy)
        x, y, heading, phase, stride, busy = (float(r[row] + (r[row + 1] - r[row]) * share) for r in rows)
        return x, y, heading, phase, stride, busy


@dataclass(frozen=True, slots=True)
class World:
    """Everything that happens in one run."""

    paths: tuple[Path, ...]
    served: tuple[tuple[int, float, float], ...]  # path, joined the queue at, left it at: by the till
    abandoned: tuple[tuple[int, float, float], ...]
    duration_s: float


@dataclass(slots=True)
class _Goal:
    kind: Literal["go", "stand", "queue", "look"]
    x: float = 0.0
    y: float = 0.0
    seconds: float = 0.0
    facing: Place | None = None
    spots: tuple[Place, ...] = ()  # look: where, if free


@dataclass(slots=True)
class _Walker:
    index: int
    part: Part
    start_s: float
    speed: float
    x: float
    y: float
    goals: deque[_Goal]
    facing: Place | None = None
    standing: bool = False
    side_m: float = 0.0  # of somebody who walks abreast: how far from the middle of the two
    joined_s: float = -1.0
    patience_s: float = math.inf
    service_s: float = 0.0
    served_from_s: float = -1.0
    move_from_s: float = 0.0
    trail: list[tuple[float, float, float, float, bool]] = field(default_factory=list)  # x, y, facing x, facing y, standing


class _Life:
    """The step-by-step run. Mutable while it lasts; `live` returns the frozen result."""

    def __init__(self, chance: random.Random, people: int, seconds: float) -> None:
        self.chance = chance
        self.waiting = _arrivals(chance, people, seconds)
        self.here: list[_Walker] = []
        self.gone: list[_Walker] = []
        self.queue: list[_Walker] = []
        self.claims: dict[int, Place] = {}  # where somebody stands or is going to stand
        self.served: list[tuple[int, float, float]] = []
        self.abandoned: list[tuple[int, float, float]] = []

    def step(self, now: float) -> None:
        while self.waiting and self.waiting[-1].start_s <= now:
            self.here.append(self.waiting.pop())
        self._serve(now)
        for walker in self.here:
            self._act(walker, now)
        self._keep_apart()
        for walker in self.here:
            to = walker.facing or (walker.x, walker.y)
            walker.trail.append((walker.x, walker.y, to[0], to[1], walker.standing))
        for walker in [w for w in self.here if not w.goals]:
            self.here.remove(walker)
            self.gone.append(walker)

    def _keep_apart(self) -> None:
        """Nobody walks through anybody: who is nearer than BODY_M is pushed away, standing people are not."""
        for index, one in enumerate(self.here):
            for other in self.here[:index]:
                dx, dy = one.x - other.x, one.y - other.y
                far = math.hypot(dx, dy)
                if far >= BODY_M or (one.standing and other.standing):
                    continue
                ux, uy = (dx / far, dy / far) if far > 1e-6 else (1.0, 0.0)
                share = 1.0 if other.standing else 0.0 if one.standing else 0.5
                one.x, one.y = one.x + ux * share * (BODY_M - far), one.y + uy * share * (BODY_M - far)
                other.x, other.y = other.x - ux * (1 - share) * (BODY_M - far), other.y - uy * (1 - share) * (BODY_M - far)

    def _serve(self, now: float) -> None:
        """The till: whoever stands at the first slot is served, then goes; the impatient give up."""
        if self.queue:
            first = self.queue[0]
            if first.standing and first.served_from_s < 0 and _near(first, plan.QUEUE_SLOTS[0]):
                first.served_from_s = now
            if first.served_from_s >= 0 and now - first.served_from_s >= first.service_s:
                self._leave_queue(first, now, plan.SERVED_WAY)
                self.served.append((first.index, first.joined_s, now))
        for walker in self.queue[1:]:
            if now - walker.joined_s > walker.patience_s:
                self._leave_queue(walker, now, ((walker.x, plan.ABANDON_Y), *plan.ABANDON_WAY))
                self.abandoned.append((walker.index, walker.joined_s, now))
                break

    def _leave_queue(self, walker: _Walker, now: float, way: tuple[Place, ...]) -> None:
        rank = self.queue.index(walker)
        self.queue.remove(walker)
        for place, behind in enumerate(self.queue[rank:]):
            behind.move_from_s = now + 0.6 + 0.35 * place
        walker.goals.popleft()
        walker.goals.extendleft(_Goal("go", x, y) for x, y in reversed(way))

    def _act(self, walker: _Walker, now: float) -> None:
        if not walker.goals:
            return
        goal = walker.goals[0]
        walker.standing, walker.facing = False, None
        if goal.kind == "queue":
            self._wait(walker, goal, now)
        elif goal.kind == "stand":
            walker.standing, walker.facing = True, goal.facing
            goal.seconds -= STEP_S
            if goal.seconds <= 0:
                walker.goals.popleft()
                self.claims.pop(walker.index, None)
        elif goal.kind == "look":
            self._choose_spot(walker, goal)
        elif self._walk(walker, goal.x, goal.y):
            walker.goals.popleft()

    def _choose_spot(self, walker: _Walker, goal: _Goal) -> None:
        """A free place to look at things from; none: stay here for a moment, and go on."""
        walker.goals.popleft()
        sides = (0.0,) if walker.side_m == 0.0 else (-ABREAST_M / 2, ABREAST_M / 2)
        free = [(x, y) for x, y in goal.spots if all(self._is_free(walker, x + side, y) for side in sides)]
        if free:
            x, y = free[0] if walker.side_m else free[self.chance.randrange(len(free))]  # two abreast choose alike
            self.claims[walker.index] = (x + walker.side_m, y)
            walker.goals.appendleft(_Goal("stand", seconds=goal.seconds, facing=goal.facing))
            walker.goals.appendleft(_Goal("go", x + walker.side_m, y))
        else:
            walker.goals.appendleft(_Goal("stand", seconds=SETTLED_S, facing=goal.facing))

    def _is_free(self, walker: _Walker, x: float, y: float) -> bool:
        mates = (walker.index, walker.index + (1 if walker.side_m < 0 else -1) if walker.side_m else walker.index)
        return all(math.hypot(cx - x, cy - y) > ROOM_M for who, (cx, cy) in self.claims.items() if who not in mates)

    def _wait(self, walker: _Walker, goal: _Goal, now: float) -> None:
        if walker not in self.queue:
            if len(self.queue) >= len(plan.QUEUE_SLOTS):  # too long: leave without joining
                walker.goals.popleft()
                return
            self.queue.append(walker)
            walker.joined_s = now
        slot = plan.QUEUE_SLOTS[self.queue.index(walker)]
        if now < walker.move_from_s or self._walk(walker, *slot, aside=False):
            walker.standing = True
            walker.facing = goal.facing if self.queue[0] is walker else plan.QUEUE_SLOTS[0]

    def _walk(self, walker: _Walker, x: float, y: float, *, aside: bool = True) -> bool:
        """One step towards a place, round whoever stands in the way. True once there."""
        dx, dy = x - walker.x, y - walker.y
        far = math.hypot(dx, dy)
        step = walker.speed * STEP_S
        if far <= max(step, 0.03):
            walker.x, walker.y = x, y
            return True
        ux, uy = dx / far, dy / far
        push = 0.0
        for other in self.here if aside and far > ROOM_M else ():
            if other is walker:
                continue
            ox, oy = other.x - walker.x, other.y - walker.y
            ahead, side = ox * ux + oy * uy, -ox * uy + oy * ux
            if -0.1 < ahead < 1.4 and abs(side) < ROOM_M:
                push += (-1.0 if side >= 0 else 1.0) * (1.0 - abs(side) / ROOM_M) * (1.0 - max(0.0, ahead) / 1.4)
            if not other.standing and other.index < walker.index and ahead > 0.1 and math.hypot(ox, oy) < YIELD_M and not walker.side_m:
                step *= 0.25  # the later one gives way
        push = max(-0.8, min(0.8, push * 1.6))
        norm = math.sqrt(1.0 + push * push)
        walker.x += step * (ux - uy * push) / norm
        walker.y += step * (uy + ux * push) / norm
        return False


def live(seed: int, people: int, minutes: float) -> World:
    """One run: `people` shoppers come within `minutes`, some in pairs, beside peekers and passers-by.

    The run ends when the minutes are over and everybody has gone.
    """
    life = _Life(random.Random(seed), people, minutes * 60.0)  # noqa: S311  (a simulation, not a secret)
    tick = 0
    limit = int((minutes * 60.0 + 1800.0) / STEP_S)  # a queue of the whole run clears in half an hour
    while (life.waiting or life.here or tick * STEP_S < minutes * 60.0) and tick < limit:
        life.step(tick * STEP_S)
        tick += 1
    walkers = sorted(life.gone + life.here, key=lambda walker: walker.index)
    return World(tuple(_path(w) for w in walkers), tuple(life.served), tuple(life.abandoned), tick * STEP_S)


def _near(walker: _Walker, place: Place) -> bool:
    return math.hypot(walker.x - place[0], walker.y - place[1]) < 0.05


def _arrivals(chance: random.Random, people: int, seconds: float) -> list[_Walker]:
    """Everybody who will come, the last first."""
    last = max(seconds - 95.0, seconds * 0.5)  # time to walk through and be served before the run ends
    out: list[_Walker] = []
    left = people
    rush = chance.uniform(0.2, 0.6) * last  # a quarter of them come in the same minute
    while left > 0:
        start = min(last, rush + chance.uniform(0.0, 60.0)) if chance.random() < 0.25 else chance.uniform(1.0, last)
        if left >= 2 and chance.random() < 0.25:
            out.extend(_pair(chance, start))
            left -= 2
        else:
            out.append(_shopper(chance, start))
            left -= 1
    out.extend(_peeker(chance, chance.uniform(1.0, last)) for _ in range(max(min(people, 1), people // 6)))
    out.extend(_passer(chance, chance.uniform(0.0, seconds - 15.0)) for _ in range(max(min(people, 2), people // 3)))
    out.sort(key=lambda walker: walker.start_s)
    for index, walker in enumerate(out):
        walker.index = index
    return out[::-1]


def _outside(chance: random.Random) -> Place:
    return chance.choice((-1.0, 1.0)) * plan.CORRIDOR_END_X, chance.uniform(*plan.CORRIDOR_Y)


def _go(*places: Place) -> list[_Goal]:
    return [_Goal("go", x, y) for x, y in places]


def _wobble(chance: random.Random, place: Place, spread: float = 0.22) -> Place:
    return place[0] + chance.uniform(-spread, spread), place[1] + chance.uniform(-spread, spread)


def _in_and_out(chance: random.Random, door_x: float) -> tuple[list[_Goal], list[_Goal]]:
    """The ways through the door."""
    away = _outside(chance)
    out_x = chance.uniform(*plan.DOOR_X)
    return _go((door_x, 8.4), (door_x, 7.1), (door_x, 5.9)), _go((out_x, 6.0), (out_x, 7.1), (out_x, 8.4), away)


def _shopper(chance: random.Random, start: float) -> _Walker:
    door_x = chance.uniform(*plan.DOOR_X)
    come, leave = _in_and_out(chance, door_x)
    goals = come + _go(_wobble(chance, plan.INSIDE, 0.3))
    looks, takes, pays = chance.random() < 0.4, chance.random() < 0.65, chance.random() < 0.65
    if looks or not (takes or pays):
        goals.append(_Goal("look", seconds=chance.uniform(SETTLED_S, 18), facing=plan.BROWSE_FACING, spots=plan.BROWSE_SPOTS))
    if takes:
        goals += _go(_wobble(chance, plan.DISPLAY_WAY, 0.12))
        goals.append(_Goal("look", seconds=chance.uniform(5, 35), facing=plan.DISPLAY_FACING, spots=plan.DISPLAY_SPOTS))
        goals += _go(_wobble(chance, plan.INSIDE))
    if pays:
        goals += [*_go(*plan.QUEUE_APPROACH), _Goal("queue", facing=plan.QUEUE_FACING)]
    walker = _Walker(0, "shopper", start, chance.uniform(0.9, 1.35), *_outside(chance), deque(goals + leave))
    walker.service_s = chance.uniform(12, 40)
    walker.patience_s = chance.uniform(8, 22) if chance.random() < 0.5 else math.inf
    return walker


def _pair(chance: random.Random, start: float) -> list[_Walker]:
    """Two abreast: in together, look round together, out together."""
    door_x = chance.uniform(plan.DOOR_X[0] + 0.4, plan.DOOR_X[1] - 0.4)
    come, leave = _in_and_out(chance, door_x)
    leave[0].x = leave[1].x = leave[2].x = max(plan.DOOR_X[0] + 0.4, min(plan.DOOR_X[1] - 0.4, leave[0].x))
    begin, speed = _outside(chance), chance.uniform(0.9, 1.2)
    look = [_Goal("look", seconds=chance.uniform(SETTLED_S, 20), facing=plan.BROWSE_FACING, spots=plan.PAIR_SPOTS)]
    walkers = []
    for side in (-ABREAST_M / 2, ABREAST_M / 2):
        goals = deque(_Goal(g.kind, g.x + side, g.y, g.seconds, g.facing, g.spots) for g in come + look + leave)
        walkers.append(_Walker(0, "pair", start, speed, begin[0] + side, begin[1] + side, goals, side_m=side))
    return walkers


def _peeker(chance: random.Random, start: float) -> _Walker:
    """Comes to the door, looks in from just before or just over the line, and goes."""
    door_x = chance.uniform(*plan.DOOR_X)
    depth = plan.LINE[0][1] + chance.uniform(-0.1, 0.5)
    goals = [
        *_go((door_x, 8.4), (door_x, depth)),
        _Goal("stand", seconds=chance.uniform(0.3, 1.6), facing=(0.0, 4.0)),
        *_go((door_x + 0.1, 8.4), _outside(chance)),
    ]
    return _Walker(0, "peeker", start, chance.uniform(0.9, 1.3), *_outside(chance), deque(goals))


def _passer(chance: random.Random, start: float) -> _Walker:
    begin = _outside(chance)
    goals = deque(_go((-begin[0], begin[1] + chance.uniform(-0.4, 0.4))))
    return _Walker(0, "passer", start, chance.uniform(1.0, 1.5), *begin, goals)


def _path(walker: _Walker) -> Path:
    """The trail smoothed (nobody turns on the spot), with heading and gait."""
    trail = np.array(walker.trail)
    if len(trail) < 2:
        trail = np.repeat(trail, 2, axis=0)
    x, y = _smooth(trail[:, 0], 0.4), _smooth(trail[:, 1], 0.4)
    vx, vy = np.gradient(x, STEP_S), np.gradient(y, STEP_S)
    speed = np.hypot(vx, vy)
    standing = trail[:, 4] > 0
    tx, ty = trail[:, 2] - x, trail[:, 3] - y
    facing = np.where(standing & (np.hypot(tx, ty) > 0.2), np.arctan2(tx, ty), np.nan)
    facing = np.where(np.isnan(facing) & (speed > 0.15), np.arctan2(vx, vy), facing)
    heading = _smooth(np.unwrap(_filled(facing)), 0.5)
    stride = np.clip(speed / 1.2, 0.0, 1.15)
    phase = np.cumsum(speed) * STEP_S / STRIDE_M * 2 * np.pi + walker.index
    sway = 0.05 * np.sin(np.arange(len(x)) * STEP_S * 0.7 + walker.index)
    busy = _smooth((standing & (walker.index % 3 != 0)).astype(float), 1.2)
    return Path(walker.part, walker.start_s, x, y, heading + sway, phase, stride, busy)


def _smooth(values: Values, seconds: float) -> Values:
    """Mean over a window of `seconds`; the ends are held."""
    half = max(1, int(seconds / STEP_S / 2))
    padded = np.concatenate((np.full(half, values[0]), values, np.full(half, values[-1])))
    total = np.cumsum(np.concatenate(([0.0], padded)))
    return (total[2 * half + 1 :] - total[: -2 * half - 1]) / (2 * half + 1)


def _filled(values: Values) -> Values:
    """NaN replaced by the last value before it (the first after it at the beginning)."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.zeros_like(values)
    return values[known[np.maximum(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0)]]
