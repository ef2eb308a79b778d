"""The installer of the simulated shop."""

from __future__ import annotations

from firmware.vision.shop.installer import LOITER_S, ON_THE_LINE, installer
from firmware.vision.shop.plan import LINE
from firmware.vision.shop.world import walked


def test_the_way_crosses_the_line_as_often_as_asked() -> None:
    """Each pass there and back, and each peek over and back; and for a while the foot rests on the line."""
    (path,) = walked(3).paths
    inside = path.y_m < LINE[0][1]
    changes = int((inside[1:] != inside[:-1]).sum())
    assert changes in {2 * (3 + 4), 2 * (3 + 4) + 1, 2 * (3 + 4) + 2}  # standing on the line may be either side
    on_it = (abs(path.y_m - ON_THE_LINE[1]) < 0.05).sum() * 0.05
    assert on_it >= LOITER_S - 1


def test_the_same_walk_every_time() -> None:
    """No chance is in it."""
    assert list(installer(2).goals) == list(installer(2).goals)
    assert walked(2).paths[0].x_m.tolist() == walked(2).paths[0].x_m.tolist()
