"""The signed acceptance record."""

from __future__ import annotations

import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from firmware.commissioning.acceptance import About, Drawn, accept, verify
from firmware.commissioning.walk_test import Glimpse, LineResult, PartResult, Plan, Reason, Walk
from firmware.config import parse
from firmware.errors import DataError
from firmware.health import LiveLine
from firmware.uplink.envelope import device_id

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
LINE = parse(
    'site="s"\n[[camera]]\nname="c"\nsource="sim:"\n[[camera.line]]\nname="door"\nstart=[0.1,0.5]\nend=[0.9,0.61234]\n', "t"
).camera[0].line[0]  # fmt: skip
ABOUT = About(
    site="Café 12",
    camera="door",
    installer="A. Nyström",
    firmware="0.1.0",
    model_sha256="ab" * 32,
    config_sha256="cd" * 32,
    made_ms=1_793_600_000_000,
    quality="ntp",
    network_denied=True,
    fps_permille=9_900,
    drawn=(Drawn.of(LINE),),
)


def part(name: str, *reasons: Reason) -> PartResult:
    return PartResult(name, 5, 5, 5, 5, 30, reasons)  # type: ignore[arg-type]


def walk(*reasons: Reason) -> Walk:
    glimpse = Glimpse(0.0, (LiveLine("door"),), 1)
    done = (LineResult("door", (part("walk", *reasons), part("loiter"), part("peek"))),)
    return Walk(Plan("shop", ("door",)), glimpse, glimpse, line=1, done=done)


FILE = accept(walk(), ABOUT, KEY)


def test_what_was_signed_is_what_is_read() -> None:
    """All of it, with the drawn line in whole ten-thousandths, and the device's own id."""
    record = verify(FILE, device_id(KEY.public_key()))
    assert (record.about, record.passed) == (ABOUT, True)
    assert record.about.drawn[0] == Drawn("door", (1000, 5000), (9000, 6123), "left")


def test_a_failed_test_is_signed_as_failed() -> None:
    """With its reasons."""
    record = verify(accept(walk(Reason("entries", 4, 5)), ABOUT, KEY))
    assert not record.passed
    assert record.lines[0].parts[0].reasons == (Reason("entries", 4, 5),)


def test_another_device_is_told_apart() -> None:
    """A record is worth nothing for the device beside it."""
    with pytest.raises(DataError, match="not " + device_id(OTHER.public_key()).hex()):
        verify(FILE, device_id(OTHER.public_key()))


def test_a_test_that_is_not_over_is_not_signed() -> None:
    """Nobody can stop after the easy part."""
    glimpse = Glimpse(0.0, (LiveLine("door"),), 1)
    with pytest.raises(DataError, match="not over"):
        accept(Walk(Plan("shop", ("door",)), glimpse, glimpse), ABOUT, KEY)


def test_signed_by_another_key_under_this_name() -> None:
    """Whoever signs with their own key and keeps the device's id in it is found out."""
    fields = json.loads(accept(walk(), ABOUT, OTHER))
    fields["record"]["device"] = device_id(KEY.public_key()).hex()
    with pytest.raises(DataError):
        verify(json.dumps(fields).encode())


def test_a_record_that_passes_itself_is_refused() -> None:
    """Even its own device cannot sign `passed` over parts that did not, or that were left out."""
    for lines in ((LineResult("door", (part("walk", Reason("exits", 0, 5)), part("loiter"), part("peek"))),),
                  (LineResult("door", (part("walk"),)),),
                  (LineResult("door", (part("walk"),) * 3),)):  # fmt: skip
        honest = Walk(Plan("shop", ("door",)), *([Glimpse(0.0, (LiveLine("door"),), 1)] * 2), line=1, done=lines)
        fields = json.loads(accept(honest, ABOUT, KEY))
        record = msgspec.convert(fields["record"] | {"passed": True}, type=type(verify(FILE)))
        from firmware.commissioning.acceptance import CONTEXT, canonical

        fields |= {"record": msgspec.to_builtins(record), "signature": KEY.sign(CONTEXT + canonical(record)).hex()}
        with pytest.raises(DataError, match="its parts do not"):
            verify(json.dumps(fields).encode())


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, by: int) -> None:
    """Whatever is changed, the file is refused, or it says the very same (layout alone differs)."""
    changed = bytearray(FILE)
    changed[at] ^= by
    try:
        record = verify(bytes(changed))
    except DataError:
        return
    assert record == verify(FILE)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(text: bytes) -> None:
    """Never with another error than DataError."""
    with pytest.raises(DataError):
        verify(text)


def test_an_unknown_field_is_refused() -> None:
    """The schema is closed at every depth."""
    for path in ((), ("record",), ("record", "about"), ("record", "lines", 0), ("record", "lines", 0, "parts", 0)):
        fields = json.loads(FILE)
        place = fields
        for step in path:
            place = place[step]
        place["face"] = "x"
        with pytest.raises(DataError, match="unknown field"):
            verify(json.dumps(fields).encode())
