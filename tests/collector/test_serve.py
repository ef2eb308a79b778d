"""The collector's process: three roles over one database, a graceful stop, and what keeps it from starting."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from collector.__main__ import main
from collector.database import open_database
from firmware.errors import DataError
from firmware.uplink.enroller import enrol
from firmware.uplink.exchange import read_answer, write_request
from firmware.uplink.keys import load_device_keys
from firmware.uplink.tls import tls_context
from provisioning.claim import new_claim
from provisioning.device import new_device
from provisioning.site import init_site
from tests.collector.test_app import envelopes

NOW = datetime.now(UTC)
PASSPHRASE = "correct horse battery staple"
NEEDED = {
    "ingest": ("server.pem", "server.key", "ca.pem", "receipt.key", "site.toml"),
    "enrol": ("server.pem", "server.key", "ca.pem", "ca.key", "site.toml"),
    "open": ("recipient.key", "site.toml"),
}


def started(site: Path, url: str, role: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "collector", "serve", "--site", str(site), "--database", url, "--role", role]
    return subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PASSERBY_PASSPHRASE": PASSPHRASE, "PATH": ""},
    )


def port(line: str) -> int:
    return int(line.rpartition(":")[2])


async def post(url: str, body: bytes, folder: Path) -> bytes:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, ssl=tls_context(folder)) as response:
        assert response.status == 200
        return await response.read()


def test_three_processes_with_no_more_keys_than_they_need(url: str, tmp_path: Path) -> None:
    """T32: ingest without the opening and the authority's key, enrol without the opening key, open without a port; each count once."""
    init_site(tmp_path / "site", "test", 2, ["127.0.0.1"], PASSPHRASE.encode(), NOW)
    for role, files in NEEDED.items():
        (tmp_path / role).mkdir()
        for file in files:
            shutil.copy(tmp_path / "site" / file, tmp_path / role / file)
    open_database(url).close()
    processes = [started(tmp_path / role, url, role) for role in NEEDED]
    try:
        ingest, enrolling, opening = (process.stdout.readline() for process in processes)  # type: ignore[union-attr]
        assert [line.split()[0] for line in (ingest, enrolling, opening)] == ["listening", "enrolling", "opening"]
        made = new_claim(tmp_path / "enrol", "door", tmp_path / "door.claim", f"https://127.0.0.1:{port(enrolling)}", (NOW, 72))
        asyncio.run(enrol(made.file, tmp_path / "keys", NOW))
        keys = load_device_keys(tmp_path / "keys")
        body = write_request(envelopes(keys, 7))
        answer = asyncio.run(post(f"https://127.0.0.1:{port(ingest)}/v1/uplink", body, keys.folder))
        assert read_answer(answer, keys.receipt, body, keys.device).acknowledged[0].through == 6
        database = open_database(url)
        for _ in range(300):
            if database.rows("SELECT sum(entries) FROM line_window") == [(7,)]:
                break
            threading.Event().wait(0.1)
        assert database.rows("SELECT sum(entries), (SELECT count(*) FROM sealed) FROM line_window") == [(7, 0)]
        database.close()
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in processes]
        for process in processes:
            process.stdout.close()  # type: ignore[union-attr]
    assert codes == [0, 0, 0]


def test_a_stop_answers_what_it_has_taken(tmp_path: Path) -> None:
    """SIGTERM among 60 requests: each that was answered is in the books, and the process ends in order."""
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], None, NOW)
    new_device(tmp_path / "site", "door", tmp_path / "device", None, NOW)
    keys, url = load_device_keys(tmp_path / "device"), str(tmp_path / "books.db")
    process = started(tmp_path / "site", url, "all")
    address = f"https://127.0.0.1:{port(process.stdout.readline())}/v1/uplink"  # type: ignore[union-attr]
    bodies = [write_request([letter]) for letter in envelopes(keys, 60)]

    async def hammer() -> set[int]:
        answered: set[int] = set()

        async def one(session: aiohttp.ClientSession, seq: int, body: bytes) -> None:
            try:
                async with session.post(address, data=body) as response:
                    read_answer(await response.read(), keys.receipt, body, keys.device)
                    answered.add(seq)
            except (aiohttp.ClientError, OSError, DataError):
                return
            if len(answered) == 10:
                process.send_signal(signal.SIGTERM)

        connector = aiohttp.TCPConnector(ssl=tls_context(keys.folder), limit=8)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(one(session, seq, body) for seq, body in enumerate(bodies)))
        return answered

    answered = asyncio.run(hammer())
    assert process.wait(30) == 0
    process.stdout.close()  # type: ignore[union-attr]
    database = open_database(url)
    stored = {int(row[0]) for row in database.rows("SELECT seq FROM ledger")}
    entries = int(database.rows("SELECT sum(entries) FROM line_window")[0][0])
    database.close()
    assert len(answered) >= 10
    assert answered <= stored
    assert entries == len(stored)


def test_a_port_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit code 6."""
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], None, NOW)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--site", str(tmp_path / "site"), "--host", "127.0.0.1", "--port", str(taken.getsockname()[1])]) == 6
    assert "is another collector running?" in capsys.readouterr().err


def test_a_role_asks_for_no_passphrase_that_it_does_not_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The opener of an encrypted site says that it needs one; ingest gets as far as its missing certificate without."""
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], PASSPHRASE.encode(), NOW)
    (tmp_path / "site" / "server.pem").unlink()
    monkeypatch.delenv("PASSERBY_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    for role, words in (("open", "no passphrase was given"), ("enrol", "no passphrase was given"), ("ingest", "certificates")):
        assert main(["serve", "--site", str(tmp_path / "site"), "--role", role, "--port", "0"]) == 2
        assert words in capsys.readouterr().err
