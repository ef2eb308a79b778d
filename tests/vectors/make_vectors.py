"""Writes the test vectors of envelopes, payloads and spool segments, named by outcome. `python -m tests.vectors.make_vectors`

Keys are fixed (tests/uplink/letters.py). Suite 1 is sealed with a fixed ephemeral key, so its files come out the same
every time; suite 2 cannot be, and is written only where the file is missing. A test compares what lies here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from firmware.uplink.batch import kind_of, to_bytes
from firmware.uplink.envelope import Header, Kind, Place
from firmware.uplink.padding import pad
from tests.uplink import hpke_reference
from tests.uplink.letters import (
    BATCH,
    BOX_EVENT,
    DEVICE_KEY,
    OPENING,
    OTHER_DEVICE_KEY,
    OTHER_OPENING,
    PAYLOADS,
    STREAM,
    header,
    letter,
)
from tests.uplink.segments import HEADER as SEGMENT_HEADER
from tests.uplink.segments import written_segment

FOLDER = Path(__file__).parent
EPHEMERAL = X25519PrivateKey.from_private_bytes(bytes(range(4, 36)))
PAYLOAD = to_bytes(BATCH)
encode = msgspec.msgpack.encode
Elements = list[Any]


def sealed(
    head: Header,
    payload: bytes = PAYLOAD,
    *,
    public: bytes = OPENING[1].public,
    key: Ed25519PrivateKey = DEVICE_KEY,
    padding: Callable[[bytes], bytes] = pad,
    change: Callable[[Elements], Elements] = lambda elements: elements,
    write: Callable[[Elements], bytes] = encode,
    prefix: bytes = b"passerby/1 envelope",
) -> bytes:
    """An envelope with one thing done otherwise; the signature is always over what is sent."""
    box = hpke_reference.seal(EPHEMERAL, public, b"passerby/1" + encode(head), padding(payload))
    signed = write(change([*msgspec.structs.astuple(head), box]))
    return signed + key.sign(prefix + signed)


def replaced(index: int, value: Any) -> Callable[[Elements], Elements]:
    return lambda elements: [*elements[:index], value, *elements[index + 1 :]]


def flipped(envelope: bytes, index: int) -> bytes:
    return envelope[:index] + bytes([envelope[index] ^ 1]) + envelope[index + 1 :]


def long_seq(elements: Elements) -> bytes:
    """`seq` 0 as a two-byte integer: the same meaning, other bytes."""
    parts = b"".join(encode(element) for element in elements[:4]) + b"\xcc\x00" + b"".join(encode(element) for element in elements[5:])
    return b"\x9d" + parts


def envelopes() -> Iterator[tuple[str, bytes]]:
    """All with suite 1; those of suite 2 are in `envelopes_of_suite_2`."""
    head = header()
    for name, payload in PAYLOADS.items():
        yield f"accepted-{name}", sealed(header(kind=kind_of(payload)), to_bytes(payload))
    yield "refused-empty", b""
    yield "refused-truncated", sealed(head)[:-1]
    yield "refused-byte-after-signature", sealed(head) + b"\0"
    yield "refused-version-2", sealed(msgspec.structs.replace(head, version=2))
    yield "refused-suite-3", sealed(head, change=replaced(1, 3))
    yield "refused-kind-5", sealed(head, change=replaced(5, 5))
    yield "refused-downgraded-to-suite-1", sealed(msgspec.structs.replace(header(2), suite=1))
    yield "refused-another-device", sealed(head, change=replaced(2, bytes(16)), key=OTHER_DEVICE_KEY)
    yield "refused-another-devices-key", sealed(head, key=OTHER_DEVICE_KEY)
    yield "refused-signature-bit", flipped(sealed(head), -1)
    yield "refused-header-bit", flipped(sealed(head), 60)
    yield "refused-sealed-bit", flipped(sealed(head), 300)
    yield "refused-signature-of-another-purpose", sealed(head, prefix=b"")
    yield "refused-header-changed-and-signed-anew", sealed(head, change=replaced(8, 999))
    yield "refused-another-tenant", sealed(msgspec.structs.replace(head, recipient=OTHER_OPENING[1].key_id), public=OTHER_OPENING[1].public)
    yield "refused-another-tenant-under-our-name", sealed(head, public=OTHER_OPENING[1].public)
    yield "refused-long-integer", sealed(head, write=long_seq)
    yield "refused-text-for-bytes", sealed(head, change=replaced(3, "stream-1"))
    yield "refused-fourteen-elements", sealed(head, change=lambda elements: [*elements, 0])
    yield "refused-twelve-elements", sealed(head, change=lambda elements: elements[:-1])
    yield "refused-prev-at-seq-0", sealed(msgspec.structs.replace(head, prev=b"p" * 16))
    yield "refused-no-prev-at-seq-1", sealed(msgspec.structs.replace(head, seq=1))
    yield "refused-seq-for-ever", sealed(msgspec.structs.replace(head, seq=2**64 - 1, prev=b"p" * 16))
    yield "refused-padded-too-large", sealed(head, padding=lambda payload: (payload + b"\x80").ljust(2048, b"\0"))
    yield "refused-padded-with-ones", sealed(head, padding=lambda payload: (payload + b"\x80").ljust(512, b"\1"))
    yield "refused-not-padded", sealed(head, padding=lambda payload: payload)


def envelopes_of_suite_2() -> Iterator[tuple[str, bytes]]:
    """The ephemeral key cannot be given to the library."""
    yield "accepted-batch-suite-2", letter(suite=2)
    yield "refused-sealed-bit-suite-2", flipped(letter(suite=2), 900)


def payloads() -> Iterator[tuple[str, Kind, bytes]]:
    """Payloads without their envelope."""
    for name, payload in PAYLOADS.items():
        yield f"accepted-{name}", kind_of(payload), to_bytes(payload)
    boxes = msgspec.structs.replace(BATCH, disclosure="boxes", events=(BOX_EVENT,))
    yield "accepted-boxes", Kind.BATCH, to_bytes(boxes)
    for name, change in _BATCH_FAULTS.items():
        yield f"refused-{name}", Kind.BATCH, encode(change(msgspec.msgpack.decode(PAYLOAD)))
    box = msgspec.msgpack.decode(to_bytes(boxes))
    yield "refused-box-under-events", Kind.BATCH, encode(box | {"disclosure": "events"})
    box["events"][0][7][0] = float("nan")
    yield "refused-nan-in-a-box", Kind.BATCH, encode(box)
    yield (
        "refused-field-twice",
        Kind.BATCH,
        b"\x8a" + PAYLOAD[1:] + PAYLOAD[-(8 + len(encode(msgspec.msgpack.decode(PAYLOAD)["health"])) - 1) :],
    )
    yield "refused-trailing-byte", Kind.BATCH, PAYLOAD + b"\xc0"
    yield "refused-truncated", Kind.BATCH, PAYLOAD[:-1]
    yield "refused-empty", Kind.BATCH, b""
    yield "refused-another-kind", Kind.BATCH, to_bytes(PAYLOADS["gap"])
    yield "refused-depth-1000", Kind.BATCH, b"\x81\xa7windows" + b"\x91" * 1000
    yield "refused-depth-1000-of-an-unknown-field", Kind.BATCH, b"\x81\xa1x" + b"\x91" * 1000
    for name, length in {"array": b"\xdd", "map": b"\xdf", "text": b"\xdb", "bytes": b"\xc6"}.items():
        yield f"refused-{name}-of-2-to-the-32", Kind.BATCH, b"\x81\xa7windows" + length + b"\xff\xff\xff\xff"
    gap = msgspec.msgpack.decode(to_bytes(PAYLOADS["gap"]))
    yield "refused-gap-backwards", Kind.GAP, encode(gap | {"first": 8, "last": 7})
    yield "refused-gap-reason", Kind.GAP, encode(gap | {"reason": "boredom"})


def segments() -> Iterator[tuple[str, bytes]]:
    """Spool segments of 8 KiB: three flushes of real envelopes (numbers 5 to 7), and what may become of them."""
    flushes = [sealed(header(place=Place(STREAM, seq, b"p" * 16))) for seq in (5, 6, 7)]
    whole = written_segment(*flushes, header=msgspec.structs.replace(SEGMENT_HEADER, segment_bytes=16 * 512))
    last = max(index for index in range(16) if any(whole[index * 512 : -512][:512]))
    yield "whole-three-envelopes", whole
    yield "whole-empty", written_segment()
    yield "whole-rotten-second-header", whole[:-512] + bytes(512)
    yield "doubtful-torn-last-flush", whole[: last * 512] + bytes((15 - last) * 512) + whole[-512:]
    yield "doubtful-rotten-first-record", flipped(whole, 600)
    yield "doubtful-rotten-header", flipped(whole, 20)
    yield "doubtful-something-behind-the-end", whole[:-600] + b"x" + whole[-599:]
    yield "doubtful-cut-short", whole[:3000]
    yield "refused-no-header", bytes(512) + whole[512:-512] + bytes(512)
    yield "refused-empty", b""
    yield "refused-noise", bytes(range(256)) * 32


def _row(path: tuple[Any, ...], value: Any) -> Callable[[Any], Any]:
    def change(batch: Any) -> Any:
        row = batch
        for step in path[:-1]:
            row = row[step]
        row[path[-1]] = value
        return batch

    return change


_BATCH_FAULTS: dict[str, Callable[[Any], Any]] = {
    "unknown-field": lambda batch: batch | {"frame": b"jpeg"},
    "missing-field": lambda batch: {name: batch[name] for name in batch if name != "health"},
    "fields-out-of-order": lambda batch: dict(reversed(batch.items())),
    "version-2": _row(("v",), 2),
    "events-under-windows": _row(("disclosure",), "windows"),
    "disclosure": _row(("disclosure",), "everything"),
    "empty-name": _row(("camera",), ""),
    "long-name": _row(("site",), "s" * 65),
    "model-of-9-bytes": _row(("model",), b"m" * 9),
    "float-in-a-window": _row(("windows", 0, 0), 1.0),
    "truth-for-a-count": _row(("windows", 0, 2, 0, 1), True),
    "negative-count": _row(("windows", 0, 2, 0, 1), -1),
    "count-too-large": _row(("windows", 0, 2, 0, 1), 2**53),
    "histogram-of-17": _row(("windows", 0, 3, 0, 7), [1] * 17),
    "histogram-with-zeros-at-its-end": _row(("windows", 0, 3, 0, 7), [1, 0]),
    "line-with-one-more": _row(("windows", 0, 2, 0), ["entrance", 0, 0, 0, 0, 0, 0, 0, 0]),
    "line-with-one-less": _row(("windows", 0, 2, 0), ["entrance", 0, 0, 0, 0, 0, 0]),
    "event-5": _row(("events", 0, 0), 5),
    "pseudonym-of-9-bytes": _row(("events", 0, 7), b"123456789"),
    "confidence-1001": _row(("events", 0, 6), 1001),
    "direction": _row(("events", 0, 3), "through"),
    "sixty-five-lines": _row(("windows", 0, 2), [["entrance", 0, 0, 0, 0, 0, 0, 0]] * 65),
}


def main() -> None:
    """Write all files."""
    for name, envelope in envelopes():
        (FOLDER / "envelopes" / f"{name}.envelope").write_bytes(envelope)
    for name, envelope in envelopes_of_suite_2():
        path = FOLDER / "envelopes" / f"{name}.envelope"
        if not path.exists():
            path.write_bytes(envelope)
    for name, kind, payload in payloads():
        (FOLDER / "payloads" / f"{name}.{kind.name.lower()}").write_bytes(payload)
    for name, segment in segments():
        (FOLDER / "segments" / f"{name}.seg").write_bytes(segment)


if __name__ == "__main__":
    main()
