"""What the envelope costs, what the spool survives, and what it costs the card.

`python -m benchmarks.spool [--quick] [--seed N]`. Everything is measured now; --quick takes a twentieth of the cases, and a figure
whose bound is a number of cases is then held against a twentieth of it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks import card_wear
from benchmarks.figure import Figure, Sense, figure, figure_parser, print_figures
from firmware.errors import DataError
from firmware.uplink.batch import from_bytes, kind_of, to_bytes
from firmware.uplink.envelope import Kind, Place, open_envelope, seal
from firmware.uplink.filesystem import open_folder
from firmware.uplink.recipient import SUITE_X25519, SUITE_XWING, OpeningKey
from firmware.uplink.spool import Spool, SpoolLimits
from tests.uplink import crash_model, fuzz_decoders, letters, seeded_bugs, spool_writer

COMMAND = "python -m benchmarks.spool"
STATES = 200_000
BUG_STATES = 80_000
CASES = 100_000
TRIPS = 10_000
CYCLES = 200
FLIPS = 10_000
DAY_S = 86_400
QUICK = 20


def shown(name: str, value: float, sense: Sense = "shown", bound: float = 0.0, unit: str = "") -> Figure:
    """One figure of this module."""
    return figure(f"uplink.{name}", value, sense, bound, unit=unit, command=COMMAND)


def figures(*, quick: bool = False, seed: int = 1) -> Iterator[Figure]:
    """All that this machine can measure."""
    share = QUICK if quick else 1
    yield from _envelope_cost()
    yield from _envelope_security(share, seed)
    yield from _crash_figures(share, seed)
    yield from _card_figures(share, seed)
    yield from _wear_figures()


def _envelope_cost() -> Iterator[Figure]:
    public = letters.DEVICE_KEY.public_key()
    payload = to_bytes(letters.BATCH)
    yield shown("batch.encode_us", _us(lambda: to_bytes(letters.BATCH)), unit="us")
    yield shown("batch.decode_us", _us(lambda: from_bytes(Kind.BATCH, payload)), unit="us")
    for suite in (SUITE_X25519, SUITE_XWING):
        opening = letters.OPENING[suite]
        recipient, head = opening.recipient(), letters.header(suite)
        envelope = seal(head, payload, recipient, letters.DEVICE_KEY)
        yield shown(f"envelope.suite_{suite}.seal_us", _us(partial(seal, head, payload, recipient, letters.DEVICE_KEY)), unit="us")
        yield shown(f"envelope.suite_{suite}.open_us", _us(partial(open_envelope, envelope, public, opening)), unit="us")
        yield shown(
            f"envelope.suite_{suite}.overhead_bytes", len(envelope) - 1024, "at most", 256 if suite == SUITE_X25519 else 1344, "bytes"
        )
    quiet = to_bytes(msgspec.structs.replace(letters.BATCH, events=letters.EVENTS[:2]))
    yield shown("batch.quiet_flush_bytes", len(quiet), "at most", 511, "bytes")


def _us(act: Callable[[], object], times: int = 300) -> float:
    """Median of a few rounds, microseconds."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            act()
        rounds.append((time.perf_counter() - start) / times * 1e6)
    return sorted(rounds)[2]


def _envelope_security(share: int, seed: int) -> Iterator[Figure]:
    yield shown("envelope.round_trips_right", sum(_trips(TRIPS // share, seed)), "equal", TRIPS // share)
    envelope = letters.letter()
    bits = len(envelope) * 8
    yield shown("envelope.bit_flips_accepted", sum(not _refused(envelope, bit) for bit in range(bits)), "equal", 0)
    yield shown("envelope.bit_flips_tried", bits, "at least", 2000)
    done = subprocess.run(
        [sys.executable, "-m", fuzz_decoders.__name__, str(CASES // share), str(seed)], capture_output=True, text=True, check=True
    )
    tally = msgspec.json.decode(done.stdout, type=dict[str, int])
    yield shown("decoders.fuzz_cases", tally["cases"], "at least", CASES // share)
    yield shown("decoders.fuzz_other_exceptions", tally["other"], "equal", 0)
    yield shown("decoders.fuzz_memory_mib", tally["grown_bytes"] / 2**20, "at most", 32, "MiB")
    with tempfile.TemporaryDirectory() as place:
        yield shown("spool.envelopes_opened_with_the_devices_keys", _opened_by_the_device(Path(place)), "equal", 0)


def _trips(count: int, seed: int) -> Iterator[bool]:
    rng, public, payloads = random.Random(seed), letters.DEVICE_KEY.public_key(), list(letters.PAYLOADS.values())
    for index in range(count):
        payload, suite = payloads[index % len(payloads)], 1 + index % 2
        place = Place(rng.randbytes(8), 1 + rng.randrange(2**63), rng.randbytes(16))
        header, body = open_envelope(letters.letter(payload, suite, place), public, letters.OPENING[suite])
        yield from_bytes(header.kind, body) == payload and header.kind == kind_of(payload)


def _refused(envelope: bytes, bit: int) -> bool:
    turned = bytearray(envelope)
    turned[bit // 8] ^= 1 << bit % 8
    try:
        open_envelope(bytes(turned), letters.DEVICE_KEY.public_key(), letters.OPENING[1])
    except DataError:
        return True
    return False


def _opened_by_the_device(folder: Path) -> int:
    """A real spool of sealed envelopes, and an attacker with the card: every file, the device's key, every 32 bytes as an opening key."""
    spool = Spool.open(open_folder(folder / "spool"), SpoolLimits(bytes_free_min=0), letters.DEVICE, os.urandom, lambda *_: b"gap")
    for suite in (1, 2) * 10:
        spool.put("batches", lambda place, suite=suite: letters.letter(suite=suite, place=place))  # type: ignore[misc]
    spool.close()
    key: Ed25519PrivateKey = letters.DEVICE_KEY
    card = b"".join(path.read_bytes().rstrip(b"\0") for path in sorted((folder / "spool").iterdir()))
    secrets = [key.private_bytes_raw(), key.public_key().public_bytes_raw(), letters.OPENING[1].public, letters.OPENING[2].public[-32:]]
    secrets += sorted({card[at : at + 32] for at in range(0, len(card) - 32, 32)})  # most of a fresh segment is zeros, tried once
    envelopes = [each.envelope for each in spool.oldest(1 << 20, ())][:2]
    return sum(_opens(envelope, suite, secret) for suite, envelope in enumerate(envelopes, 1) for secret in secrets)


def _opens(envelope: bytes, suite: int, secret: bytes) -> bool:
    mine, published = OpeningKey.from_private_bytes(suite, secret), letters.OPENING[suite]
    forged = OpeningKey(mine.suite, published.key_id, published.public, mine._key)  # noqa: SLF001  # under the name that the header wants
    try:
        open_envelope(envelope, letters.DEVICE_KEY.public_key(), forged)
    except DataError:
        return False
    return True


def _crash_figures(share: int, seed: int) -> Iterator[Figure]:
    start, violations, tally = time.process_time(), 0, {"states": 0, "cut short": 0}
    try:
        tally = crash_model.run_model(seed, STATES // share)
    except crash_model.Violation as violation:
        print(f"crash model, seed {seed}: {violation}", file=sys.stderr)
        violations = 1
    cpu_s = time.process_time() - start
    yield shown("spool.crash_states", tally["states"], "at least", STATES // share)
    yield shown("spool.crash_violations", violations, "equal", 0)
    yield shown(
        "spool.crash_states_with_a_cut_during_recovery", tally["cut short"] / max(tally["states"], 1), "at least", 0.2, "cuts a state"
    )
    yield shown("spool.crash_states_per_s", tally["states"] / cpu_s, unit="states a second of one core")
    yield shown("spool.seeded_bugs", len(seeded_bugs.CAUGHT), "at least", 20)
    yield shown("spool.seeded_bugs_found", sum(_found(bug) for bug in seeded_bugs.CAUGHT), "equal", len(seeded_bugs.CAUGHT))
    yield shown("spool.no_sync_control_seen_to_fail", _violated(lies=True), "equal", 1)


def _found(bug: seeded_bugs.Bug) -> bool:
    with bug.planted():
        return _violated(states=BUG_STATES)


def _violated(states: int = 2000, *, lies: bool = False) -> bool:
    try:
        crash_model.run_model(1, states, lies=lies)
    except crash_model.Violation:
        return True
    return False


def _card_figures(share: int, seed: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as place:
        tally = spool_writer.kill_cycles(Path(place) / "spool", CYCLES // share, seed)
    yield shown("spool.kill_9_cycles", tally["cycles"], "at least", CYCLES // share)
    yield shown("spool.kill_9_confirmed_envelopes", tally["confirmed"], "at least", CYCLES // share)
    yield shown("spool.kill_9_lost_envelopes", tally["lost"], "equal", 0)
    rot = crash_model.turn_bits(FLIPS // share, seed)
    yield shown("spool.bit_rot_flips", rot["flips"], "at least", FLIPS // share)
    yield shown("spool.bit_rot_silent_or_wrong", rot["silent"], "equal", 0)
    yield shown("spool.bit_rot_envelopes_lost_per_flip_at_most", rot["worst"], "at most", 1)
    with tempfile.TemporaryDirectory() as place:
        yield from _full_spool(Path(place), share)


def _full_spool(folder: Path, share: int) -> Iterator[Figure]:
    """A lane full of quiet flushes: how many days it is, how long a start takes, how long a put and flush."""
    limits = SpoolLimits(bytes_free_min=0)
    card = open_folder(folder / "spool")
    spool = Spool.open(card, limits, letters.DEVICE, os.urandom, lambda *_: b"gap")
    envelope = bytes(713)
    per_segment, start = 0, time.perf_counter()
    while spool.health().spool_bytes <= limits.batches.segment_bytes + limits.keep.segment_bytes:
        spool.put("batches", lambda _: envelope)
        spool.flush()
        per_segment += 1
    each_us = (time.perf_counter() - start) / per_segment * 1e6
    days = (per_segment - 1) * limits.batches.segments_max * 30 / DAY_S
    yield shown("spool.put_and_flush_us", each_us, unit="us, with one fdatasync")
    yield shown("spool.days_offline_without_loss_at_30_s", days, "at least", 60, "days of quiet flushes, at the defaults")
    segments = limits.batches.segments_max // share
    for _ in range((segments - 2) * (per_segment // 16)):
        for _ in range(16):
            spool.put("batches", lambda _: envelope)
    spool.close()
    start = time.perf_counter()
    again = Spool.open(card, limits, letters.DEVICE, os.urandom, lambda *_: b"gap")
    yield shown("spool.start_s", time.perf_counter() - start, unit=f"s, with {again.health().spooled} envelopes waiting")
    again.close()


def _wear_figures() -> Iterator[Figure]:
    why_not = card_wear.available()
    if why_not:
        print(f"bytes written to the card are left out: {why_not}", file=sys.stderr)
        return
    for strategy in card_wear.STRATEGIES:
        try:
            value = card_wear.bytes_per_batch(strategy)
        except RuntimeError as error:
            print(f"bytes written to the card are left out: {error}", file=sys.stderr)
            return
        sense: Sense = "at most" if strategy == "spool" else "shown"
        yield shown(f"card.{strategy}.bytes_per_800_byte_batch", value, sense, 6144, "bytes written to the block device")


def main() -> None:
    """Print them."""
    options = figure_parser(__doc__, "a twentieth of the cases", "of the random cases (default 1)").parse_args()
    print_figures(figures(quick=options.quick, seed=options.seed))


if __name__ == "__main__":
    main()
