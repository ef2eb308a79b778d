"""How many uplinks a second the collector takes, beside what the web server and the database can do alone.

One uplink is a device's ordinary request: one envelope, over TLS with a client certificate, verified, opened, entered and
committed durably before its signed answer. Ceilings, measured in the same run: the same server answering the same bytes
without looking at them; the same database committing one ledger row at a time. And what an uplink costs when ten thousand
and ten million windows are stored. Clients share the two cores with the server, as they do in every row.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import postgres
from benchmarks.figure import Figure, figure, print_figures
from collector.books import LINE_COLUMNS
from collector.database import Database, open_database
from collector.enrolment import enrol_folder
from collector.receive import Post, commit, prepare
from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.uplink.batch import Batch, to_bytes
from firmware.uplink.envelope import GENESIS, Kind, Place, chain_hash, header_for, seal
from firmware.uplink.exchange import write_request
from firmware.uplink.keys import DeviceKeys, load_device_keys
from firmware.uplink.stamp import Stamp, WallQuality
from firmware.uplink.tls import tls_context
from provisioning.device import new_device
from provisioning.site import init_site, load_opening_key

COMMAND = "python -m benchmarks.ingest"
CONNECTIONS = 16
UPLINKS = 250  # of each connection: opening them takes 20 ms, 7 % of the time at 75 each, 2 % here
STORED_FEW, STORED_MANY = 10_000, 10_000_000
ROUNDS = 3
BACKLOG = 250  # envelopes of a request that drains
COST_GROUPS, WARM_GROUPS = 40, 5


def envelopes(keys: DeviceKeys, count: int, stream: bytes, first_ms: int = 0) -> list[bytes]:
    """A device's ordinary flushes: two windows of a line and a queue each."""
    made, prev = [], GENESIS
    for seq in range(count):
        start_ms = first_ms + seq * 30_000
        stamp = Stamp(stream, start_ms + 30_000, 1_800_000_000_000 + start_ms, WallQuality.NTP)
        windows = tuple(
            Window(at, 15_000, (LineSums("entrance", 1, 1),), (ZoneSums("till", "queue", 1, 1),), Audit(15_000))
            for at in (start_ms, start_ms + 15_000)
        )
        batch = Batch(site="shop", camera="door", disclosure="windows", model=b"", clock=stamp, windows=windows)
        header = header_for(Kind.BATCH, Place(stream, seq, prev), stamp, keys.recipient, keys.device)
        made.append(seal(header, to_bytes(batch), keys.recipient, keys.identity))
        prev = chain_hash(made[-1])
    return made


async def hammer(port: int, context: ssl.SSLContext, bodies: Sequence[Sequence[bytes]]) -> float:
    """Requests a second over as many connections as there are lists of bodies."""

    async def one(queue: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="127.0.0.1")
        for body in queue:
            head = f"POST /v1/uplink HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            writer.write(head + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            assert " 200 " in lines[0], lines[0]
            length = next(int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length"))
            await reader.readexactly(length)
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    started_s = time.perf_counter()
    await asyncio.gather(*(one(queue) for queue in bodies))
    return sum(len(queue) for queue in bodies) / (time.perf_counter() - started_s)


@contextlib.contextmanager
def serving(*command: str) -> Iterator[int]:
    """A server process; its port."""
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield int(line.rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def answering_alone(site: Path, keys: DeviceKeys, bodies: Sequence[Sequence[bytes]]) -> float:
    """The ceiling of aiohttp: the same TLS, the same requests, a fixed answer."""
    with serving("benchmarks.ingest", "--answer-only", str(site)) as port:
        return asyncio.run(hammer(port, tls_context(keys.folder), bodies))


def collecting(site: Path, url: str, keys: DeviceKeys, bodies: Sequence[Sequence[bytes]]) -> float:
    """The collector itself."""
    options = ("--site", str(site), "--database", url, "--host", "127.0.0.1", "--port", "0", "--requests-per-minute", "1000000")
    with serving("collector", "serve", *options) as port:
        return asyncio.run(hammer(port, tls_context(keys.folder), bodies))


def committing_alone(url: str, count: int) -> float:
    """The ceiling of the database: one ledger row a durable commit."""
    database = open_database(url)
    sql = "INSERT INTO ledger (device, stream, seq, digest, kind, boot, boot_ms, received_ms, status) VALUES (?, ?, ?, ?, 0, ?, 0, 0, 1)"
    stream, started_s = os.urandom(8), time.perf_counter()
    for seq in range(count):
        with database.transaction():
            database.run(sql, (b"ceiling", stream, seq, bytes(16), b"boot"))
    rate = count / (time.perf_counter() - started_s)
    database.close()
    return rate


def cost_us(database: Database, posts: Sequence[Post]) -> float:
    """Microseconds of one uplink from prepared to committed, in one group commit."""
    started_s = time.perf_counter()
    commit(database, posts, 1_800_000_000_000)
    return (time.perf_counter() - started_s) / len(posts) * 1e6


def fill(database: Database, windows: int) -> None:
    """Stored windows of other days, in the shape that ten devices would have left, straight into the table."""
    zeros = ", ".join("0" for _ in LINE_COLUMNS)
    row = "1000 + i - i / 10 * 10, 2000 + i / 500000, (i / 10) * 15000, 15000, 1, " + zeros
    names = "place, boot, start_ms, length_ms, parts, " + ", ".join(LINE_COLUMNS)
    numbers = "WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
    with database.transaction():
        database.run(f"INSERT INTO line_window ({names}) {numbers} SELECT {row} FROM n", (windows,))


def figures(*, quick: bool = False, engine_of_server: Callable[[str], str] | None = None) -> Iterator[Figure]:
    """Throughput on SQLite and, where `engine_of_server` makes a fresh database of a name, on PostgreSQL; what many windows cost.

    A share and a ratio are of rounds of the same minute, each at its best: what else this machine does is in all of them.
    """
    count = UPLINKS // 10 if quick else UPLINKS
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        init_site(site, "bench", 1, ["127.0.0.1"], None, datetime.now(UTC))
        new_device(site, "door", Path(folder) / "device", None, datetime.now(UTC))
        keys = load_device_keys(Path(folder) / "device")
        engines: dict[str, Callable[[str], str]] = {"sqlite": lambda name: str(Path(folder) / f"{name}.db")}
        if engine_of_server is not None:
            engines["postgres"] = engine_of_server
        for engine, fresh in engines.items():
            yield from _throughput(engine, fresh("books"), site, keys, count)
            few, many = fresh("few"), fresh("many")
            yield from _cost(engine, (few, many), site, keys, STORED_MANY // 100 if quick else STORED_MANY)


def on_each_engine(*, quick: bool = False) -> Iterator[Figure]:
    """SQLite, and PostgreSQL on a server of our own where Debian's package is installed."""
    if postgres.missing():
        print(f"left out: ingest on PostgreSQL: {postgres.missing()}", file=sys.stderr)
        yield from figures(quick=quick)
        return
    with postgres.private_server() as server:
        yield from figures(quick=quick, engine_of_server=lambda name: postgres.new_database(server, name))


def _throughput(engine: str, url: str, site: Path, keys: DeviceKeys, count: int) -> Iterator[Figure]:
    rates: dict[str, list[float]] = {"answering": [], "committing": [], "uplinks": [], "backlog": []}
    for _ in range(ROUNDS):
        bodies = [[write_request([one]) for one in envelopes(keys, count, os.urandom(8))] for _ in range(CONNECTIONS)]
        many = [[write_request(envelopes(keys, BACKLOG, os.urandom(8)))] for _ in range(CONNECTIONS)]
        rates["answering"].append(answering_alone(site, keys, bodies))
        rates["committing"].append(committing_alone(url, count * 4))
        rates["uplinks"].append(collecting(site, url, keys, bodies))
        rates["backlog"].append(collecting(site, url, keys, many) * BACKLOG)
    best = {name: max(values) for name, values in rates.items()}
    yield figure(f"ingest.{engine}.answering_alone", best["answering"], "shown", unit="requests/s", command=COMMAND)
    yield figure(f"ingest.{engine}.committing_alone", best["committing"], "shown", unit="commits/s", command=COMMAND)
    yield figure(f"ingest.{engine}.uplinks", best["uplinks"], "at least", 83, unit="uplinks/s", command=COMMAND)
    share = best["uplinks"] / min(best["answering"], best["committing"])
    yield figure(f"ingest.{engine}.share_of_lower_ceiling", share, "at least", 0.5, unit="share", command=COMMAND)
    unit = f"envelopes/s, {BACKLOG} a request"
    yield figure(f"ingest.{engine}.backlog", best["backlog"], "shown", unit=unit, command=COMMAND)


def _cost(engine: str, urls: tuple[str, str], site: Path, keys: DeviceKeys, many: int) -> Iterator[Figure]:
    """The same uplinks in turn into a database with few windows and one with many."""
    opening = load_opening_key(site, None)
    openings, public = {opening.key_id: opening}, keys.identity.public_key()
    databases = [open_database(url) for url in urls]
    for database, windows in zip(databases, (STORED_FEW, many), strict=True):
        enrol_folder(database, site / "devices")
        fill(database, windows)
    times: tuple[list[float], list[float]] = ([], [])
    for group in range(COST_GROUPS + WARM_GROUPS):
        letters = envelopes(keys, 20, os.urandom(8), 10**10 + group * 10**7)
        posts = [prepare(keys.device, write_request([letter]), public, openings) for letter in letters]
        for index in (0, 1) if group % 2 else (1, 0):  # in turn: whoever comes second finds a warm machine
            times[index].append(cost_us(databases[index], posts))
    for database in databases:
        database.close()
    few_us, many_us = (median(taken[WARM_GROUPS:]) for taken in times)
    yield figure(f"ingest.{engine}.cost.10_thousand_windows", few_us, "shown", unit="us", command=COMMAND)
    yield figure(f"ingest.{engine}.cost.{many // 1000}_thousand_windows", many_us, "shown", unit="us", command=COMMAND)
    yield figure(f"ingest.{engine}.cost_ratio", many_us / few_us, "at most", 1.5, unit="times", command=COMMAND)


def answer_only(site: Path) -> None:
    """The bare server."""
    from aiohttp import web

    from collector.app import server_context

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=bytes(200), content_type="application/octet-stream")

    async def run() -> None:
        app = web.Application(client_max_size=2**20)
        app.router.add_post("/v1/uplink", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(site)).start()
        print(f"listening on 127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests, a hundredth of the stored windows")
    parser.add_argument("--answer-only", type=Path, metavar="SITE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.answer_only:
        answer_only(arguments.answer_only)
        return
    print_figures(on_each_engine(quick=arguments.quick))


if __name__ == "__main__":
    main()
