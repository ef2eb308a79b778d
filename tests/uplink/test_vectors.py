"""The files in tests/vectors keep their promise: `accepted-*` opens, `refused-*` is refused, and the generator makes the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.errors import DataError
from firmware.uplink.batch import from_bytes, to_bytes
from firmware.uplink.envelope import Kind, open_envelope, verify
from firmware.uplink.spool_format import RECORD_BYTES, envelope_at, read_segment
from tests.uplink.letters import DEVICE_KEY, OPENING
from tests.vectors import make_vectors

FOLDER = Path(make_vectors.__file__).parent
ENVELOPES = sorted((FOLDER / "envelopes").iterdir())
PAYLOADS = sorted((FOLDER / "payloads").iterdir())
SEGMENTS = sorted((FOLDER / "segments").iterdir())
NUMBERS: dict[str, list[int]] = {
    "whole-empty": [],
    "doubtful-torn-last-flush": [5, 6],
    "doubtful-rotten-first-record": [6, 7],
    "doubtful-cut-short": [5],
}


@pytest.mark.parametrize("path", ENVELOPES, ids=lambda path: path.stem)
def test_an_envelope_vector(path: Path) -> None:
    """By its name."""
    suite = 2 if path.stem.endswith("suite-2") else 1
    if path.stem.startswith("accepted"):
        header, payload = open_envelope(path.read_bytes(), DEVICE_KEY.public_key(), OPENING[suite])
        assert to_bytes(from_bytes(header.kind, payload)) == payload
        return
    assert path.stem.startswith("refused")
    for key in OPENING.values():
        with pytest.raises(DataError):
            open_envelope(path.read_bytes(), DEVICE_KEY.public_key(), key)


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_vector(path: Path) -> None:
    """By its name; the ending names the kind."""
    kind = Kind[path.suffix[1:].upper()]
    if path.stem.startswith("accepted"):
        assert to_bytes(from_bytes(kind, path.read_bytes())) == path.read_bytes()
        return
    assert path.stem.startswith("refused")
    with pytest.raises(DataError):
        from_bytes(kind, path.read_bytes())


@pytest.mark.parametrize("path", SEGMENTS, ids=lambda path: path.stem)
def test_a_segment_vector(path: Path) -> None:
    """`whole` may be written on, `doubtful` is read only, `refused` has no header; every envelope that comes out verifies."""
    segment = path.read_bytes()
    if path.stem.startswith("refused"):
        with pytest.raises(DataError):
            read_segment(segment)
        return
    reading = read_segment(segment)
    assert (reading.end is not None) == path.stem.startswith("whole")
    for seq, place, length in reading.envelopes:
        envelope = envelope_at(reading.header, place, segment[place : place + RECORD_BYTES + length])
        assert verify(envelope, DEVICE_KEY.public_key()).seq == seq
    assert [seq for seq, _, _ in reading.envelopes] == NUMBERS.get(path.stem, [5, 6, 7])


def test_the_format_is_what_it_was() -> None:
    """Today's code makes the files of suite 1 and the payloads byte for byte."""
    envelopes = {f"{name}.envelope": body for name, body in make_vectors.envelopes()}
    payloads = {f"{name}.{kind.name.lower()}": body for name, kind, body in make_vectors.payloads()}
    assert {path.name: path.read_bytes() for path in ENVELOPES if "suite-2" not in path.stem} == envelopes
    assert {path.name: path.read_bytes() for path in PAYLOADS} == payloads
    segments = {f"{name}.seg": body for name, body in make_vectors.segments()}
    assert {path.name: path.read_bytes() for path in SEGMENTS} == segments
