"""The shop's plan holds together."""

from __future__ import annotations

from firmware.vision.shop import plan


def test_spots_lie_in_their_zones() -> None:
    """Who looks at the display stands in its zone, who queues in the till's; those places keep off the borders."""
    for x, y in plan.DISPLAY_SPOTS:
        assert plan.inside(plan.DISPLAY, x, y)
    for x, y in plan.QUEUE_SLOTS:
        assert plan.inside(plan.TILL, x, y)


def test_other_places_lie_in_no_zone() -> None:
    """Browsing, the ways through the shop and the door are outside both zones."""
    places = (
        *plan.BROWSE_SPOTS,
        *plan.PAIR_SPOTS,
        plan.INSIDE,
        plan.DISPLAY_WAY,
        *plan.QUEUE_APPROACH,
        *plan.SERVED_WAY,
        *plan.ABANDON_WAY,
    )
    for x, y in places:
        assert not plan.inside(plan.DISPLAY, x, y)
        assert not plan.inside(plan.TILL, x, y)


def test_the_shop_lies_to_the_left_of_the_line() -> None:
    """Seen from the line's start towards its end on the floor plan, the inside is on the left, as `in = "left"` says."""
    (x0, y0), (x1, y1) = plan.LINE
    inside_x, inside_y = plan.INSIDE
    assert (x1 - x0) * (inside_y - y0) - (y1 - y0) * (inside_x - x0) > 0


def test_the_service_side_is_where_served_people_leave() -> None:
    """The first step of the served people's way crosses that side of the till's zone and no other."""
    begin, end = plan.TILL[plan.SERVICE_SIDE], plan.TILL[(plan.SERVICE_SIDE + 1) % len(plan.TILL)]
    slot, way = plan.QUEUE_SLOTS[0], plan.SERVED_WAY[0]
    assert begin[1] == end[1]
    assert (slot[1] - begin[1]) * (way[1] - begin[1]) < 0
    assert min(begin[0], end[0]) < way[0] < max(begin[0], end[0])
