"""Whether the offsets in a TFLite file stay inside the file: half a download is told from a model before any runtime reads it.

A TFLite file is a FlatBuffer, which a reader follows by offsets. tflite-runtime follows them unchecked, out of the file and into
whatever memory lies there: sometimes it dies, sometimes it finds something. Followed here are the parts that every runtime follows:
subgraphs with their tensors and operators, and the buffers that hold the weights. Layout: the FlatBuffers internals document and
TensorFlow's schema.fbs (version 3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from firmware.errors import ModelError

# Places of fields in the tables of schema.fbs.
_MODEL_CODES, _MODEL_SUBGRAPHS, _MODEL_BUFFERS = 1, 2, 4
_GRAPH_TENSORS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 0, 1, 2, 3
_TENSOR_SHAPE, _TENSOR_NAME, _TENSOR_QUANTIZATION = 0, 3, 4
_OPERATOR_INPUTS, _OPERATOR_OUTPUTS, _OPERATOR_OPTIONS = 1, 2, 4
_BUFFER_DATA = 0
# A detector has one subgraph and a few hundred tensors; a file made to be walked for ever has more.
_TABLES_MAX, _SUBGRAPHS_MAX = 20_000, 16


class _OutsideError(Exception):
    """An offset leads out of the file, or a list has no end."""


def check_bounds(path: str, content: bytes) -> None:
    """Follow the offsets of a TFLite file.

    Args:
        path: of the file, for the message.
        content: its bytes.

    Raises:
        ModelError: one of them leads out of the file.
    """
    try:
        _model(content)
    except _OutsideError as error:
        raise ModelError(f"{path}: the file is damaged: {error}", "it is cut short or was changed on the way: fetch it again") from error


def _model(content: bytes) -> None:
    root = _table(content, _number(content, 0, "<I"))
    for table in _tables(content, root, _MODEL_CODES):
        _fields(content, table)
    for graph in _tables(content, root, _MODEL_SUBGRAPHS, _SUBGRAPHS_MAX):
        for tensor in _tables(content, graph, _GRAPH_TENSORS):
            _vector(content, tensor, _TENSOR_SHAPE, 4)
            _vector(content, tensor, _TENSOR_NAME, 1)
            _child(content, tensor, _TENSOR_QUANTIZATION)
        for operator in _tables(content, graph, _GRAPH_OPERATORS):
            _vector(content, operator, _OPERATOR_INPUTS, 4)
            _vector(content, operator, _OPERATOR_OUTPUTS, 4)
            _child(content, operator, _OPERATOR_OPTIONS)
        _vector(content, graph, _GRAPH_INPUTS, 4)
        _vector(content, graph, _GRAPH_OUTPUTS, 4)
    for buffer in _tables(content, root, _MODEL_BUFFERS):
        _vector(content, buffer, _BUFFER_DATA, 1)


def _number(content: bytes, at: int, kind: str) -> int:
    """One little-endian number of a struct `kind` at byte `at`."""
    if at < 0 or at + struct.calcsize(kind) > len(content):
        raise _OutsideError(f"it says to read at byte {at}, and has {len(content)}")
    return int(struct.unpack_from(kind, content, at)[0])


def _table(content: bytes, at: int) -> int:
    """`at`, once the table there and its list of fields are seen to lie inside."""
    _fields(content, at)
    return at


def _fields(content: bytes, table: int) -> tuple[int, int]:
    """(where the list of a table's fields begins, how many there are)."""
    start = table - _number(content, table, "<i")
    size = _number(content, start, "<H")
    length = _number(content, start + 2, "<H")
    if size < 4 or start + size > len(content) or table + length > len(content):
        raise _OutsideError(f"a table at byte {table} reaches beyond its {len(content)} bytes")
    return start, (size - 4) // 2


def _field(content: bytes, table: int, index: int) -> int | None:
    """Where a field's value lies; None when the table leaves it out."""
    start, count = _fields(content, table)
    offset = _number(content, start + 4 + 2 * index, "<H") if index < count else 0
    return table + offset if offset else None


def _child(content: bytes, table: int, index: int) -> None:
    """See that the table in a field, if there is one, lies inside."""
    at = _field(content, table, index)
    if at is not None:
        _table(content, at + _number(content, at, "<I"))


def _vector(content: bytes, table: int, index: int, item_bytes: int) -> tuple[int, int]:
    """(first byte, number of items) of the vector in a field; (0, 0) when there is none."""
    at = _field(content, table, index)
    if at is None:
        return 0, 0
    begin = at + _number(content, at, "<I")
    count = _number(content, begin, "<I")
    if begin + 4 + count * item_bytes > len(content):
        raise _OutsideError(f"it says to read up to byte {begin + 4 + count * item_bytes}, and has {len(content)}")
    return begin + 4, count


def _tables(content: bytes, table: int, index: int, count_max: int = _TABLES_MAX) -> Iterator[int]:
    """The tables in a vector of a field."""
    begin, count = _vector(content, table, index, 4)
    if count > count_max:
        raise _OutsideError(f"it has a list of {count}, and no detector has more than {count_max}")
    for number in range(count):
        at = begin + 4 * number
        yield _table(content, at + _number(content, at, "<I"))
