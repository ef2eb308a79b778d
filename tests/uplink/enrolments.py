"""A claim and requests that the enrolment's tests share. Keys are fixed and worthless."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding

from firmware.uplink.enrolment import Claim, read_claim, write_enrol
from provisioning.certificates import make_authority
from tests.uplink.letters import DEVICE_KEY, OPENING

TLS_KEY = derive_private_key(12_345, SECP256R1())
AUTHORITY_KEY = derive_private_key(54_321, SECP256R1())
AUTHORITY = make_authority("Shop", AUTHORITY_KEY, datetime(2026, 11, 1, tzinfo=UTC))
CLAIM_FILE = (
    f'claim = "{bytes(range(16)).hex()}"\nname = "door"\nexpires = 2026-11-23T21:00:00Z\nenrol = "https://collector.example:8441"\n'
    f'site = "Shop"\nsuite = 1\nrecipient_id = "{OPENING[1].key_id.hex()}"\nrecipient = "{OPENING[1].public.hex()}"\n'
    f'receipt = "{DEVICE_KEY.public_key().public_bytes_raw().hex()}"\n'
    f'authority = """\n{AUTHORITY.public_bytes(Encoding.PEM).decode()}"""\n'
)
CLAIM: Claim = read_claim(CLAIM_FILE)


def enrolment() -> bytes:
    """A request with the fixed claim."""
    return write_enrol(CLAIM, DEVICE_KEY, TLS_KEY)


def read_claim_file(body: bytes) -> Claim:
    """A claim file's bytes, as a device reads them from a card."""
    return read_claim(body.decode("utf-8", "replace"))
