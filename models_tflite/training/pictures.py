"""Labelled pictures in memory: read from the data folder's archives, filtered, split by whole source or room.

Near copies are the trap of this data: the same scene comes back mirrored, tinted and warped. What is held back is therefore a whole room
(`classroom`, one of the two clinic cameras) and never a random share. Distorted copies in `shop-grey` (salt-and-pepper noise comes with
shear there, and sheared boxes are loose) are dropped. Nothing is ever written into the project.
"""

import io
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

SPECKLE_MAX = 0.004  # share of pixels far from their 3x3 median; clean pictures stay below
COPY_BITS_MAX = 3  # of a 256-bit difference hash: below it two pictures are one


@dataclass(frozen=True)
class Picture:
    """One picture and its people.

    pixels: uint8 [h, w, 3] RGB. boxes: float32 [n, 4], (left, top, right, bottom) in pixels of the picture; ignored: likewise, of people
    who are neither to be found nor background. mask: uint8 [h, w], 255 where a person is; cutouts: boxes of people it outlines well.
    """

    name: str
    pixels: np.ndarray
    boxes: np.ndarray
    ignored: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    mask: np.ndarray | None = None
    cutouts: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def data_folder() -> Path:
    """The folder with `person_boxes`, `models` and `videos`: $PASSERBY_DATA, else the one beside the project."""
    given = os.environ.get("PASSERBY_DATA")
    return Path(given) if given else Path(__file__).parents[3] / "shared" / "data"


def parse_boxes(text: str, width: int, height: int) -> np.ndarray:
    """YOLO text (class, centre x, centre y, width, height in 0..1) to float32 [n, 4] corners in pixels."""
    rows = np.array([[float(value) for value in line.split()[:5]] for line in text.splitlines() if line.strip()], np.float32)
    if not len(rows):
        return np.zeros((0, 4), np.float32)
    centre, side = rows[:, 1:3], rows[:, 3:5]
    corners = np.concatenate([centre - side / 2, centre + side / 2], axis=1)
    return np.clip(corners, 0, 1) * np.array([width, height, width, height], np.float32)


def read_archive(path: Path) -> list[Picture]:
    """All pictures of one archive with `<source>/images/*.jpg` and `<source>/labels/*.txt`, by file name."""
    pictures = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".jpg"):
                continue
            pixels = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
            text = archive.read(name.replace("/images/", "/labels/")[:-4] + ".txt").decode()
            pictures.append(Picture(name, pixels, parse_boxes(text, pixels.shape[1], pixels.shape[0])))
    return pictures


def speckle(pixels: np.ndarray) -> float:
    """Share of pixels that differ by more than 60 levels from their 3x3 median: salt and pepper."""
    grey = Image.fromarray(pixels[:, :, 1])
    middle = np.asarray(grey.filter(ImageFilter.MedianFilter(3)), np.int16)
    return float(np.mean(np.abs(np.asarray(grey, np.int16) - middle) > 60))


def from_first_camera(name: str) -> bool:
    """Whether a clinic picture is of the first camera's room; the archive's numbers run 0..95 and 260..272 for it."""
    number = int(Path(name).stem.lstrip("k"))
    return number <= 95 or 260 <= number <= 272


def difference_hash(pixels: np.ndarray) -> np.ndarray:
    """256 bits that say, for a 16x16 reduction, where brightness grows to the right; equal for near copies."""
    small = np.asarray(Image.fromarray(pixels).convert("L").resize((17, 16), Image.Resampling.BOX), np.int16)
    return (small[:, 1:] > small[:, :-1]).ravel()


def without_copies(pictures: list[Picture]) -> list[Picture]:
    """The pictures without those that are near copies (unchanged geometry) of an earlier one."""
    kept: list[Picture] = []
    hashes = np.zeros((len(pictures), 256), bool)
    for picture in pictures:
        found = difference_hash(picture.pixels)
        if kept and int((hashes[: len(kept)] ^ found).sum(axis=1).min()) <= COPY_BITS_MAX:
            continue
        hashes[len(kept)] = found
        kept.append(picture)
    return kept


def load_sources(folder: Path, names: set[str]) -> dict[str, list[Picture]]:
    """The named sources: capston, shop, clinic-a, clinic-b, classroom.

    classroom is for validation alone; which others are held back is the recipe's to say.
    """
    boxes = folder / "person_boxes"
    sources: dict[str, list[Picture]] = {}
    if "capston" in names:
        sources["capston"] = without_copies(read_archive(boxes / "capston2-a.zip") + read_archive(boxes / "capston2-b.zip"))
    if "shop" in names:
        sources["shop"] = [picture for picture in read_archive(boxes / "shop-grey.zip") if speckle(picture.pixels) < SPECKLE_MAX]
    if names & {"clinic-a", "clinic-b"}:
        clinic = read_archive(boxes / "clinic.zip")
        first = [from_first_camera(picture.name) for picture in clinic]
        sources["clinic-a"] = [picture for picture, is_first in zip(clinic, first, strict=True) if is_first]
        sources["clinic-b"] = [picture for picture, is_first in zip(clinic, first, strict=True) if not is_first]
    if "classroom" in names:
        sources["classroom"] = read_archive(boxes / "classroom.zip")
    return {name: pictures for name, pictures in sources.items() if name in names}
