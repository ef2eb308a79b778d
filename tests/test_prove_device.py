"""What the running processes and the card say, on made-up processes and a real spool."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from firmware.clock import SystemClock
from firmware.config import Config, parse
from firmware.events import LineSums, Window
from firmware.outbound import Outbound, Sealer, Terms, spool_in
from firmware.prove_device import Process, prove_processes, prove_spool, vision_processes
from firmware.uplink.keys import load_device_keys
from firmware.uplink.spool import SpoolLimits

STATUS = (
    "Name:\tpython\nPPid:\t40\nVmSwap:\t       0 kB\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
)
LIMITS = "Limit          Soft Limit  Hard Limit  Units\nMax file size  0           0           bytes\nMax core file size  0  0  bytes\n"
COMMAND = "python\0-m\0firmware.vision.process\0--fd\09\0"


def processes(root: Path, status: str = STATUS, limits: str = LIMITS, command: str = COMMAND) -> list[Process]:
    """A /proc with one vision process (41) and its daemon (40)."""
    for pid, words in (("41", command), ("40", "passerby\0run\0")):
        folder = root / pid
        for part in ("fd", "fdinfo", "net"):
            (folder / part).mkdir(parents=True)
        (folder / "cmdline").write_text(words, encoding="ascii")
    (root / "41/status").write_text(status, encoding="ascii")
    (root / "41/limits").write_text(limits, encoding="ascii")
    (root / "self").mkdir()
    return vision_processes(root)


def opened(process: Path, number: int, leads_to: str, flags: str = "0100000") -> None:
    (process / "fd" / str(number)).symlink_to(leads_to)
    (process / "fdinfo" / str(number)).write_text(f"pos:\t0\nflags:\t{flags}\n", encoding="ascii")


def verdicts(found: list[Process]) -> list[str]:
    return [finding.verdict for finding in prove_processes(found)]


def test_a_locked_process_holds(tmp_path: Path) -> None:
    """Filter, capabilities, limits, descriptors, and a daemon without a camera."""
    found = processes(tmp_path)
    opened(tmp_path / "41", 0, "/dev/null")
    assert verdicts(found) == ["holds"] * 3


@pytest.mark.parametrize(
    ("status", "limits", "command", "word"),
    [
        (STATUS.replace("Seccomp:\t2", "Seccomp:\t0"), LIMITS, COMMAND, "Seccomp is 0"),
        (STATUS.replace("CapEff:\t0000000000000000", "CapEff:\t0000000000001000"), LIMITS, COMMAND, "CapEff"),
        (STATUS.replace("0 kB", "812 kB"), LIMITS, COMMAND, "VmSwap is 812 kB"),
        (
            STATUS,
            LIMITS.replace("Max file size  0           0", "Max file size  unlimited unlimited"),
            COMMAND,
            "Max file size is unlimited",
        ),
        (STATUS, "", COMMAND, "not told"),
        (STATUS, LIMITS, COMMAND + "--network\0", "RTSP"),
    ],
)
def test_each_open_lock_is_told(tmp_path: Path, status: str, limits: str, command: str, word: str) -> None:
    """By name."""
    (first, *_) = prove_processes(processes(tmp_path, status, limits, command))
    assert first.verdict == "broken"
    assert word in first.how


def test_what_is_open_is_looked_at(tmp_path: Path) -> None:
    """A network socket, a file open for writing, a camera in the daemon."""
    found = processes(tmp_path)
    (tmp_path / "picture").write_bytes(b"")
    opened(tmp_path / "41", 3, str(tmp_path / "picture"), "0100001")
    opened(tmp_path / "41", 4, "socket:[777]")
    header = "sl local rem st tx rx tr tm retr uid timeout inode\n"
    (tmp_path / "41/net/tcp").write_text(header + "0: 0 0 01 0:0 0:0 0 0 0 777 1\n", encoding="ascii")
    opened(tmp_path / "40", 5, "/dev/video0")
    _, files, daemon = prove_processes(found)
    assert "open for writing" in files.how
    assert (files.verdict, daemon.verdict, daemon.how) == ("broken", "broken", "/dev/video0")


def test_nothing_running_proves_nothing(tmp_path: Path) -> None:
    """And says what to do."""
    (finding,) = prove_processes(vision_processes(tmp_path))
    assert (finding.verdict, "start passerby" in finding.how) == ("open", True)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A device whose spool holds what its own uplink put there."""
    from firmware.demonstration import prepare

    places = prepare(tmp_path_factory.mktemp("proof"))
    text = f'site = "s"\n[[camera]]\nname = "c"\nsource = "sim:"\n[uplink]\nkeys = "{places.device}"\nspool = "{places.spool}"\n'
    config = parse(text, "c.toml")

    async def story() -> None:
        keys, clock = load_device_keys(places.device), SystemClock()
        sealer, limits = Sealer(keys, clock), SpoolLimits.of_bytes(config.uplink.spool_bytes_max)
        terms = Terms(config.site, config.disclosure, config.uplink)
        outbound = Outbound(terms, sealer, lambda: spool_in(places.spool, limits, keys.device, sealer.gap), None, list, clock)
        outbound.start()
        for number in range(30):
            await outbound.take("c", [], [Window(number * 15_000, 15_000, (LineSums("door", number),))])
        await outbound.close()

    asyncio.run(story())
    return config


def test_no_key_of_the_device_opens_its_spool(device: Config) -> None:
    """V7 on a spool that the real uplink filled; a few seconds of it say nothing about a day."""
    budget, keys = prove_spool(device)
    assert (keys.verdict, budget.verdict) == ("holds", "open")
    assert "0 opened" in keys.how


def test_a_key_that_opens_is_found_out(device: Config, tmp_path: Path) -> None:
    """Somebody left the collector's key on the device: as PEM, in hex, or raw."""
    site = Path(device.uplink.keys).parent / "site"
    pem = (site / "recipient.key").read_bytes()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, None)
    assert isinstance(key, X25519PrivateKey)
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    for content in (pem, raw, b"key = " + raw.hex().encode()):
        (tmp_path / "left").write_bytes(content)
        text = f'site = "s"\n[uplink]\nkeys = "{tmp_path}"\nspool = "{device.uplink.spool}"\n'
        _, keys = prove_spool(parse(text, "c.toml"))
        assert keys.verdict == "broken"


def test_without_a_spool_it_is_open() -> None:
    """Not proven is not the same as holding."""
    assert [finding.verdict for finding in prove_spool(parse('site = "s"\n', "c.toml"))] == ["open", "open"]


def test_a_real_process_can_be_looked_at() -> None:
    """Ourselves: descriptors are read from the kernel, and our own open file is told as open for writing."""
    with Path(os.devnull).open("rb"), subprocess.Popen(["sleep", "5"]) as child:
        files = Process(Path(f"/proc/{child.pid}")).open_files()
        child.kill()
    assert files
