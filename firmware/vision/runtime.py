"""Which runtime runs a model here, and with how many threads: found out by building and invoking that very model.

A runtime that can be imported may still fail when it builds its first interpreter (tflite-runtime beside numpy 2), and
one that builds may be twenty times slower than the other. So every candidate builds the model and invokes it; the
fastest wins, and what became of the others is kept as `Trial`s for the doctor. Rules: a trial takes at most
TRIAL_S_MAX; more threads must pay. Importing the runtimes is left to `firmware.vision.detector`, which hands them in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from firmware.clock import stopwatch_s
from firmware.errors import ModelError
from firmware.vision.tensors import Interpreter, Signature

TRIAL_S_MAX: Final = 1.5  # for one candidate: two invokes of the slowest model on the slowest board
INVOKES: Final = 5  # the fastest of so many: the others were disturbed
THREADS_GAIN_MIN: Final = 1.15  # more threads must be so much faster: they take cores from camera and tracker
THREADS_MAX: Final = 4  # int8 models of this size do not scale beyond


@dataclass(frozen=True, slots=True)
class Runtime:
    """One way to run a model.

    Attributes:
        name: litert | litert-builtin | tflite | edgetpu.
        build: model bytes and threads to an interpreter; raises ModelError with the runtime's own reason.
        last_resort: tried only when no other could.
    """

    name: str
    build: Callable[[bytes, int], Interpreter]
    last_resort: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one candidate.

    Attributes:
        runtime: its name.
        threads: with which it was tried.
        invoke_ms: the fastest invoke; None when it failed.
        reason: why it failed; empty when it did not.
        hint: what to do about it.
    """

    runtime: str
    threads: int
    invoke_ms: float | None
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The interpreter that will run, and the trials that led to it."""

    interpreter: Interpreter
    runtime: str
    threads: int
    trials: tuple[Trial, ...]

    @property
    def invoke_ms(self) -> float:
        """Of the trial that won; 0 when there was nothing to choose between."""
        times = [t.invoke_ms for t in self.trials if t.runtime == self.runtime and t.threads == self.threads and t.invoke_ms is not None]
        return times[0] if times else 0.0


def choose(
    name: str, content: bytes, runtimes: Sequence[Runtime], threads: int = 0, accept: Callable[[Signature], object] | None = None
) -> Chosen:
    """The fastest runtime for these model bytes.

    Args:
        name: of the model, for messages.
        content: the model.
        runtimes: candidates, the likeliest first.
        threads: how many; 0: as many as pay.
        accept: judges the tensors before any time is spent on trials; raises ModelError for a model of the wrong kind.

    Raises:
        ModelError: every candidate failed (the message is the first one's), or `accept` refused.
    """
    best: Chosen | None = None
    trials: list[Trial] = []
    for runtime in runtimes:
        if runtime.last_resort and best is not None:
            continue
        found, trial = _try(runtime, content, threads or 1, accept)
        trials.append(trial)
        best = _faster(best, found, runtime.name, trial, 1.0)
        if threads or found is None or best is None or best.runtime != runtime.name:
            continue
        for more in _more_threads():
            found, trial = _try(runtime, content, more, None)
            trials.append(trial)
            best = _faster(best, found, runtime.name, trial, THREADS_GAIN_MIN)
    if best is None:
        raise ModelError(f"{name}: {trials[0].reason}" if trials else f"{name}: no TFLite runtime is installed", _hint(trials))
    return Chosen(best.interpreter, best.runtime, best.threads, tuple(trials))


def _more_threads() -> list[int]:
    cores = min(THREADS_MAX, len(os.sched_getaffinity(0)))
    return [n for n in (2, 4) if n <= cores]


def _faster(best: Chosen | None, found: Interpreter | None, runtime: str, trial: Trial, gain_min: float) -> Chosen | None:
    """The better of the best so far and a new one, which must be faster by `gain_min`; the loser is closed."""
    if found is None or trial.invoke_ms is None:
        return best
    if best is not None and best.invoke_ms < trial.invoke_ms * gain_min:
        found.close()
        return best
    if best is not None:
        best.interpreter.close()
    return Chosen(found, runtime, trial.threads, (trial,))


def _try(runtime: Runtime, content: bytes, threads: int, accept: Callable[[Signature], object] | None) -> tuple[Interpreter | None, Trial]:
    """Build and invoke once to warm up, then a few times; never longer than TRIAL_S_MAX once it runs."""
    try:
        interpreter = runtime.build(content, threads)
    except ModelError as error:
        return None, Trial(runtime.name, threads, None, error.what, error.hint)
    try:
        if accept is not None:
            accept(interpreter.signature)
    except ModelError:
        interpreter.close()
        raise
    try:
        interpreter.invoke()
        end_s = stopwatch_s() + TRIAL_S_MAX
        times = [_invoke_s(interpreter)]
        while len(times) < INVOKES and stopwatch_s() < end_s:
            times.append(_invoke_s(interpreter))
    except ModelError as error:
        return None, Trial(runtime.name, threads, None, error.what, error.hint)
    return interpreter, Trial(runtime.name, threads, min(times) * 1000)


def _invoke_s(interpreter: Interpreter) -> float:
    start_s = stopwatch_s()
    interpreter.invoke()
    return stopwatch_s() - start_s


def _hint(trials: Sequence[Trial]) -> str:
    if not trials:
        return "pip install ai-edge-litert"
    others = "; ".join(f"{t.runtime}: {t.reason}" for t in trials[1:] if t.reason != trials[0].reason)
    return trials[0].hint + (f" ({others})" if others else "")
