"""The empty room, made of the simulated shop's pictures: nobody is in it, and what is in it is the room."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from firmware.vision.detection import Detections, no_detections
from firmware.vision.empty_room import (
    DRIFT_LEVELS,
    PATIENCE_S,
    SECONDS_MAX,
    SECONDS_MIN,
    UNKNOWN,
    EmptyRoomMaker,
    Sample,
    mark,
    median_without_people,
    shrunk,
)
from firmware.vision.frame import Frame
from firmware.vision.simulated_shop import SimulatedShop
from firmware.wall import ROOM_EDGE_MAX, EmptyRoom

SIZE = (192, 144)
FPS = 4.0
See = Callable[[SimulatedShop, float, int], np.ndarray]


def everybody(shop: SimulatedShop, t_s: float, number: int) -> np.ndarray:
    return np.array([person.box for person in shop.boxes(t_s)]).reshape(-1, 4)


def detections(t_s: float, boxes: np.ndarray) -> Detections:
    return Detections(t_s, boxes.astype(np.float64), np.full(len(boxes), 0.5), SIZE[0] / SIZE[1])


def made(shop: SimulatedShop, see: See, begin_s: float = 60.0) -> EmptyRoom:
    maker = EmptyRoomMaker("door")
    for number in range(int((SECONDS_MAX + 10) * FPS)):
        t_s = begin_s + number / FPS
        room = maker.take(shop.frame(t_s), detections(t_s, see(shop, t_s, number)))
        if room is not None:
            return room
    raise AssertionError("nothing was made")


def picture(room: EmptyRoom) -> np.ndarray:
    return np.frombuffer(room.grey, np.uint8).reshape(room.height, room.width)


def truth(shop: SimulatedShop) -> np.ndarray:
    """The same room with nobody in it, whatever the light."""
    empty = SimulatedShop(seed=shop.seed, people=0, minutes=2.0, size=SIZE)
    return np.median(np.stack([shrunk(empty.frame(t_s).pixels) for t_s in np.arange(60.0, 90.0, 2.0)]), axis=0)


@pytest.fixture(scope="module")
def shop() -> SimulatedShop:
    return SimulatedShop(seed=5, people=12, minutes=4.0, size=SIZE)


def worst(room: EmptyRoom, truth: np.ndarray) -> float:
    """The greatest difference where something is shown, after a 3x3 mean (noise of the camera is not a person)."""
    seen = picture(room).astype(np.float64)
    differ = np.where(seen == UNKNOWN, 0.0, np.abs(seen - truth))
    padded = np.pad(differ, 1)
    height, width = differ.shape
    return float(sum(padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)).max() / 9)


def test_nobody_is_in_it(shop: SimulatedShop) -> None:
    """A busy shop: every pixel that is shown is the empty shop's, within what light and noise do."""
    room = made(shop, everybody)
    assert room.refused == ""
    assert (room.width, room.height) == SIZE
    assert room.seconds >= SECONDS_MIN
    assert worst(room, truth(shop)) < DRIFT_LEVELS


def test_without_leaving_people_out_they_would_be_seen(shop: SimulatedShop) -> None:
    """The measure above can tell: one frame of the same shop has people all over it."""
    frame = shrunk(shop.frame(75.0).pixels)
    assert worst(EmptyRoom("door", *SIZE, frame.tobytes(), 1000, 20), truth(shop)) > 2 * DRIFT_LEVELS


def test_who_stands_there_all_the_time_is_flat_grey() -> None:
    """Painted into every frame, and found in one frame of ten only: the place is unknown, and filled."""
    shop = SimulatedShop(seed=5, people=0, minutes=2.0, size=SIZE)
    box = np.array([0.45, 0.3, 0.55, 0.8])
    left, right, top, bottom = 86, 106, 43, 115  # the box in pixels

    def with_somebody(t_s: float) -> Frame:
        pixels = shop.frame(t_s).pixels.copy()
        pixels[top:bottom, left:right] = (200, 30, 40)
        return Frame(t_s, pixels)

    maker, room = EmptyRoomMaker("door"), None
    for number in range(int((SECONDS_MAX + 10) * FPS)):
        t_s = 10.0 + number / FPS
        found = np.array([box]) if number % 10 == 0 else np.empty((0, 4))
        room = maker.take(with_somebody(t_s), detections(t_s, found))
        if room is not None:
            break
    assert room is not None
    assert room.refused == ""
    shown = picture(room)
    assert (shown[top:bottom, left:right] == UNKNOWN).all()
    assert 0 < 1000 - room.known_permille < 200
    assert room.seconds >= PATIENCE_S  # it waited for them to go
    outside = shown.copy()
    outside[20:140, 60:132] = UNKNOWN
    assert worst(EmptyRoom("door", *SIZE, outside.tobytes(), 1000, 20), truth(shop)) < DRIFT_LEVELS


def test_who_stands_there_for_half_the_time_unfound_is_not_shown() -> None:
    """Nobody detects them at all: the earlier half of the samples disagrees with the later one, and the place is filled."""
    samples = []
    for index in range(60):
        grey = np.full((10, 10), 90, np.uint8)
        grey[2:8, 3:6] = 200 if index < 32 else 90
        samples.append(Sample(grey, np.zeros((10, 10), np.bool_)))
    shown, known = median_without_people(samples)
    assert (shown[2:8, 3:6] == UNKNOWN).all()
    assert not known[2:8, 3:6].any()
    assert (shown[0] == 90).all()


def test_a_view_full_of_people_is_refused() -> None:
    """In words, and without a single pixel."""
    maker, room, number = EmptyRoomMaker("door"), None, 0
    while room is None:
        t_s = number / FPS
        room = maker.take(Frame(t_s, np.full((48, 64, 3), 100, np.uint8)), detections(t_s, np.array([[0.0, 0.1, 0.9, 1.0]])))
        number += 1
    assert "hid 100 % of the view for 120 s" in room.refused
    assert (room.width, room.height, room.grey) == (0, 0, b"")


def test_it_takes_twenty_seconds_when_nobody_is_there() -> None:
    """And not less."""
    maker, number, room = EmptyRoomMaker("door"), 0, None
    while room is None:
        room = maker.take(Frame(number / FPS, np.full((48, 64, 3), 100, np.uint8)), no_detections(number / FPS))
        number += 1
    assert SECONDS_MIN <= (number - 1) / FPS <= SECONDS_MIN + 2.5
    assert set(room.grey) == {100}
    assert room.known_permille == 1000


@pytest.mark.parametrize("size", [(1920, 1080), (640, 480), (480, 640), (64, 48), (193, 193)])
def test_it_is_small_whatever_the_camera(size: tuple[int, int]) -> None:
    """No edge is longer than the wall allows."""
    grey = shrunk(np.full((size[1], size[0], 3), 77, np.uint8))
    assert max(grey.shape) <= ROOM_EDGE_MAX
    assert abs(grey.shape[1] / grey.shape[0] - size[0] / size[1]) < 0.05
    assert set(grey.ravel().tolist()) == {77}


def test_what_is_left_out_is_larger_than_the_box() -> None:
    """Arms and shadows too; a box at the edge does not wrap round."""
    people = np.zeros((100, 100), np.bool_)
    mark(people, detections(0.0, np.array([[0.4, 0.4, 0.6, 0.8]])))
    assert people[34:86, 34:66].all()
    assert people.sum() < 4500
    edge = np.zeros((100, 100), np.bool_)
    mark(edge, detections(0.0, np.array([[0.0, 0.0, 0.1, 0.1]])))
    assert not edge[50:].any()
    assert not edge[:, 50:].any()


def test_a_camera_that_changes_its_size_begins_again() -> None:
    """Pictures of two sizes are never put together."""
    maker = EmptyRoomMaker("door")

    def frames() -> Iterable[Frame]:
        for number in range(400):
            size = (48, 64, 3) if number < 40 else (60, 80, 3)
            yield Frame(number / FPS, np.full(size, 100, np.uint8))

    room = next(room for frame in frames() if (room := maker.take(frame, no_detections(frame.t_s))) is not None)
    assert (room.width, room.height) == (80, 60)
