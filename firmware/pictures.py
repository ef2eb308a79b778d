"""Pictures from files, and the truth about them: for tools only, the device itself never reads or writes one.

A picture is turned as its EXIF says and made RGB. Truth is YOLO text (`class centre-x centre-y width height` in 0..1,
class 0 a person; an empty file is an empty room) or lines of our own JSON. Rules: a picture that cannot be read is a
DataError for the caller to count, a limit on size before anything is unpacked.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from firmware.errors import DataError

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff", ".gif"})
PIXELS_MAX: Final = 50_000_000  # 150 MB unpacked; the largest camera of a board has 64 million, of which nobody sends stills
TRUTH_BYTES_MAX: Final = 64 * 1024 * 1024  # a million boxes as text


def find_pictures(paths: Iterable[str]) -> list[Path]:
    """Every file named, and every picture below every folder named, sorted within each, each once.

    Raises:
        DataError: a path does not exist, or no picture was found.
    """
    found: dict[Path, None] = {}
    for name in paths:
        path = Path(name)
        if path.is_dir():
            found.update(dict.fromkeys(sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())))
        elif path.exists():
            found[path] = None
        else:
            raise DataError(f"{path}: no such file or folder", "name pictures, or folders that hold some")
    if not found:
        raise DataError("no picture was found", f"pictures end in {', '.join(sorted(SUFFIXES))}")
    return list(found)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, upright.

    Raises:
        DataError: it cannot be read, is no picture, is cut short or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                if picture.width * picture.height > PIXELS_MAX:
                    raise DataError(f"{path}: {picture.width}x{picture.height} pixels are too many", f"at most {PIXELS_MAX}")
                return np.ascontiguousarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: not a picture that can be read", "JPEG, PNG, BMP and WebP can") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}", "fetch it again") from error


class Truth:
    """Where people really are, by picture."""

    def __init__(self, by_stem: Mapping[str, NDArray[np.float64]]) -> None:
        self._by_stem = by_stem

    def of(self, picture: Path) -> NDArray[np.float64] | None:
        """(M, 4) x0 y0 x1 y1 in 0..1; None when nothing is said about the picture."""
        return self._by_stem.get(picture.stem)


def read_truth(path: Path, person: int = 0) -> Truth:
    """The truth in a folder of YOLO text or JSON lines, or in one file of JSON lines. Pictures are matched by name.

    Raises:
        DataError: it is missing, holds nothing, or a line of it is wrong (the line is named).
    """
    files = sorted(p for p in path.rglob("*") if p.suffix in {".txt", ".jsonl"} and p.is_file()) if path.is_dir() else [path]
    by_stem: dict[str, NDArray[np.float64]] = {}
    for file in files:
        text = _text(file)
        if file.suffix == ".txt":
            if file.stem in by_stem:
                raise DataError(f"{file}: a second truth for '{file.stem}'", "give folders of different pictures one at a time")
            by_stem[file.stem] = parse_yolo(text, str(file), person)
        else:
            by_stem.update(parse_lines(text, str(file)))
    if not by_stem:
        raise DataError(f"{path}: holds no truth", "YOLO text (one .txt a picture) or lines of JSON (.jsonl) are wanted")
    return Truth(by_stem)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > TRUTH_BYTES_MAX:
            raise DataError(f"{file}: larger than {TRUTH_BYTES_MAX} bytes", "truth is text")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}", "check the path") from error


def parse_yolo(text: str, filename: str, person: int = 0) -> NDArray[np.float64]:
    """(M, 4) corners in 0..1 of the people in one picture's YOLO text. Raises DataError with the line."""
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            kind, values = int(float(fields[0])), [float(field) for field in fields[1:5]]
        except ValueError as error:
            raise DataError(f"{filename}:{number}: not numbers", "class, centre x, centre y, width, height are wanted") from error
        if len(values) != 4 or not all(math.isfinite(v) and -1 <= v <= 2 for v in values):
            raise DataError(f"{filename}:{number}: not four numbers in 0..1 behind the class", "centre x, centre y, width, height")
        if kind == person:
            x, y, width, height = values
            rows.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    return np.clip(np.array(rows, np.float64).reshape(-1, 4), 0.0, 1.0)


def parse_lines(text: str, filename: str) -> dict[str, NDArray[np.float64]]:
    """Boxes by picture's stem from lines of `{"file": ..., "boxes": [[x0, y0, x1, y1], ...]}`. Raises DataError with the line."""
    found: dict[str, NDArray[np.float64]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            boxes = np.array(row["boxes"], np.float64).reshape(-1, 4)
            found[Path(row["file"]).stem] = boxes
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"{filename}:{number}: not a line of detections", '{"file": ..., "boxes": [[x0, y0, x1, y1], ...]}') from error
    return found
