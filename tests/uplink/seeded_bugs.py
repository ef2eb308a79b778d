"""Bugs that somebody could make in the spool, one at a time; the crash model must find each (tests/uplink/test_crash_model.py).

Each is a function that breaks `firmware.uplink` through `patch(target, name, value)`. Where a change of the source line is
meant, the line is named; the patched copy is made from the source, so that a bug cannot quietly stop being one.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from firmware.uplink import lane, lane_files, spool, spool_format


class Bug:
    """`owner.function` with `old` replaced by `new` in its source."""

    def __init__(self, name: str, owner: type | ModuleType, function: str, old: str, new: str) -> None:
        self.name = name
        self._owner = owner
        self._function = function
        self._old = old
        self._new = new

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The bug, for a while."""
        original = inspect.getattr_static(self._owner, self._function)
        plain = original.__func__ if isinstance(original, classmethod) else original
        source = textwrap.dedent(inspect.getsource(plain))
        assert source.count(self._old) == 1, f"{self.name}: {self._old!r} is {source.count(self._old)} times in {self._function}"
        module = inspect.getmodule(plain)
        assert module is not None
        scope: dict[str, Any] = {}
        code = source.replace(self._old, self._new).replace("@classmethod\n", "")
        exec(compile(f"from __future__ import annotations\n{code}", f"<{self.name}>", "exec"), module.__dict__, scope)
        broken: Any = scope[self._function]
        importers = [each for each in (self._owner, lane, lane_files) if getattr(each, self._function, None) is original] or [self._owner]
        for each in importers:
            setattr(each, self._function, classmethod(broken) if isinstance(original, classmethod) else broken)
        try:
            yield
        finally:
            for each in importers:
                setattr(each, self._function, original)


LANE, SPOOL, FORMAT = lane.Lane, spool.Spool, spool_format

CAUGHT: Final = (
    Bug("flush does not sync", LANE, "_write", "self._file.sync()", "pass"),
    Bug("a new segment is not synced before its rename", LANE, "_rotate", "self._file.sync()", "pass"),
    Bug("a rename is not synced", LANE, "_rotate", "self._folder.sync()", "pass"),
    Bug("a segment is made under its own name", LANE, "_rotate", 'self._file_name(number, "tmp")', "self._file_name(number)"),
    Bug("recovery believes what it did not sync", LANE, "_open_newest", "self._file.sync()", "pass"),
    Bug("recovery believes pages that a failed sync left", LANE, "_open_newest", "self._file.forget()", "pass"),
    Bug("recovery believes names that it did not sync", LANE, "_open_newest", "self._folder.sync()", "pass"),
    Bug(
        "a failed sync is tried again on the same file",
        LANE,
        "_write",
        "        self._file.sync()\n",
        "        try:\n            self._file.sync()\n        except StorageError:\n            self._file.sync()\n",
    ),
    Bug(
        "a flush begins in a synced sector",
        LANE,
        "_write",
        "self._end = sector_up(self._end + len(blob))",
        "self._end = self._end + len(blob)",
    ),
    Bug(
        "a torn tail is written on",
        FORMAT,
        "read_segment",
        "sector_up(place) if whole else None",
        "sector_up(max([SECTOR, *(p + record_bytes(n) for _, p, n in reading.envelopes)]))",
    ),
    Bug(
        "after a torn tail the stream goes on",
        LANE,
        "_goes_on",
        "newest.end is None or ",
        "(newest.end is None and self._close_file()) or ",
    ),
    Bug("a segment set aside does not end the stream", LANE, "_goes_on", "header.number != self._number or ", ""),
    Bug("numbers of segments set aside are used again", LANE, "_tidy_names", '(*found["seg"], *found["bad"])', 'found["seg"]'),
    Bug("numbering goes on from the header alone", LANE, "_goes_on", "if segment.seqs:", "if False:"),
    Bug("numbering goes on one too low", LANE, "_goes_on", "segment.seqs[-1] + 1", "segment.seqs[-1]"),
    Bug("the chain goes on from the header", LANE, "_goes_on", "chain_hash(last)", "header.prev"),
    Bug("a new stream has the old name", LANE, "renew", "Place(self._random_bytes(8), 0, GENESIS)", "Place(self.next.stream, 0, GENESIS)"),
    Bug("no salt in the CRC", FORMAT, "_record_crc", "zlib.crc32(salt + _PLACE.pack(place)", "zlib.crc32(_PLACE.pack(place)"),
    Bug("no place in the CRC", FORMAT, "_record_crc", "salt + _PLACE.pack(place)", "salt"),
    Bug(
        "the CRC leaves out the body",
        FORMAT,
        "_record_crc",
        "zlib.crc32(body, zlib.crc32(salt + _PLACE.pack(place) + frame[:4] + frame[8:]))",
        "zlib.crc32(salt + _PLACE.pack(place) + frame[:4] + frame[8:])",
    ),
    Bug(
        "the CRC of a record is not checked",
        FORMAT,
        "_record_at",
        "if crc != _record_crc(salt, place, frame, segment[offset + RECORD_BYTES : end]):",
        "if False:",
    ),
    Bug("the CRC of a header is not checked", FORMAT, "read_header", " or crc != zlib.crc32(sector[: _HEADER.size])", ""),
    Bug("the second header is not read", FORMAT, "_either_header", "return read_header(segment[-SECTOR:])", "raise"),
    Bug(
        "a segment goes when its last envelope is settled",
        LANE,
        "drop_settled",
        "if not any(True for _ in self._unsettled(segment)):",
        "if segment.seqs and segment.seqs[-1] in self.settled[segment.header.stream]:",
    ),
    Bug("what recovery misses is not reported", LANE, "recover", "self.missing = self._find_missing()", "pass"),
    Bug(
        "segments go before their gaps are reported",
        LANE,
        "recover",
        "self.missing = self._find_missing()",
        "self.missing = self._find_missing()\n    self.drop_settled()",
    ),
    Bug("the end of a stream is not reported", LANE, "_find_missing", "missing += self._end_of(stream)", "pass"),
    Bug("a gap is reported at every start", SPOOL, "open", "spool._settle_now(lane)", "True"),
    Bug("a segment is evicted without a gap", SPOOL, "_evict", "self._put_gap(gap)", "pass"),
    Bug("a segment is evicted before its gap is durable", SPOOL, "_evict", "if safely:", "if False:"),
    Bug("numbers that were never durable can be acknowledged", SPOOL, "acknowledge", "min(last, end)", "last"),
    Bug(
        "what is not durable is offered",
        LANE,
        "pending",
        "    for segment in",
        "    yield from (Spooled(self.name, e.place.stream, e.place.seq, e.envelope) for e in self.waiting)\n    for segment in",
    ),
    Bug(
        "a failed flush forgets what waited",
        LANE,
        "_write",
        "        raise\n",
        "        del self.waiting[:count]\n        raise\n",
    ),
    Bug(
        "a failed flush calls its envelopes durable",
        LANE,
        "_write",
        "        raise\n",
        "        self._end += len(blob)\n        for span in spans: segment.add(*span)\n        del self.waiting[:count]\n        return\n",
    ),
)
