"""What happens in the simulated shop: who comes, walks, looks, queues, is served or gives up, peeks, passes by.

The whole run is lived once in steps of STEP_S and kept as paths in continuous time: a frame of any rate samples the same
world. People step aside for one another; those in a queue move up when the one before them has gone. Drawn from one seed;
`random.Random` is stable over Python versions. What happened, as a shop would count it, is `truth`'s work.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from firmware.vision.shop import plan
from firmware.vision.shop.installer import installer
from firmware.vision.shop.path import STEP_S, Path, path_of
from firmware.vision.shop.plan import Place
from firmware.vision.shop.visitors import ABREAST_M, SETTLED_S, Goal, Walker, arrivals

ROOM_M: Final = 0.62  # people keep this far from one another
WALL_M: Final = 0.1  # people keep this far from the wall's plane beside the door
NEAR_M: Final = 0.3  # of a place on the way
PATIENCE_S: Final = 6.0
BODY_M: Final = 0.45  # two people's middles are never nearer
YIELD_M: Final = 0.8  # nearer than this, one of two walkers slows down


@dataclass(frozen=True, slots=True)
class World:
    """Everything that happens in one run."""

    paths: tuple[Path, ...]
    served: tuple[tuple[int, float, float], ...]  # path, joined the queue at, left it at: by the till
    abandoned: tuple[tuple[int, float, float], ...]
    duration_s: float


class _Life:
    """The step-by-step run. Mutable while it lasts; `live` returns the frozen result."""

    def __init__(self, chance: random.Random, waiting: list[Walker]) -> None:
        self.chance = chance
        self.waiting = waiting
        self.here: list[Walker] = []
        self.gone: list[Walker] = []
        self.queue: list[Walker] = []
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
            _keep_to_the_door(walker)
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
                if far >= BODY_M or (one.standing and other.standing) or one.pushes or other.pushes:
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

    def _leave_queue(self, walker: Walker, now: float, way: tuple[Place, ...]) -> None:
        rank = self.queue.index(walker)
        self.queue.remove(walker)
        for place, behind in enumerate(self.queue[rank:]):
            behind.move_from_s = now + 0.6 + 0.35 * place
        walker.goals.popleft()
        walker.goals.extendleft(Goal("go", x, y) for x, y in reversed(way))

    def _act(self, walker: Walker, now: float) -> None:
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
        elif self._walk(walker, goal.x, goal.y) or self._is_past(walker, goal):
            walker.goals.popleft()
            walker.on_the_way_s = 0.0

    def _is_past(self, walker: Walker, goal: Goal) -> bool:
        """A place on the way need only be come near to; one to stand at is given up for the next best when it cannot be reached."""
        walker.on_the_way_s += STEP_S
        far = math.hypot(goal.x - walker.x, goal.y - walker.y)
        follows = walker.goals[1].kind if len(walker.goals) > 1 else "end"
        return (follows == "go" and far < NEAR_M) or (follows != "go" and far < ROOM_M and walker.on_the_way_s > PATIENCE_S)

    def _choose_spot(self, walker: Walker, goal: Goal) -> None:
        """A free place to look at things from; none: stay here for a moment, and go on."""
        walker.goals.popleft()
        sides = (0.0,) if walker.side_m == 0.0 else (-ABREAST_M / 2, ABREAST_M / 2)
        free = [(x, y) for x, y in goal.spots if all(self._is_free(walker, x + side, y) for side in sides)]
        if free:
            x, y = free[0] if walker.side_m else free[self.chance.randrange(len(free))]  # two abreast choose alike
            self.claims[walker.index] = (x + walker.side_m, y)
            walker.goals.appendleft(Goal("stand", seconds=goal.seconds, facing=goal.facing))
            walker.goals.appendleft(Goal("go", x + walker.side_m, y))
        else:
            walker.goals.appendleft(Goal("stand", seconds=SETTLED_S, facing=goal.facing))

    def _is_free(self, walker: Walker, x: float, y: float) -> bool:
        mates = (walker.index, walker.index + (1 if walker.side_m < 0 else -1) if walker.side_m else walker.index)
        return all(math.hypot(cx - x, cy - y) > ROOM_M for who, (cx, cy) in self.claims.items() if who not in mates)

    def _wait(self, walker: Walker, goal: Goal, now: float) -> None:
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

    def _walk(self, walker: Walker, x: float, y: float, *, aside: bool = True) -> bool:
        """One step towards a place, round whoever stands in the way. True once there."""
        dx, dy = x - walker.x, y - walker.y
        far = math.hypot(dx, dy)
        pace = step = walker.speed * STEP_S
        if far <= max(step, 0.03):
            walker.x, walker.y = x, y
            return True
        ux, uy = dx / far, dy / far
        push = 0.0
        for other in self.here if aside and far > ROOM_M and not walker.pushes else ():
            if other is walker:
                continue
            ox, oy = other.x - walker.x, other.y - walker.y
            ahead, side = ox * ux + oy * uy, -ox * uy + oy * ux
            if -0.1 < ahead < 1.4 and abs(side) < ROOM_M:
                push += (-1.0 if side >= 0 else 1.0) * (1.0 - abs(side) / ROOM_M) * (1.0 - max(0.0, ahead) / 1.4)
            if not other.standing and other.index < walker.index and ahead > 0.1 and math.hypot(ox, oy) < YIELD_M and not walker.side_m:
                step = 0.25 * pace  # the later one gives way
        push = max(-0.8, min(0.8, push * 1.6))
        norm = math.sqrt(1.0 + push * push)
        walker.x += step * (ux - uy * push) / norm
        walker.y += step * (uy + ux * push) / norm
        return False


def live(seed: int, people: int, minutes: float) -> World:
    """One run: `people` shoppers come within `minutes`, some in pairs, beside peekers and passers-by.

    The run ends when the minutes are over and everybody has gone.
    """
    chance = random.Random(seed)  # noqa: S311  (a simulation, not a secret)
    return _lived(_Life(chance, arrivals(chance, people, minutes * 60.0)), minutes)


def walked(passes: int) -> World:
    """One run of an installer who is alone in the shop and walks the walk test."""
    return _lived(_Life(random.Random(0), [installer(passes)]), 0.0)  # noqa: S311


def _lived(life: _Life, minutes: float) -> World:
    tick = 0
    limit = int((minutes * 60.0 + 1800.0) / STEP_S)  # a queue of the whole run clears in half an hour
    while (life.waiting or life.here or tick * STEP_S < minutes * 60.0) and tick < limit:
        life.step(tick * STEP_S)
        tick += 1
    walkers = sorted(life.gone + life.here, key=lambda walker: walker.index)
    return World(
        tuple(path_of(w.part, w.index, w.start_s, w.trail) for w in walkers), tuple(life.served), tuple(life.abandoned), tick * STEP_S
    )


def _keep_to_the_door(walker: Walker) -> None:
    """Nobody passes through the wall beside the door, however dense the crowd."""
    if not plan.DOOR_Y[0] < walker.y < plan.DOOR_Y[1]:
        return
    outside = max(plan.DOOR_POSTS[0], min(plan.DOOR_POSTS[1], walker.x)) - walker.x
    walker.x += max(-1.5 * STEP_S, min(1.5 * STEP_S, outside))  # aside at 1.5 m/s
    over = walker.y - plan.LINE[0][1]
    if abs(over) < WALL_M and not plan.LINE[1][0] < walker.x < plan.LINE[0][0]:
        walker.y = plan.LINE[0][1] + math.copysign(WALL_M, over)


def _near(walker: Walker, place: Place) -> bool:
    return math.hypot(walker.x - place[0], walker.y - place[1]) < 0.05
