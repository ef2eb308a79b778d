"""One exchange with the collector: what is posted to /v1/uplink and the signed answer (docs/uplink-v1.md).

Request: u32 count, then each envelope with a u32 length; at most 256 KiB and 512 envelopes. Answer: a msgpack array and
the collector's Ed25519 signature over it; it names the request by its hash, so an answer cannot be moved to another
request. An HTTP status is never an acknowledgement: only `read_answer` decides. Pure; sending is `sender`'s work.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from firmware.errors import DataError

VERSION: Final = 1
REQUEST_BYTES_MAX: Final = 256 * 1024  # one request fits into a collector's memory 5,000 times
REQUEST_ENVELOPES_MAX: Final = 512  # bisection then needs nine more requests at most
ANSWER_BYTES_MAX: Final = 64 * 1024  # 512 sparse numbers and as many refusals are 20 KB
SIGNATURE_BYTES: Final = 64
_SIGNED: Final = b"passerby/1 receipt"
_U32: Final = struct.Struct(">I")

Seq = Annotated[int, msgspec.Meta(ge=0)]  # u64: msgpack holds no more
Millis = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Stream = Annotated[bytes, msgspec.Meta(min_length=8, max_length=8)]


class Acknowledged(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Of one stream: every number up to `through` is durable (or explained by a gap), and so is each in `sparse`."""

    stream: Stream
    through: Seq | None = None
    sparse: Annotated[tuple[Seq, ...], msgspec.Meta(max_length=REQUEST_ENVELOPES_MAX)] = ()


class Conflict(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The collector holds other bytes under this number: two devices share one identity, or a card was cloned."""

    stream: Stream
    seq: Seq
    digest: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]


class Refused(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An envelope of the request that the collector set aside; `index` counts from 0 within the request."""

    index: Annotated[int, msgspec.Meta(ge=0, lt=REQUEST_ENVELOPES_MAX)]
    reason: Annotated[str, msgspec.Meta(max_length=200)]


class Answer(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the collector says of one request.

    Attributes:
        version: 1.
        request: SHA-256 of the request's body.
        device: whom it answers, 16 bytes.
        acknowledged, conflicts, refused: see there.
        server_ms: milliseconds since 1970 by the collector's clock; a clock anchor for the device.
        retry_after_ms: do not come back before; 0 when there is more to send and room for it.
        drain_bytes_s: how fast old envelopes may follow.
        configuration: etag of the device's desired configuration, empty when there is none.
    """

    version: int
    request: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    device: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    acknowledged: Annotated[tuple[Acknowledged, ...], msgspec.Meta(max_length=REQUEST_ENVELOPES_MAX)]
    conflicts: Annotated[tuple[Conflict, ...], msgspec.Meta(max_length=REQUEST_ENVELOPES_MAX)]
    refused: Annotated[tuple[Refused, ...], msgspec.Meta(max_length=REQUEST_ENVELOPES_MAX)]
    server_ms: Millis
    retry_after_ms: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)] = 0
    drain_bytes_s: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 65_536
    configuration: Annotated[str, msgspec.Meta(max_length=64)] = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Answer)


def write_request(envelopes: Sequence[bytes]) -> bytes:
    """The body of one request.

    Raises:
        DataError: more than a request may hold.
    """
    body = _U32.pack(len(envelopes)) + b"".join(_U32.pack(len(envelope)) + envelope for envelope in envelopes)
    if not 0 < len(envelopes) <= REQUEST_ENVELOPES_MAX or len(body) > REQUEST_BYTES_MAX:
        raise DataError(f"a request of {len(envelopes)} envelopes and {len(body)} bytes", "the limits are 512 and 256 KiB")
    return body


def read_request(body: bytes) -> tuple[bytes, ...]:
    """The envelopes of a request's body, unread.

    Raises:
        DataError: not framed as `write_request` frames.
    """
    if not _U32.size < len(body) <= REQUEST_BYTES_MAX:
        raise DataError(f"a request of {len(body)} bytes", f"5 to {REQUEST_BYTES_MAX}")
    (count,) = _U32.unpack_from(body)
    if not 0 < count <= REQUEST_ENVELOPES_MAX:
        raise DataError(f"a request of {count} envelopes", f"1 to {REQUEST_ENVELOPES_MAX}")
    envelopes, at = [], _U32.size
    for _ in range(count):
        if at + _U32.size > len(body):
            raise DataError("a request that ends before its last envelope")
        (length,) = _U32.unpack_from(body, at)
        at += _U32.size
        if length > len(body) - at:
            raise DataError("a request that ends within an envelope")
        envelopes.append(body[at : at + length])
        at += length
    if at != len(body):
        raise DataError("a request with bytes after its last envelope")
    return tuple(envelopes)


def request_hash(body: bytes) -> bytes:
    """By which an answer names its request."""
    return hashlib.sha256(body).digest()


def write_answer(answer: Answer, receipt_key: Ed25519PrivateKey) -> bytes:
    """The signed bytes."""
    said = _encoder.encode(answer)
    return said + receipt_key.sign(_SIGNED + said)


def read_answer(body: bytes, receipt_key: Ed25519PublicKey, request: bytes, device: bytes) -> Answer:
    """The collector's answer to this very request of this device.

    Raises:
        DataError: no answer, not signed by the collector, or an answer to something else.
    """
    if not SIGNATURE_BYTES < len(body) <= ANSWER_BYTES_MAX:
        raise DataError(f"no answer: {len(body)} bytes", "a captive portal or a proxy may have answered instead")
    said, signature = body[:-SIGNATURE_BYTES], body[-SIGNATURE_BYTES:]
    try:
        receipt_key.verify(signature, _SIGNED + said)
    except InvalidSignature as error:
        raise DataError("an answer that the collector did not sign", "a captive portal or a proxy may have answered instead") from error
    try:
        answer = _decoder.decode(said)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"a signed answer of another version: {error}") from error
    if answer.version != VERSION:
        raise DataError(f"an answer of version {answer.version}", f"this reads version {VERSION}")
    if answer.request != request_hash(request) or answer.device != device:
        raise DataError("an answer to another request", "replayed, or delivered late")
    return answer
