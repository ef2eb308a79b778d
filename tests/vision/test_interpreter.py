"""Interpreters: what a runtime raises becomes one line, what it prints stays away."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from firmware.errors import ModelError
from firmware.vision.interpreter import LITERT, TfliteInterpreter, build, first_line
from tests import tiny_model


def test_signature_says_what_the_file_holds() -> None:
    """Names, shapes, types, scales and operators of a real file."""
    pytest.importorskip("ai_edge_litert")
    signature = build(LITERT, tiny_model.spot_detector(), 1).signature
    assert [(t.name, t.shape, t.dtype) for t in signature.inputs] == [("picture", (1, 64, 64, 3), "int8")]
    assert [(t.shape, t.scale, t.zero) for t in signature.outputs] == [((1, 8, 8, 1), 1 / 16, 0), ((1, 8, 8, 4), 1 / 64, 0)]
    assert "CONV_2D" in signature.operators


def test_input_and_outputs_are_the_runtimes_own_memory() -> None:
    """What is written to the input is what the model sees, and outputs are views, not copies."""
    pytest.importorskip("ai_edge_litert")
    interpreter = build(LITERT, tiny_model.spot_detector(), 1)
    interpreter.input()[:] = 127
    interpreter.invoke()
    heat, _ = interpreter.outputs()
    assert heat.min() > 100
    assert not heat.flags.owndata
    interpreter.close()
    interpreter.close()


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """LiteRT's own chatter on descriptor 2 does not reach the terminal."""
    pytest.importorskip("ai_edge_litert")
    build(LITERT, tiny_model.spot_detector(), 1).close()
    assert capfd.readouterr() == ("", "")


def test_missing_library_of_an_accelerator_is_one_line() -> None:
    """A delegate's library that is not there is named, with what to install."""
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(ModelError, match=r"libnone\.so\.1") as refused:
        build(LITERT, tiny_model.spot_detector(), 1, library="libnone.so.1")
    assert "libedgetpu1-std" in refused.value.hint


def test_first_line_is_short() -> None:
    """Of a page of C++ complaints one line of at most 200 characters is left; of nothing, the kind of error."""
    assert first_line(RuntimeError("\n  one\ntwo")) == "one"
    assert len(first_line(RuntimeError("x" * 1000))) == 200
    assert first_line(RuntimeError()) == "RuntimeError"


def test_missing_and_broken_runtimes_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is not there, and one that breaks when it builds, are ModelErrors with a reason."""
    with pytest.raises(ModelError, match="no_such_runtime is not installed"):
        build("no_such_runtime", b"", 1)
    (tmp_path / "broken_runtime.py").write_text(
        "class Interpreter:\n    def __init__(self, **_): raise SystemError('_ARRAY_API not found')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match=r"the runtime is broken here \(numpy "):
        build("broken_runtime", b"", 1)
    sys.modules.pop("broken_runtime")


def test_failure_in_use_is_a_model_error() -> None:
    """When the runtime fails on a frame, ModelError says so."""

    class Failing:
        def allocate_tensors(self) -> None: ...

        def get_input_details(self) -> list[dict[str, object]]:
            return [detail((1, 8, 8, 3))]

        def get_output_details(self) -> list[dict[str, object]]:
            return [detail((1, 5, 100))]

        def tensor(self, index: int) -> object: ...

        def invoke(self) -> None:
            raise RuntimeError("out of memory\nsecond line")

    def detail(shape: tuple[int, ...]) -> dict[str, object]:
        return {"name": "t", "index": 0, "shape": shape, "dtype": np.float32, "quantization_parameters": {"scales": [], "zero_points": []}}

    with pytest.raises(ModelError, match="the runtime failed: out of memory; "):
        TfliteInterpreter(Failing()).invoke()
