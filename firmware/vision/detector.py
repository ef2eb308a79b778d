"""Frames to people: the loop around an interpreter, and `open_detector` that chooses one.

`open_detector` reads a model, checks it, tries the runtimes on it and returns a `PersonDetector`: resize and quantise
each tile straight into the interpreter's input, invoke, decode, put the tiles together, suppress. Nothing is copied on
the way. Running models is left to `interpreter`, choosing to `runtime`, reading tensors to `recognise` and `decode`, the
Edge TPU and its crashes to `edgetpu`.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.clock import SystemClock, stopwatch_s
from firmware.errors import ModelError
from firmware.vision.coral import Coral, find_corals, missing_library, slow_reason
from firmware.vision.decode import decoder_for
from firmware.vision.detection import Detections
from firmware.vision.edgetpu import BUILD_S_MAX, EdgeTpu, child_command
from firmware.vision.fallback import WithFallback
from firmware.vision.flatbuffer import check_bounds
from firmware.vision.frame import Frame
from firmware.vision.interpreter import LITERT, TFLITE, build, first_line
from firmware.vision.manifest import Anchors, ModelFile, find_model, read_compiled
from firmware.vision.nms import PEOPLE_MAX, join_pieces, suppress
from firmware.vision.probe import probe
from firmware.vision.recognise import Reading, reading
from firmware.vision.resize import Resizer, plan
from firmware.vision.runtime import Chosen, Runtime, Trial, choose
from firmware.vision.tensors import Interpreter
from firmware.vision.tiling import TILINGS, Tile, place, tiles

_ANCHOR_BYTES_MAX: Final = 8 * 1024 * 1024  # half a million anchors: no model of a board has more


def runtimes(*, vouched: bool = True) -> tuple[Runtime, ...]:
    """Every way to run a model on this machine's CPU that may exist; whether it does shows when it builds.

    A file that nobody vouches for is tried in a process of its own first: see `firmware.vision.probe`.
    """
    alive: set[tuple[str, bool]] = set()  # what the probe let through: more threads need no second one

    def way(module: str, *, delegate: bool = True) -> Callable[[bytes, int], Interpreter]:
        def build_here(content: bytes, threads: int) -> Interpreter:
            if not vouched and (module, delegate) not in alive:
                probe(module, content, delegate=delegate)
                alive.add((module, delegate))
            return build(module, content, threads, delegate=delegate)

        return build_here

    # Some files fail only in XNNPACK's preparation: LiteRT's builtin kernels still run them.
    return (
        Runtime("litert", way(LITERT)),
        Runtime("tflite", way(TFLITE)),
        Runtime("litert-builtin", way(LITERT, delegate=False), last_resort=True),
    )


Wrapped = TypeVar("Wrapped", bound=Interpreter)


@njit(cache=True, error_model="numpy")
def even_out(scores: NDArray[np.float64], score_even: float) -> NDArray[np.float64]:
    """(N,) scores shifted as odds so that `score_even` becomes 0.5; their order stays. 0 and 1 stay."""
    evened = scores.copy()
    weight = (1.0 - score_even) / score_even
    if score_even != 0.5:
        for i in range(evened.shape[0]):
            evened[i] = scores[i] * weight / (scores[i] * weight + (1.0 - scores[i]))
    return evened


@dataclass(frozen=True, slots=True)
class Description:
    """What runs: for health, doctor and the status page."""

    model: str
    sha256: str
    runtime: str
    threads: int
    tiling: str
    score_min: float
    input_hw: tuple[int, int]
    fallback: bool
    invoke_ms: float
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Seconds of the last frame, all tiles together."""

    resize_s: float = 0.0
    invoke_s: float = 0.0
    decode_s: float = 0.0


class PersonDetector:
    """One model, ready for frames of any size. See `firmware.vision.ports.Detector`."""

    def __init__(
        self, interpreter: Interpreter, plan_of_model: Reading, tiling: str, anchors: tuple[Anchors, NDArray[np.float32]] | None = None
    ) -> None:
        self._interpreter = interpreter
        self._plan = plan_of_model
        self._tiling = tiling
        self._decoder = decoder_for(plan_of_model, interpreter.signature, anchors)
        columns, rows, whole = TILINGS[tiling]
        capacity = len(self._decoder.scores) * (columns * rows + whole)
        self._boxes, self._scores = np.zeros((capacity, 4)), np.zeros(capacity)
        self._cut = np.zeros(capacity, np.uint8)
        self._kept_boxes, self._kept_scores = np.zeros((PEOPLE_MAX, 4)), np.zeros(PEOPLE_MAX)
        self._frame_size = (0, 0)
        self._parts: tuple[tuple[Tile, Resizer], ...] = ()
        self.stage = StageTimes()

    def detect(self, frame: Frame) -> Detections:
        """People in the frame, best score first. Raises ModelError when the runtime fails."""
        height, width = frame.pixels.shape[:2]
        if (height, width) != self._frame_size:
            self._parts = tuple(
                (tile, plan((tile.y1 - tile.y0, tile.x1 - tile.x0), self._plan.size, self._plan.table))
                for tile in tiles(self._tiling, height, width)
            )
            self._frame_size = (height, width)
        n, resize_s, invoke_s, decode_s = 0, 0.0, 0.0, 0.0
        for tile, resizer in self._parts:
            t0 = stopwatch_s()
            resizer(frame.pixels[tile.y0 : tile.y1, tile.x0 : tile.x1], self._interpreter.input())
            t1 = stopwatch_s()
            self._interpreter.invoke()
            t2 = stopwatch_s()
            count = self._decoder(self._interpreter.outputs())
            if len(self._parts) == 1:
                n = count
            else:
                part = (tile.x0 / width, tile.y0 / height, (tile.x1 - tile.x0) / width, (tile.y1 - tile.y0) / height)
                n = place(self._decoder.boxes, self._decoder.scores, count, part, tile.cut_sides, self._boxes, self._scores, self._cut, n)
            resize_s, invoke_s, decode_s = resize_s + t1 - t0, invoke_s + t2 - t1, decode_s + stopwatch_s() - t2
        t3 = stopwatch_s()
        kept = self._suppressed(n)
        self.stage = StageTimes(resize_s, invoke_s, decode_s + stopwatch_s() - t3)
        scores = even_out(self._kept_scores[:kept], self._plan.score_even)
        return Detections(frame.t_s, self._kept_boxes[:kept].copy(), scores, frame.aspect, frame.dropped)

    @property
    def reading(self) -> Reading:
        """How the model is fed and read."""
        return self._plan

    def show_to(self, wrapper: Callable[[Interpreter, Reading], Wrapped]) -> Wrapped:
        """Put another interpreter in front of this one, for measurements; the wrapper."""
        wrapped = wrapper(self._interpreter, self._plan)
        self._interpreter = wrapped
        return wrapped

    def _suppressed(self, n: int) -> int:
        boxes, scores = self._decoder.boxes, self._decoder.scores  # of the whole frame they need not be brought together
        if len(self._parts) > 1:
            boxes, scores = self._boxes, self._scores
            join_pieces(boxes, scores, self._cut, n)
        kept: int = suppress(boxes, scores, self._cut, n, self._plan.iou_max, self._kept_boxes, self._kept_scores)
        return kept

    def close(self) -> None:
        """Release the runtime; may be called twice."""
        self._interpreter.close()


class OpenedDetector(PersonDetector):
    """A detector that `open_detector` chose, and what it chose."""

    chosen: Description

    @property
    def fallback(self) -> bool:
        """Whether the CPU did an accelerator's work in the last frame."""
        if isinstance(self._interpreter, WithFallback):
            return self._interpreter.fallback
        return self.chosen.fallback

    @property
    def description(self) -> Description:
        """What runs now."""
        return dataclasses.replace(self.chosen, fallback=self.fallback)

    def warm_up(self) -> None:
        """One dark frame, so that every kernel is compiled, and its compiled form on disk, before files are given up."""
        self.detect(Frame(0.0, np.zeros((48, 64, 3), np.uint8)))
        self.stage = StageTimes()


def open_detector(
    model: str, *, threads: int = 0, tiling: str = "auto", score_min: float | None = None, runtime: str = "auto"
) -> OpenedDetector:
    """The fastest detector for a model on this machine.

    Args:
        model: a name in the packaged manifest, or the path of a .tflite file.
        threads: 0: as many as pay.
        tiling: 1x1 | 2x1 | 2x2 | 2x2+1, or auto: what the manifest proposes.
        score_min: instead of the manifest's.
        runtime: auto (with a Coral, if one is there and the model is compiled for it) | edgetpu (the same, but the CPU in
            its place is flagged as fallback) | litert | tflite | litert-builtin.

    Raises:
        ModelError: one line that says what is wrong with the file or the machine.
    """
    file = find_model(model)
    vouched = file.entry is not None and bool(file.entry.sha256)
    if not vouched:
        check_bounds(str(file.path), file.content)
    candidates = runtimes_named("auto" if runtime == "edgetpu" else runtime, vouched=vouched)
    detector = detector_of(file, candidates, threads=threads, tiling=tiling, score_min=score_min)
    if runtime in {"auto", "edgetpu"}:
        accelerate(detector, file, asked=runtime == "edgetpu")
    detector.warm_up()
    return detector


def accelerate(detector: OpenedDetector, file: ModelFile, *, asked: bool, root: Path = Path("/"), command: Sequence[str] = ()) -> None:
    """Give a detector that runs on the CPU an Edge TPU in front of it, if there is one that helps.

    Args:
        detector: keeps its own interpreter as the fallback.
        file: its model; the compiled twin lies beside it.
        asked: the user wants the Edge TPU: without one, the CPU counts as fallback.
        root: where the system's files are looked for.
        command: of the child process; the real one when empty.
    """
    corals = find_corals(root)
    compiled = read_compiled(file) if corals or asked else None
    reason = _no_coral(corals, compiled, library_known=bool(command))
    if not reason and compiled is not None:
        steady = WithFallback(EdgeTpu(compiled.content, command or child_command()), detector._interpreter, SystemClock())  # noqa: SLF001 its own module
        steady.open(BUILD_S_MAX, detector.chosen.invoke_ms)
        detector._interpreter, reason = steady, steady.reason  # noqa: SLF001
    if corals or asked:
        trial = Trial("edgetpu", 1, None, reason) if reason else Trial("edgetpu", 1, 0.0)
        described = dataclasses.replace(detector.chosen, trials=(*detector.chosen.trials, trial), fallback=bool(reason) and asked)
        detector.chosen = described if reason else dataclasses.replace(described, runtime="edgetpu")


def _no_coral(corals: tuple[Coral, ...], compiled: ModelFile | None, *, library_known: bool) -> str:
    """Why there is no Edge TPU to use; empty when there is."""
    if not corals:
        return "no Coral is connected"
    slow = [slow_reason(coral) for coral in corals]
    if all(slow):
        return f"the Coral is connected at {slow[0]}"
    if compiled is None:
        return "the model has no twin compiled for the Edge TPU beside it"
    return "" if library_known else missing_library()


def runtimes_named(name: str, *, vouched: bool = True) -> tuple[Runtime, ...]:
    """All runtimes for auto, else the one that is named. Raises ModelError when none is called so."""
    found = tuple(runtime for runtime in runtimes(vouched=vouched) if name in {"auto", runtime.name})
    if not found:
        raise ModelError(f"no runtime is called '{name}'", f"there are auto, {', '.join(runtime.name for runtime in runtimes())}")
    return found


def detector_of(
    file: ModelFile, candidates: Sequence[Runtime], *, threads: int = 0, tiling: str = "auto", score_min: float | None = None
) -> OpenedDetector:
    """A detector for a model file that was read; arguments and errors as `open_detector`."""
    refuse_compiled(file)
    name = str(file.path)
    chosen = choose(name, file.content, candidates, threads, accept=lambda signature: reading(name, signature, file.entry))
    try:
        found = reading(name, chosen.interpreter.signature, file.entry)
        if score_min is not None:
            found = _with_score(found, score_min)
        how = (file.entry.tiling if file.entry else "1x1") if tiling == "auto" else tiling
        detector = OpenedDetector(chosen.interpreter, found, how, _anchors(file))
    except ModelError:
        chosen.interpreter.close()
        raise
    detector.chosen = _description(file, chosen, found, how)
    return detector


def refuse_compiled(file: ModelFile) -> None:
    """Raise ModelError for a file that only an Edge TPU can run."""
    if b"edgetpu-custom-op" in file.content:
        raise ModelError(
            f"{file.path}: compiled for the Edge TPU, and none is driven here",
            "give the model as it was before compiling: with this file beside it, a Coral is used where there is one",
        )


def _with_score(found: Reading, score_min: float) -> Reading:
    if not 0 < score_min < 1:
        raise ModelError(f"a least score of {score_min:g} makes no sense", "between 0 and 1")
    return dataclasses.replace(found, score_min=score_min)


def _anchors(file: ModelFile) -> tuple[Anchors, NDArray[np.float32]] | None:
    """The anchors that a manifest names, read."""
    if file.entry is None or file.entry.anchors is None:
        return None
    path = Path(file.path).parent / file.entry.anchors.file
    try:
        if path.stat().st_size > _ANCHOR_BYTES_MAX:
            raise ModelError(f"{path}: {path.stat().st_size} bytes of anchors", f"at most {_ANCHOR_BYTES_MAX}")
        found = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the anchors cannot be read: {first_line(error)}", "an .npy file of (N, 4) float32 is wanted") from error
    return file.entry.anchors, np.asarray(found, np.float32)


def _description(file: ModelFile, chosen: Chosen, found: Reading, tiling: str) -> Description:
    return Description(
        model=file.name,
        sha256=file.sha256,
        runtime=chosen.runtime,
        threads=chosen.threads,
        tiling=tiling,
        score_min=found.score_min,
        input_hw=found.size,
        fallback=False,
        invoke_ms=chosen.invoke_ms,
        trials=chosen.trials,
    )
