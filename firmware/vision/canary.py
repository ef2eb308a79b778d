"""A picture with a known pattern, and every form in which a piece of it could be found again: the canary of privacy check V3.

The upper part of each picture is one tile of random bytes, repeated across: whatever run of pixels is copied somewhere, raw,
grey, shrunk, or as a model takes it, holds one of `needles`. Pure; where to look is `firmware.prove`'s.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.vision.frame import Frame

TILE_PIXELS: Final = 16  # so that halves and quarters of it are whole pixels
SHARE: Final = 0.25  # of the height: people walk below it
NEEDLE_BYTES: Final = 12  # chance in 256^12 a place: none in any number of files
COMPRESSED: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF", b"ftypisom", b"\x00\x00\x00\x01\x67")  # JPEG, PNG, WebP/AVI, MP4, H.264


def tile(seed: int) -> NDArray[np.uint8]:
    """(TILE_PIXELS, 3) RGB."""
    return np.random.default_rng([seed, 0xCA7A]).integers(0, 256, (TILE_PIXELS, 3), dtype=np.uint8)


def painted(frame: Frame, seed: int) -> Frame:
    """The frame with the pattern over its upper part."""
    pixels = frame.pixels.copy()
    height, width = pixels.shape[:2]
    row = np.tile(tile(seed), (-(-width // TILE_PIXELS), 1))[:width]
    pixels[: max(1, int(height * SHARE))] = row
    return Frame(frame.t_s, pixels, frame.dropped)


def needles(seed: int) -> dict[str, bytes]:
    """What to look for, by the name of the form it takes."""
    pattern = np.tile(tile(seed), (4, 1)).astype(np.float64)
    found: dict[str, bytes] = {}
    for factor in (1, 2, 4):
        small = pattern.reshape(-1, factor, 3).mean(axis=1)
        grey = small @ np.array([0.299, 0.587, 0.114])
        forms = {
            "rgb": small.ravel(),
            "bgr": small[:, ::-1].ravel(),
            "red": small[:, 0],
            "green": small[:, 1],
            "blue": small[:, 2],
            "grey": grey,
        }
        for name, values in forms.items():
            levels = np.floor(values + 0.5).astype(np.uint8)
            found[f"{name}/{factor}"] = levels[:NEEDLE_BYTES].tobytes()
            found[f"{name}/{factor} signed"] = (levels[:NEEDLE_BYTES] ^ 0x80).tobytes()  # as an int8 model takes it
    return found


def traces(text: bytes, wanted: dict[str, bytes]) -> list[str]:
    """Which forms of the pattern a run of bytes holds."""
    return [name for name, needle in wanted.items() if needle in text]
