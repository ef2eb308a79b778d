"""Feeds mutated and random bytes to every decoder of the uplink; run as a process of its own, so that memory is its own.

`python -m tests.uplink.fuzz_decoders CASES SEED` prints one line of JSON: cases, refused, accepted, other (exceptions that
are not DataError, must be 0) and grown_bytes (growth of the process's peak memory over all cases).
"""

from __future__ import annotations

import json
import random
import resource
import sys
from collections import Counter
from collections.abc import Callable

from firmware.errors import DataError
from firmware.uplink.batch import from_bytes, to_bytes
from firmware.uplink.enrolment import read_certified, read_enrol, read_renew, signed_key, signing_request, write_certified, write_renew
from firmware.uplink.envelope import Kind, open_envelope, read_header
from firmware.uplink.exchange import Acknowledged, Answer, read_answer, read_request, request_hash, write_answer, write_request
from firmware.uplink.padding import unpad
from firmware.uplink.spool_format import read_segment
from tests.uplink.enrolments import CLAIM_FILE, TLS_KEY, enrolment, read_claim_file
from tests.uplink.letters import DEVICE, DEVICE_KEY, OPENING, PAYLOADS, letter
from tests.uplink.segments import written_segment

HEADS = (
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff\x01",
    b"\x91" * 1000,
)


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """Bits turned, bytes cut, put in, doubled, or nothing but noise."""
    case = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(case) + 1)
        match rng.randrange(7):
            case 0 if case:
                case[at % len(case)] ^= 1 << rng.randrange(8)
            case 1 if case:
                case[at % len(case)] = rng.randrange(256)
            case 2:
                del case[at : at + rng.randrange(1, 9)]
            case 3:
                case[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 4:
                case[at:at] = rng.choice(HEADS)
            case 5:
                case[at:at] = case[: rng.randrange(64)]
            case _:
                if rng.random() < 0.05:
                    case = bytearray(rng.randbytes(rng.randrange(2000)))
    return bytes(case)


def targets() -> list[tuple[Callable[[bytes], object], bytes]]:
    """Each decoder with bytes that it accepts."""
    pairs: list[tuple[Callable[[bytes], object], bytes]] = []
    for kind, payload in zip(Kind, PAYLOADS.values(), strict=True):
        pairs += [(lambda body, kind=kind: from_bytes(kind, body), to_bytes(payload))] * 2
    pairs += [(read_header, letter(suite=suite)) for suite in (1, 2)]
    pairs += [(lambda body: open_envelope(body, DEVICE_KEY.public_key(), OPENING[1]), letter())]
    pairs += [(unpad, (b"payload\x80").ljust(512, b"\0"))]
    pairs += [(read_request, write_request([letter(), letter()]))]
    answer = Answer(1, request_hash(b""), DEVICE, (Acknowledged(b"stream-1", 5, (7,)),), (), (), 1)
    pairs += [(lambda body: read_answer(body, DEVICE_KEY.public_key(), b"", DEVICE), write_answer(answer, DEVICE_KEY))]
    pairs += [(read_enrol, enrolment()), (read_renew, write_renew(DEVICE_KEY, TLS_KEY)), (read_claim_file, CLAIM_FILE.encode())]
    pairs += [
        (signed_key, signing_request(TLS_KEY, DEVICE)),
        (lambda body: read_certified(body, b""), write_certified(b"", b"der", "door")),
    ]
    pairs += [(read_segment, written_segment(b"one", b"two" * 100, b"three"))]
    return pairs


def main(cases: int, seed: int) -> dict[str, int]:
    """The tally."""
    rng = random.Random(seed)
    pairs = targets()
    tally: Counter[str] = Counter(cases=cases, refused=0, accepted=0, other=0)
    for decoder, good in pairs:
        decoder(good)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in range(cases):
        decoder, good = pairs[index % len(pairs)]
        try:
            decoder(mutated(good, rng))
            tally["accepted"] += 1
        except DataError:
            tally["refused"] += 1
        except Exception as error:  # noqa: BLE001  # counting these is the point
            tally["other"] += 1
            print(type(error).__name__, error, file=sys.stderr)
    tally["grown_bytes"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return dict(tally)


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
