"""Reads a network that was published for the browser (TensorFlow.js graph format) and runs it with TensorFlow.

Such a file is a graph in JSON beside its weights in half precision. Two fusions that only browsers know are taken apart again; shapes that
were narrowed to 32 bits stay so.
"""

import base64
import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

FUSED = {"FusedDepthwiseConv2dNative": "DepthwiseConv2dNative", "_FusedConv2D": "Conv2D"}
OF_CONVOLUTION = {"T", "strides", "padding", "data_format", "dilations", "explicit_paddings"}
INT32, INT64 = 3, 9  # of TensorFlow's type enumeration


class WebGraph:
    """A graph `NAME.json` with its weights beside it, cut down to what `outputs` need."""

    def __init__(self, path: Path, source: str, outputs: tuple[str, ...]):
        described = json.loads(path.read_text())
        weights = read_weights(described["weightsManifest"], path.parent)
        nodes = [part for node in described["modelTopology"]["node"] for part in plain(node)]
        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(graph_def(needed(nodes, outputs), weights), name="")
        self.source, self.outputs = f"{source}:0", [f"{name}:0" for name in outputs]
        self.session = tf.compat.v1.Session(
            graph=graph, config=tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        )

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        """The outputs for one input as the graph wants it."""
        return self.session.run(self.outputs, {self.source: picture})


def read_weights(manifest: list[dict], folder: Path) -> dict[str, np.ndarray]:
    """All constants by name; half precision is widened."""
    made = {}
    for group in manifest:
        raw, start = b"".join((folder / path).read_bytes() for path in group["paths"]), 0
        for weight in group["weights"]:
            stored = np.dtype(weight.get("quantization", weight)["dtype"])
            count = int(np.prod(weight["shape"]))
            made[weight["name"]] = np.frombuffer(raw, stored, count, start).reshape(weight["shape"]).astype(weight["dtype"])
            start += count * stored.itemsize
    return made


def plain(node: dict) -> list[dict]:
    """A node as one or several that TensorFlow knows."""
    if node["op"] not in FUSED:
        return [node]
    attributes = node["attr"]
    fused = [base64.b64decode(name).decode() for name in attributes["fused_ops"]["list"]["s"]]
    first = {
        "name": f"{node['name']}/convolution",
        "op": FUSED[node["op"]],
        "input": node["input"][:2],
        "attr": {key: value for key, value in attributes.items() if key in OF_CONVOLUTION},
    }
    made, more = [first], list(node["input"][2:])
    for number, op in enumerate(fused):
        name = node["name"] if number == len(fused) - 1 else f"{node['name']}/{op}"
        inputs = [made[-1]["name"], *([more.pop(0)] if op == "BiasAdd" else [])]
        made.append({"name": name, "op": op, "input": inputs, "attr": {"T": attributes["T"]}})
    return made


def needed(nodes: list[dict], outputs: tuple[str, ...]) -> list[dict]:
    """The nodes that `outputs` depend on."""
    by_name = {node["name"]: node for node in nodes}
    kept: set[str] = set()
    open_names = list(outputs)
    while open_names:
        name = open_names.pop().split(":")[0].lstrip("^")
        if name not in kept:
            kept.add(name)
            open_names += by_name[name].get("input", [])
    return [node for node in nodes if node["name"] in kept]


def graph_def(nodes: list[dict], weights: dict[str, np.ndarray]) -> tf.compat.v1.GraphDef:
    """The graph with its constants filled in."""
    made = tf.compat.v1.GraphDef()
    for node in nodes:
        if node["op"] == "Const":
            value = weights[node["name"]]
            constant = made.node.add(name=node["name"], op="Const")
            constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
            constant.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
            continue
        parsed = json_format.ParseDict(node, tf.compat.v1.NodeDef(), ignore_unknown_fields=True)
        for attribute in parsed.attr.values():
            if attribute.type == INT64:
                attribute.type = INT32
        made.node.append(parsed)
    return made
