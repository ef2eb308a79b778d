"""A frame to a model's input: area average and quantisation in one pass, straight into the interpreter's tensor.

Shrinking averages the area that an output pixel covers, enlarging interpolates between pixel centres: what the
packaged models were trained with. No letterbox: the whole frame (or tile) fills the input. Rules: 8-bit fixed-point
weights that sum to 256, rounded once per axis, so that every machine, with or without the compiler, gets the same
bytes; nothing is allocated per frame but views. Order: across first where the width shrinks by a whole number (the
averages vectorise and the rest has fewer columns), else down first.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
_ONE: Final = 256  # weights of one output pixel sum to this: eight bits, so that 255 * 256 + 128 fits in sixteen
_ACROSS: Final = (1, 2, 4)  # whole factors with an unrolled average: 640 and 1280 to 320
FEW: Final = 4  # rows mixed by a loop of their own: shrinks by less than three and a half
TAPS_MIN: Final = 3  # across; up to a shrink by two no output has more, and three are unrolled


@dataclass(frozen=True, slots=True)
class Taps:
    """Which source elements make each output element along one axis.

    Attributes:
        first: (out,) int64, the first source element.
        count: (out,) int64, how many.
        weight: (out, TAPS_MIN or more) uint64, their weights, summing to 256; unused ones zero.
    """

    first: NDArray[np.int64]
    count: NDArray[np.int64]
    weight: NDArray[np.uint64]


def taps(source: int, target: int) -> Taps:
    """Area average when `target` <= `source`, else linear interpolation between centres, clamped at the border."""
    ratio = source / target
    rows = [_area(i * ratio, (i + 1) * ratio, source) if ratio >= 1 else _linear((i + 0.5) * ratio - 0.5, source) for i in range(target)]
    most = max(TAPS_MIN, *(len(weights) for _, weights in rows))
    weight = np.zeros((target, most), np.uint64)
    for i, (_, weights) in enumerate(rows):
        weight[i, : len(weights)] = weights
    return Taps(np.array([first for first, _ in rows], np.int64), np.array([len(weights) for _, weights in rows], np.int64), weight)


def _area(low: float, high: float, source: int) -> tuple[int, list[int]]:
    """First element and weights of the span [low, high) of an axis."""
    first, last = int(low + 1e-9), min(source, int(np.ceil(high - 1e-9)))
    return _fixed(first, [min(high, i + 1) - max(low, i) for i in range(first, last)])


def _linear(centre: float, source: int) -> tuple[int, list[int]]:
    """First element and weights of the two elements around a centre."""
    at = min(max(centre, 0.0), source - 1.0)
    first = min(int(at), max(source - 2, 0))
    return _fixed(first, [1 - (at - first), at - first] if source > 1 else [1.0])


def _fixed(first: int, shares: list[float]) -> tuple[int, list[int]]:
    """Shares to whole weights that sum to 256, by rounding their running sum; zeros at the ends cut off."""
    total = sum(shares)
    ends = [0, *(round(so_far / total * _ONE) for so_far in itertools.accumulate(shares))]
    weights = [high - low for low, high in itertools.pairwise(ends)]
    while len(weights) > 1 and weights[-1] == 0:
        weights.pop()
    while len(weights) > 1 and weights[0] == 0:
        weights.pop(0)
        first += 1
    return first, weights


@dataclass(frozen=True, slots=True)
class Resizer:
    """A plan for one source size and one model input, with its own scratch rows. All that can be known before a frame comes is here.

    Attributes:
        size: height, width of what comes in.
        shape: rows and bytes a row of what goes out.
        plan: the kernels' arguments: factor (the whole number by which the width shrinks, 0 when it has none of the
            unrolled ones), taps across, taps down, reduced rows, one row of packed pixels.
        table: (256,) of the input's dtype, the value of each 8-bit level.
        flip: what a level is xored with to become its value, where that is all there is to it.
        plain: that is all there is to it, as in every model of one byte whose input spans its range: one pass. Others take
            a second one through the table.
        levels: uint8, the picture between the two passes; empty when plain.
    """

    size: tuple[int, int]
    shape: tuple[int, int]
    plan: tuple[Any, ...]
    table: Array
    flip: np.uint8
    plain: bool
    levels: NDArray[np.uint8]

    def __call__(self, pixels: NDArray[np.uint8], out: Array) -> None:
        """Fill a model's input: pixels (H, W, 3) uint8 RGB, rows may be strided; out contiguous, of the table's dtype."""
        flat, stride = flat_rows(pixels)
        if self.plain:
            _resize(flat, stride, *self.plan, out.view(np.uint8).reshape(self.shape), self.flip)
            return
        _resize(flat, stride, *self.plan, self.levels, self.flip)
        _look_up(self.levels, self.table, out.reshape(self.shape))


def plan(source: tuple[int, int], target: tuple[int, int], table: Array) -> Resizer:
    """How to bring (height, width) `source` to `target`, each 8-bit level to its entry in a table of 256."""
    across, down = taps(source[1], target[1]), taps(source[0], target[0])
    whole = source[1] // target[1] if source[1] % target[1] == 0 else 0
    factor = whole if whole in _ACROSS else 0
    rows = int(down.count.max()) + 1 if factor > 1 else 1  # a ring of rows that stays in the first cache
    scratch = np.zeros((rows, 3 * (target[1] if factor > 1 else source[1])), np.uint8)
    wide = np.zeros(source[1] + across.weight.shape[1], np.uint64)  # zeros behind the row for unused taps
    steps = (factor, across.first, across.weight, down.first, down.count, down.weight, scratch, wide)
    plain = table.itemsize == 1 and is_plain(table)
    flip = np.uint8(table.view(np.uint8)[0] if plain else 0)
    levels = np.zeros((0, 0) if plain else (target[0], target[1] * 3), np.uint8)
    return Resizer(source, (target[0], target[1] * 3), steps, table, flip, plain, levels)


def flat_rows(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """(bytes, stride): one contiguous row of bytes from the first pixel to the last, and the bytes from row to row."""
    height, width, _ = pixels.shape
    row, column, channel = pixels.strides
    if (column, channel) != (3, 1) or row < width * 3:
        pixels = np.ascontiguousarray(pixels)  # a mirrored or planar view: rare, and worth one copy
        row = width * 3
    if row == width * 3:
        flat = pixels.reshape(-1)
        flat.flags.writeable = False  # as the strided view below: one type, so the kernels are compiled once
        return flat, row
    return np.lib.stride_tricks.as_strided(pixels, (row * (height - 1) + width * 3,), (1,), writeable=False), row


def is_plain(table: NDArray[Any]) -> bool:
    """Whether a one-byte table is level ^ constant: then no look-up is needed."""
    levels = table.view(np.uint8)
    return bool(np.array_equal(levels, np.arange(256, dtype=np.uint8) ^ levels[0]))


@njit(cache=True)
def _resize(
    src: Array,
    stride: int,
    factor: int,
    first: Array,
    weight: Array,
    down_first: Array,
    down_count: Array,
    down_weight: Array,
    scratch: Array,
    wide: Array,
    out: Array,
    flip: np.uint8,
) -> None:
    """Down and across into out (H, W * 3) uint8, each byte ^ flip."""
    height = out.shape[0]
    endless = 1 << 30  # rows before a plain image wraps round
    if factor == 1:
        for y in range(height):
            _mix(src, stride, endless, down_first[y], down_count[y], down_weight[y], out[y], flip)
    elif factor == 0:
        row = scratch[0]
        for y in range(height):
            _mix(src, stride, endless, down_first[y], down_count[y], down_weight[y], row, np.uint8(0))
            _pack(row, wide)
            _gather(wide, first, weight, out[y], flip)
    else:
        ring, width, reduced = scratch.shape[0], scratch.shape[1] * factor, 0
        rows = scratch.reshape(-1)
        for y in range(height):
            while reduced < down_first[y] + down_count[y]:
                _average(src[reduced * stride : reduced * stride + width], factor, scratch[reduced % ring])
                reduced += 1
            _mix(rows, scratch.shape[1], ring, down_first[y], down_count[y], down_weight[y], out[y], flip)


@njit(cache=True)
def _look_up(levels: Array, table: Array, out: Array) -> None:
    """Each byte through a table; out may be levels itself."""
    for y in range(levels.shape[0]):
        for x in range(levels.shape[1]):
            out[y, x] = table[levels[y, x]]


@njit(cache=True, forceinline=True)
def _mix(src: Array, stride: int, rows: int, first: int, count: int, weight: Array, out: Array, flip: np.uint8) -> None:
    """One output row from `count` source rows of a ring of `rows`: (sum of weight * level + 128) >> 8, ^ flip.

    A loop to each count in a function of its own: beside each other in one, none of them vectorises.
    """
    if count > FEW:
        _mix_many(src, stride, rows, first, count, weight, out, flip)
        return
    a = _ring_row(src, stride, rows, first, out.shape[0])
    if count == 1:
        _flipped(a, out, flip)
        return
    b, w0, w1 = _ring_row(src, stride, rows, first + 1, out.shape[0]), np.uint16(weight[0]), np.uint16(weight[1])
    if count == 2:
        _mix_2(a, b, w0, w1, out, flip)
        return
    c, w2 = _ring_row(src, stride, rows, first + 2, out.shape[0]), np.uint16(weight[2])
    if count == 3:
        _mix_3(a, b, c, (w0, w1, w2), out, flip)
    else:
        d, w3 = _ring_row(src, stride, rows, first + 3, out.shape[0]), np.uint16(weight[3])
        _mix_4(a, b, c, d, (w0, w1, w2, w3), out, flip)


@njit(cache=True, forceinline=True)
def _ring_row(src: Array, stride: int, rows: int, row: int, size: int) -> Array:
    start = row % rows * stride
    return src[start : start + size]


@njit(cache=True, forceinline=True)
def _flipped(a: Array, out: Array, flip: np.uint8) -> None:
    for x in range(out.shape[0]):
        out[x] = a[x] ^ flip


@njit(cache=True, forceinline=True)
def _mix_2(a: Array, b: Array, w0: np.uint16, w1: np.uint16, out: Array, flip: np.uint8) -> None:
    half = np.uint16(128)
    for x in range(out.shape[0]):
        out[x] = np.uint8((np.uint16(a[x]) * w0 + np.uint16(b[x]) * w1 + half) >> np.uint16(8)) ^ flip


@njit(cache=True, forceinline=True)
def _mix_3(a: Array, b: Array, c: Array, w: tuple[np.uint16, ...], out: Array, flip: np.uint8) -> None:
    half = np.uint16(128)
    for x in range(out.shape[0]):
        out[x] = np.uint8((np.uint16(a[x]) * w[0] + np.uint16(b[x]) * w[1] + np.uint16(c[x]) * w[2] + half) >> np.uint16(8)) ^ flip


@njit(cache=True, forceinline=True)
def _mix_4(a: Array, b: Array, c: Array, d: Array, w: tuple[np.uint16, ...], out: Array, flip: np.uint8) -> None:
    half = np.uint16(128)
    for x in range(out.shape[0]):
        total = np.uint16(a[x]) * w[0] + np.uint16(b[x]) * w[1] + np.uint16(c[x]) * w[2] + np.uint16(d[x]) * w[3] + half
        out[x] = np.uint8(total >> np.uint16(8)) ^ flip


@njit(cache=True)
def _mix_many(src: Array, stride: int, rows: int, first: int, count: int, weight: Array, out: Array, flip: np.uint8) -> None:
    """`_mix` of five rows or more: pictures far larger than the input."""
    size = out.shape[0]
    total = np.full(size, 128, np.uint16)
    for t in range(count):
        w = np.uint16(weight[t])
        start = (first + t) % rows * stride
        row = src[start : start + size]
        for x in range(size):
            total[x] += np.uint16(row[x]) * w
    for x in range(size):
        out[x] = np.uint8(total[x] >> np.uint16(8)) ^ flip


@njit(cache=True, forceinline=True)
def _average(row: Array, factor: int, out: Array) -> None:
    """A row of RGB pixels shrunk by a whole factor: plain means, rounded to nearest. Strides are literal, so it vectorises."""
    if factor == 2:
        for x in range(out.shape[0] // 3):
            out[3 * x] = _mean2(row[6 * x], row[6 * x + 3])
            out[3 * x + 1] = _mean2(row[6 * x + 1], row[6 * x + 4])
            out[3 * x + 2] = _mean2(row[6 * x + 2], row[6 * x + 5])
    elif factor == 4:
        for x in range(out.shape[0] // 3):
            out[3 * x] = _mean4(row[12 * x], row[12 * x + 3], row[12 * x + 6], row[12 * x + 9])
            out[3 * x + 1] = _mean4(row[12 * x + 1], row[12 * x + 4], row[12 * x + 7], row[12 * x + 10])
            out[3 * x + 2] = _mean4(row[12 * x + 2], row[12 * x + 5], row[12 * x + 8], row[12 * x + 11])


@njit(cache=True)
def _mean2(a: int, b: int) -> np.uint8:
    return np.uint8((np.uint16(a) + np.uint16(b) + np.uint16(1)) >> np.uint16(1))


@njit(cache=True)
def _mean4(a: int, b: int, c: int, d: int) -> np.uint8:
    return np.uint8((np.uint16(a) + np.uint16(b) + np.uint16(c) + np.uint16(d) + np.uint16(2)) >> np.uint16(2))


@njit(cache=True)
def _pack(row: Array, wide: Array) -> None:
    """RGB bytes to one word a pixel, sixteen bits a channel."""
    for x in range(row.shape[0] // 3):
        wide[x] = np.uint64(row[3 * x]) | (np.uint64(row[3 * x + 1]) << np.uint64(16)) | (np.uint64(row[3 * x + 2]) << np.uint64(32))


@njit(cache=True)
def _gather(wide: Array, first: Array, weight: Array, out: Array, flip: np.uint8) -> None:
    """One output row from packed pixels: one multiplication for all three channels, whose sums stay below 2^16."""
    half = np.uint64(0x008000800080)
    if weight.shape[1] == TAPS_MIN:
        for x in range(first.shape[0]):
            i = first[x]
            _unpack(half + wide[i] * weight[x, 0] + wide[i + 1] * weight[x, 1] + wide[i + 2] * weight[x, 2], out, 3 * x, flip)
        return
    for x in range(first.shape[0]):
        total = half
        for t in range(weight.shape[1]):
            total += wide[first[x] + t] * weight[x, t]
        _unpack(total, out, 3 * x, flip)


@njit(cache=True)
def _unpack(total: np.uint64, out: Array, at: int, flip: np.uint8) -> None:
    """The upper byte of each channel's sum."""
    out[at] = np.uint8((total >> np.uint64(8)) & np.uint64(0xFF)) ^ flip
    out[at + 1] = np.uint8((total >> np.uint64(24)) & np.uint64(0xFF)) ^ flip
    out[at + 2] = np.uint8((total >> np.uint64(40)) & np.uint64(0xFF)) ^ flip
