"""The page's keys: made once, kept, told by a pin."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware.errors import DataError, StorageError
from firmware.status.access import token_matches
from firmware.status.certificate import CERTIFICATE, KEY, TOKEN, page_keys


def test_keys_are_made_once_and_read_again(tmp_path: Path) -> None:
    """The second start shows the same pin, and no token: that is on the label only."""
    first, second = page_keys(tmp_path / "page"), page_keys(tmp_path / "page")
    assert (first.pin, first.token_hash) == (second.pin, second.token_hash)
    assert token_matches(second.token_hash, first.token)
    assert second.token == ""


def test_a_new_token_leaves_the_key_as_it_is(tmp_path: Path) -> None:
    """The old token is worth nothing any more; browsers that trusted the key still do."""
    first, second = page_keys(tmp_path), page_keys(tmp_path, new=True)
    assert first.pin == second.pin
    assert not token_matches(second.token_hash, first.token)
    assert token_matches(second.token_hash, second.token)


def test_without_a_folder_nothing_is_kept() -> None:
    """In memory alone: another key and another token each time."""
    assert page_keys(None).pin != page_keys(None).pin


def test_the_pin_is_of_the_public_key(tmp_path: Path) -> None:
    """SHA-256 over the SubjectPublicKeyInfo, as in RFC 7469; it survives a new certificate of the same key."""
    keys = page_keys(tmp_path)
    spki = (
        x509.load_pem_x509_certificate((tmp_path / CERTIFICATE).read_bytes())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    assert keys.pin == hashlib.sha256(spki).hexdigest()
    (tmp_path / CERTIFICATE).unlink()
    assert page_keys(tmp_path).pin == keys.pin


def test_the_certificate_says_nothing_of_the_shop_and_needs_no_clock(tmp_path: Path) -> None:
    """No name of a site or a machine; valid from when this software was made."""
    page_keys(tmp_path)
    certificate = x509.load_pem_x509_certificate((tmp_path / CERTIFICATE).read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=Passerby device"
    assert certificate.not_valid_before_utc.year == 2026
    assert certificate.not_valid_after_utc.year > 2040


def test_tls_is_new_enough(tmp_path: Path) -> None:
    """1.2 at least, with forward secrecy only."""
    context = page_keys(tmp_path).context
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    old = [cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2"]
    assert old
    assert all("ECDHE" in name for name in old)


@pytest.mark.parametrize(("name", "content"), [(TOKEN, "x"), (KEY, "no key"), (CERTIFICATE, "no certificate"), (TOKEN, "")])
def test_damaged_files_are_told(tmp_path: Path, name: str, content: str) -> None:
    """With a hint; and never taken for an open door."""
    page_keys(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError):
        page_keys(tmp_path)


def test_key_and_certificate_belong_together(tmp_path: Path) -> None:
    """A key of another device is refused."""
    page_keys(tmp_path / "a")
    page_keys(tmp_path / "b")
    (tmp_path / "a" / KEY).write_bytes((tmp_path / "b" / KEY).read_bytes())
    with pytest.raises(DataError, match="belong together"):
        page_keys(tmp_path / "a")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot keep"):
        page_keys(tmp_path / "file" / "page")
