"""The JSON lines of `make show` as a Markdown table: `make show NAME=uplink | python -m benchmarks.table`.

One table a topic (the first word of a name), in the order in which they came. Lines that are not figures are passed over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import msgspec

from benchmarks.figure import Figure


def rows(lines: Iterable[str]) -> Iterator[Figure]:
    """The figures among the lines."""
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=Figure)
        except msgspec.DecodeError:
            continue


def table(figures: Iterable[Figure]) -> str:
    """Markdown: name, value with its unit, bound, whether it holds."""
    topics: dict[str, list[Figure]] = {}
    for one in figures:
        topics.setdefault(one.name.partition(".")[0], []).append(one)
    parts = []
    for topic, members in topics.items():
        lines = [f"| {topic} | measured | bound | |", "|---|---|---|---|"]
        lines += [_row(one) for one in members]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _row(one: Figure) -> str:
    name = one.name.partition(".")[2] or one.name
    value = f"{one.value:,.0f}" if abs(one.value) >= 100 or one.value == int(one.value) else f"{one.value:.3g}"
    bound = "" if one.bound == "shown" else one.bound
    return (
        f"| {name} | {value} {one.unit}".rstrip()
        + f" | {bound} | {'' if one.bound == 'shown' else 'holds' if one.holds else '**does not hold**'} |"
    )


def main() -> None:
    """From standard input to standard output."""
    print(table(rows(sys.stdin)))


if __name__ == "__main__":
    main()
