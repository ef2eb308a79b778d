"""Keys of both suites, and the RFC's own numbers."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from firmware.errors import DataError
from firmware.uplink.recipient import KEY_BYTES, PUBLIC_BYTES, OpeningKey, Recipient
from tests.uplink import hpke_reference

# RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence number 0.
RFC = {
    "info": "4f6465206f6e2061204772656369616e2055726e",
    "skEm": "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
    "enc": "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
    "pkRm": "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
    "skRm": "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
    "shared_secret": "0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7",
    "key": "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91",
    "base_nonce": "5c4d98150661b848853b547f",
    "pt": "4265617574792069732074727574682c20747275746820626561757479",
    "aad": "436f756e742d30",
    "ct": "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
}
RFC_BYTES = {name: bytes.fromhex(value) for name, value in RFC.items()}
EPHEMERAL = X25519PrivateKey.from_private_bytes(RFC_BYTES["skEm"])


def test_the_reference_is_the_rfcs() -> None:
    """Shared secret, key, nonce and ciphertext (with the RFC's aad) are those of appendix A.2.1."""
    keys = hpke_reference.schedule(EPHEMERAL, RFC_BYTES["pkRm"], RFC_BYTES["info"])
    assert (keys.shared_secret, keys.key, keys.base_nonce) == (RFC_BYTES["shared_secret"], RFC_BYTES["key"], RFC_BYTES["base_nonce"])
    sealed = hpke_reference.seal(EPHEMERAL, RFC_BYTES["pkRm"], RFC_BYTES["info"], RFC_BYTES["pt"], RFC_BYTES["aad"])
    assert sealed == RFC_BYTES["enc"] + RFC_BYTES["ct"]


def test_suite_1_opens_what_the_rfcs_keys_seal() -> None:
    """The library has no aad; with an empty one it opens the reference's ciphertext under the RFC's keys and info."""
    key = OpeningKey.from_private_bytes(1, RFC_BYTES["skRm"])
    assert key.public == RFC_BYTES["pkRm"]
    sealed = hpke_reference.seal(EPHEMERAL, RFC_BYTES["pkRm"], RFC_BYTES["info"], RFC_BYTES["pt"])
    assert key.open(sealed, RFC_BYTES["info"]) == RFC_BYTES["pt"]


def test_the_aad_of_the_rfc_is_not_ours() -> None:
    """A ciphertext under any aad does not open: ours is always empty, the header is bound by info."""
    sealed = RFC_BYTES["enc"] + RFC_BYTES["ct"]
    with pytest.raises(DataError):
        OpeningKey.from_private_bytes(1, RFC_BYTES["skRm"]).open(sealed, RFC_BYTES["info"])


def test_suite_2_is_x_wing() -> None:
    """The public key of a seed is the one of the X-Wing draft's first test vector (draft-connolly-cfrg-xwing-kem, appendix C)."""
    seed = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
    public = OpeningKey.from_private_bytes(2, seed).public
    assert public[:32].hex() == "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5"
    assert len(public) == PUBLIC_BYTES[2]


@pytest.mark.parametrize("suite", [1, 2])
def test_the_published_half_seals_and_the_other_opens(suite: int) -> None:
    """Only under the same info, and only by the same key."""
    key = OpeningKey.from_private_bytes(suite, bytes(range(32)))
    recipient = Recipient.from_public_bytes(suite, key.public)
    assert (recipient.key_id, len(recipient.public)) == (key.key_id, PUBLIC_BYTES[suite])
    sealed = recipient.seal(b"counts", b"header")
    assert key.open(sealed, b"header") == b"counts"
    with pytest.raises(DataError, match="header"):
        key.open(sealed, b"another")
    with pytest.raises(DataError, match="key"):
        OpeningKey.from_private_bytes(suite, bytes(range(1, 33))).open(sealed, b"header")


def test_key_ids_cover_the_suite() -> None:
    """The same bytes under another suite are another recipient."""
    keys = {OpeningKey.from_private_bytes(suite, bytes(range(32))).key_id for suite in (1, 2)}
    assert len(keys) == 2
    assert all(len(key) == 8 for key in keys)


@pytest.mark.parametrize(
    ("suite", "public"), [(0, bytes(32)), (3, bytes(32)), (1, b""), (1, bytes(33)), (2, bytes(32)), (2, b"\xff" * 1216)]
)
def test_what_is_no_public_key_is_refused(suite: int, public: bytes) -> None:
    """Unknown suites, wrong lengths, and bytes outside the field."""
    with pytest.raises(DataError):
        Recipient.from_public_bytes(suite, public)


@pytest.mark.parametrize(("suite", "private"), [(0, bytes(32)), (3, bytes(32)), (1, b""), (2, bytes(KEY_BYTES + 1))])
def test_what_is_no_private_key_is_refused(suite: int, private: bytes) -> None:
    """Unknown suites and wrong lengths."""
    with pytest.raises(DataError):
        OpeningKey.from_private_bytes(suite, private)


def test_a_low_order_point_is_refused() -> None:
    """An all-zero X25519 key would give a secret that everybody knows."""
    for suite in (1, 2):
        point = OpeningKey.from_private_bytes(suite, bytes(range(32))).public[:-32] + bytes(32)
        with pytest.raises(DataError, match="no recipient key"):
            Recipient.from_public_bytes(suite, point)
