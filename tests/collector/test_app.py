"""The collector as devices meet it: a real process, real TLS, and devices that misbehave."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from collector.app import AT_ONCE_BYTES, Devices
from collector.database import open_database
from collector.enrolment import enrol, revoke
from firmware.errors import DataError, StorageError
from firmware.events import Audit, LineSums, Window
from firmware.uplink.batch import Batch, to_bytes
from firmware.uplink.envelope import GENESIS, Kind, Place, chain_hash, header_for, seal
from firmware.uplink.exchange import read_answer, write_request
from firmware.uplink.keys import DeviceKeys, load_device_keys
from firmware.uplink.stamp import Stamp, WallQuality
from firmware.uplink.tls import tls_context
from provisioning.certificates import make_device
from provisioning.device import new_device
from provisioning.site import init_site, load_authority, private_pem

NOW = datetime.now(UTC)


@dataclass
class Running:
    """A site, its devices and the collector's process."""

    folder: Path
    process: subprocess.Popen[str]
    port: int
    metrics_port: int = 0

    def device(self, name: str) -> DeviceKeys:
        folder = self.folder / name
        if not folder.exists():
            new_device(self.folder / "site", name, folder, None, NOW)
            database = open_database(str(self.folder / "site" / "collector.db"))
            enrol(database, next(p for p in (self.folder / "site" / "devices").glob("*.toml") if f'"{name}"' in p.read_text()))
            database.close()
        return load_device_keys(folder)

    def post(self, body: bytes, context: ssl.SSLContext, times: int = 1) -> list[tuple[int, bytes]]:
        async def posting() -> list[tuple[int, bytes]]:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
                said = []
                for _ in range(times):
                    async with session.post(f"https://127.0.0.1:{self.port}/v1/uplink", data=body) as response:
                        said.append((response.status, await response.read()))
                return said

        return asyncio.run(posting())

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "site" / "collector.db")) as database:
            return database.execute(sql).fetchall()


def start(folder: Path, port: int = 0, *options: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "collector", "serve", "--site", str(folder / "site"), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on"), line
    return process, int(line.rpartition(":")[2])


def metrics_port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("metrics on "):
            return int(line.rpartition(":")[2].partition("/")[0])
    raise AssertionError("no metrics line")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("site")
    init_site(folder / "site", "test", 1, ["127.0.0.1"], None, NOW)
    process, port = start(folder)
    yield Running(folder, process, port, metrics_port_of(process))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()  # type: ignore[union-attr]


def envelopes(keys: DeviceKeys, count: int, stream: bytes = b"stream-1", entries: int = 1) -> list[bytes]:
    made, prev = [], GENESIS
    for seq in range(count):
        stamp = Stamp(b"boot-one", seq * 15_000, 1_800_000_000_000 + seq * 15_000, WallQuality.NTP)
        window = Window(seq * 15_000, 15_000, (LineSums("entrance", entries),), (), Audit(15_000))
        batch = Batch(site="test", camera=stream.decode(), disclosure="windows", model=b"", clock=stamp, windows=(window,))
        header = header_for(Kind.BATCH, Place(stream, seq, prev), stamp, keys.recipient, keys.device)
        made.append(seal(header, to_bytes(batch), keys.recipient, keys.identity))
        prev = chain_hash(made[-1])
    return made


def test_a_signed_answer_over_real_tls(running: Running) -> None:
    """What is posted is durable in the database before the signed answer names it."""
    keys = running.device("door")
    body = write_request(envelopes(keys, 5))
    ((status, said),) = running.post(body, tls_context(keys.folder))
    answer = read_answer(said, keys.receipt, body, keys.device)
    assert (status, answer.acknowledged[0].through) == (200, 4)
    assert running.rows("SELECT sum(entries) FROM line_window JOIN place USING (place) WHERE camera = 'stream-1'") == [(5,)]


def test_a_request_that_drains_is_verified_beside_the_event_loop(running: Running) -> None:
    """Many envelopes in one request, one of them another's: the same answer as for a few."""
    keys, back = running.device("door"), running.device("back")
    body = write_request([*envelopes(keys, 40, b"stream-d"), *envelopes(back, 1, b"stream-e")])
    assert len(body) > AT_ONCE_BYTES
    ((status, said),) = running.post(body, tls_context(keys.folder))
    answer = read_answer(said, keys.receipt, body, keys.device)
    assert (status, answer.acknowledged[0].through, [refused.index for refused in answer.refused]) == (200, 39, [40])


def test_an_answer_signed_by_another_key_is_none(running: Running) -> None:
    """T30: the device does not believe a collector without its receipt key."""
    keys = running.device("door")
    body = write_request(envelopes(keys, 1, b"stream-t"))
    ((_, said),) = running.post(body, tls_context(keys.folder))
    with pytest.raises(DataError, match="did not sign"):
        read_answer(said, Ed25519PrivateKey.generate().public_key(), body, keys.device)


def test_an_envelope_of_another_device_is_refused(running: Running) -> None:
    """T22: a device cannot deliver in another's name, with its own certificate."""
    door, back = running.device("door"), running.device("back")
    body = write_request(envelopes(door, 1, b"stream-2"))
    ((_, said),) = running.post(body, tls_context(back.folder))
    answer = read_answer(said, back.receipt, body, back.device)
    assert answer.acknowledged == ()
    assert "an envelope of device" in answer.refused[0].reason


def test_without_a_certificate_there_is_no_conversation(running: Running) -> None:
    """TLS itself refuses a client that shows none, or one that has ended (T29)."""
    keys = running.device("door")
    nobody = ssl.create_default_context(cafile=str(keys.folder / "ca.pem"))
    with pytest.raises((aiohttp.ClientError, OSError)):
        running.post(b"x", nobody)
    authority, authority_key = load_authority(running.folder / "site", None)
    tls_key = load_pem_private_key((keys.folder / "tls.key").read_bytes(), None)
    ended = running.folder / "ended"
    ended.mkdir(exist_ok=True)
    old = make_device(authority, authority_key, tls_key.public_key(), keys.device.hex(), NOW - timedelta(days=40))  # type: ignore[arg-type]
    (ended / "tls.pem").write_bytes(old.public_bytes(Encoding.PEM))
    (ended / "tls.key").write_bytes(private_pem(tls_key, None))  # type: ignore[arg-type]
    (ended / "ca.pem").write_bytes((keys.folder / "ca.pem").read_bytes())
    with pytest.raises((aiohttp.ClientError, OSError)):
        running.post(b"x", tls_context(ended))


def test_a_revoked_device_is_refused_within_seconds(running: Running) -> None:
    """T29: revocation takes effect without a restart; what it delivered stays."""
    keys = running.device("stolen")
    body = write_request(envelopes(keys, 2, b"stream-3"))
    assert running.post(body, tls_context(keys.folder))[0][0] == 200
    database = open_database(str(running.folder / "site" / "collector.db"))
    assert revoke(database, keys.device)
    database.close()
    threading.Event().wait(5.5)
    assert running.post(body, tls_context(keys.folder))[0][0] == 403
    assert running.rows("SELECT sum(entries) FROM line_window JOIN place USING (place) WHERE camera = 'stream-3'") == [(2,)]


def test_a_stranger_costs_one_row(tmp_path: Path) -> None:
    """Who is unknown or revoked is looked up alone, each time; the table is read once in five seconds."""
    database = open_database(str(tmp_path / "books.db"))
    asked: list[str] = []

    class Spy:
        def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[object]:
            asked.append(sql)
            return database.rows(sql, values)  # type: ignore[return-value]

    now_s = [100.0]
    devices = Devices(Spy(), lambda: now_s[0])  # type: ignore[arg-type]
    assert [devices.key_of(bytes([number]) * 16) for number in range(10)] == [None] * 10
    assert sum("device = ?" not in sql for sql in asked) == 1
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    database.run("INSERT INTO device (device, name, public) VALUES (?, ?, ?)", (b"n" * 16, "new", public))
    assert devices.key_of(b"n" * 16) is not None
    revoke(database, b"n" * 16)
    assert devices.key_of(b"n" * 16) is not None
    now_s[0] += 5.5
    assert devices.key_of(b"n" * 16) is None
    database.close()


def test_keepers_have_a_port_of_their_own(running: Running) -> None:
    """/metrics and /healthz answer on the loopback in plain HTTP, and not on the devices' port, whoever asks there."""
    keys = running.device("curious")
    running.post(write_request(envelopes(keys, 3, b"stream-6")), tls_context(keys.folder))

    async def get(url: str, context: ssl.SSLContext | None = None) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(url, ssl=context or True) as response:
            return response.status, await response.text()

    status, said = asyncio.run(get(f"http://127.0.0.1:{running.metrics_port}/metrics"))
    samples = dict(line.rsplit(" ", 1) for line in said.splitlines() if not line.startswith("#"))
    assert status == 200
    assert int(samples["passerby_collector_envelopes_total"]) >= 3
    assert int(samples['passerby_collector_request_seconds_bucket{le="+Inf"}']) == int(samples["passerby_collector_requests_total"])
    assert asyncio.run(get(f"http://127.0.0.1:{running.metrics_port}/healthz")) == (200, '{"status": "ok", "waiting": 0}')
    for path in ("metrics", "healthz"):
        assert asyncio.run(get(f"https://127.0.0.1:{running.port}/{path}", tls_context(keys.folder)))[0] == 404
    with pytest.raises(aiohttp.ClientError):
        asyncio.run(get(f"http://127.0.0.2:{running.metrics_port}/metrics"))


def test_a_device_gone_mad_is_slowed_and_the_others_are_not(running: Running) -> None:
    """T33: after a minute's worth of requests in one burst: 429 with Retry-After; another device still gets its answer."""
    mad, calm = running.device("mad"), running.device("calm")
    body = write_request(envelopes(mad, 1, b"stream-4"))
    statuses = [status for status, _ in running.post(body, tls_context(mad.folder), times=140)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert running.post(write_request(envelopes(calm, 1, b"stream-5")), tls_context(calm.folder))[0][0] == 200


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"\xff" * 64, 400), (b"\0\0\2\0" + b"\xff\xff\xff\xff" * 9, 400), (bytes(300_000), 413)]
)
def test_bombs_are_refused_whole(running: Running, body: bytes, status: int) -> None:
    """T26: empty, absurd counts and lengths, too large: an error status, and the process lives."""
    keys = running.device("bomber")
    assert running.post(body, tls_context(keys.folder))[0][0] == status
    assert running.process.poll() is None


def test_the_ingest_tier_cannot_read(tmp_path: Path) -> None:
    """T32: with the opening key's file gone, the ingest tier takes everything; the books stay shut until the opening tier runs."""
    init_site(tmp_path / "site", "test", 2, ["127.0.0.1"], None, NOW)
    new_device(tmp_path / "site", "door", tmp_path / "door", None, NOW)
    secret = (tmp_path / "site" / "recipient.key").rename(tmp_path / "elsewhere.key")
    process, port = start(tmp_path, 0, "--role", "ingest")
    try:
        running = Running(tmp_path, process, port)
        keys = load_device_keys(tmp_path / "door")
        body = write_request(envelopes(keys, 3))
        ((status, said),) = running.post(body, tls_context(keys.folder))
        assert (status, read_answer(said, keys.receipt, body, keys.device).acknowledged[0].through) == (200, 2)
        assert running.rows("SELECT count(*) FROM line_window") == [(0,)]
        secret.rename(tmp_path / "site" / "recipient.key")
        opener = subprocess.Popen([sys.executable, "-m", "collector", "serve", "--site", str(tmp_path / "site"), "--role", "open"])
        for _ in range(300):
            if running.rows("SELECT sum(entries) FROM line_window") == [(3,)]:
                break
            threading.Event().wait(0.1)
        opener.terminate()
        assert opener.wait(30) == 0
        assert running.rows("SELECT sum(entries), (SELECT count(*) FROM sealed) FROM line_window") == [(3, 0)]
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()  # type: ignore[union-attr]


def test_killed_while_it_commits_totals_stay_exact(tmp_path: Path) -> None:
    """kill -9 of the collector in mid-flow, five times; the device repeats what was not acknowledged; every count once."""
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], None, NOW)
    new_device(tmp_path / "site", "door", tmp_path / "door", None, NOW)
    keys = load_device_keys(tmp_path / "door")
    sealed, acknowledged, process = envelopes(keys, 100), 0, None
    for life in range(6):
        process, port = start(tmp_path)
        running = Running(tmp_path, process, port)
        killer = threading.Timer(0.15 + 0.1 * life, process.kill) if life < 5 else None
        if killer:
            killer.start()
        try:
            while acknowledged < len(sealed):
                body = write_request(sealed[acknowledged : acknowledged + 3])
                ((_, said),) = running.post(body, tls_context(keys.folder))
                acknowledged = (read_answer(said, keys.receipt, body, keys.device).acknowledged[0].through or 0) + 1
        except (aiohttp.ClientError, OSError, DataError):
            pass
        if killer:
            killer.join()
        else:
            process.terminate()
        process.wait(30)
        process.stdout.close()  # type: ignore[union-attr]
    assert acknowledged == len(sealed)
    assert running.rows("SELECT sum(entries), sum(parts), count(*) FROM line_window") == [(100, 100, 100)]


def test_without_its_writer_the_collector_ends(tmp_path: Path) -> None:
    """The writing process killed: the collector says so and ends with an error, to be started again; nothing acknowledged is lost."""
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], None, NOW)
    new_device(tmp_path / "site", "door", tmp_path / "door", None, NOW)
    keys = load_device_keys(tmp_path / "door")
    process, port = start(tmp_path)
    running = Running(tmp_path, process, port)
    body = write_request(envelopes(keys, 3))
    assert running.post(body, tls_context(keys.folder))[0][0] == 200
    (writer,) = psutil.Process(process.pid).children()
    assert not any("site" in word for word in writer.cmdline())  # what it needs came over its socket
    writer.kill()
    assert process.wait(30) == StorageError.exit_code
    process.stdout.close()  # type: ignore[union-attr]
    assert running.rows("SELECT sum(entries) FROM line_window") == [(3,)]


def test_a_writer_without_its_collector_ends(tmp_path: Path) -> None:
    """kill -9 of the process that devices reach leaves nothing behind that holds the database."""
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], None, NOW)
    process, _ = start(tmp_path)
    (writer,) = psutil.Process(process.pid).children()
    process.kill()
    process.wait(30)
    process.stdout.close()  # type: ignore[union-attr]
    writer.wait(30)
