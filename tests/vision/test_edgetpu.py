"""The Edge TPU's child: it works, and when it aborts, hangs, refuses or is gone, we learn of it and live."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from firmware.errors import ModelError
from firmware.vision import edgetpu as under_test
from firmware.vision.edgetpu import EdgeTpu, child_command, views
from firmware.vision.tensors import Signature, Tensor
from tests.vision.fake_coral import SUMMING


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def child(fault: str) -> EdgeTpu:
    return EdgeTpu(b"model", [sys.executable, "-m", "tests.vision.fake_coral", fault])


def wait_for(tpu: EdgeTpu) -> None:
    while not tpu.ready(1.0):
        pass


@pytest.fixture
def started() -> Iterator[EdgeTpu]:
    tpu = child("none")
    tpu.start()
    assert tpu.ready(30.0)
    yield tpu
    tpu.close()


def test_child_computes_what_is_asked(started: EdgeTpu) -> None:
    """What is written to the shared input comes back, invoked upon, in the shared outputs, again and again."""
    assert started.signature == SUMMING
    for level in (3, 200, 0):
        started.input()[:] = level
        started.invoke()
        assert np.all(started.outputs()[0] == level)


@pytest.mark.parametrize(("fault", "says"), [("abort:2", "it died of signal 6"), ("hang:2", "it hung for 0.5 s")])
def test_death_and_hang_are_errors_and_a_new_child_works(fault: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the second invoke the child aborts or hangs: one line says so, and started again it works as before."""
    monkeypatch.setattr(under_test, "HANG_S_MAX", 0.5)
    tpu = child(fault)
    for _ in range(2):
        tpu.start()
        assert tpu.ready(30.0)
        tpu.input()[:] = 7
        tpu.invoke()
        assert np.all(tpu.outputs()[0] == 7)
        with pytest.raises(ModelError, match=says):
            tpu.invoke()
        with pytest.raises(ModelError, match="not running"):
            tpu.input()
    tpu.close()


@pytest.mark.parametrize(("fault", "says"), [("refuse", "no device was found"), ("gone", "it died"), ("silent", "built nothing in time")])
def test_child_that_never_comes_is_an_error(fault: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal, a death and a silence while building are each an error with its reason."""
    monkeypatch.setattr(under_test, "BUILD_S_MAX", 0.5 if fault == "silent" else 30.0)
    tpu = child(fault)
    tpu.start()
    with pytest.raises(ModelError, match=says):
        wait_for(tpu)
    tpu.close()


def test_real_child_without_the_library_says_so() -> None:
    """The real child, on a machine without libedgetpu, answers with the library's name."""
    pytest.importorskip("ai_edge_litert")
    tpu = EdgeTpu(b"model", child_command("libedgetpu-none.so.1"))
    tpu.start()
    with pytest.raises(ModelError, match=r"libedgetpu-none\.so\.1"):
        tpu.ready(30.0)
    tpu.close()


def test_no_such_program_is_an_error() -> None:
    """A child that cannot even be started is an error, not an exception of the system's."""
    tpu = EdgeTpu(b"model", ["/no/such/program"])
    with pytest.raises(ModelError, match="no process for the Edge TPU"):
        tpu.start()
    tpu.close()


def test_children_leave_nothing_open() -> None:
    """Starting, dying and closing twice over leaves as many open files as before."""
    before = open_files()
    for _ in range(2):
        tpu = child("gone")
        tpu.start()
        with pytest.raises(ModelError):
            tpu.ready(30.0)
        tpu.close()
        tpu.close()
    assert open_files() == before


def test_a_new_child_needs_no_new_file() -> None:
    """After vision gave up the right to write files, a child that died can still be replaced."""
    pid = os.fork()
    if pid == 0:  # the limit is for good: try it in a process of its own
        try:
            tpu = child("abort:1")
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            for _ in range(2):
                tpu.start()
                assert tpu.ready(30.0)
                with pytest.raises(ModelError, match="signal 6"):
                    tpu.invoke()
        except BaseException:  # noqa: BLE001 whatever it is, the parent is told by the exit code
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def test_tensors_that_do_not_fit_are_refused() -> None:
    """A model whose tensors are larger than the shared memory is refused before anything is written."""
    import mmap

    with mmap.mmap(-1, 4096) as memory, pytest.raises(ModelError, match="need more than 4096 bytes"):
        views(memory, Signature((Tensor("p", (1, 64, 64, 3), "uint8"),), ()))
