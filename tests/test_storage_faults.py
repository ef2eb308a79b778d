"""Storage faults on real file systems, seen from the device: it keeps counting, health says so, and a start always succeeds.

A full card, one whose writes fail with EIO (its block device ends in the middle of the file system), one that turns
read-only, and a spool folder with anything in it: through `Outbound`, as the daemon uses it. Mounting needs root; without it
these are skipped, and tests/uplink has every fault in its model.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.config import UplinkConfig
from firmware.events import Audit, LineSums, Window
from firmware.health import UplinkHealth, VisionHealth
from firmware.outbound import Outbound, Sealer, Terms, spool_in
from firmware.uplink.keys import DeviceKeys, load_device_keys
from firmware.uplink.segment import LaneLimits
from firmware.uplink.spool import SpoolLimits
from provisioning.device import new_device
from provisioning.site import init_site

LIMITS = SpoolLimits(LaneLimits(1 << 20, 64), LaneLimits(256 << 10, 64), 0)
CLOCK = SystemClock()


def tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DeviceKeys:
    folder = tmp_path_factory.mktemp("keys")
    init_site(folder / "site", "test", 1, ["127.0.0.1"], None, datetime.now(UTC))
    new_device(folder / "site", "door", folder / "device", None, datetime.now(UTC))
    return load_device_keys(folder / "device")


@pytest.fixture
def small_card(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    card = tmp_path / "card"
    card.mkdir()
    tool("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(card))
    yield card
    subprocess.run(["umount", "-l", str(card)], check=True)


@pytest.fixture
def failing_card(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """An ext4 of 32 MiB on a loop device, and what makes it fail: the device ends after its first MiB, the rest is I/O errors."""
    image, card = tmp_path / "image", tmp_path / "card"
    card.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    tool("mkfs.ext4", "-q", "-F", "-O", "^has_journal", str(image))
    device = tool("losetup", "--find", "--show", str(image))

    def fail() -> None:
        os.truncate(image, 1 << 20)
        tool("losetup", "-c", device)

    try:
        tool("mount", "-o", "errors=continue", device, str(card))
        yield card, fail
    finally:
        subprocess.run(["umount", "-l", str(card)], check=False, capture_output=True)
        subprocess.run(["losetup", "-d", device], check=False)


def counting(keys: DeviceKeys, spool: Path, windows: int, then: Callable[[int], None] = lambda _index: None) -> UplinkHealth:
    """A device that counts so many windows into a spool, flushing each; its health in the end. Nothing may raise."""
    sealer = Sealer(keys, CLOCK)

    async def story() -> UplinkHealth:
        outbound = Outbound(
            Terms("test", "windows", UplinkConfig(flush_s=5.0)),
            sealer,
            lambda: spool_in(spool, LIMITS, keys.device, sealer.gap),
            None,
            lambda: [VisionHealth("shop", 0, "running")],
            CLOCK,
        )
        outbound.start()
        for index in range(windows):
            then(index)
            sums = LineSums("entrance", 1)
            await outbound.take("shop", [], [Window(index * 15_000, 15_000, (sums,), (), Audit(15_000))])
            outbound._loop.call_soon_threadsafe(outbound._flush)
        await outbound.close()
        return outbound.health

    return asyncio.run(story())


def test_a_full_card(keys: DeviceKeys, small_card: Path) -> None:
    """ENOSPC: 6,000 flushes into 4 MiB; health says full, the newest and all totals are kept, and the next start succeeds."""
    health = counting(keys, small_card / "spool", 6000)
    assert health.storage == "full"
    assert "No space left" in health.last_error
    assert 1000 < health.spooled < 6000
    assert health.gaps > 0
    assert counting(keys, small_card / "spool", 10).spooled > 1000


def test_a_card_whose_writes_fail(keys: DeviceKeys, failing_card: tuple[Path, Callable[[], None]]) -> None:
    """EIO of the kernel itself, from the hundredth window on: health says volatile and why, counting goes on, a start succeeds."""
    card, fail = failing_card

    def at_a_hundred(index: int) -> None:
        if index == 100:
            time.sleep(1.0)  # until what was handed over is on the card
            fail()

    health = counting(keys, card / "spool", 1000, at_a_hundred)
    assert health.storage == "volatile"
    assert "Input/output error" in health.last_error
    assert health.spooled >= 900
    again = counting(keys, card / "spool", 10)
    assert again.spooled >= 10


def test_a_card_that_turns_read_only(keys: DeviceKeys, small_card: Path) -> None:
    """EROFS in the middle: volatile, all that was durable still there, counting goes on, and so does the next start."""
    frozen = []

    def freeze(index: int) -> None:
        if index == 50:
            time.sleep(0.5)  # until what was handed over is on the card
            frozen.append(subprocess.run(["mount", "-o", "remount,ro", str(small_card)], capture_output=True, check=False).returncode)

    health = counting(keys, small_card / "spool", 100, freeze)
    if frozen != [0]:  # a file is open for writing, so the kernel refuses: then between two lives
        tool("mount", "-o", "remount,ro", str(small_card))
        health = counting(keys, small_card / "spool", 50)
    assert health.storage == "volatile"
    assert "Read-only" in health.last_error
    assert health.spooled >= 100
    assert counting(keys, small_card / "spool", 10).storage == "volatile"


@pytest.mark.parametrize("kind", ["noise", "folders", "a file in its place", "links", "a device's own name, truncated"])
def test_any_garbage_in_the_folder(keys: DeviceKeys, tmp_path: Path, kind: str) -> None:
    """Whatever lies there: the start succeeds, health says what it set aside, and counts are kept."""
    spool = tmp_path / "spool"
    if kind == "a file in its place":
        spool.write_bytes(os.urandom(1000))
    else:
        spool.mkdir()
    names = [f"{lane}-{number:08}.{ending}" for lane in ("batches", "keep") for number in (1, 2, 3) for ending in ("seg", "tmp", "bad")]
    for name in names if kind not in {"a file in its place", "a device's own name, truncated"} else []:
        if kind == "noise":
            (spool / name).write_bytes(os.urandom(5000))
        elif kind == "folders":
            (spool / name).mkdir()
        else:
            (spool / name).symlink_to("/dev/full" if "seg" in name else "/nowhere")
    if kind == "a device's own name, truncated":
        counting(keys, spool, 20)
        for path in spool.glob("*.seg"):
            path.write_bytes(path.read_bytes()[:700])
    health = counting(keys, spool, 20)
    assert health.spooled >= 20
    assert health.storage == ("volatile" if kind == "a file in its place" else "durable")
    assert counting(keys, spool, 5).spooled >= 5
