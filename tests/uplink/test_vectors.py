"""The files in tests/vectors keep their promise: `accepted-*` opens, `refused-*` is refused, and the generator makes the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.errors import DataError
from firmware.uplink.batch import from_bytes, to_bytes
from firmware.uplink.envelope import Kind, open_envelope
from tests.uplink.letters import DEVICE_KEY, OPENING
from tests.vectors import make_vectors

FOLDER = Path(make_vectors.__file__).parent
ENVELOPES = sorted((FOLDER / "envelopes").iterdir())
PAYLOADS = sorted((FOLDER / "payloads").iterdir())


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


def test_the_format_is_what_it_was() -> None:
    """Today's code makes the files of suite 1 and the payloads byte for byte."""
    envelopes = {f"{name}.envelope": body for name, body in make_vectors.envelopes()}
    payloads = {f"{name}.{kind.name.lower()}": body for name, kind, body in make_vectors.payloads()}
    assert {path.name: path.read_bytes() for path in ENVELOPES if "suite-2" not in path.stem} == envelopes
    assert {path.name: path.read_bytes() for path in PAYLOADS} == payloads
