"""LiteRT or tflite-runtime behind our port: this file is the only import of either.

Rules: nothing that a runtime raises gets past here but ModelError, and nothing that it prints; outputs are read without
a copy. Light on purpose, no kernels: the child processes of `probe` and `edgetpu` import this and little else. Choosing
a runtime is left to `firmware.vision.runtime`.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from firmware.errors import ModelError
from firmware.vision.tensors import Signature, Tensor

LITERT: Final = "ai_edge_litert.interpreter"
TFLITE: Final = "tflite_runtime.interpreter"
_POSTPROCESS: Final = "TFLite_Detection_PostProcess"


class TfliteInterpreter:
    """An interpreter of LiteRT or tflite-runtime behind our port."""

    def __init__(self, interpreter: Any) -> None:
        """Take a raw interpreter, not yet allocated. Raises whatever the runtime raises: `build` converts."""
        interpreter.allocate_tensors()
        self._raw: Any = interpreter
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        self._view_input: Callable[[], NDArray[Any]] = interpreter.tensor(inputs[0]["index"])
        self._view_outputs: tuple[Callable[[], NDArray[Any]], ...] = tuple(interpreter.tensor(detail["index"]) for detail in outputs)
        indexes = [int(detail["index"]) for detail in outputs]
        operators = interpreter._get_ops_details() if hasattr(interpreter, "_get_ops_details") else []  # noqa: SLF001 the only way to them
        ends = [tuple(int(i) for i in op["outputs"]) for op in operators if op["op_name"] == _POSTPROCESS]
        self.signature = Signature(
            tuple(_tensor(detail) for detail in inputs),
            tuple(_tensor(detail) for detail in outputs),
            tuple(sorted({op["op_name"] for op in operators if op["op_name"] != "DELEGATE"})),
            tuple(indexes.index(i) for i in ends[0]) if ends and set(ends[0]) <= set(indexes) else (),
        )

    def input(self) -> NDArray[Any]:
        """See Interpreter."""
        return self._view_input()

    def invoke(self) -> None:
        """See Interpreter."""
        try:
            self._raw.invoke()
        except (RuntimeError, ValueError, AttributeError) as error:
            raise ModelError(f"the runtime failed: {first_line(error)}", "restart; if it comes again, run passerby doctor") from error

    def outputs(self) -> tuple[NDArray[Any], ...]:
        """See Interpreter."""
        return tuple([view() for view in self._view_outputs])

    def close(self) -> None:
        """See Interpreter."""
        self._raw = self._view_input = self._view_outputs = None  # type: ignore[assignment]


def _tensor(detail: dict[str, Any]) -> Tensor:
    scales, zeros = detail["quantization_parameters"]["scales"], detail["quantization_parameters"]["zero_points"]
    scale, zero = (float(scales[0]), int(zeros[0])) if len(scales) else (0.0, 0)
    return Tensor(str(detail["name"]), tuple(int(n) for n in detail["shape"]), np.dtype(detail["dtype"]).name, scale, zero)


def first_line(error: BaseException) -> str:
    """The runtime's own words, cut to one readable line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]


def build(module: str, content: bytes, threads: int, *, delegate: bool = True, library: str = "") -> TfliteInterpreter:
    """An interpreter from a runtime's module.

    Args:
        module: LITERT or TFLITE.
        content: the model.
        threads: at least 1.
        delegate: with the runtime's default delegates (XNNPACK), or its builtin kernels alone.
        library: of an accelerator's delegate, to load.

    Raises:
        ModelError: the module is missing, is broken beside this numpy, or refuses the file.
    """
    try:
        with _quiet():
            runtime = importlib.import_module(module)
            if library:
                ctypes.CDLL(library)  # a missing one is met here: the runtime's own half-built delegate complains when it is collected
            extra: dict[str, Any] = {"experimental_delegates": [runtime.load_delegate(library)]} if library else {}
            if not delegate:
                extra["experimental_op_resolver_type"] = runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            return TfliteInterpreter(runtime.Interpreter(model_content=content, num_threads=threads, **extra))
    except ModuleNotFoundError as error:
        raise ModelError(f"{module.partition('.')[0]} is not installed", "pip install ai-edge-litert") from error
    except Exception as error:  # a runtime raises anything: SystemError beside the wrong numpy, ValueError for a file
        raise ModelError(*_why(error)) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the runtimes' own chatter off the terminal: C++ writes it to descriptor 2, past sys.stderr."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _why(error: Exception) -> tuple[str, str]:
    """What is wrong and what to do, from what the runtime raised."""
    text = str(error)
    if isinstance(error, OSError):
        return f"{first_line(error)}", "sudo apt install libedgetpu1-std"
    if "edgetpu-custom-op" in text:
        return "compiled for the Edge TPU, which this runtime does not drive", "give the model as it was before compiling"
    if "_ARRAY_API" in text or isinstance(error, SystemError | ImportError):
        why = first_line(error.__cause__ or error)
        return f"the runtime is broken here (numpy {np.__version__}): {why}", "uninstall it, or install a numpy that it was built for"
    return (
        f"the runtime refuses the file: {first_line(error)}",
        "convert the model again, or update the runtime: pip install -U ai-edge-litert",
    )
