"""Who will come: shoppers alone and abreast, people who only look in, people who pass by; what each of them is up to.

Drawn from the run's one generator before anybody moves; how they then make their way is `world`'s.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

from firmware.vision.shop import plan
from firmware.vision.shop.path import Part
from firmware.vision.shop.plan import Place

BLOCKED_S: Final = 25.0  # the longest way takes 12 s
ABREAST_M: Final = 0.72  # between two who belong together
RUSH_MAX: Final = 6  # who come in one minute: a small shop is full then
KEEP_RIGHT: Final = 0.8
SETTLED_S: Final = 8.0  # who comes in stays at least so long: nobody's way in and out cancels out


@dataclass(slots=True)
class Goal:
    kind: Literal["go", "stand", "queue", "look"]
    x: float = 0.0
    y: float = 0.0
    seconds: float = 0.0
    facing: Place | None = None
    spots: tuple[Place, ...] = ()  # look: where, if free


@dataclass(slots=True)
class Walker:
    index: int
    part: Part
    start_s: float
    speed: float
    x: float
    y: float
    goals: deque[Goal]
    facing: Place | None = None
    standing: bool = False
    side_m: float = 0.0  # of somebody who walks abreast: how far from the middle of the two
    joined_s: float = -1.0
    on_the_way_s: float = 0.0  # to the present goal
    patience_s: float = math.inf
    service_s: float = 0.0
    served_from_s: float = -1.0
    move_from_s: float = 0.0
    trail: list[tuple[float, float, float, float, bool]] = field(default_factory=list)  # x, y, facing x, facing y, standing

    @property
    def pushes(self) -> bool:
        """Held up for so long that they push through: a crowd that blocks itself must come apart."""
        return self.on_the_way_s > BLOCKED_S


def arrivals(chance: random.Random, people: int, seconds: float) -> list[Walker]:
    """Everybody who will come, the last first."""
    last = max(seconds - 95.0, seconds * 0.5)  # time to walk through and be served before the run ends
    out: list[Walker] = []
    left = people
    rush = chance.uniform(0.2, 0.6) * last
    hurried = 0
    while left > 0:
        start = chance.uniform(1.0, last)
        if hurried < RUSH_MAX and chance.random() < 0.25:
            start, hurried = min(last, rush + chance.uniform(0.0, 60.0)), hurried + 1
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


def _go(*places: Place) -> list[Goal]:
    return [Goal("go", x, y) for x, y in places]


def _wobble(chance: random.Random, place: Place, spread: float = 0.22) -> Place:
    return place[0] + chance.uniform(-spread, spread), place[1] + chance.uniform(-spread, spread)


def _door_x(chance: random.Random, *, coming: bool) -> float:
    """Where somebody passes the door: mostly on their right, as people do where both ways meet (Helbing and others, 2005)."""
    low, high = plan.DOOR_X
    middle = (low + high) / 2
    if chance.random() < KEEP_RIGHT:
        low, high = (low, middle) if coming else (middle, high)
    return chance.uniform(low, high)


def _in_and_out(chance: random.Random, door_x: float) -> tuple[list[Goal], list[Goal]]:
    """The ways through the door."""
    away = _outside(chance)
    out_x = _door_x(chance, coming=False)
    return _go((door_x, 8.4), (door_x, 7.1), (door_x, 5.9)), _go((out_x, 6.0), (out_x, 7.1), (out_x, 8.4), away)


def _shopper(chance: random.Random, start: float) -> Walker:
    door_x = _door_x(chance, coming=True)
    come, leave = _in_and_out(chance, door_x)
    goals = come + _go(_wobble(chance, plan.INSIDE, 0.3))
    looks, takes, pays = chance.random() < 0.4, chance.random() < 0.65, chance.random() < 0.65
    if looks or not (takes or pays):
        goals.append(Goal("look", seconds=chance.uniform(SETTLED_S, 18), facing=plan.BROWSE_FACING, spots=plan.BROWSE_SPOTS))
    if takes:
        goals += _go(_wobble(chance, plan.DISPLAY_WAY, 0.12))
        goals.append(Goal("look", seconds=chance.uniform(5, 35), facing=plan.DISPLAY_FACING, spots=plan.DISPLAY_SPOTS))
        goals += _go(_wobble(chance, plan.INSIDE))
    if pays:
        goals += [*_go(*plan.QUEUE_APPROACH), Goal("queue", facing=plan.QUEUE_FACING)]
    walker = Walker(0, "shopper", start, chance.uniform(0.9, 1.35), *_outside(chance), deque(goals + leave))
    walker.service_s = chance.uniform(12, 40)
    walker.patience_s = chance.uniform(8, 22) if chance.random() < 0.5 else math.inf
    return walker


def _pair(chance: random.Random, start: float) -> list[Walker]:
    """Two abreast: in together, look round together, out together."""
    door_x = max(plan.DOOR_X[0] + 0.4, min(plan.DOOR_X[1] - 0.4, _door_x(chance, coming=True)))
    come, leave = _in_and_out(chance, door_x)
    leave[0].x = leave[1].x = leave[2].x = max(plan.DOOR_X[0] + 0.4, min(plan.DOOR_X[1] - 0.4, leave[0].x))
    begin, speed = _outside(chance), chance.uniform(0.9, 1.2)
    look = [Goal("look", seconds=chance.uniform(SETTLED_S, 20), facing=plan.BROWSE_FACING, spots=plan.PAIR_SPOTS)]
    walkers = []
    for side in (-ABREAST_M / 2, ABREAST_M / 2):
        goals = deque(Goal(g.kind, g.x + side, g.y, g.seconds, g.facing, g.spots) for g in come + look + leave)
        walkers.append(Walker(0, "pair", start, speed, begin[0] + side, begin[1] + side, goals, side_m=side))
    return walkers


def _peeker(chance: random.Random, start: float) -> Walker:
    """Comes to the door, looks in from just before or just over the line, and goes."""
    door_x = chance.uniform(*plan.DOOR_X)
    depth = plan.LINE[0][1] + chance.uniform(-0.1, 0.5)
    goals = [
        *_go((door_x, 8.4), (door_x, depth)),
        Goal("stand", seconds=chance.uniform(0.3, 1.6), facing=(0.0, 4.0)),
        *_go((door_x + 0.1, 8.4), _outside(chance)),
    ]
    return Walker(0, "peeker", start, chance.uniform(0.9, 1.3), *_outside(chance), deque(goals))


def _passer(chance: random.Random, start: float) -> Walker:
    begin = _outside(chance)
    goals = deque(_go((-begin[0], begin[1] + chance.uniform(-0.4, 0.4))))
    return Walker(0, "passer", start, chance.uniform(1.0, 1.5), *begin, goals)
