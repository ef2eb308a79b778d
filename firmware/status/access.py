"""Who may look: the token, sessions, and how often somebody may be wrong. Pure: time and randomness arrive as arguments.

The token is 128 random bits, written so that it can be read off a label (Crockford base 32); the device keeps its hash
alone. A session is 32 random bytes in a cookie, kept as a hash too, with a second secret that writes must carry. Idle and
absolute expiry, a bounded number of both sessions and remembered failures. Left to others: cookies and headers
(`firmware.status.gate`), presence (`firmware.commissioning.presence`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: without I, L, O, U
TOKEN_BYTES: Final = 16
TOKEN_CHARACTERS: Final = 26  # 128 bits in fives
SECRET_BYTES: Final = 32
IDLE_S: Final = 900.0  # an open page counts as use; a closed one is forgotten within a coffee
LIFE_S: Final = 3600.0  # reliability 6.3, as Syncthing: a stolen cookie is worth an hour
SESSIONS_MAX: Final = 25  # reliability 6.3: more browsers than a shop has people
FAILURES_MINUTE: Final = 5  # from one address
FAILURES_HOUR: Final = 60  # from all together: 2**128 guesses take longer than the universe has been there
PEERS_MAX: Final = 256  # addresses remembered; a /24 holds no more

Draw = Callable[[int], bytes]


def new_token(draw: Draw) -> str:
    """A token in groups that people can copy: `XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX`."""
    number = int.from_bytes(draw(TOKEN_BYTES), "big")
    text = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(TOKEN_CHARACTERS)))
    return "-".join((text[:5], text[5:10], text[10:15], text[15:20], text[20:]))


def token_hash(token: str) -> str | None:
    """SHA-256 of a token however it was typed; None when it cannot be one. 128 random bits need no salt and no slow hash."""
    text = token.strip().upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
    if len(text) != TOKEN_CHARACTERS or any(character not in ALPHABET for character in text):
        return None
    return hashlib.sha256(b"passerby/token/1 " + text.encode("ascii")).hexdigest()


def token_matches(kept: str, token: str) -> bool:
    """Whether this is the token whose hash is kept: all of it, in constant time. An empty hash matches nothing."""
    shown = token_hash(token)
    return bool(kept) and shown is not None and hmac.compare_digest(kept, shown)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that showed the token."""

    secret_hash: str
    csrf: str
    began_s: float

    def left_s(self, now_s: float) -> float:
        """How long it can still last."""
        return max(0.0, self.began_s + LIFE_S - now_s)


class Sessions:
    """All browsers that showed the token and have not gone."""

    def __init__(self, draw: Draw) -> None:
        """`draw` gives random bytes: `os.urandom`."""
        self._draw = draw
        self._open: dict[str, tuple[Session, float]] = {}  # with the time of the last use, oldest use first

    def open(self, now_s: float) -> tuple[str, Session]:
        """A new session and the secret for its cookie. Nothing that the browser sent goes into it."""
        secret = self._draw(SECRET_BYTES).hex()
        session = Session(_hashed(secret), self._draw(SECRET_BYTES).hex(), now_s)
        while len(self._open) >= SESSIONS_MAX:
            del self._open[next(iter(self._open))]
        self._open[session.secret_hash] = (session, now_s)
        return secret, session

    def find(self, secret: str, now_s: float) -> Session | None:
        """The session of a cookie, which is thereby in use; None when it is over or never was."""
        kept = self._open.pop(_hashed(secret), None)
        if kept is None:
            return None
        session, used_s = kept
        if now_s - used_s > IDLE_S or session.left_s(now_s) <= 0.0:
            return None
        self._open[session.secret_hash] = (session, now_s)
        return session

    def is_open(self, session: Session) -> bool:
        """Whether it was not ended meanwhile; for a stream that goes on."""
        return session.secret_hash in self._open

    def touch(self, session: Session, now_s: float) -> bool:
        """A stream is still being read: that is use. False when the session is over."""
        if not self.is_open(session) or session.left_s(now_s) <= 0.0:
            self._open.pop(session.secret_hash, None)
            return False
        del self._open[session.secret_hash]
        self._open[session.secret_hash] = (session, now_s)
        return True

    def close(self, session: Session) -> None:
        """Log out."""
        self._open.pop(session.secret_hash, None)

    def close_all(self) -> None:
        """The token was changed: everybody shows it anew."""
        self._open.clear()


class Failures:
    """Wrong tokens, by address and together. Who guessed too often is not even compared."""

    def __init__(self) -> None:
        self._by_peer: dict[str, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=FAILURES_HOUR)

    def too_many(self, peer: str, now_s: float) -> bool:
        """Whether this address has to wait."""
        theirs = self._by_peer.get(peer, ())
        of_minute = sum(now_s - then_s < 60.0 for then_s in theirs)
        of_hour = sum(now_s - then_s < 3600.0 for then_s in self._all)
        return of_minute >= FAILURES_MINUTE or of_hour >= FAILURES_HOUR

    def note(self, peer: str, now_s: float) -> None:
        """One more."""
        self._all.append(now_s)
        theirs = self._by_peer.pop(peer, deque(maxlen=FAILURES_MINUTE))
        theirs.append(now_s)
        self._by_peer[peer] = theirs
        if len(self._by_peer) > PEERS_MAX:
            del self._by_peer[next(iter(self._by_peer))]


class Bucket:
    """So many requests a second from one address, with a burst: a token bucket each, the idle forgotten."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._levels: dict[str, tuple[float, float]] = {}

    def allow(self, peer: str, now_s: float) -> bool:
        """Take one if there is one."""
        level, then_s = self._levels.pop(peer, (self._burst, now_s))
        level = min(self._burst, level + max(0.0, now_s - then_s) * self._per_s)
        allowed = level >= 1.0
        self._levels[peer] = (level - 1.0 if allowed else level, now_s)
        if len(self._levels) > PEERS_MAX:
            del self._levels[next(iter(self._levels))]
        return allowed


def _hashed(secret: str) -> str:
    return hashlib.sha256(b"passerby/session/1 " + secret.encode("utf-8", "replace")).hexdigest()
