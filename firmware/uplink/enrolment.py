"""Enrolment, as bytes: what a device says to become one of a site, or to get its next certificate (docs/enrolment-v1.md).

A device makes its own keys and never shows a private one: its request carries its identity's public key, a signing
request for its TLS key (which proves that it has that key), and the identity's signature over all of it (which proves
the other). A claim is 16 random bytes that the operator handed over; the collector knows only its digest. Pure: files
and network are `firmware.uplink.enroller`, the collector's side is `collector.claims`.
"""

from __future__ import annotations

import hashlib
import tomllib
from typing import Annotated, Final, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from firmware.errors import DataError
from firmware.uplink.envelope import device_id
from firmware.uplink.recipient import recipient_id
from firmware.uplink.stamp import Bytes8, Bytes16

VERSION: Final = 1
CLAIM_BYTES: Final = 16
SIGNATURE_BYTES: Final = 64
REQUEST_BYTES_MAX: Final = 4096  # a signing request of a P-256 key is 250 bytes
ANSWER_BYTES_MAX: Final = 16 * 1024
CLAIM_FILE_BYTES_MAX: Final = 16 * 1024  # suite 2's recipient key is 2.4 KB of hex, the authority 1 KB
_CLAIM: Final = b"passerby/1 claim"
_ENROL: Final = b"passerby/1 enrol"
_RENEW: Final = b"passerby/1 renew"
_NOT_ASN1: Final = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion)  # what a parser of X.509 may say

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
SigningRequest = Annotated[bytes, msgspec.Meta(min_length=1, max_length=2048)]


class Claim(msgspec.Struct, frozen=True):
    """A claim file: the claim itself, where to take it, and all that the device is to trust from then on."""

    secret: bytes
    site: str
    enrol: str
    suite: int
    recipient: bytes
    receipt: bytes
    authority: str

    @property
    def recipient_id(self) -> bytes:
        """8 bytes that name the site's recipient key, and with it the site."""
        return recipient_id(self.suite, self.recipient)


class EnrolRequest(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A new device. `site` is the id of the recipient key in its claim."""

    version: int
    site: Bytes8
    claim: Bytes16
    public: Bytes32
    signing_request: SigningRequest


class RenewRequest(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A device that is known, whose certificate ends or has ended."""

    version: int
    device: Bytes16
    signing_request: SigningRequest


class Certified(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The answer to both: the certificate (DER), and what the operator calls the device."""

    version: int
    request: Bytes32
    certificate: Annotated[bytes, msgspec.Meta(max_length=8192)]
    name: Annotated[str, msgspec.Meta(max_length=64)]


Request = TypeVar("Request", EnrolRequest, RenewRequest)

_encoder = msgspec.msgpack.Encoder()
_enrol = msgspec.msgpack.Decoder(EnrolRequest)
_renew = msgspec.msgpack.Decoder(RenewRequest)
_certified = msgspec.msgpack.Decoder(Certified)


def read_claim(text: str) -> Claim:
    """A claim file's text.

    Raises:
        DataError: it is none, or its parts do not fit together.
    """
    try:
        table = tomllib.loads(text)
        claim = Claim(
            bytes.fromhex(table["claim"]),
            str(table["site"]),
            str(table["enrol"]),
            int(table["suite"]),
            bytes.fromhex(table["recipient"]),
            bytes.fromhex(table["receipt"]),
            str(table["authority"]),
        )
        x509.load_pem_x509_certificate(claim.authority.encode())
        stated = bytes.fromhex(table["recipient_id"])
    except (tomllib.TOMLDecodeError, KeyError, *_NOT_ASN1) as error:
        raise DataError(f"no claim: {error}", "passerby-provision claim new makes one") from error
    if len(claim.secret) != CLAIM_BYTES or stated != claim.recipient_id or not claim.enrol.startswith("https://"):
        raise DataError("a damaged claim", "passerby-provision claim new makes another")
    return claim


def claim_digest(site: bytes, secret: bytes) -> bytes:
    """By which a collector knows a claim of its own site; 32 bytes. Another site's digest of the same claim is another."""
    return hashlib.sha256(_CLAIM + site + secret).digest()


def signing_request(key: ec.EllipticCurvePrivateKey, device: bytes) -> bytes:
    """PKCS#10 (DER) for a device's TLS key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device.hex())])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def signed_key(request: bytes) -> ec.EllipticCurvePublicKey:
    """The P-256 key that a signing request asks a certificate for.

    Raises:
        DataError: it is none, of another curve, or not signed by that key.
    """
    try:
        asked = x509.load_der_x509_csr(request)
        key, holds = asked.public_key(), asked.is_signature_valid
    except _NOT_ASN1 as error:
        raise DataError(f"no signing request that can be read: {type(error).__name__}") from error
    if not holds or not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise DataError("a signing request that is not of a P-256 key, or not signed by it")
    return key


def write_enrol(claim: Claim, identity: Ed25519PrivateKey, tls: ec.EllipticCurvePrivateKey) -> bytes:
    """The signed body of POST /v1/enrol."""
    public = identity.public_key()
    asked = EnrolRequest(VERSION, claim.recipient_id, claim.secret, public.public_bytes_raw(), signing_request(tls, device_id(public)))
    said = _encoder.encode(asked)
    return said + identity.sign(_ENROL + said)


def read_enrol(body: bytes) -> EnrolRequest:
    """A request whose signature holds under the identity that it brings.

    Raises:
        DataError: not one, or somebody else's.
    """
    said, signature = _split(body)
    asked = _decoded(said, _enrol)
    _check(Ed25519PublicKey.from_public_bytes(asked.public), signature, _ENROL + said)
    return asked


def write_renew(identity: Ed25519PrivateKey, tls: ec.EllipticCurvePrivateKey) -> bytes:
    """The signed body of POST /v1/renew."""
    device = device_id(identity.public_key())
    said = _encoder.encode(RenewRequest(VERSION, device, signing_request(tls, device)))
    return said + identity.sign(_RENEW + said)


def read_renew(body: bytes) -> RenewRequest:
    """What a body asks for; believed only after `check_renew`. Raises DataError."""
    return _decoded(_split(body)[0], _renew)


def check_renew(body: bytes, public: Ed25519PublicKey) -> None:
    """That the device of this key asked for it. Raises DataError."""
    said, signature = _split(body)
    _check(public, signature, _RENEW + said)


def write_certified(request: bytes, certificate: bytes, name: str) -> bytes:
    """The answer to a body."""
    return _encoder.encode(Certified(VERSION, hashlib.sha256(request).digest(), certificate, name))


def read_certified(body: bytes, request: bytes) -> Certified:
    """The answer to this very request. Whether the certificate is good is the caller's to check.

    Raises:
        DataError: it is none.
    """
    try:
        said = _certified.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"no certificate came: {error}", "a captive portal or a proxy may have answered instead") from error
    if said.version != VERSION or said.request != hashlib.sha256(request).digest():
        raise DataError("an answer to another request, or of another version")
    return said


def check_certificate(der: bytes, authority: x509.Certificate, key: ec.EllipticCurvePublicKey, device: bytes) -> x509.Certificate:
    """The certificate, if the site's authority made it for this device and this key.

    Raises:
        DataError: it did not.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.verify_directly_issued_by(authority)
        names = [name.value for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except _NOT_ASN1 as error:
        raise DataError("a certificate that the site did not make") from error
    if certificate.public_key() != key or names != [device.hex()]:
        raise DataError("a certificate for another key or device")
    return certificate


def _split(body: bytes) -> tuple[bytes, bytes]:
    if not SIGNATURE_BYTES < len(body) <= REQUEST_BYTES_MAX:
        raise DataError(f"an enrolment of {len(body)} bytes", f"at most {REQUEST_BYTES_MAX}")
    return body[:-SIGNATURE_BYTES], body[-SIGNATURE_BYTES:]


def _decoded(said: bytes, decoder: msgspec.msgpack.Decoder[Request]) -> Request:
    try:
        asked = decoder.decode(said)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"no enrolment: {error}") from error
    if asked.version != VERSION or _encoder.encode(asked) != said:
        raise DataError("an enrolment of another version or form")
    return asked


def _check(public: Ed25519PublicKey, signature: bytes, signed: bytes) -> None:
    try:
        public.verify(signature, signed)
    except InvalidSignature as error:
        raise DataError("an enrolment that its identity did not sign") from error
