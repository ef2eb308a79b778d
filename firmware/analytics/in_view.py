"""Who is in view: detections become tracks, tracks people; shadows are left out, furniture and staff marked.

The first half of the pipeline, before anybody asks what people do. Left to others: lines, zones, windows, events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.births import away_from_edges
from firmware.analytics.people import People
from firmware.analytics.relink import Relinker
from firmware.analytics.shadows import Shadows
from firmware.analytics.staff import Staff
from firmware.analytics.still_map import Stillness
from firmware.config import CameraConfig
from firmware.still_places import StillMap
from firmware.vision.detection import Detections
from firmware.vision.tracker import Tracker


class InView:
    """The people of one camera.

    Attributes:
        staff: who is known to be staff; lines and zones teach it.
        births: (people who began in the last step, those of them in mid-view).
    """

    def __init__(self, camera: CameraConfig, still_map: StillMap | None) -> None:
        self._lines = camera.line
        self._tracker = Tracker(camera.tracker)
        self._relinker = Relinker(camera.tracker.relink_s_max, camera.tracker.capacity)
        self._shadows = Shadows(camera.tracker.score_high)
        self._stillness = Stillness(camera.still, still_map, 2 * camera.tracker.capacity)
        self._newest = 0
        self.staff = Staff()
        self.births = (0, 0)

    @property
    def still_map(self) -> StillMap:
        """What stands still, by now."""
        return self._stillness.map

    def step(self, detections: Detections, *, closed: bool) -> People:
        """The people of one frame."""
        everybody = self._relinker.step(self._tracker.step(detections))
        self.births = self._births(everybody)
        people = self._shadows.step(everybody)
        still = self._stillness.step(people, closed=closed)
        return _marked(people, still, self.staff.step(people, people.uniform))

    def take_still_found(self) -> int:
        """How many things were found to be furniture since the last call."""
        return self._stillness.take_found()

    def _births(self, people: People) -> tuple[int, int]:
        if not len(people.ids) or people.ids[-1] <= self._newest:  # ids ascend
            return 0, 0
        born = people.ids > self._newest
        self._newest = int(people.ids[-1])
        return int(born.sum()), int(away_from_edges(people.birth_boxes[born], self._lines, people.aspect).sum())


def _marked(people: People, still: NDArray[np.bool_], staff: NDArray[np.bool_]) -> People:
    """Furniture and staff marked; spelled out because `dataclasses.replace` costs more than the kernels."""
    return People(
        people.t_s,
        people.ids,
        people.boxes,
        people.scores,
        people.seen,
        still,
        staff,
        people.born_s,
        people.birth_boxes,
        people.gone,
        people.relinked,
        people.aspect,
        people.dropped,
        people.uniform,
    )
