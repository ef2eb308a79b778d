"""Bodies: from looks and poses to the parts that `raster` draws, and the boxes an annotator would draw round them.

A body stands in its own frame (right, forward, up; metres; the origin on the floor under the hips) and is turned and
moved into the room. All people are computed at once; angles are radians. Lengths are shares of height after Drillis
and Contini (1966). Bags and trolleys are drawn but do not widen a box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.vision.shop import raster
from firmware.vision.shop.camera import Camera
from firmware.vision.shop.look import Looks

Values = NDArray[np.float64]

_THIGH, _SHIN, _ANKLE, _TRUNK, _UPPER_ARM, _FOREARM, _TOE = 0.245, 0.246, 0.04, 0.288, 0.18, 0.15, 0.1
_SHOULDER, _HIP = 0.115, 0.055  # from the middle
(SHOE, SHIN, LEG, ARM, FOREARM, HAND) = (0, 2, 4, 6, 8, 10)  # left, right
(PELVIS, TORSO, CHEST, NECK, HEAD, HAIR, SKIRT, PACK, BAG, BRIM) = range(12, 22)
PARTS: Final = 22
CARRIED: Final = (PACK, BAG, BRIM)


@dataclass(frozen=True, slots=True)
class Poses:
    """How N people stand. Pairs are (N, 2): left, right."""

    x_m: Values
    y_m: Values
    heading: Values  # clockwise from the y axis
    hip: Values  # forward
    knee: Values  # bent back
    shoulder: Values  # forward
    elbow: Values  # bent forward
    spread: Values  # of the arms, sideways
    lean: Values  # of the trunk, forward
    nod: Values  # of the head, forward
    turn: Values  # of the head, to the right


def walking(where: Values, heading: Values, phase: Values, stride: Values, busy: Values) -> Poses:
    """People on their feet.

    Args:
        where: (N, 2) metres on the floor.
        heading: (N,).
        phase: (N,) of the gait, 2 pi for two steps.
        stride: (N,) 0 standing still to 1 walking briskly.
        busy: (N,) 0 arms hang and swing, 1 both forearms up (a phone, a packet).
    """
    swing, lift = np.sin(phase), np.cos(phase)
    apart = 0.42 * stride
    hip = np.stack((apart * swing, -apart * swing), axis=1) + 0.03
    bend = np.stack((np.maximum(lift, 0.0), np.maximum(-lift, 0.0)), axis=1)
    knee = 0.08 + 0.12 * stride[:, None] + 0.85 * stride[:, None] * bend
    arm = np.stack((-0.75 * apart * swing, 0.75 * apart * swing), axis=1) * (1 - 0.8 * busy[:, None])
    up = busy[:, None] * np.array([[0.9, 1.0]])
    return Poses(
        x_m=where[:, 0],
        y_m=where[:, 1],
        heading=heading,
        hip=hip,
        knee=knee,
        shoulder=arm + 0.35 * up,
        elbow=0.25 + 0.3 * stride[:, None] + 1.35 * up,
        spread=np.full(len(where), 0.12),
        lean=0.04 + 0.05 * stride + 0.06 * busy,
        nod=0.1 + 0.35 * busy,
        turn=0.12 * np.sin(phase * 0.37),
    )


def seated(where: Values, heading: Values, reach: Values) -> Poses:
    """People on chairs, hips over `where`; `reach` (N,) 0 hands in the lap to 1 forearms on a table."""
    people = len(where)
    pair = np.ones((people, 2))
    return Poses(
        x_m=where[:, 0],
        y_m=where[:, 1],
        heading=heading,
        hip=1.42 * pair,
        knee=1.45 * pair,
        shoulder=(0.25 + 0.45 * reach)[:, None] * pair,
        elbow=(0.9 + 0.4 * reach)[:, None] * pair,
        spread=np.full(people, 0.15),
        lean=0.02 + 0.25 * reach,
        nod=0.1 + 0.3 * reach,
        turn=np.zeros(people),
    )


def _skeleton(looks: Looks, poses: Poses) -> tuple[Values, Values]:
    """Ends of every part, (N, PARTS, 3) twice, in each body's own frame."""
    tall = looks.height_m[:, None]
    first, last = (np.zeros((len(tall), PARTS, 3)) for _ in range(2))
    side: Values = np.array([[-1.0, 1.0]])
    shin_angle = poses.hip - poses.knee
    reach = _THIGH * np.cos(poses.hip) + _SHIN * np.cos(shin_angle) + _TOE * np.maximum(0.0, -np.sin(shin_angle))
    high = (tall * reach).max(axis=1) + looks.height_m * _ANKLE  # hips over the floor: the lower foot stands on it
    hip = np.stack((side * _HIP * tall * looks.build[:, None], np.zeros_like(poses.hip), np.repeat(high[:, None], 2, axis=1)), axis=2)
    knee = hip + tall[:, :, None] * _THIGH * _down(poses.hip)
    ankle = knee + tall[:, :, None] * _SHIN * _down(shin_angle)
    first[:, LEG : LEG + 2], last[:, LEG : LEG + 2] = hip, knee
    first[:, SHIN : SHIN + 2], last[:, SHIN : SHIN + 2] = knee, ankle
    toe = ankle + tall[:, :, None] * _TOE * np.stack((0.18 * side + 0 * shin_angle, np.cos(shin_angle), np.sin(shin_angle)), axis=2)
    sink = (0.018 * tall)[:, :, None] * np.array([0.0, 0.0, 1.0])
    first[:, SHOE : SHOE + 2], last[:, SHOE : SHOE + 2] = ankle - sink - (toe - ankle) * 0.25, toe - sink
    up = np.stack((0 * poses.lean, np.sin(poses.lean), np.cos(poses.lean)), axis=1)
    pelvis = hip.mean(axis=1)
    scaled = looks.height_m[:, None] * up
    first[:, PELVIS], last[:, PELVIS] = pelvis - 0.01 * scaled, pelvis + 0.04 * scaled
    waist, breast, neck = pelvis + 0.06 * scaled, pelvis + 0.2 * scaled, pelvis + _TRUNK * scaled
    first[:, TORSO], last[:, TORSO] = waist, breast
    first[:, CHEST], last[:, CHEST] = breast, neck - 0.025 * scaled
    shoulder = (neck - 0.02 * scaled)[:, None, :] + (side * _SHOULDER * tall * (0.5 + 0.5 * looks.build[:, None]))[:, :, None] * np.array(
        [1.0, 0.0, 0.0]
    )
    outward: Values = side * poses.spread[:, None]
    elbow = shoulder + tall[:, :, None] * _UPPER_ARM * _down(poses.shoulder, outward)
    inward: Values = side * (0.4 * poses.spread[:, None] - 0.35 * np.maximum(0.0, poses.elbow - 0.9))
    hand = elbow + tall[:, :, None] * _FOREARM * _down(poses.shoulder + poses.elbow, inward)
    first[:, ARM : ARM + 2], last[:, ARM : ARM + 2] = shoulder, elbow
    first[:, FOREARM : FOREARM + 2], last[:, FOREARM : FOREARM + 2] = elbow, hand
    first[:, HAND : HAND + 2], last[:, HAND : HAND + 2] = hand, hand + 0.25 * (hand - elbow)
    tilt = poses.lean + poses.nod
    skull = np.stack((0 * tilt, np.sin(tilt), np.cos(tilt)), axis=1) * looks.height_m[:, None]
    first[:, NECK], last[:, NECK] = neck - 0.01 * scaled, neck + 0.03 * skull
    centre = neck + 0.092 * skull
    first[:, HEAD], last[:, HEAD] = centre - 0.006 * skull, centre + 0.006 * skull
    back = np.stack((0 * tilt, -np.cos(tilt), np.sin(tilt)), axis=1) * looks.height_m[:, None]
    first[:, HAIR] = centre + 0.03 * back
    last[:, HAIR] = centre + 0.035 * back - (0.06 + 0.12 * looks.hair_long[:, None]) * skull
    first[:, BRIM], last[:, BRIM] = centre + 0.018 * skull, centre + 0.022 * skull
    hem = pelvis.copy()
    hem[:, 2] = high * (1.0 - looks.skirt)
    hem[:, 1] += 0.5 * (knee[:, :, 1].mean(axis=1)) * looks.skirt
    first[:, SKIRT], last[:, SKIRT] = waist, hem
    behind = np.stack((0 * poses.lean, -np.cos(poses.lean), np.sin(poses.lean)), axis=1) * looks.height_m[:, None]
    first[:, PACK], last[:, PACK] = breast + 0.085 * behind - 0.03 * scaled, neck + 0.08 * behind - 0.06 * scaled
    grip = last[:, HAND + 1]
    first[:, BAG], last[:, BAG] = grip - [0.0, 0.0, 0.18], grip - [0.0, 0.0, 0.34]
    return first, last


def _down(angle: Values, aside: Values | None = None) -> Values:
    """Unit vectors (N, 2, 3) that hang, swung forward by `angle` and aside by `aside`."""
    out = np.stack((np.zeros_like(angle) if aside is None else aside, np.sin(angle), -np.cos(angle)), axis=2)
    return out / np.sqrt((out * out).sum(axis=2, keepdims=True))


def _radii(looks: Looks) -> Values:
    """(N, PARTS, 4): half-width at either end, half-thickness, cap; metres. 0: the part is not worn."""
    table = np.zeros((PARTS, 4))
    table[SHOE : SHOE + 2] = (0.024, 0.02, 0.02, 0.02)
    table[SHIN : SHIN + 2] = (0.034, 0.024, 0.03, 0.024)
    table[LEG : LEG + 2] = (0.052, 0.038, 0.05, 0.04)
    table[ARM : ARM + 2] = (0.034, 0.028, 0.03, 0.03)
    table[FOREARM : FOREARM + 2] = (0.027, 0.02, 0.024, 0.022)
    table[HAND : HAND + 2] = (0.02, 0.016, 0.02, 0.018)
    table[PELVIS] = (0.1, 0.094, 0.068, 0.035)
    table[TORSO] = (0.09, 0.104, 0.066, 0.02)
    table[CHEST] = (0.106, 0.112, 0.068, 0.03)
    table[NECK] = (0.034, 0.032, 0.034, 0.02)
    table[HEAD] = (0.047, 0.047, 0.058, 0.064)
    table[HAIR] = (0.045, 0.038, 0.03, 0.03)
    table[SKIRT] = (0.09, 0.135, 0.1, 0.02)
    table[PACK] = (0.08, 0.07, 0.045, 0.04)
    table[BAG] = (0.05, 0.07, 0.03, 0.02)
    table[BRIM] = (0.075, 0.075, 0.085, 0.012)
    small = looks.height_m < 1.45
    out = table[None] * looks.height_m[:, None, None]
    wide = np.ones((1, PARTS, 1)) * looks.build[:, None, None]
    wide[:, HEAD : HAIR + 1] = 1.0
    out *= wide
    out[small, HEAD] *= 1.22  # children have larger heads
    out[:, HAIR] *= (looks.hair_long > 0)[:, None]
    out[:, SKIRT] *= (looks.skirt > 0)[:, None]
    out[:, PACK] *= looks.backpack[:, None]
    out[:, BAG] *= looks.bag[:, None]
    out[:, BRIM] *= looks.brim[:, None]
    return out


def _colours(looks: Looks) -> tuple[Values, Values, Values]:
    """First and second colour (N, PARTS, 3) and pattern with repeats (N, PARTS, 2)."""
    people = len(looks.height_m)
    first = np.repeat(looks.top[:, None, :], PARTS, axis=1)
    second = np.repeat(looks.top2[:, None, :], PARTS, axis=1)
    style = np.zeros((people, PARTS, 2))
    style[:, TORSO, 0] = style[:, CHEST, 0] = looks.pattern
    sleeves = np.isin(looks.pattern, (raster.STRIPES, raster.CHECKS))
    style[:, ARM : ARM + 2, 0] = np.where(sleeves, looks.pattern, raster.PLAIN)[:, None]
    style[:, :, 1] = looks.repeats[:, None]
    bare = (looks.sleeve < 0.5)[:, None, None]
    first[:, FOREARM : FOREARM + 2] = np.where(bare, looks.skin[:, None, :], first[:, FOREARM : FOREARM + 2])
    first[:, HAND : HAND + 2] = looks.skin[:, None, :]
    first[:, LEG : LEG + 2] = first[:, PELVIS : PELVIS + 1] = looks.legs[:, None, :]
    shins = ((looks.shorts > 0) | (looks.skirt > 0))[:, None, None]
    first[:, SHIN : SHIN + 2] = np.where(shins, looks.skin[:, None, :], looks.legs[:, None, :])
    first[:, SHOE : SHOE + 2] = looks.shoes[:, None, :]
    first[:, NECK] = first[:, HEAD] = looks.skin
    second[:, HEAD] = first[:, HAIR] = first[:, BRIM] = looks.hair
    style[:, HEAD, 0], style[:, HEAD, 1] = raster.HEAD, looks.hair_from
    first[:, SKIRT] = np.where((looks.skirt > 0.6)[:, None], looks.top, looks.legs)
    first[:, PACK] = first[:, BAG] = looks.bag_colour
    return first, second, style


def _turned(vectors: Values, heading: Values) -> Values:
    """(N, ..., 3) from body frames into the room's."""
    sine, cosine = (f.reshape(-1, *([1] * (vectors.ndim - 2))) for f in (np.sin(heading), np.cos(heading)))
    right, forward = vectors[..., 0], vectors[..., 1]
    return np.stack((right * cosine + forward * sine, forward * cosine - right * sine, vectors[..., 2]), axis=-1)


def _axes(poses: Poses) -> Values:
    """(N, PARTS, 3, 3): right, forward, up of each part in the body's frame; the head has its own."""
    people = len(poses.lean)
    out = np.empty((people, PARTS, 3, 3))
    zero, one = np.zeros(people), np.ones(people)
    trunk = np.stack(
        (
            np.stack((one, zero, zero), axis=1),
            np.stack((zero, np.cos(poses.lean), -np.sin(poses.lean)), axis=1),
            np.stack((zero, np.sin(poses.lean), np.cos(poses.lean)), axis=1),
        ),
        axis=1,
    )
    out[:] = trunk[:, None]
    tilt, turn = poses.lean + poses.nod, poses.turn
    level = np.stack((np.sin(turn), np.cos(turn) * np.cos(tilt), -np.cos(turn) * np.sin(tilt)), axis=1)
    up = np.stack((zero, np.sin(tilt), np.cos(tilt)), axis=1)
    out[:, HEAD] = np.stack((np.cross(level, up), level, up), axis=1)
    out[:, BRIM] = out[:, HEAD]
    return out


def parts_of(camera: Camera, looks: Looks, poses: Poses, lit: Values) -> tuple[Values, Values]:
    """What to draw, and the boxes.

    Args:
        camera: who looks.
        looks: of N people.
        poses: of the same.
        lit: (N,) how bright the light is where each stands.

    Returns:
        (N, PARTS, raster.COLUMNS) rows, far parts first within a person; parts that are not worn have no width.
        (N, 4) boxes in pixels, x0 y0 x1 y1, reaching over the picture's border where the person does.
    """
    first, last = _skeleton(looks, poses)
    where = np.stack((poses.x_m, poses.y_m, np.zeros_like(poses.x_m)), axis=1)[:, None, :]
    ends = np.stack((camera.project(_turned(first, poses.heading) + where), camera.project(_turned(last, poses.heading) + where)), axis=2)
    radii = _radii(looks)
    axes = _turned(_axes(poses).reshape(len(where), PARTS * 3, 3), poses.heading) @ camera.axes.T
    axes = axes.reshape(len(where), PARTS, 3, 3)
    along = ends[:, :, 1, :2] - ends[:, :, 0, :2]
    length = np.sqrt((along * along).sum(axis=2, keepdims=True))
    along = np.where(length > 1e-3, along / np.maximum(length, 1e-3), np.array([0.0, -1.0]))
    across = np.stack((-along[:, :, 1], along[:, :, 0]), axis=2)
    scale = camera.focal_px / ends[:, :, :, 2]
    rows = np.zeros((len(where), PARTS, raster.COLUMNS))
    rows[:, :, raster.P0X : raster.P0Z + 1], rows[:, :, raster.P1X : raster.P1Z + 1] = ends[:, :, 0], ends[:, :, 1]
    for end, (half, cap) in enumerate(((raster.W0, raster.C0), (raster.W1, raster.C1))):
        rows[:, :, half] = _support(axes, across, radii, end) * scale[:, :, end]
        rows[:, :, cap] = _support(axes, along, radii, end) * scale[:, :, end]
    rows[:, :, raster.BULGE] = np.minimum(radii[:, :, 0], radii[:, :, 2])
    colour, second, style = _colours(looks)
    rows[:, :, raster.RED : raster.RED + 3], rows[:, :, raster.RED2 : raster.RED2 + 3] = colour, second
    rows[:, :, raster.PATTERN : raster.PATTERN + 2] = style
    rows[:, :, raster.LIT] = lit[:, None]
    rows[:, :, raster.OWNER] = np.arange(len(where))[:, None]
    rows[:, :, raster.RIGHT :] = axes.reshape(len(where), PARTS, 9)
    worn = radii[:, :, 0] > 0
    boxes = _boxes(rows, along, across, worn)
    rows[:, :, raster.LIT] *= worn
    order = np.argsort(-ends[:, :, :, 2].mean(axis=2), axis=1, kind="stable")
    return np.take_along_axis(rows, order[:, :, None], axis=1), boxes


def _support(axes: Values, direction: Values, radii: Values, end: int) -> Values:
    """Half-extent in metres of a part's end along a direction of the picture, (N, PARTS)."""
    total = np.zeros(direction.shape[:2])
    for axis, radius in enumerate((radii[:, :, end], radii[:, :, 2], radii[:, :, 3])):
        reach = radius * (axes[:, :, axis, :2] * direction).sum(axis=2)
        total += reach * reach
    return np.sqrt(total)


def _boxes(rows: Values, along: Values, across: Values, worn: NDArray[np.bool_]) -> Values:
    """The tight box round everything that is of the body, (N, 4) pixels."""
    counts = worn.copy()
    counts[:, CARRIED] = False
    low, high = [], []
    for first, half, cap in ((raster.P0X, raster.W0, raster.C0), (raster.P1X, raster.W1, raster.C1)):
        reach = np.sqrt((rows[:, :, half, None] * across) ** 2 + (rows[:, :, cap, None] * along) ** 2)
        low.append(np.where(counts[:, :, None], rows[:, :, first : first + 2] - reach, np.inf))
        high.append(np.where(counts[:, :, None], rows[:, :, first : first + 2] + reach, -np.inf))
    return np.concatenate((np.minimum(*low).min(axis=1), np.maximum(*high).max(axis=1)), axis=1)
