"""An installer who walks the walk test in the simulated shop: in and out, loitering on the line, stepping over it and back.

Alone, at an even pace and with rests that are long enough for everything to settle; no chance is in it. What the test makes
of it is `firmware.commissioning.walk_test`'s.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from firmware.vision.shop.plan import LINE, Place
from firmware.vision.shop.visitors import Goal, Walker

WALKS_MAX: Final = 20
INSIDE: Final[Place] = (-2.0, 4.9)
OUTSIDE: Final[Place] = (-2.0, 7.8)
ON_THE_LINE: Final[Place] = (-2.0, LINE[0][1])
OVER_IT: Final[Place] = (-2.0, 5.75)
FIRST_S: Final = 20.0  # time to find the page and press start
REST_S: Final = 6.0  # on each side before turning: settle_s and a little
LOITER_S: Final = 35.0
PART_S: Final = 14.0  # between the parts
LOOK_S: Final = 0.3
PEEKS: Final = 4  # one more than is asked for, and one that the camera may miss
SPEED_M_S: Final = 1.2


def installer(passes: int) -> Walker:
    """Somebody who walks so many times in and so many times out, then loiters, then peeks."""
    goals = [_stand(FIRST_S)]
    for _ in range(passes):
        goals += [_go(INSIDE), _stand(REST_S), _go(OUTSIDE), _stand(REST_S)]
    goals += [_stand(PART_S), _go(ON_THE_LINE), _stand(LOITER_S), _go(OUTSIDE), _stand(PART_S)]
    for _ in range(PEEKS):
        goals += [_go(OVER_IT), _stand(LOOK_S), _go(OUTSIDE), _stand(PART_S)]
    return Walker(0, "shopper", 0.0, SPEED_M_S, *OUTSIDE, deque(goals))


def _go(place: Place) -> Goal:
    return Goal("go", *place)


def _stand(seconds: float) -> Goal:
    return Goal("stand", seconds=seconds)
