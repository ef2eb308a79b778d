"""Resizing beside OpenCV's area interpolation: the same pixels, turn by turn, one thread, the fastest tenth of many calls.

Ours also quantises for the model and writes into its input; OpenCV's still has that before it. Without OpenCV (it comes
with the rivals, in the bench environment) only our own times are shown.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, figure, figure_parser, print_figures
from firmware.vision.resize import plan

COMMAND = "python -m benchmarks.resizing"
SIZES = (
    ((480, 640), (320, 320)),
    ((432, 768), (320, 320)),
    ((720, 1280), (320, 320)),
    ((1080, 1920), (320, 320)),
    ((480, 640), (512, 512)),
)
MS_MAX = 0.1  # for 640x480 to 320x320: a twentieth of the model's invoke
TIMES, TIMES_QUICK = 400, 60


def opencv(target: tuple[int, int]) -> Callable[[NDArray[np.uint8]], object] | None:
    """OpenCV's area resize on one thread; None where it is not installed."""
    if importlib.util.find_spec("cv2") is None:
        return None
    cv2: Any = __import__("cv2")
    cv2.setNumThreads(1)
    return lambda pixels: cv2.resize(pixels, target[::-1], interpolation=cv2.INTER_AREA)


def figures(*, quick: bool = False, seed: int = 1) -> Iterator[Figure]:
    """Milliseconds for usual cameras, and how many times OpenCV's each is faster."""
    for source, target in SIZES:
        pixels = np.random.default_rng(seed).integers(0, 256, (*source, 3), np.uint8)
        resizer, out = plan(source, target, np.arange(256, dtype=np.uint8)), np.zeros((*target, 3), np.uint8)
        theirs = opencv(target)
        works: list[Callable[[], object]] = [lambda resizer=resizer, pixels=pixels, out=out: resizer(pixels, out)]  # type: ignore[misc]
        if theirs is not None:
            works.append(lambda theirs=theirs, pixels=pixels: theirs(pixels))  # type: ignore[misc]
        times = turn_by_turn(works, TIMES_QUICK if quick else TIMES)
        name = f"resize.{source[1]}x{source[0]}.{target[1]}x{target[0]}"
        first = (source, target) == SIZES[0]
        yield figure(f"{name}.ms", times[0], "at most" if first else "shown", MS_MAX, unit="ms", command=COMMAND)
        if theirs is not None:
            yield figure(f"{name}.speedup", times[1] / times[0], "shown", unit="times OpenCV's area resize", command=COMMAND)


def turn_by_turn(works: Sequence[Callable[[], object]], times: int) -> list[float]:
    """Milliseconds of each work, the tenth percentile of so many turns."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(times):
        for index, work in enumerate(works):
            began = perf_counter()
            work()
            spent[index].append((perf_counter() - began) * 1000)
    return [float(np.percentile(one, 10)) for one in spent]


def main(argv: Sequence[str] | None = None) -> int:
    """Print them; 1 when one does not hold."""
    args = figure_parser(__doc__).parse_args(argv)
    return print_figures(figures(quick=args.quick, seed=args.seed))


if __name__ == "__main__":
    raise SystemExit(main())
