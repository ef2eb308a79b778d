"""X.509 for one site: its own certificate authority, the collector's server certificate, a device's client certificate.

Keys are P-256 (what every TLS stack speaks); devices and servers are told apart by extended key usage, so that a stolen
device key cannot pose as the collector. Times arrive as arguments. Revocation is passive: a certificate is short-lived
and renewed, or not (`docs/enrolment-v1.md`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS: Final = 3650  # as long as a shop keeps its devices
SERVER_DAYS: Final = 825  # what the strictest common client accepts
DEVICE_DAYS: Final = 30  # long enough for a shop without internet, short enough to let a lost device lapse
BACKDATE: Final = timedelta(days=1)  # a collector whose clock is a little behind


def new_tls_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 private key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_authority(site: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """The site's self-signed authority; it may sign leaves only."""
    name = _name(f"Passerby site {site}")
    return (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def make_server(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    hosts: Sequence[str],
    now: datetime,
) -> x509.Certificate:
    """The collector's certificate for `hosts`: names or IP addresses, at least one."""
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    return (
        _leaf(authority, _name(hosts[0]), key, now, SERVER_DAYS)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=True)
        .sign(authority_key, hashes.SHA256())
    )


def make_device(
    authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePublicKey, device: str, now: datetime
) -> x509.Certificate:
    """A device's client certificate; its common name is the device id in hex."""
    return (
        _leaf(authority, _name(device), key, now, DEVICE_DAYS)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
        .sign(authority_key, hashes.SHA256())
    )


def _leaf(
    authority: x509.Certificate, subject: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    issuer_key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(subject, authority.subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + timedelta(days=days))
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
