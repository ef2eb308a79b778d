"""Tables are made of figures, and of nothing else."""

from __future__ import annotations

from benchmarks.figure import figure
from benchmarks.table import rows, table


def test_a_table_says_what_the_lines_say() -> None:
    """A table a topic, values with units, and what does not hold stands out; noise between the lines is passed over."""
    figures = [
        figure("spool.cycles", 200, "at least", 200),
        figure("card.bytes", 7000.4, "at most", 6144, unit="bytes"),
        figure("spool.start", 1.23456, "shown", unit="s"),
    ]
    made = list(rows(["INFO noise", *(one.line() for one in figures), "", "{}"]))
    assert [one.name for one in made] == ["spool.cycles", "card.bytes", "spool.start"]
    text = table(made)
    assert "| cycles | 200 | at least 200 | holds |" in text
    assert "| bytes | 7,000 bytes | at most 6144 | **does not hold** |" in text
    assert "| start | 1.23 s |  |  |" in text
    assert text.count("|---|---|---|---|") == 2
