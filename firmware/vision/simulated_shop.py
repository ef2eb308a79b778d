"""The simulated shop: people walk through a small shop, as frames, as boxes, and as the truth of what happened.

Deterministic: one seed is one world, and any frame rate or picture size samples the same one. Nothing here reads a clock;
`firmware.vision.simulated_source` hands frames out as a source. The parts are in
`firmware.vision.shop`: plan and world (who walks where), body and room (what that looks like), truth (what a perfect counter says).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware.vision.frame import Frame
from firmware.vision.shop import plan
from firmware.vision.shop.body import Poses, walking
from firmware.vision.shop.camera import Camera, look_down
from firmware.vision.shop.drawing import Drawn, Light, draw
from firmware.vision.shop.look import Looks, random_looks
from firmware.vision.shop.room import Backdrop, demo_room, draw_backdrop, grain_table
from firmware.vision.shop.truth import Truth, truth_of
from firmware.vision.shop.world import live, walked

Values = NDArray[np.float64]
PEOPLE_MAX = 2000  # of one run: its paths are kept in memory, about 30 KB a person


@dataclass(frozen=True, slots=True)
class PersonBox:
    """What an annotator would draw: the whole body's box in 0..1 of the picture, clipped to it, and how much of it is seen."""

    person: int
    box: tuple[float, float, float, float]
    visible: float


class SimulatedShop:
    """One world and its camera.

    Args:
        seed: of everything.
        people: shoppers who come in, besides peekers and passers-by.
        minutes: in which they come; the run ends when all have gone.
        size: width and height of the picture, pixels.
        room_seed: of the room's colours and goods; by default the world's.
        walks: instead of shoppers, an installer walks so often in and out, loiters and peeks: the walk test.
    """

    def __init__(
        self,
        seed: int = 1,
        people: int = 20,
        minutes: float = 10.0,
        size: tuple[int, int] = (640, 480),
        room_seed: int | None = None,
        walks: int = 0,
    ) -> None:
        self.seed, self.size = seed, size
        self.world = walked(walks) if walks else live(seed, people, minutes)
        self.camera: Camera = look_down(*size, plan.EYE_HIGH_M, math.radians(plan.EYE_PITCH_DEG))
        self._room = demo_room(seed if room_seed is None else room_seed)
        self._grain = grain_table(seed)
        self._looks = random_looks(np.random.default_rng([seed, 0xB0D1]), len(self.world.paths), children=0.05)
        self._backdrop: Backdrop | None = None  # drawn with the first frame: truth and boxes do without

    @property
    def duration_s(self) -> float:
        """When the last person has gone."""
        return self.world.duration_s

    def frame(self, t_s: float) -> Frame:
        """The picture at a time of the run."""
        return Frame(t_s, self.drawn(t_s)[1].pixels)

    def boxes(self, t_s: float) -> tuple[PersonBox, ...]:
        """Everybody of whom at least a sliver is in the picture, with the visible share."""
        who, drawn = self.drawn(t_s)
        return _person_boxes(who, drawn, self.size)

    def drawn(self, t_s: float) -> tuple[NDArray[np.intp], Drawn]:
        """Who is about at a time (indices of `world.paths`), and the picture of it."""
        if self._backdrop is None:
            self._backdrop = draw_backdrop(self._room, self.camera, self._grain)
        who, looks, poses = self._people_at(t_s)
        start = round(t_s * 1000.0) * 7919
        return who, draw(self._backdrop, self._room, self.camera, (looks, poses), light_at(t_s, self.seed), self._grain, start)

    def truth(self, until_s: float = math.inf) -> Truth:
        """What happened before a time."""
        return truth_of(self.world, min(until_s, self.duration_s))

    def config_toml(self, source: str = "sim:") -> str:
        """The Passerby configuration that fits this shop: line `entrance`, zones `display` and `till`."""
        display, till = (self._polygon(polygon) for polygon in (plan.DISPLAY, plan.TILL))
        start, end = (self._point(place) for place in plan.LINE)
        return f"""site = "simulated"
disclosure = "events"

[[camera]]
name = "shop"
source = "{source}"

[[camera.line]]
name = "entrance"
start = {start}
end = {end}
in = "left"

[[camera.zone]]
name = "display"
kind = "area"
polygon = {display}
dwell_s_min = {plan.DISPLAY_DWELL_S_MIN}

[[camera.zone]]
name = "till"
kind = "queue"
polygon = {till}
service_side = {plan.SERVICE_SIDE}
"""

    def _point(self, place: plan.Place) -> str:
        x, y = self.camera.floor_share(*place)
        return f"[{min(max(x, 0.0), 1.0):.4f}, {min(max(y, 0.0), 1.0):.4f}]"

    def _polygon(self, polygon: tuple[plan.Place, ...]) -> str:
        return "[" + ", ".join(self._point(place) for place in polygon) + "]"

    def _people_at(self, t_s: float) -> tuple[NDArray[np.intp], Looks, Poses]:
        who = np.array([k for k, path in enumerate(self.world.paths) if path.start_s <= t_s < path.end_s], dtype=np.intp)
        rows = np.array([self.world.paths[k].at(t_s) for k in who]).reshape(-1, 6)
        return who, self._looks.take(who), walking(rows[:, :2], rows[:, 2], rows[:, 3], rows[:, 4], rows[:, 5])


def light_at(t_s: float, seed: int) -> Light:
    """Daylight that comes and goes within minutes, a lamp that breathes, the camera's slow white balance."""
    day = 0.07 * math.sin(t_s / 47.0 + seed) + 0.05 * math.sin(t_s / 13.0 + 2.1 * seed)
    warm = 0.025 * math.sin(t_s / 71.0 + 0.7 * seed)
    flicker = 0.008 * math.sin(t_s * 9.7)
    level = 1.0 + day + flicker
    return Light(gain=(level * (1 + warm), level, level * (1 - warm)), noise=2.6 - 6.0 * day)


def _person_boxes(who: NDArray[np.intp], drawn: Drawn, size: tuple[int, int]) -> tuple[PersonBox, ...]:
    out = []
    for person, box, visible in zip(who, drawn.boxes, drawn.visible, strict=True):
        x0, x1 = (min(max(float(v) / size[0], 0.0), 1.0) for v in (box[0], box[2]))
        y0, y1 = (min(max(float(v) / size[1], 0.0), 1.0) for v in (box[1], box[3]))
        if visible > 0.0 and x1 > x0 and y1 > y0:
            out.append(PersonBox(int(person), (x0, y0, x1, y1), float(visible)))
    return tuple(out)
