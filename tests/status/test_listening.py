"""Sockets follow the machine's addresses, and never serve a public one."""

from __future__ import annotations

import asyncio
import socket

from firmware.status.listening import LOOPBACK, Listening, serving_addresses
from tests.status.stage import free_port


def listening(port: int, places: list[tuple[str, ...]]) -> Listening:
    return Listening(asyncio.Protocol, port, lambda: places[-1])


async def reaches(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_a_new_address_is_served_and_the_old_one_no_more() -> None:
    """A DHCP lease changes: within one look the page is where the device is."""
    port, places = free_port(), [("127.0.0.1",)]
    page = listening(port, places)
    await page.start()
    places.append(("127.0.0.2",))
    await page.refresh()
    assert page.bound == ("127.0.0.2",)
    assert await reaches("127.0.0.2", port)
    assert not await reaches("127.0.0.1", port)
    await page.close()
    assert not await reaches("127.0.0.2", port)


async def test_a_port_that_is_taken_is_told_and_tried_again() -> None:
    """No page for now; no exception either, and the page comes up when the port is free."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        page = listening(port, [("127.0.0.1",)])
        await page.start()
        assert page.bound == ()
        assert f"127.0.0.1:{port}" in page.trouble
    await page.refresh()
    assert (page.bound, page.trouble) == (("127.0.0.1",), "")
    await page.close()


async def test_without_an_address_there_is_no_page() -> None:
    """And that is said."""
    page = listening(free_port(), [()])
    await page.start()
    assert page.trouble
    await page.close()


def test_public_addresses_are_never_served() -> None:
    """Not even when somebody wrote one into the configuration; interfaces are known by name."""
    assert serving_addresses(["8.8.8.8", "10.1.2.3", "no-such-interface"]) == ("10.1.2.3",)
    assert serving_addresses(["lo"]) == (LOOPBACK,)
    assert serving_addresses([])[0] == LOOPBACK
