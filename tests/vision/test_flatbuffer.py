"""A model file that is cut or changed is told before any runtime follows it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from firmware.errors import ModelError
from firmware.vision.flatbuffer import check_bounds
from firmware.vision.manifest import packaged_manifest
from tests.data_folder import DATA, needs_data

PACKAGED = (packaged_manifest().parent / "person-320.tflite").read_bytes()


def test_a_whole_file_passes() -> None:
    """A packaged model's offsets all stay inside."""
    check_bounds("whole.tflite", PACKAGED)


@needs_data
def test_every_whole_file_passes() -> None:
    """So do all the files that others made."""
    for path in sorted((Path(DATA) / "models").glob("*.tflite")):
        check_bounds(str(path), path.read_bytes())


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_is_refused(share: float) -> None:
    """Wherever a download stops, one line says that the file is damaged, and to fetch it again."""
    with pytest.raises(ModelError, match=r"cut\.tflite: the file is damaged") as refused:
        check_bounds("cut.tflite", PACKAGED[: int(8 + share * (len(PACKAGED) - 8))])
    assert "fetch it again" in refused.value.hint


def test_changed_bytes_end_in_an_answer() -> None:
    """Whatever bytes are changed, the answer is yes or no: no other exception, no endless walk."""
    rng = random.Random(5)
    refused = 0
    for _ in range(60):
        content = bytearray(PACKAGED)
        for _ in range(200):
            content[rng.randrange(len(content))] = rng.randrange(256)
            content[rng.randrange(2000)] = rng.randrange(256)
        try:
            check_bounds("changed.tflite", bytes(content))
        except ModelError:
            refused += 1
    assert refused > 0
