"""Certificates: who signs what, for whom, for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from provisioning.certificates import BACKDATE, DEVICE_DAYS, make_authority, make_device, make_server, new_tls_key

NOW = datetime(2026, 11, 20, tzinfo=UTC)
KEY = new_tls_key()
AUTHORITY = make_authority("Shop", KEY, NOW)


def usage(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_devices_and_servers_are_told_apart() -> None:
    """By extended key usage; neither may sign others."""
    device = make_device(AUTHORITY, KEY, new_tls_key().public_key(), "ab" * 16, NOW)
    server = make_server(AUTHORITY, KEY, new_tls_key().public_key(), ["collector.example", "10.0.0.1", "::1"], NOW)
    assert (usage(device), usage(server)) == ([ExtendedKeyUsageOID.CLIENT_AUTH], [ExtendedKeyUsageOID.SERVER_AUTH])
    for leaf in (device, server):
        leaf.verify_directly_issued_by(AUTHORITY)
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["collector.example", "10.0.0.1", "::1"]


def test_a_devices_certificate_is_short() -> None:
    """30 days from now, and a day back for a collector whose clock is behind."""
    device = make_device(AUTHORITY, KEY, new_tls_key().public_key(), "ab" * 16, NOW)
    assert device.not_valid_after_utc == NOW + timedelta(days=DEVICE_DAYS)
    assert device.not_valid_before_utc == NOW - BACKDATE


def test_another_authority_of_the_same_name_is_another() -> None:
    """The key decides, not the name."""
    thief = new_tls_key()
    forged = make_device(make_authority("Shop", thief, NOW), thief, new_tls_key().public_key(), "ab" * 16, NOW)
    with pytest.raises(InvalidSignature):
        forged.verify_directly_issued_by(AUTHORITY)
