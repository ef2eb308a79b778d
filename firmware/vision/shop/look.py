"""What simulated people look like: sizes, clothes, hair, what they carry. Many at once, as arrays.

Proportions follow Drillis and Contini's table of body segments (1966), in shares of height. Colours are drawn the way
shops see them: mostly dark and muted, now and then bright. `rng` is the caller's; nothing here keeps state.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.vision.shop import raster

Values = NDArray[np.float64]

_SKINS: Final = ((236, 200, 178), (224, 180, 152), (205, 158, 126), (172, 122, 92), (128, 86, 62), (88, 60, 46))
_HAIRS: Final = ((28, 24, 22), (46, 32, 24), (82, 56, 36), (122, 88, 52), (178, 146, 92), (150, 148, 146), (210, 206, 200), (110, 52, 30))
_MUTED: Final = (
    (26, 27, 31), (38, 40, 46), (58, 62, 70), (92, 96, 102), (34, 44, 72), (52, 66, 100), (74, 58, 46), (110, 92, 70),
    (150, 136, 112), (64, 72, 54), (96, 34, 40), (128, 130, 134), (186, 184, 178), (232, 230, 226),
)  # fmt: skip
_BRIGHT: Final = (
    (196, 44, 44), (222, 120, 40), (230, 196, 60), (70, 148, 76), (40, 130, 150), (54, 96, 190), (128, 72, 156),
    (220, 120, 160), (150, 196, 224), (244, 244, 244), (246, 226, 200), (170, 220, 60),
)  # fmt: skip
_TROUSERS: Final = (
    (28, 30, 36), (36, 46, 74), (54, 70, 104), (86, 104, 136), (66, 62, 58), (120, 108, 88), (150, 138, 116), (46, 44, 40),
    (170, 170, 168), (92, 98, 90),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looks:
    """N people; every attribute has N rows. Colours are (N, 3) in 0..255."""

    height_m: Values
    build: Values  # 1 is average: multiplies widths
    skin: Values
    hair: Values
    hair_from: Values  # share of the head's height above which hair or hat begins
    hair_long: Values  # 0..1, how far down the back
    top: Values
    top2: Values
    pattern: Values  # one of raster's patterns
    repeats: Values
    sleeve: Values  # 1 long, 0 short
    legs: Values
    shorts: Values  # 1: bare shins
    skirt: Values  # 0 none, else its hem: share of the leg's length
    shoes: Values
    backpack: Values  # 0 or 1
    bag: Values  # 0 or 1, in the hand
    bag_colour: Values
    brim: Values  # 0 or 1, a hat's brim

    def take(self, rows: NDArray[np.intp]) -> Looks:
        """The people of these rows."""
        return Looks(*(getattr(self, field.name)[rows] for field in fields(self)))


def random_looks(rng: np.random.Generator, people: int, children: float = 0.08) -> Looks:
    """People drawn at random.

    Args:
        rng: where randomness comes from.
        people: how many.
        children: share of people of 1.0 to 1.4 m.
    """
    child = rng.random(people) < children
    height = np.where(child, rng.uniform(1.0, 1.4, people), np.clip(rng.normal(1.70, 0.095, people), 1.5, 1.98))
    top, top2 = _cloth(rng, people), _cloth(rng, people)
    pattern = rng.choice(
        [raster.PLAIN, raster.STRIPES, raster.BARS, raster.CHECKS, raster.JACKET, raster.LOGO, raster.VEST],
        people,
        p=[0.42, 0.1, 0.05, 0.09, 0.2, 0.11, 0.03],
    ).astype(float)
    style = rng.random(people)  # of the head: hair short, long, receding, hat, scarf
    hair_from = np.select([style < 0.5, style < 0.75, style < 0.83], [rng.uniform(0.3, 0.55, people), 0.35, 0.95], 0.4)
    covered = style >= 0.9
    hair = np.where(covered[:, None], _cloth(rng, people), _pick(rng, _HAIRS, people))
    skirt = np.where(rng.random(people) < 0.14, rng.uniform(0.35, 0.95, people), 0.0)
    return Looks(
        height_m=height,
        build=np.clip(rng.normal(1.04, 0.12, people), 0.84, 1.45),
        skin=_shift(rng, _pick(rng, _SKINS, people), 8),
        hair=_shift(rng, hair, 8),
        hair_from=hair_from,
        hair_long=np.where((style >= 0.5) & (style < 0.75), rng.uniform(0.3, 1.0, people), 0.0),
        top=top,
        top2=top2,
        pattern=pattern,
        repeats=rng.integers(2, 8, people).astype(float),
        sleeve=(rng.random(people) < 0.68).astype(float),
        legs=_shift(rng, _pick(rng, _TROUSERS, people), 12),
        shorts=((rng.random(people) < 0.12) & (skirt == 0)).astype(float),
        skirt=skirt,
        shoes=_shift(rng, _pick(rng, ((24, 22, 22), (60, 46, 36), (228, 226, 222), (120, 120, 124)), people), 10),
        backpack=(rng.random(people) < 0.13).astype(float),
        bag=(rng.random(people) < 0.25).astype(float),
        bag_colour=_cloth(rng, people),
        brim=((style >= 0.94) & covered).astype(float),
    )


def mannequin(looks: Looks) -> Looks:
    """The same people as shop-window figures: one pale colour for skin and head, no hair."""
    pale = np.full_like(looks.skin, 214.0)
    return Looks(
        **{
            **{field.name: getattr(looks, field.name) for field in fields(looks)},
            "skin": pale,
            "hair": pale,
            "hair_from": np.full_like(looks.hair_from, 2.0),
            "hair_long": np.zeros_like(looks.hair_long),
            "brim": np.zeros_like(looks.brim),
        }
    )


def _pick(rng: np.random.Generator, colours: tuple[tuple[int, int, int], ...], people: int) -> Values:
    return np.array(colours, dtype=np.float64)[rng.integers(0, len(colours), people)]


def _cloth(rng: np.random.Generator, people: int) -> Values:
    bright = rng.random(people) < 0.35
    return _shift(rng, np.where(bright[:, None], _pick(rng, _BRIGHT, people), _pick(rng, _MUTED, people)), 12)


def _shift(rng: np.random.Generator, colours: Values, spread: float) -> Values:
    return np.clip(colours + rng.normal(0.0, spread, colours.shape), 6.0, 252.0)
