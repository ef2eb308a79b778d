"""TLS contexts: what they trust. Conversations are in test_sender.py and tests/collector/."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.errors import UplinkError
from firmware.uplink.tls import authority_context, tls_context
from provisioning.device import new_device
from provisioning.site import init_site


@pytest.fixture
def device(tmp_path: Path) -> Path:
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], None, datetime.now(UTC))
    new_device(tmp_path / "site", "door", tmp_path / "device", None, datetime.now(UTC))
    return tmp_path / "device"


def test_only_the_sites_authority_is_trusted(device: Path) -> None:
    """One authority, the host is checked, nothing older than TLS 1.3, with and without a certificate of our own."""
    for context in (tls_context(device), authority_context((device / "ca.pem").read_text())):
        assert [dict(part[0] for part in each["subject"])["commonName"] for each in context.get_ca_certs()] == ["Passerby site test"]
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version is ssl.TLSVersion.TLSv1_3


def test_dates_count_unless_the_clock_is_wrong(device: Path) -> None:
    """The flag is there only then."""
    assert tls_context(device).verify_flags & 0x200000 == 0
    assert tls_context(device, clock_is_wrong=True).verify_flags & 0x200000


def test_what_is_missing_or_damaged_is_said(device: Path) -> None:
    """With the folder."""
    (device / "tls.pem").write_text("nothing")
    with pytest.raises(UplinkError, match=r"device.*passerby enrol"):
        tls_context(device)
    (device / "ca.pem").unlink()
    with pytest.raises(UplinkError, match=r"ca\.pem"):
        tls_context(device)
