"""Announcing on the local network, with real multicast DNS on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

import pytest
from zeroconf.asyncio import AsyncServiceInfo

from firmware.status.discovery import PAGE, SERVICE, Announcer, lan_addresses, multicast_on
from firmware.status.find import Found, find

HERE = ("127.0.0.1",)
OTHER = ("127.0.0.2",)
LISTEN_S = 1.0


def drawing(*names: str) -> Iterator[bytes]:
    return iter([bytes.fromhex(name) for name in names])


def announcer(*names: str, addresses: list[tuple[str, ...]] | None = None) -> Announcer:
    drawn = drawing(*names)
    places = addresses if addresses is not None else [HERE]
    return Announcer(8443, lambda _count: next(drawn), lambda: places[-1])


@asynccontextmanager
async def announced(device: Announcer) -> AsyncIterator[Announcer]:
    await device.start()
    try:
        yield device
    finally:
        await device.close()


async def found(name: str) -> Found | None:
    return next((device for device in await find(LISTEN_S, HERE) if device.name == name), None)


async def test_a_device_is_found_and_tells_nothing_about_its_shop() -> None:
    """Version, random id, state, address, port: that is all there is."""
    async with announced(announcer("a1a1a1a1a1a1")) as device:
        assert device.announced == HERE
        assert device.trouble == ""
        assert await found("passerby-a1a1a1a1a1a1") == Found("passerby-a1a1a1a1a1a1", HERE, 8443, "running", "1", "a1a1a1a1a1a1")


async def test_the_page_is_found_by_who_looks_for_pages() -> None:
    """As `_https._tcp`, under the same random name, at the same port; with no text at all."""
    async with announced(announcer("a3a3a3a3a3a3")):
        page = AsyncServiceInfo(PAGE, f"passerby-a3a3a3a3a3a3.{PAGE}")
        async with multicast_on(HERE) as network:
            assert await page.async_request(network.zeroconf, 3000)
        assert (page.port, page.parsed_addresses(), dict(page.properties)) == (8443, list(HERE), {})


async def test_the_machine_s_name_is_not_told() -> None:
    """What zeroconf would take as the server's name is not what we say."""
    described = announcer("a2a2a2a2a2a2")._described(HERE)
    assert described.server == "passerby-a2a2a2a2a2a2.local."
    assert socket.gethostname() not in repr(described)
    assert set(described.properties) == {b"v", b"id", b"st"}


async def test_a_name_that_is_taken_is_given_up_for_another() -> None:
    """Two devices that drew the same: both are found, under two names."""
    async with announced(announcer("b1b1b1b1b1b1")), announced(announcer("b1b1b1b1b1b1", "b2b2b2b2b2b2")) as second:
        assert second.name == "passerby-b2b2b2b2b2b2"
        names = {device.name for device in await find(LISTEN_S, HERE)}
    assert {"passerby-b1b1b1b1b1b1", "passerby-b2b2b2b2b2b2"} <= names


async def test_who_answers_for_every_name_is_told_as_trouble() -> None:
    """Drawing ends after a few times, and the device goes on without being announced."""
    async with announced(announcer("b3b3b3b3b3b3")), announced(announcer(*["b3b3b3b3b3b3"] * 9)) as second:
        assert second.announced == ()
        assert "names were taken" in second.trouble


async def test_a_new_address_is_announced() -> None:
    """A DHCP lease changes: after the next look the device is found at its new address alone."""
    places = [HERE]
    async with announced(announcer("c1c1c1c1c1c1", addresses=places)) as device:
        places.append((*HERE, *OTHER))
        await device.refresh()
        seen = await found("passerby-c1c1c1c1c1c1")
        assert seen is not None
        assert seen.addresses == (*HERE, *OTHER)


async def test_without_a_network_the_device_waits_for_one() -> None:
    """A cable that is out is no error, and is announced on as soon as it is in."""
    places: list[tuple[str, ...]] = [()]
    async with announced(announcer("c2c2c2c2c2c2", addresses=places)) as device:
        assert (device.announced, device.trouble) == ((), "no address on a local network")
        places.append(HERE)
        await device.refresh()
        assert (device.announced, device.trouble) == (HERE, "")


async def test_an_address_that_is_not_ours_is_trouble_and_no_crash() -> None:
    """The lease is gone between looking and binding: told, with the address."""
    async with announced(announcer("c3c3c3c3c3c3", addresses=[("203.0.113.9",)])) as device:
        assert device.announced == ()
        assert "203.0.113.9" in device.trouble


async def test_a_state_that_changes_is_told() -> None:
    """Running, then degraded: without a new name."""
    async with announced(announcer("d1d1d1d1d1d1")) as device:
        await device.tell("degraded")
        seen = await found("passerby-d1d1d1d1d1d1")
        assert seen is not None
        assert seen.state == "degraded"


async def test_a_closed_device_is_gone() -> None:
    """Good-bye is said, no task is left, and closing twice is no error."""
    device = announcer("e1e1e1e1e1e1")
    await device.start()
    await device.close()
    await device.close()
    assert await found("passerby-e1e1e1e1e1e1") is None
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_only_addresses_of_local_networks_are_announced() -> None:
    """No loopback, no link-local, nothing public; in order and once."""
    addresses = [IPv4Address(address) for address in lan_addresses()]
    assert addresses == sorted(set(addresses))
    assert all(address.is_private and not address.is_loopback and not address.is_link_local for address in addresses)


@pytest.mark.parametrize("service", [SERVICE])
def test_the_service_s_name_fits_its_rules(service: str) -> None:
    """At most 15 characters before the protocol (RFC 6763, 7.2)."""
    assert len(service.split(".", maxsplit=1)[0].removeprefix("_")) <= 15
