"""People inside by the doors."""

from __future__ import annotations

from firmware.analytics.occupancy import Inside


def test_in_minus_out() -> None:
    """Three came, one left: two are inside."""
    inside = Inside()
    for _ in range(3):
        inside.came()
    assert not inside.left()
    assert (inside.count, inside.drift) == (2, 0)


def test_never_below_nobody_and_the_correction_is_counted() -> None:
    """Two left an empty shop: still empty, and the drift says that two entries were missed."""
    inside = Inside()
    assert inside.left()
    assert inside.left()
    inside.came()
    assert (inside.count, inside.drift) == (1, 2)


def test_closing_empties_the_shop_and_counts_what_was_left() -> None:
    """Whoever the balance still holds at night has left unseen."""
    inside = Inside()
    inside.came()
    inside.came()
    inside.close()
    inside.close()
    assert (inside.count, inside.drift) == (0, 2)
