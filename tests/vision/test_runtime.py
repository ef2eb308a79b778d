"""Choosing a runtime: by what it does with the very model, never by whether it imports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from firmware.errors import ModelError
from firmware.vision import runtime as under_test
from firmware.vision.runtime import Runtime, choose
from firmware.vision.tensors import Signature
from tests.fakes import FakeInterpreter


class Bench:
    """A stopwatch that only moves while fakes invoke, and the runtimes that move it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self.built: list[tuple[str, int, FakeInterpreter]] = []
        monkeypatch.setattr(under_test, "stopwatch_s", lambda: self.now_s)
        monkeypatch.setattr(under_test, "_more_threads", lambda: [2, 4])

    def runtime(self, name: str, cost_s: Callable[[int], float], last_resort: bool = False) -> Runtime:
        def build(content: bytes, threads: int) -> FakeInterpreter:
            interpreter = FakeInterpreter()
            invoke = interpreter.invoke

            def timed() -> None:
                self.now_s += cost_s(threads)
                invoke()

            interpreter.invoke = timed  # type: ignore[method-assign]
            self.built.append((name, threads, interpreter))
            return interpreter

        return Runtime(name, build, last_resort=last_resort)


def broken(name: str, what: str) -> Runtime:
    def build(content: bytes, threads: int) -> FakeInterpreter:
        raise ModelError(what, "mend it")

    return Runtime(name, build)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_faster_runtime_wins_whatever_the_order(bench: Bench) -> None:
    """The second candidate is taken when it invokes faster, and the first one's interpreter is closed."""
    chosen = choose("m", b"", [bench.runtime("slow", lambda n: 0.1), bench.runtime("fast", lambda n: 0.01)], threads=1)
    assert (chosen.runtime, chosen.threads, chosen.invoke_ms) == ("fast", 1, pytest.approx(10.0))
    assert [interpreter.closed for _, _, interpreter in bench.built] == [True, False]


def test_broken_runtime_is_skipped_and_its_reason_kept(bench: Bench) -> None:
    """A runtime that fails on build leaves its reason among the trials, and the other one runs."""
    chosen = choose("m", b"", [broken("tflite", "broken beside numpy 2"), bench.runtime("litert", lambda n: 0.01)], threads=1)
    assert chosen.runtime == "litert"
    assert [(t.runtime, t.reason) for t in chosen.trials] == [("tflite", "broken beside numpy 2"), ("litert", "")]


def test_threads_must_pay(bench: Bench) -> None:
    """Two threads that gain a tenth are not worth a core; four that gain half are."""
    assert choose("m", b"", [bench.runtime("a", lambda n: {1: 0.1, 2: 0.09, 4: 0.09}[n])]).threads == 1
    assert choose("m", b"", [bench.runtime("a", lambda n: {1: 0.1, 2: 0.09, 4: 0.05}[n])]).threads == 4


def test_threads_given_are_not_tried(bench: Bench) -> None:
    """With a number of threads given, each runtime is built once, with that number."""
    choose("m", b"", [bench.runtime("a", lambda n: 0.1)], threads=3)
    assert [(name, threads) for name, threads, _ in bench.built] == [("a", 3)]


def test_last_resort_only_when_nothing_else_runs(bench: Bench) -> None:
    """The builtin kernels are not even built beside a runtime that works, and save the day where none does."""
    last = bench.runtime("builtin", lambda n: 0.001, last_resort=True)
    assert choose("m", b"", [bench.runtime("a", lambda n: 0.1), last], threads=1).runtime == "a"
    assert choose("m", b"", [broken("a", "refused"), last], threads=1).runtime == "builtin"


def test_slow_model_is_not_tried_for_long(bench: Bench) -> None:
    """A model that takes seconds is invoked to warm up and once more, not five times."""
    choose("m", b"", [bench.runtime("a", lambda n: 4.0)], threads=1)
    assert bench.built[0][2].invokes == 2


def test_failing_invoke_is_a_failed_trial(bench: Bench) -> None:
    """A runtime that builds and then fails to invoke loses, with its reason."""
    failing = Runtime("a", lambda content, threads: FakeInterpreter(failing=True))
    chosen = choose("m", b"", [failing, bench.runtime("b", lambda n: 0.1)], threads=1)
    assert (chosen.runtime, chosen.trials[0].reason) == ("b", "the runtime failed")


def test_nothing_runs_says_the_first_reason(bench: Bench) -> None:
    """When every runtime fails, the model's name and the first reason make the line, the others the hint."""
    with pytest.raises(ModelError, match=r"^m: refused; mend it \(b: also not\)$"):
        choose("m", b"", [broken("a", "refused"), broken("b", "also not")])
    with pytest.raises(ModelError, match="no TFLite runtime is installed"):
        choose("m", b"", [])


def test_wrong_kind_is_refused_before_any_trial(bench: Bench) -> None:
    """A model that `accept` refuses is never invoked, and is closed."""

    def refuse(signature: Signature) -> None:
        raise ModelError("a classifier")

    with pytest.raises(ModelError, match="a classifier"):
        choose("m", b"", [bench.runtime("a", lambda n: 0.1)], accept=refuse)
    assert bench.built[0][2].invokes == 0
    assert bench.built[0][2].closed
