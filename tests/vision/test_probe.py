"""The probe: a damaged model kills a child, not us."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware.errors import ModelError
from firmware.vision import probe as under_test
from firmware.vision.interpreter import LITERT
from firmware.vision.probe import main, probe
from tests import tiny_model

pytest.importorskip("ai_edge_litert")


def fake_runtime(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> str:
    """A module that children can import, whose Interpreter does `body` when it is built."""
    (folder / "fake_runtime.py").write_text(
        "import os, sys, time\n"
        "class Interpreter:\n"
        "    def __init__(self, model_content, num_threads):\n"
        f"        {body}\n"
        "    def allocate_tensors(self): pass\n"
        "    def invoke(self): pass\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return "fake_runtime"


def test_runtime_that_dies_is_an_error_with_its_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmentation fault in the runtime is one line here."""
    module = fake_runtime(tmp_path, monkeypatch, "os.kill(os.getpid(), 11)")
    with pytest.raises(ModelError, match="signal 11"):
        probe(module, b"model")


def test_runtime_that_hangs_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that never ends its first invoke is stopped."""
    monkeypatch.setattr(under_test, "PROBE_S_MAX", 1.0)
    module = fake_runtime(tmp_path, monkeypatch, "time.sleep(60)")
    with pytest.raises(ModelError, match="takes more than 1 s"):
        probe(module, b"model")


def test_runtime_that_refuses_is_left_to_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the child is no death: the caller will meet the same in its own process."""
    probe(fake_runtime(tmp_path, monkeypatch, "raise ValueError('not this one')"), b"model")


def test_main_says_whether_it_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child's exit code: 0 when the model ran, 4 when the runtime refused or is missing."""
    for module, content, code in ((LITERT, tiny_model.spot_detector(), 0), (LITERT, b"nothing", 4), ("no_such_runtime", b"", 4)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        assert main([module, "1"]) == code
