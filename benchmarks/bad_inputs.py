"""Every bad input gets one clear line and an exit code that is not zero: tried on the real command, one process each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figure import Figure, figure, print_figures

COMMAND = "python -m benchmarks.bad_inputs"
DATA = Path(os.environ.get("PASSERBY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
GOOD = 'site = "s"\n[[camera]]\nname = "c"\nsource = "sim-boxes:"\n[[camera.line]]\nname = "l"\nstart = [0.1, 0.5]\nend = [0.9, 0.5]\n'
BAD_CONFIGS = {
    "not_toml": "site = demo",
    "unknown_key": GOOD + "colour = 1\n",
    "wrong_type": GOOD.replace("[0.1, 0.5]", '"left"'),
    "zero_line": GOOD.replace("[0.9, 0.5]", "[0.1, 0.5]"),
    "boxes_without_purpose": 'disclosure = "boxes"\n' + GOOD,
}
BAD_MODELS = {
    "missing": "nowhere.tflite",
    "classifier": "mobilenet_v1_0.5_160_quant.tflite",
    "edge_tpu": "mobilenet_v2_1.0_224_quant_edgetpu.tflite",
    "refused": "person_detect.tflite",
    "segmentation": "deeplabv3_mnv2_pascal_quant.tflite",
}


def tried(arguments: Sequence[str]) -> tuple[int, str]:
    """Exit code and standard error of the command."""
    finished = subprocess.run([sys.executable, "-m", "firmware", *arguments], capture_output=True, text=True, check=False, timeout=120)
    return finished.returncode, finished.stderr.strip()


def is_clear(code: int, said: str) -> bool:
    """Not zero, not a crash, one line, no traceback."""
    return code not in {0, 1} and code < 128 and bool(said) and "Traceback" not in said and len(said.splitlines()) == 1


def cases(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each bad input with the command that meets it."""
    good = folder / "good.toml"
    good.write_text(GOOD, encoding="utf-8")
    for name, text in BAD_CONFIGS.items():
        path = folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        yield f"config.{name}", ["check", str(path)]
    picture = folder / "picture.bmp"
    picture.write_bytes(_grey_bmp())
    for name, file in BAD_MODELS.items():
        model = DATA / "models" / file if name != "missing" else folder / file
        if name == "missing" or model.exists():
            yield f"model.{name}", ["detect", str(picture), "--model", str(model), "--jsonl", str(folder / "out.jsonl")]
    lines = {
        "nan": '{"t": 0, "boxes": [[0, 0, NaN, 1]], "scores": [1]}',
        "text": "hello",
        "time": '{"t": 1, "boxes": [], "scores": []}\n' * 2,
    }
    lines["time"] = json.dumps({"t": 1, "boxes": [], "scores": []}) + "\n" + json.dumps({"t": 0.5, "boxes": [], "scores": []})
    for name, text in lines.items():
        path = folder / f"{name}.jsonl"
        path.write_text(text + "\n", encoding="utf-8")
        yield f"detections.{name}", ["replay", str(path), "--config", str(good)]
    (folder / "broken.mp4").write_bytes(b"not a video at all" * 100)
    yield "source.broken_video", ["replay", str(folder / "broken.mp4"), "--config", str(good)]
    yield "source.missing", ["replay", str(folder / "missing.mp4"), "--config", str(good)]
    (folder / "det.txt").write_text("1,-1,10,10,20\n", encoding="utf-8")
    yield "mot.short_line", ["track", str(folder / "det.txt"), "--fps", "10", "--out", str(folder / "tracks.txt")]


def _grey_bmp() -> bytes:
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.new("RGB", (64, 48), (90, 90, 90)).save(out, "BMP")
    return out.getvalue()


def figures() -> Iterator[Figure]:
    """How many bad inputs were not told in one clear line."""
    with tempfile.TemporaryDirectory() as folder:
        told = {name: tried(arguments) for name, arguments in cases(Path(folder))}
    unclear = [name for name, (code, said) in told.items() if not is_clear(code, said)]
    for name in unclear:
        print(f"{name}: exit {told[name][0]}: {told[name][1]}", file=sys.stderr)
    yield figure("bad_inputs.tried", len(told), "at least", 14, unit="inputs", command=COMMAND)
    yield figure("bad_inputs.unclear", len(unclear), "equal", 0, unit="inputs", command=COMMAND)


def main() -> None:
    """Print them."""
    print_figures(figures())


if __name__ == "__main__":
    main()
