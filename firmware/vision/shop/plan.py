"""The shop's plan in metres: where the line, the zones and the ways between them lie. `room.demo_room` draws the same plan."""

from __future__ import annotations

from typing import Final

Place = tuple[float, float]

LINE: Final = ((-0.75, 6.45), (-3.85, 6.45))  # seen from start to end, the shop is on the left: in = left
DISPLAY: Final = ((-2.65, 2.75), (-1.75, 2.75), (-1.75, 4.85), (-2.65, 4.85))
TILL: Final = ((0.0, 2.55), (2.95, 2.55), (2.95, 3.95), (0.0, 3.95))
DISPLAY_DWELL_S_MIN: Final = 3.0  # who passes the table has not looked at it
SERVICE_SIDE: Final = 2  # far from the camera: from the third point to the last

DOOR_X: Final = (-2.9, -1.1)  # people keep off the door's posts
DOOR_POSTS: Final = (-3.55, -1.0)
DOOR_Y: Final = (6.2, 7.8)  # where there is wall on either side, and a step before it
INSIDE: Final = (-1.3, 5.2)  # where ways part
DISPLAY_WAY: Final = (-1.2, 4.3)
DISPLAY_SPOTS: Final = ((-2.2, 3.1), (-2.25, 3.8), (-2.2, 4.45))  # hardly one behind the other, seen from the camera
DISPLAY_FACING: Final = (-3.3, 3.9)
BROWSE_SPOTS: Final = ((0.4, 5.9), (1.3, 5.9), (2.2, 5.8), (3.1, 5.7), (-3.4, 5.5))
PAIR_SPOTS: Final = ((-0.3, 5.6), (1.7, 5.2), (3.2, 5.0))
BROWSE_FACING: Final = (1.4, 8.0)
QUEUE_SLOTS: Final = ((0.45, 3.3), (1.15, 3.32), (1.85, 3.28), (2.55, 3.3))
QUEUE_FACING: Final = (-0.5, 3.2)  # the till
QUEUE_APPROACH: Final = ((0.9, 4.75), (2.2, 4.5))
SERVED_WAY: Final = ((0.25, 4.45), (-0.8, 5.3))
ABANDON_Y: Final = 2.3  # along the near side of the queue ...
ABANDON_WAY: Final = ((-0.35, 2.3), (-0.95, 3.2), (-1.1, 4.8))  # ... and round the till
CORRIDOR_Y: Final = (8.5, 9.8)
CORRIDOR_END_X: Final = 7.5  # hidden by the walls at either end
EYE_HIGH_M: Final = 2.8
EYE_PITCH_DEG: Final = 30.0


def inside(polygon: tuple[Place, ...], x: float, y: float) -> bool:
    """Whether a point of the floor is inside a polygon (even-odd rule)."""
    found = False
    for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            found = not found
    return found
