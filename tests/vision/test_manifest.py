"""Manifests: what they must say, and files that are not what they promise."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from firmware.errors import ModelError
from firmware.vision import manifest
from firmware.vision.manifest import find_model, parse, read_compiled

CONTENT = b"\x18\0\0\0TFL3" + bytes(100)
SHA = hashlib.sha256(CONTENT).hexdigest()
TEXT = f"""
[model.door-320]
file = "door.tflite"
sha256 = "{SHA}"
input = [240, 320]
decoder = "centre-point"
score_min = 0.3
[[model.door-320.output]]
heatmap = 0
box = 1
stride = 8
activation = "sigmoid"
peak = true
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "door.tflite").write_bytes(CONTENT)
    (tmp_path / "manifest.toml").write_text(TEXT)
    return tmp_path


def test_manifest_says_what_it_says() -> None:
    """Values, defaults and the input's two sides come out as written."""
    entry = parse(TEXT, "manifest.toml").model["door-320"]
    assert entry.input_hw == (240, 320)
    assert (entry.score_min, entry.person, entry.tiling) == (0.3, 0, "1x1")
    assert entry.output[0].stride == 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("score_min", "score_least"), "score_least"),
        (('"centre-point"', '"crystal-ball"'), "crystal-ball"),
        (("input = [240, 320]", 'input = "large"'), "input"),
        (("[model.door-320]", "[model.door-320"), "manifest.toml"),
    ],
)
def test_faulty_manifest_is_refused_by_name(change: tuple[str, str], says: str) -> None:
    """An unknown key, an unknown decoder, a wrong kind and broken TOML each give one line that names it."""
    with pytest.raises(ModelError) as refused:
        parse(TEXT.replace(*change), "manifest.toml")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_named_model_is_found_and_hashed(shelf: Path) -> None:
    """A name gives the file's own bytes, with the hash that was checked."""
    found = find_model("door-320", shelf / "manifest.toml")
    assert (found.content, found.sha256) == (CONTENT, SHA)
    assert found.entry is not None


def test_path_takes_the_entry_beside_it(shelf: Path) -> None:
    """A path to a file that the manifest in its folder lists is as good as its name."""
    assert find_model(str(shelf / "door.tflite")).name == "door-320"


def test_bare_path_has_no_entry(tmp_path: Path) -> None:
    """Without a manifest beside it, nothing is known but the bytes."""
    (tmp_path / "bare.tflite").write_bytes(CONTENT)
    found = find_model(str(tmp_path / "bare.tflite"))
    assert (found.entry, found.name, found.sha256) == (None, "bare", SHA)


def test_changed_file_is_refused(shelf: Path) -> None:
    """One changed byte, and the file is not what the manifest promises."""
    (shelf / "door.tflite").write_bytes(CONTENT[:-1] + b"\1")
    with pytest.raises(ModelError, match=r"its sha256 is .* the manifest promises"):
        find_model("door-320", shelf / "manifest.toml")


def test_unknown_name_lists_what_there_is(shelf: Path) -> None:
    """A name that nobody bears is answered with the names there are."""
    with pytest.raises(ModelError, match="no model is called 'shop'; there are door-320"):
        find_model("shop", shelf / "manifest.toml")


def test_not_a_tflite_file_is_refused(tmp_path: Path) -> None:
    """A file without TFLite's identifier, and an empty one, are told apart from a model at once."""
    for content in (b"", b"PK\3\4 a zip archive of something else"):
        (tmp_path / "x.tflite").write_bytes(content)
        with pytest.raises(ModelError, match="not a TFLite file"):
            find_model(str(tmp_path / "x.tflite"))


def test_folder_and_missing_manifest_are_one_line(tmp_path: Path) -> None:
    """A folder in a file's place and a manifest that is not there are errors of ours, with a hint."""
    (tmp_path / "x.tflite").mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        find_model(str(tmp_path / "x.tflite"))
    with pytest.raises(ModelError, match="the manifest cannot be read"):
        find_model("x", tmp_path / "none.toml")


def test_too_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the limit is refused before it is read."""
    monkeypatch.setattr(manifest, "MODEL_BYTES_MAX", 50)
    (tmp_path / "x.tflite").write_bytes(CONTENT)
    with pytest.raises(ModelError, match="more than a board can hold"):
        find_model(str(tmp_path / "x.tflite"))


def test_compiled_twin_is_found_beside_a_bare_file(tmp_path: Path) -> None:
    """NAME_edgetpu.tflite beside NAME.tflite is the same model for the Edge TPU; without it there is none."""
    (tmp_path / "a.tflite").write_bytes(CONTENT)
    assert read_compiled(find_model(str(tmp_path / "a.tflite"))) is None
    (tmp_path / "a_edgetpu.tflite").write_bytes(CONTENT + b"tpu")
    twin = read_compiled(find_model(str(tmp_path / "a.tflite")))
    assert twin is not None
    assert twin.content.endswith(b"tpu")
