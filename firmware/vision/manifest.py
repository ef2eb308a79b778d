"""What a model file needs said about it: `manifest.toml` to frozen structs, and the bytes checked against their sha256.

A model is named (`person-320`: the packaged manifest) or pathed (`my.tflite`: the `manifest.toml` beside it, if that
lists the file; else nothing is known of it and `firmware.vision.recognise` looks at its tensors). Rules: the unknown is
refused; the bytes that were hashed are the bytes that run; a file is judged here by its bytes alone. Building an
interpreter from them is left to `firmware.vision.detector`, reading tensors to `firmware.vision.decode`.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from firmware.errors import ModelError

MODEL_BYTES_MAX: Final = 64 * 1024 * 1024  # a board has 512 MB and the weights are held twice while XNNPACK packs them
MANIFEST_BYTES_MAX: Final = 1024 * 1024  # thousands of models
MANIFEST: Final = "manifest.toml"

DecoderName = Literal["centre-point", "ssd-postprocess", "yolov8", "ssd-anchors"]
Activation = Literal["sigmoid", "none"]
TilingName = Literal["1x1", "2x1", "2x2", "2x2+1"]


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level of a centre-point head: which output is its heatmap, which its box distances."""

    heatmap: int  # index of a [1, H, W, 1] output
    box: int  # index of a [1, H, W, 4] output: left, top, right, bottom from the cell's centre in strides
    stride: float  # input pixels a cell
    activation: Activation = "sigmoid"
    peak: bool = True  # keep only cells that no neighbour of the 3x3 exceeds


class Anchors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the anchors of a raw SSD come from and how its outputs encode boxes against them."""

    file: str  # .npy of (N, 4) float32, centre y, centre x, height, width in 0..1, beside the manifest
    boxes: int = 0  # index of the [1, N, 4] output: ty, tx, th, tw
    scores: int = 1  # index of the [1, N, classes] output
    scale: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)  # variances of the TensorFlow detection zoo
    activation: Activation = "sigmoid"


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table `[model.NAME]`."""

    file: str
    decoder: DecoderName
    sha256: str = ""  # required of packaged models; a user's own may leave it out
    input: int | tuple[int, int] = 0  # side, or height and width; 0: whatever the file says
    dtype: Literal["", "uint8", "int8", "float32"] = ""
    score_min: float = 0.1
    score_even: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.5  # the score that counts as 0.5
    nms_iou_max: float = 0.6
    labels: tuple[str, ...] = ("person",)
    person: int = 0  # index of the class that is a person
    licence: str = ""
    tiling: TilingName = "1x1"
    pixel_range: tuple[float, float] | None = None  # the real values that stand for black and white
    coordinates: Literal["", "unit", "pixels"] = ""  # of yolov8 boxes; "": from the output's quantisation
    output: tuple[Level, ...] = ()
    anchors: Anchors | None = None
    edgetpu: str = ""  # the same model compiled for the Edge TPU
    edgetpu_sha256: str = ""
    description: str = ""

    @property
    def input_hw(self) -> tuple[int, int] | None:
        """Height and width the file must have; None when the manifest does not say."""
        if isinstance(self.input, int):
            return (self.input, self.input) if self.input else None
        return self.input


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    model: dict[str, ModelEntry]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model that was read and hashed, not yet built.

    Attributes:
        name: as the user may name it.
        path: where it was read.
        content: the bytes that were hashed; an interpreter is built from these, never from the path.
        sha256: of content, hex.
        entry: what its manifest says; None for a bare file.
    """

    name: str
    path: Path
    content: bytes
    sha256: str
    entry: ModelEntry | None


def packaged_manifest() -> Path:
    """The manifest that comes with the package."""
    return Path(str(importlib.resources.files("models_tflite"))) / MANIFEST


def parse(text: str, filename: str) -> Manifest:
    """A manifest's text.

    Raises:
        ModelError: not TOML, an unknown key, or a value of the wrong kind; the line says which.
    """
    try:
        return msgspec.convert(tomllib.loads(text), Manifest)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ModelError(f"{filename}: {error}", "docs/models.md lists the keys of a manifest") from error


def read_manifest(path: Path) -> Manifest:
    """The manifest at a path. Raises ModelError as `parse`, and when it cannot be read."""
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise ModelError(f"{path}: larger than {MANIFEST_BYTES_MAX} bytes", "a manifest is a page of text")
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path}: the manifest cannot be read: {error}", "reinstall the package, or give the path of a .tflite file"
        ) from error


def find_model(name_or_path: str, manifest: Path | None = None) -> ModelFile:
    """The model that a name or a path stands for, read and checked against its hash.

    Args:
        name_or_path: a name in the packaged manifest, or a path that ends in .tflite.
        manifest: a manifest instead of the packaged one.

    Raises:
        ModelError: no such name or file, not a TFLite file, cut short, or not the bytes the manifest promises.
    """
    if name_or_path.endswith(".tflite") or "/" in name_or_path:
        return _by_path(Path(name_or_path))
    path = manifest or packaged_manifest()
    models = read_manifest(path).model
    if name_or_path not in models:
        raise ModelError(
            f"no model is called '{name_or_path}'", f"there are {', '.join(sorted(models)) or 'none'}; or give the path of a .tflite file"
        )
    return read_model(name_or_path, path.parent, models[name_or_path])


def _by_path(path: Path) -> ModelFile:
    """A pathed model, with the entry of the manifest beside it if there is one that lists the file."""
    beside = path.parent / MANIFEST
    if beside.is_file():
        for name, entry in read_manifest(beside).model.items():
            if entry.file == path.name:
                return read_model(name, path.parent, entry)
    content = read_content(path)
    return ModelFile(path.stem, path, content, hashlib.sha256(content).hexdigest(), None)


def read_model(name: str, folder: Path, entry: ModelEntry) -> ModelFile:
    """A listed model. Raises ModelError as `find_model`."""
    path = folder / entry.file
    content = read_content(path)
    return ModelFile(name, path, content, _checked(content, entry.sha256, path), entry)


def read_compiled(model: ModelFile) -> ModelFile | None:
    """The same model compiled for the Edge TPU: the manifest's `edgetpu`, else NAME_edgetpu.tflite beside it; None without."""
    named = model.entry.edgetpu if model.entry else ""
    path = model.path.parent / (named or f"{model.path.stem}_edgetpu.tflite")
    if not named and not path.is_file():
        return None
    content = read_content(path)
    promised = model.entry.edgetpu_sha256 if model.entry else ""
    return ModelFile(model.name, path, content, _checked(content, promised, path), model.entry)


def _checked(content: bytes, promised: str, path: Path) -> str:
    found = hashlib.sha256(content).hexdigest()
    if promised and found != promised.lower():
        raise ModelError(
            f"{path}: its sha256 is {found[:12]}..., the manifest promises {promised[:12].lower()}...",
            "the file was changed or damaged: fetch it again, or correct the manifest",
        )
    return found


def read_content(path: Path) -> bytes:
    """The bytes of a TFLite file.

    Raises:
        ModelError: missing, unreadable, too large, or without the identifier that every TFLite file bears.
    """
    try:
        size = path.stat().st_size
        if size > MODEL_BYTES_MAX:
            raise ModelError(f"{path}: {size} bytes is more than a board can hold", f"at most {MODEL_BYTES_MAX}")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such model file", "check the path, or name a packaged model") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}", "a model is one .tflite file") from error
    if content[4:8] != b"TFL3":
        raise ModelError(f"{path}: not a TFLite file", "it lacks the identifier TFL3: convert the model, or fetch the file again")
    return content
