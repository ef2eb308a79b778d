"""Prometheus text, read back by the rules of its format."""

from __future__ import annotations

import re

import msgspec

from firmware.status.metrics import text_of
from tests.status.stage import FakeDevice

SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9.e+]+)$')


def samples(text: str) -> dict[str, list[tuple[str, float]]]:
    """By family; asserts that every line is help, type or a sample, families in one piece."""
    found: dict[str, list[tuple[str, float]]] = {}
    family = ""
    for line in text.splitlines():
        if line.startswith("# "):
            kind, name = line.split()[1:3]
            assert kind in {"HELP", "TYPE"}
            if kind == "HELP":
                assert name not in found
                family, found[name] = name, []
        else:
            match = SAMPLE.match(line)
            assert match, line
            assert match[1] == family
            found[family].append((match[2] or "", float(match[3])))
    return found


def test_every_line_is_as_the_format_wants_it() -> None:
    """Families with help and type, samples behind them; the numbers are those of the status."""
    found = samples(text_of(FakeDevice().status()))
    assert found["passerby_entries_total"] == [('camera="front",line="secret door"', 4711.0)]
    assert found["passerby_queue_wait_seconds"] == [('camera="front",zone="secret till"', 42.0)]
    assert found["passerby_wall_enforced"] == [('camera="front"', 1.0)]
    assert found["passerby_spool_waiting"] == [("", 2.0)]
    assert all(name.startswith("passerby_") for name in found)


def test_names_cannot_break_out_of_their_label() -> None:
    """Quotes, backslashes and line ends are escaped: no name makes a sample of its own."""
    name = 'a"} 1\npasserby_evil 9\\'
    text = text_of(FakeDevice(names=(name, name, name)).status())
    assert "passerby_evil" not in samples(text)
    assert text.count("\npasserby_evil") == 0


def test_what_is_not_known_is_left_out() -> None:
    """No temperature, no acknowledgement: no sample, rather than a zero."""
    status = FakeDevice().status()
    bare = msgspec.structs.replace(status, temperature_c=None, delivery=msgspec.structs.replace(status.delivery, last_ack_age_s=None))
    found = samples(text_of(bare))
    assert "passerby_temperature_celsius" not in found
    assert "passerby_last_acknowledgement_age_seconds" not in found
