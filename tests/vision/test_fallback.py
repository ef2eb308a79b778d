"""Accelerator and CPU: no frame is lost, every one says who did it, and a dead accelerator is tried again, ever more seldom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.errors import ModelError
from firmware.vision import fallback as under_test
from firmware.vision.fallback import PAUSE_S_MAX, WithFallback
from firmware.vision.tensors import Signature
from tests.fakes import FakeClock
from tests.vision.fake_coral import SUMMING, Summing


class FakeAccelerator(Summing):
    """Starts at once or after some polls; `faults` are the invokes, counted from its birth, at which it dies."""

    def __init__(self, polls: int = 0, faults: tuple[int, ...] = (), signature: Signature = SUMMING) -> None:
        super().__init__(signature=signature)
        self.starts, self.closed = 0, False
        self._polls, self._left, self._faults, self._running = polls, 0, faults, False

    def start(self) -> None:
        self.starts, self._left = self.starts + 1, self._polls

    def ready(self, timeout_s: float = 0.0) -> bool:
        self._left -= 1
        self._running = self._left < 0
        return self._running

    def input(self) -> NDArray[Any]:
        if not self._running:
            raise ModelError("not running")
        return super().input()

    def invoke(self) -> None:
        super().invoke()
        if self.invokes in self._faults:
            self._running = False
            raise ModelError("it died")

    def close(self) -> None:
        self.closed = True


def step(both: WithFallback, level: int) -> tuple[float, bool]:
    """One frame of one level: the mean that came out, and whether the CPU made it."""
    both.input()[:] = level
    both.invoke()
    return float(both.outputs()[0][0, 0, 0]), both.fallback


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invokes take no time: the accelerator is faster than any CPU."""
    monkeypatch.setattr(under_test, "stopwatch_s", lambda: 0.0)


@pytest.mark.usefixtures("fast")
def test_accelerator_does_the_work() -> None:
    """An accelerator that runs does every frame, and nothing is flagged."""
    cpu = Summing()
    both = WithFallback(FakeAccelerator(), cpu, FakeClock())
    both.open(1.0, cpu_ms=10.0)
    assert [step(both, level) for level in (1, 2, 3)] == [(1.0, False), (2.0, False), (3.0, False)]
    assert cpu.invokes == 0


@pytest.mark.usefixtures("fast")
def test_the_frame_of_its_death_is_done_again() -> None:
    """The frame at which the accelerator dies comes out right, from the CPU, flagged, with the reason."""
    both = WithFallback(FakeAccelerator(faults=(7,)), Summing(), FakeClock())
    both.open(1.0, cpu_ms=10.0)
    assert [step(both, level) for level in (1, 2, 3)] == [(1.0, False), (2.0, True), (3.0, True)]
    assert both.reason == "it died"


@pytest.mark.usefixtures("fast")
def test_it_is_started_again_without_holding_up_a_frame() -> None:
    """After the pause it is started, polled at each frame while the CPU works, and takes over when it is ready."""
    clock, accelerator = FakeClock(), FakeAccelerator(polls=2, faults=(1,))
    both = WithFallback(accelerator, Summing(), clock)
    accelerator._polls = 0
    both.open(1.0, cpu_ms=10.0)
    accelerator._polls = 2
    assert step(both, 1) == (1.0, True)
    clock.now_s += 1.1
    assert [step(both, level)[1] for level in (2, 3, 4, 5)] == [True, True, True, False]
    assert accelerator.starts == 2


@pytest.mark.usefixtures("fast")
def test_pauses_double_up_to_five_minutes() -> None:
    """A device that dies at every first frame is started ever more seldom, never less than once in five minutes."""
    clock, accelerator = FakeClock(), FakeAccelerator(faults=tuple(range(6, 1000)))
    both = WithFallback(accelerator, Summing(), clock)
    both.open(1.0, cpu_ms=10.0)
    starts: list[float] = []
    while clock.now_s < 1000 + 3600:
        before = accelerator.starts
        step(both, 1)
        if accelerator.starts > before:
            starts.append(clock.now_s)
        clock.now_s += 0.5
    gaps = np.diff(starts)
    assert gaps[0] == pytest.approx(2.0, abs=1.1)
    assert gaps[-1] == pytest.approx(PAUSE_S_MAX, abs=1.1)
    assert len(starts) < 25


def test_slower_than_the_cpu_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """An accelerator that needs longer than the CPU for this model is closed, and never tried again."""
    ticks = iter(range(1000))
    monkeypatch.setattr(under_test, "stopwatch_s", lambda: next(ticks) * 0.05)
    clock, accelerator = FakeClock(), FakeAccelerator()
    both = WithFallback(accelerator, Summing(), clock)
    both.open(1.0, cpu_ms=24.0)
    clock.now_s += 10000
    assert step(both, 1) == (1.0, True)
    assert (accelerator.closed, accelerator.starts) == (True, 1)
    assert both.reason == "the Edge TPU takes 50.0 ms, the CPU 24.0"


@pytest.mark.usefixtures("fast")
def test_another_model_is_not_taken_for_the_same() -> None:
    """A compiled file whose outputs differ from the model's is refused, for good."""
    from firmware.vision.tensors import Tensor

    other = Signature(SUMMING.inputs, (Tensor("mean", (1, 6, 70), "float32"),))
    clock, accelerator = FakeClock(), FakeAccelerator(signature=other)
    both = WithFallback(accelerator, Summing(), clock)
    both.open(1.0, cpu_ms=10.0)
    clock.now_s += 10000
    assert step(both, 1) == (1.0, True)
    assert "not those of the model" in both.reason
    assert accelerator.starts == 1
