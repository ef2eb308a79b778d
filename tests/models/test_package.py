"""The packaged models: what the manifest promises, and what the Edge TPU and a small board can take."""

from __future__ import annotations

import hashlib
import tomllib
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from firmware.vision.manifest import packaged_manifest, read_manifest

PACKAGE = packaged_manifest().parent
MODELS = tomllib.loads((PACKAGE / "manifest.toml").read_text())["model"]
FILE_BYTES_MAX = 2_000_000

# TensorFlow Lite operators that the Edge TPU maps, as published in Coral's "TensorFlow models on the Edge TPU", in TFLite's own names.
EDGE_TPU_OPERATORS = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS", "FULLY_CONNECTED", "L2_NORMALIZATION",
    "LOGISTIC", "LSTM", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN",
    "RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH",
    "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV",
}  # fmt: skip


def opened(name: str) -> Any:
    """The model on the plain kernels, so that the operators are the file's own."""
    interpreter = Interpreter(
        str(PACKAGE / MODELS[name]["file"]), num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    return interpreter


def test_manifest_is_what_the_firmware_reads() -> None:
    """The firmware's own parser takes the manifest, and person-320, the default, is in it with a larger model."""
    found = read_manifest(packaged_manifest()).model
    assert "person-320" in found
    assert any((entry.input_hw or (0, 0))[0] >= 416 for entry in found.values())


@pytest.mark.parametrize("name", MODELS)
def test_file_is_the_one_that_was_hashed(name: str) -> None:
    """Each packaged file has the bytes that its sha256 promises, and at most two megabytes of them."""
    content = (PACKAGE / MODELS[name]["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == MODELS[name]["sha256"]
    assert len(content) <= FILE_BYTES_MAX


@pytest.mark.parametrize("name", MODELS)
def test_operators_are_the_edge_tpus(name: str) -> None:
    """Every operator of a packaged model is one that the Edge TPU compiler maps."""
    operators = {operator["op_name"] for operator in opened(name)._get_ops_details()}
    assert operators <= EDGE_TPU_OPERATORS


@pytest.mark.parametrize("name", MODELS)
def test_tensors_are_eight_bits_and_static(name: str) -> None:
    """Every activation is an 8-bit integer of fixed shape: no float is left, and nothing depends on the input."""
    for detail in opened(name).get_tensor_details():
        assert np.dtype(detail["dtype"]).name in {"int8", "uint8", "int32"}, detail["name"]
        assert (np.array(detail["shape_signature"]) >= 0).all(), detail["name"]


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_as_the_manifest_says(name: str) -> None:
    """Heatmaps and boxes have the shapes that follow from input and stride, and heatmaps hold probabilities."""
    interpreter, table = opened(name), MODELS[name]
    sinks = interpreter.get_output_details()
    sides = table["input"] if isinstance(table["input"], list) else [table["input"]] * 2
    assert interpreter.get_input_details()[0]["shape"].tolist() == [1, *sides, 3]
    assert np.dtype(interpreter.get_input_details()[0]["dtype"]).name == table["dtype"]
    for output in table["output"]:
        cells = [side // output["stride"] for side in sides]
        assert sinks[output["heatmap"]]["shape"].tolist() == [1, *cells, 1]
        assert sinks[output["box"]]["shape"].tolist() == [1, *cells, 4]
        assert sinks[output["heatmap"]]["quantization"] == (1 / 256, -128)
        assert sinks[output["box"]]["quantization"][1] == -128, "distances start at zero"


@pytest.mark.parametrize("name", MODELS)
def test_distances_fit_eight_bits(name: str) -> None:
    """One level of a distance is at most two pixels at the fine stride and four at the coarse one: it cannot cost the overlap."""
    sinks = opened(name).get_output_details()
    for output in MODELS[name]["output"]:
        assert sinks[output["box"]]["quantization"][0] * output["stride"] <= (2 if output["stride"] == 4 else 4)
