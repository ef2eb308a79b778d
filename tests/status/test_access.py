"""The token, sessions and limits, without any network."""

from __future__ import annotations

import random

import pytest

from firmware.status.access import (
    ALPHABET,
    FAILURES_HOUR,
    FAILURES_MINUTE,
    IDLE_S,
    LIFE_S,
    PEERS_MAX,
    SESSIONS_MAX,
    Bucket,
    Failures,
    Sessions,
    new_token,
    token_hash,
    token_matches,
)


def draw() -> random.Random:
    return random.Random(7)


def test_a_token_is_128_bits_in_letters_that_cannot_be_mistaken() -> None:
    """Groups of five, Crockford's letters, and every bit of the draw is in it."""
    token = new_token(lambda count: b"\xff" * count)
    assert token == "7ZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZZ"
    assert new_token(bytes).replace("-", "") == "0" * 26
    tokens = {new_token(random.Random(n).randbytes) for n in range(100)}
    assert len(tokens) == 100
    assert all(character in ALPHABET + "-" for token in tokens for character in token)


@pytest.mark.parametrize("typed", ["{}", " {} ", "lower", "no dashes", "letters"])
def test_a_token_may_be_typed_as_people_type(typed: str) -> None:
    """Small letters, blanks, no dashes, O for 0, I and L for 1: the same token."""
    token = "01ABC-DEFGH-JKMNP-QRSTV-WXYZ01"
    said = {"lower": token.lower(), "no dashes": token.replace("-", ""), "letters": token.replace("0", "O").replace("1", "l")}
    assert token_matches(token_hash(token) or "", said.get(typed, typed.format(token)))


def test_an_empty_hash_matches_nothing() -> None:
    """A device whose hash was lost is shut, not open."""
    assert not token_matches("", "")
    assert not token_matches("", "0" * 26)
    assert token_hash("") is None
    assert token_hash("U" * 26) is None


def test_of_many_tokens_one_matches() -> None:
    """Two thousand others do not, nor does the right one against a hash with one digit changed: all of it is compared."""
    token, others = new_token(random.Random(1).randbytes), [new_token(random.Random(n).randbytes) for n in range(2, 2002)]
    kept = token_hash(token) or ""
    assert token_matches(kept, token)
    assert not any(token_matches(kept, other) for other in others)
    for at in range(64):
        assert not token_matches(kept[:at] + ("0" if kept[at] != "0" else "1") + kept[at + 1 :], token)


def test_sessions_are_bounded_and_the_oldest_use_gives_way() -> None:
    """One too many: who has not been here for longest shows the token again."""
    sessions = Sessions(draw().randbytes)
    secrets = [sessions.open(float(n))[0] for n in range(SESSIONS_MAX)]
    assert sessions.find(secrets[0], 30.0) is not None
    sessions.open(31.0)
    assert sessions.find(secrets[1], 32.0) is None
    assert sessions.find(secrets[0], 33.0) is not None


def test_a_session_lives_by_use_and_ends_all_the_same() -> None:
    """Idle for a quarter of an hour, or open for an hour: over; a stream counts as use."""
    sessions = Sessions(draw().randbytes)
    secret, session = sessions.open(0.0)
    assert sessions.find(secret, IDLE_S) is session
    assert sessions.touch(session, IDLE_S + 600.0)
    assert sessions.find(secret, IDLE_S + 1200.0) is session
    assert not sessions.touch(session, LIFE_S)
    assert sessions.find(secret, LIFE_S) is None
    assert session.left_s(LIFE_S - 1) == 1.0


def test_the_cookie_s_secret_is_not_kept() -> None:
    """Who reads the memory of the table finds hashes."""
    sessions = Sessions(draw().randbytes)
    secret, session = sessions.open(0.0)
    assert secret not in repr(vars(sessions))
    assert secret not in repr(session)
    sessions.close_all()
    assert not sessions.is_open(session)


def test_failures_count_by_address_and_together() -> None:
    """Five a minute from one, sixty an hour from all; both are forgotten in time."""
    failures = Failures()
    for n in range(FAILURES_MINUTE):
        assert not failures.too_many("a", float(n))
        failures.note("a", float(n))
    assert failures.too_many("a", 5.0)
    assert not failures.too_many("b", 5.0)
    assert not failures.too_many("a", 65.0)
    for n in range(FAILURES_HOUR):
        failures.note(f"peer {n}", 100.0)
    assert failures.too_many("never seen", 101.0)
    assert not failures.too_many("never seen", 3701.0)


def test_memory_of_strangers_is_bounded() -> None:
    """A network that sends from every address fills nothing."""
    failures, bucket = Failures(), Bucket(1.0, 2.0)
    for n in range(4 * PEERS_MAX):
        failures.note(str(n), 0.0)
        bucket.allow(str(n), 0.0)
    assert len(failures._by_peer) == PEERS_MAX
    assert len(bucket._levels) == PEERS_MAX


def test_a_bucket_refills_evenly() -> None:
    """Two at once, then one a second; a clock that goes back gives nothing."""
    bucket = Bucket(1.0, 2.0)
    assert [bucket.allow("a", t) for t in (0.0, 0.0, 0.0, 1.0, 1.0, 0.5)] == [True, True, False, True, False, False]
