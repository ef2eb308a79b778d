"""The film: a blank floor, unless asked otherwise."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from firmware.annotate import FLOOR, LINE, PERSON, Film, picture_of
from firmware.config import CameraConfig, LineConfig, ZoneConfig
from firmware.errors import StorageError
from firmware.health import LiveLine, LiveNumbers, LiveZone
from tests.walkers import detections_at

CAMERA = CameraConfig(
    "shop",
    "x.mp4",
    line=(LineConfig("door", (0.1, 0.5), (0.9, 0.5)),),
    zone=(ZoneConfig("till", ((0.2, 0.6), (0.8, 0.6), (0.8, 0.9), (0.2, 0.9)), kind="queue", service_side=1),),
)
LIVE = LiveNumbers((LiveLine("door", 2, 1),), (LiveZone("till", "queue", 3),))
SIZE = (480, 270)


def test_the_floor_is_blank() -> None:
    """Without pixels, what is not drawn is the colour of the floor."""
    picture = np.asarray(picture_of(detections_at(1.0, [(0.5, 0.8)]), LIVE, CAMERA, SIZE))
    assert (picture[-5:, :] == FLOOR).all()
    assert (picture == PERSON).all(axis=2).any()


def test_pixels_show_only_when_given() -> None:
    """The same frame with its pixels looks like them; without, it does not depend on them."""
    green = np.zeros((27, 48, 3), np.uint8)
    green[..., 1] = 200
    picture = np.asarray(picture_of(detections_at(1.0, []), LIVE, CAMERA, SIZE, green))
    assert picture[-5:, :, 1].mean() == pytest.approx(200, abs=3)


@pytest.mark.parametrize(("side", "row"), [("left", 128), ("right", 142)])
def test_the_arrow_points_to_the_side_that_is_in(side: str, row: int) -> None:
    """A line from left to right: in on the left is up."""
    camera = CameraConfig("shop", "x.mp4", line=(LineConfig("door", (0.1, 0.5), (0.9, 0.5), side),))  # type: ignore[arg-type]
    picture = np.asarray(picture_of(detections_at(1.0, []), LiveNumbers(LIVE.lines), camera, SIZE))
    assert tuple(picture[row, 240]) == LINE


def test_a_film_has_every_frame_at_its_time(tmp_path: Path) -> None:
    """Five frames of half a second: five frames, two seconds apart from first to last."""
    path = tmp_path / "film.mp4"
    film = Film(path, CAMERA)
    for i in range(5):
        film.draw(detections_at(10.0 + i / 2, [(0.2 + 0.1 * i, 0.8)]), LIVE)
    film.close()
    film.close()
    with av.open(str(path)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert times == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0], abs=0.01)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One line: the file, why, and what to do."""
    film = Film(tmp_path / "no" / "film.mp4", CAMERA)
    with pytest.raises(StorageError, match=r"film\.mp4"):
        film.draw(detections_at(0.0, []), LIVE)
