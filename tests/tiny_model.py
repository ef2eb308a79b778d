"""Tiny TFLite files made on the spot: a detector of bright spots, and the wrong kinds of model.

The detector is a real one: one 8x8 convolution of stride 8 over 64x64x3 gives a heatmap of brightness, another with no
weights gives boxes of one cell's half side around each centre. Nothing in it was trained or copied.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

SIDE, STRIDE = 64, 8
CELLS = SIDE // STRIDE
HALF = 0.5  # cells from the centre to each side of every box that the detector gives


@dataclass(frozen=True)
class Numbers:
    """A number type of a tiny model: TFLite's code for it, numpy's name and how its tensors are quantised."""

    code: int
    name: str
    zero: int


FLOAT, UINT8, INT8 = Numbers(0, "float32", 0), Numbers(3, "uint8", 128), Numbers(9, "int8", 0)


def spot_detector(numbers: Numbers = INT8) -> bytes:
    """Heatmap [1, 8, 8, 1], logits that pass 0 at half brightness, and boxes [1, 8, 8, 4]."""
    weights = np.full((1, STRIDE, STRIDE, 3), 1, np.float64) / (STRIDE * STRIDE * 3)
    model = _Builder(numbers)
    picture = model.tensor("picture", (1, SIDE, SIDE, 3), 1 / 128 if numbers is not FLOAT else 0.0)
    # The picture is -1..1: its mean times 8 is the logit.
    heat = model.convolve("heat", picture, weights * 8, np.zeros(1), (1, CELLS, CELLS, 1), 1 / 16, STRIDE)
    box = model.convolve("box", picture, np.zeros((4, STRIDE, STRIDE, 3)), np.full(4, HALF), (1, CELLS, CELLS, 4), 1 / 64, STRIDE)
    return model.file([picture], [heat, box])


def classifier(classes: int = 10) -> bytes:
    """[1, classes] out of one picture."""
    model = _Builder(INT8)
    picture = model.tensor("picture", (1, STRIDE, STRIDE, 3), 1 / 128)
    scores = model.convolve(
        "scores", picture, np.zeros((classes, STRIDE, STRIDE, 3)), np.zeros(classes), (1, 1, 1, classes), 1 / 16, STRIDE
    )
    return model.file([picture], [model.reshape("classes", scores, (1, classes), 1 / 16)])


def segmenter() -> bytes:
    """[1, 64, 64, 21] out of a picture of 64x64."""
    model = _Builder(INT8)
    picture = model.tensor("picture", (1, SIDE, SIDE, 3), 1 / 128)
    return model.file([picture], [model.convolve("masks", picture, np.zeros((21, 1, 1, 3)), np.zeros(21), (1, SIDE, SIDE, 21), 1 / 16, 1)])


def manifest(content: bytes) -> str:
    """A manifest that vouches for a spot detector in `spot.tflite`: with a hash, no child process tries the file first."""
    levels = "[[model.spot.output]]\nheatmap = 0\nbox = 1\nstride = 8\n"
    head = f'[model.spot]\nfile = "spot.tflite"\nsha256 = "{hashlib.sha256(content).hexdigest()}"\ndecoder = "centre-point"\n'
    return head + levels


class _Builder:
    """Collects tensors, buffers and operators of one subgraph, and packs them with the schema that LiteRT brings."""

    def __init__(self, numbers: Numbers) -> None:
        self.schema: Any = pytest.importorskip("ai_edge_litert.schema_py_generated")
        self.numbers = numbers
        self.tensors: list[Any] = []
        self.buffers: list[Any] = [self.schema.BufferT()]
        self.operators: list[Any] = []
        self.codes: list[Any] = []

    def tensor(self, name: str, shape: tuple[int, ...], scale: float, values: np.ndarray | None = None, code: int | None = None) -> int:
        """A tensor's index; a constant when it has values."""
        made = self.schema.TensorT()
        made.name, made.shape, made.buffer = name, list(shape), 0
        made.type = self.numbers.code if code is None else code
        if scale and self.numbers is not FLOAT:
            made.quantization = self.schema.QuantizationParametersT()
            made.quantization.scale = [scale]
            made.quantization.zeroPoint = [self.numbers.zero if values is None or made.type != 2 else 0]
        if values is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            self.buffers.append(buffer)
            made.buffer = len(self.buffers) - 1
        self.tensors.append(made)
        return len(self.tensors) - 1

    def convolve(
        self, name: str, source: int, weights: np.ndarray, bias: np.ndarray, shape: tuple[int, ...], scale: float, stride: int
    ) -> int:
        """CONV_2D of weights (out, h, w, in) and bias (out,); the output's index."""
        if self.numbers is FLOAT:
            w = self.tensor(f"{name}.w", weights.shape, 0, weights.astype(np.float32))
            b = self.tensor(f"{name}.b", bias.shape, 0, bias.astype(np.float32))
        else:
            step = max(float(np.abs(weights).max()) / 127, 1e-4)
            quantised = (np.round(weights / step) + self.numbers.zero).astype(self.numbers.name)
            w = self.tensor(f"{name}.w", weights.shape, step, quantised)
            b = self.tensor(f"{name}.b", bias.shape, step / 128, np.round(bias / (step / 128)).astype(np.int32), code=2)
        out = self.tensor(name, shape, scale)
        options = self.schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = 1, stride, stride
        self._operator(3, [source, w, b], out, 1, options)  # CONV_2D, Conv2DOptions
        return out

    def reshape(self, name: str, source: int, shape: tuple[int, ...], scale: float) -> int:
        """RESHAPE; the output's index."""
        target = self.tensor(f"{name}.shape", (len(shape),), 0, np.array(shape, np.int32), code=2)
        out = self.tensor(name, shape, scale)
        options = self.schema.ReshapeOptionsT()
        options.newShape = list(shape)
        self._operator(22, [source, target], out, 17, options)
        return out

    def _operator(self, code: int, inputs: list[int], output: int, options_type: int, options: Any) -> None:
        kind = self.schema.OperatorCodeT()
        kind.builtinCode, kind.deprecatedBuiltinCode, kind.version = code, code, 3 if code == 3 and self.numbers is INT8 else 1
        self.codes.append(kind)
        operator = self.schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = len(self.codes) - 1, inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        self.operators.append(operator)

    def file(self, inputs: list[int], outputs: list[int]) -> bytes:
        """The bytes of the file."""
        import flatbuffers

        graph, model = self.schema.SubGraphT(), self.schema.ModelT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs, graph.name = self.tensors, self.operators, inputs, outputs, "main"
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, self.codes, [graph], self.buffers
        builder = flatbuffers.Builder(4096)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
