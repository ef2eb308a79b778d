"""Pictures of the simulated shop with exact boxes: the demo's own view, and the same rooms from many other ceilings.

Half of them are moments of simulated runs, whose seeds are never those that evaluation uses; the other half are random crowds seen by
random cameras, steep and high, since nobody labels enough of those. Who is half hidden is left out of the loss. Rendering is
`firmware.vision.shop`'s.
"""

import math
from collections.abc import Iterator

import numpy as np

from models_tflite.training.pictures import Picture

SEED_FIRST = 1000  # evaluation and the demo use small seeds
SEED_TRAINING = 10  # of the first chunk that teaches
VISIBLE_MIN = 0.55
SLIVER_MIN = 0.03
FRAMES_A_ROOM = 6
EMPTY_CHANCE = 0.15  # rooms where nobody is: what stands there is no person
SIZES = ((480, 360), (512, 288), (416, 416))


def moments(count: int, seed: int) -> Iterator[Picture]:
    """Frames of simulated runs as the demo shows them."""
    from firmware.vision.simulated_shop import SimulatedShop

    rng = np.random.default_rng((seed, 1))
    for number in range(math.ceil(count / FRAMES_A_ROOM)):
        shop = SimulatedShop(SEED_FIRST + seed * 100_000 + number, people=int(rng.integers(5, 26)), minutes=1.5, size=(480, 360))
        for t_s in rng.uniform(3, min(shop.duration_s, 120), FRAMES_A_ROOM):
            _, drawn = shop.drawn(float(t_s))
            yield labelled(f"moment-{number}", drawn)


def crowds(count: int, seed: int) -> Iterator[Picture]:
    """Random people before random cameras under the ceiling."""
    from firmware.vision.shop.drawing import Light, draw
    from firmware.vision.shop.look import random_looks
    from firmware.vision.shop.room import demo_room, draw_backdrop, grain_table

    rng = np.random.default_rng((seed, 2))
    grain = grain_table(seed)
    for number in range(math.ceil(count / FRAMES_A_ROOM)):
        room = demo_room(SEED_FIRST + seed * 100_000 + number)
        camera = random_camera(rng, SIZES[int(rng.integers(len(SIZES)))])
        backdrop = draw_backdrop(room, camera, grain)
        for _ in range(FRAMES_A_ROOM):
            people = int(rng.integers(1, 22)) if rng.random() > EMPTY_CHANCE else 0
            gain = float(np.exp(rng.normal(0, 0.2)))
            light = Light(gain=(gain, gain, gain), gamma=float(rng.uniform(0.8, 1.25)), noise=float(rng.uniform(1, 6)))
            crowd = (random_looks(rng, people, children=0.1), random_poses(rng, people))
            yield labelled(f"crowd-{number}", draw(backdrop, room, camera, crowd, light, grain, int(rng.integers(100_000))))


def random_camera(rng: np.random.Generator, size: tuple[int, int]):
    """A camera 2.3 to 4.5 m high, tilted 15 to 80 degrees, looking into the room."""
    from firmware.vision.shop.camera import Camera, axes_of

    x, y, high = rng.uniform(-3.2, 3.2), rng.uniform(0.2, 3.0), rng.uniform(2.3, 4.5)
    yaw = math.atan2(-x, 5 - y) + float(rng.normal(0, 0.3))
    pitch = math.radians(float(rng.uniform(15, 80)))
    focal = size[0] / 2 / math.tan(math.radians(float(rng.uniform(60, 105))) / 2)
    return Camera(*size, focal, np.array([x, y, high]), axes_of(yaw, pitch, math.radians(float(rng.normal(0, 3)))))


def random_poses(rng: np.random.Generator, people: int):
    """People standing and walking anywhere, some of them in knots."""
    from firmware.vision.shop.body import walking

    middle = np.stack([rng.uniform(-3.5, 3.5, people), rng.uniform(1.0, 6.6, people)], axis=1)
    knot = rng.random(people) < 0.4
    middle[knot] = middle[:1] + rng.normal(0, 0.9, (int(knot.sum()), 2))
    stride = np.where(rng.random(people) < 0.5, 0.0, rng.uniform(0.3, 1.0, people))
    return walking(middle, rng.uniform(-np.pi, np.pi, people), rng.uniform(0, 2 * np.pi, people), stride, (rng.random(people) < 0.3) * 1.0)


def labelled(name: str, drawn) -> Picture:
    """A drawn picture with its people; the half hidden are ignored."""
    height, width = drawn.pixels.shape[:2]
    boxes = np.clip(drawn.boxes, 0, [width, height, width, height]).astype(np.float32)
    seen = drawn.visible >= VISIBLE_MIN
    slivers = ~seen & (drawn.visible > SLIVER_MIN)
    return Picture(name, drawn.pixels, boxes[seen], boxes[slivers])


def render(count: int, seed: int = 3) -> list[Picture]:
    """`count` pictures, half moments, half crowds."""
    return [*moments(count // 2, seed), *crowds(count - count // 2, seed)]
