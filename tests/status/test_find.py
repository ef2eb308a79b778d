"""Finding devices: what an unfriendly network may say, and what is made of it."""

from __future__ import annotations

import socket

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from firmware.errors import UplinkError
from firmware.status.discovery import SERVICE
from firmware.status.find import TEXT_CHARACTERS_MAX, find

HERE = ("127.0.0.1",)


async def test_texts_from_the_network_cannot_drive_a_terminal() -> None:
    """Escape sequences and long texts arrive as a short, plain line."""
    hostile = AsyncServiceInfo(
        SERVICE,
        f"passerby-evil.{SERVICE}",
        port=1,
        addresses=[socket.inet_aton("127.0.0.1")],
        properties={"st": b"\x1b[2J\x1b]0;owned\x07\xff", "id": b"x" * 200},
        server="evil.local.",
    )
    network = AsyncZeroconf(interfaces=list(HERE), ip_version=IPVersion.V4Only)
    try:
        await (await network.async_register_service(hostile))
        device = next(device for device in await find(1.0, HERE) if device.name == "passerby-evil")
    finally:
        await network.async_unregister_all_services()
        await network.async_close()
    assert device.state == "?[2J?]0;owned??"
    assert device.id == "x" * TEXT_CHARACTERS_MAX
    assert device.version == ""


async def test_a_machine_without_that_network_is_told_so() -> None:
    """One error of ours, with what to look at."""
    with pytest.raises(UplinkError, match="cannot ask the local network"):
        await find(0.1, ("203.0.113.9",))
