"""Every figure of the uplink and the collector, one JSON line each, measured now: `make show NAME=uplink`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

from benchmarks import herd, ingest, postgres
from benchmarks.figure import Figure


def figures() -> Iterator[Figure]:
    """Spool, ingest on both engines, the herd."""
    yield from importlib.import_module("benchmarks.spool").figures()
    if postgres.missing():
        print(f"skipped: ingest on PostgreSQL: {postgres.missing()}", file=sys.stderr)
        yield from ingest.figures()
    else:
        with postgres.private_server() as server:
            yield from ingest.figures(postgres=postgres.new_database(server, "bench"))
    yield from herd.figures()


def main() -> int:
    held = True
    for one in figures():
        print(one.line(), flush=True)
        held &= one.holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
