"""The bytes of enrolment: what is signed by whom, and what is refused. Over TLS it is tested in tests/collector/test_claims.py."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from firmware.errors import DataError
from firmware.uplink.enrolment import (
    check_certificate,
    check_renew,
    claim_digest,
    read_certified,
    read_claim,
    read_enrol,
    read_renew,
    signed_key,
    signing_request,
    write_certified,
    write_renew,
)
from provisioning.certificates import make_authority, make_device
from tests.uplink.enrolments import AUTHORITY, AUTHORITY_KEY, CLAIM, CLAIM_FILE, TLS_KEY, enrolment
from tests.uplink.letters import DEVICE, DEVICE_KEY, OTHER_DEVICE_KEY

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def test_a_request_reads_back() -> None:
    """Claim, site, identity and TLS key arrive as they were said."""
    asked = read_enrol(enrolment())
    assert (asked.claim, asked.site, asked.public) == (CLAIM.secret, CLAIM.recipient_id, DEVICE_KEY.public_key().public_bytes_raw())
    assert signed_key(asked.signing_request) == TLS_KEY.public_key()


def test_every_turned_bit_of_a_request_is_noticed() -> None:
    """Both kinds of request: no bit is unsigned."""
    public = DEVICE_KEY.public_key()
    for body, read in ((enrolment(), read_enrol), (write_renew(DEVICE_KEY, TLS_KEY), lambda body: check_renew(body, public))):
        for bit in range(len(body) * 8):
            turned = bytearray(body)
            turned[bit // 8] ^= 1 << bit % 8
            with pytest.raises(DataError):
                read(bytes(turned))


def test_one_request_is_not_the_other() -> None:
    """A signature for a renewal enrols nobody: each is signed under its own name."""
    with pytest.raises(DataError):
        read_renew(enrolment())
    with pytest.raises(DataError):
        read_enrol(write_renew(DEVICE_KEY, TLS_KEY))
    with pytest.raises(DataError, match="identity did not sign"):
        check_renew(write_renew(DEVICE_KEY, TLS_KEY), OTHER_DEVICE_KEY.public_key())


def test_a_key_is_of_p256_and_proved() -> None:
    """RSA, another curve, and a request signed by nobody are refused."""
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        asked = CertificateSigningRequestBuilder().subject_name(Name([])).sign(key, SHA256()).public_bytes(Encoding.DER)
        with pytest.raises(DataError, match="P-256"):
            signed_key(asked)
    forged = bytearray(signing_request(TLS_KEY, DEVICE))
    forged[-1] ^= 1
    with pytest.raises(DataError):
        signed_key(bytes(forged))


def test_a_claim_names_its_site() -> None:
    """The same 16 bytes are another claim elsewhere, and the digest does not tell them."""
    assert claim_digest(CLAIM.recipient_id, CLAIM.secret) != claim_digest(b"elsewher", CLAIM.secret)
    assert CLAIM.secret not in claim_digest(CLAIM.recipient_id, CLAIM.secret)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('claim = "00', 'claim = "'),
        ("https://", "http://"),
        ("suite = 1", "suite = 2"),
        ('recipient = "', 'recipient = "00'),
        ("BEGIN CERTIFICATE", "BEGIN NOTHING"),
        ("site =", "sight ="),
    ],
)
def test_a_damaged_claim_file_is_said(old: str, new: str) -> None:
    """Cut, downgraded, mixed up: one line that says what makes another."""
    with pytest.raises(DataError, match="claim new makes"):
        read_claim(CLAIM_FILE.replace(old, new, 1))


def test_only_the_sites_certificate_for_this_key_is_kept() -> None:
    """Another authority of the same name, another key, another device: refused."""
    good = make_device(AUTHORITY, AUTHORITY_KEY, TLS_KEY.public_key(), DEVICE.hex(), NOW).public_bytes(Encoding.DER)
    assert check_certificate(good, AUTHORITY, TLS_KEY.public_key(), DEVICE).not_valid_after_utc > NOW
    thief_key = ec.generate_private_key(ec.SECP256R1())
    thief = make_authority("Shop", thief_key, NOW)
    for made in (
        make_device(thief, thief_key, TLS_KEY.public_key(), DEVICE.hex(), NOW),
        make_device(AUTHORITY, AUTHORITY_KEY, thief_key.public_key(), DEVICE.hex(), NOW),
        make_device(AUTHORITY, AUTHORITY_KEY, TLS_KEY.public_key(), "00" * 16, NOW),
    ):
        with pytest.raises(DataError):
            check_certificate(made.public_bytes(Encoding.DER), AUTHORITY, TLS_KEY.public_key(), DEVICE)


def test_an_answer_belongs_to_its_request() -> None:
    """A portal's page is none, and neither is the answer to somebody else."""
    said = write_certified(b"request", b"certificate", "door")
    assert read_certified(said, b"request").name == "door"
    for body, request in ((said, b"another"), (b"<html>Welcome</html>", b"request"), (said[:-1], b"request")):
        with pytest.raises(DataError):
            read_certified(body, request)
