"""The simulated shop as a whole: one world at any rate and size, its boxes, its configuration."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.config import parse
from firmware.vision.shop import plan
from firmware.vision.simulated_shop import SimulatedShop, light_at

SMALL = (160, 120)


@pytest.fixture(scope="module")
def shop() -> SimulatedShop:
    return SimulatedShop(3, people=12, minutes=2.0, size=SMALL)


def busiest(shop: SimulatedShop) -> float:
    return max(np.arange(5.0, shop.duration_s, 1.0), key=lambda t_s: len(shop.boxes(float(t_s))))


def test_a_frame_has_its_time_and_size(shop: SimulatedShop) -> None:
    """RGB, eight bits, in the size asked for, with the time asked for."""
    frame = shop.frame(12.5)
    assert frame.t_s == 12.5
    assert frame.pixels.shape == (120, 160, 3)
    assert frame.pixels.dtype == np.uint8


def test_frames_depend_on_nothing_but_seed_and_time(shop: SimulatedShop) -> None:
    """A frame drawn after others equals the same frame of a new shop: any rate samples one world."""
    t_s = float(busiest(shop))
    shop.frame(t_s + 3)
    again = SimulatedShop(3, people=12, minutes=2.0, size=SMALL)
    np.testing.assert_array_equal(again.frame(t_s).pixels, shop.frame(t_s).pixels)
    assert again.boxes(t_s) == shop.boxes(t_s)


def test_sizes_show_the_same_people(shop: SimulatedShop) -> None:
    """At four times the size, boxes in 0..1 are the same to a pixel of the small picture."""
    large = SimulatedShop(3, people=12, minutes=2.0, size=(640, 480))
    t_s = float(busiest(shop))
    small_boxes, large_boxes = ({p.person: p.box for p in s.boxes(t_s) if p.visible > 0.3} for s in (shop, large))
    assert small_boxes.keys() == large_boxes.keys()
    for person, box in small_boxes.items():
        np.testing.assert_allclose(box, large_boxes[person], atol=0.012)


def test_boxes_stand_where_people_stand(shop: SimulatedShop) -> None:
    """The bottom centre of a whole person's box is seen near where the plan says that they are (at the border bodies lean)."""
    compared = 0
    for t_s in np.arange(10.0, shop.duration_s, 3.0):
        for person in shop.boxes(float(t_s)):
            x, y = shop.world.paths[person.person].at(float(t_s))[:2]
            across, down = shop.camera.floor_share(x, y)
            if person.visible > 0.95 and person.box[3] < 0.99:
                compared += 1
                assert abs((person.box[0] + person.box[2]) / 2 - across) < 0.075
                assert -0.02 < person.box[3] - down < 0.075
    assert compared > 30


def test_visible_shares_are_shares_and_vary(shop: SimulatedShop) -> None:
    """Between 0 and 1; in a busy shop some people are hidden in part."""
    shares = [p.visible for t_s in np.arange(5.0, shop.duration_s, 1.0) for p in shop.boxes(float(t_s))]
    assert min(shares) > 0
    assert max(shares) <= 1
    assert 0.02 < np.mean(np.array(shares) < 0.6) < 0.6


def test_people_change_the_picture_where_their_boxes_are(shop: SimulatedShop) -> None:
    """Against the empty shop's picture in the same light, pixels inside boxes differ and others hardly do."""
    t_s = float(busiest(shop))
    empty = SimulatedShop(3, people=0, minutes=2.0, size=SMALL).frame(t_s).pixels.astype(int)
    changed = np.abs(shop.frame(t_s).pixels.astype(int) - empty).max(axis=2) > 30
    mask = np.zeros(changed.shape, dtype=bool)
    for person in shop.boxes(t_s):
        x0, y0, x1, y1 = person.box
        mask[int(y0 * 120) : int(np.ceil(y1 * 120)), int(x0 * 160) : int(np.ceil(x1 * 160))] = True
    assert changed[mask].mean() > 0.25
    assert changed[~mask].mean() < 0.04  # shadows, bags


def test_light_changes_slowly() -> None:
    """From frame to frame hardly, over minutes by more than a tenth."""
    levels = np.array([light_at(t_s, 3).gain[1] for t_s in np.arange(0.0, 600.0, 0.1)])
    assert np.abs(np.diff(levels)).max() < 0.02
    assert levels.max() - levels.min() > 0.1


def test_the_configuration_fits(shop: SimulatedShop) -> None:
    """It parses, and names the line, both zones and the service side; in is on the side of the shop."""
    config = parse(shop.config_toml("sim:?seed=3"), "shop.toml")
    (camera,) = config.camera
    assert camera.source == "sim:?seed=3"
    assert [line.name for line in camera.line] == ["entrance"]
    assert [(zone.name, zone.kind) for zone in camera.zone] == [("display", "area"), ("till", "queue")]
    assert camera.zone[1].service_side == plan.SERVICE_SIDE
    line = camera.line[0]
    inside = shop.camera.floor_share(*plan.INSIDE)
    side = (line.end[0] - line.start[0]) * (inside[1] - line.start[1]) - (line.end[1] - line.start[1]) * (inside[0] - line.start[0])
    assert (side < 0) == (line.in_side == "left")  # rows grow downwards: left is negative


def test_truth_reaches_to_the_time_asked_for(shop: SimulatedShop) -> None:
    """Nothing at 0, everything at the end, and never more earlier than later."""
    counts = [len(shop.truth(t_s).crossings) for t_s in (0.0, 40.0, 80.0, shop.duration_s)]
    assert counts[0] == 0
    assert counts == sorted(counts)
    whole = shop.truth()
    assert (whole.count("in"), whole.count("out")) == (12, 12)
