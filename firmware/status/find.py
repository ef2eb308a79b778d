"""Finds the devices that announce themselves on the local network.

What comes from a network is anybody's: texts are cut and stripped to printable ASCII before a terminal or a page sees
them, and answers beyond the most are left. Left to others: what announces (`firmware.status.discovery`), and whether a
device is who it says: that is what its certificate and its label are for.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from firmware.errors import UplinkError
from firmware.status.discovery import ADDRESSES_MAX, SERVICE, multicast_on

DEVICES_MAX: Final = 256  # a full /24; a network with more is not a shop's
TEXT_CHARACTERS_MAX: Final = 64
ASK_MS: Final = 2000  # for the addresses of a device whose name has been heard


class Found(msgspec.Struct, frozen=True, order=True):
    """One device that answered. `state` is running, degraded, or what it says."""

    name: str
    addresses: tuple[str, ...]
    port: int
    state: str
    version: str
    id: str


async def find(seconds: float, interfaces: tuple[str, ...] = ()) -> tuple[Found, ...]:
    """Listen for `seconds` and ask each device that was heard; in order of name.

    Args:
        seconds: how long to listen.
        interfaces: IPv4 addresses of this machine to ask on; none: all of them.

    Raises:
        UplinkError: this machine has no network to ask on.
    """
    names: set[str] = set()

    def heard(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        del zeroconf, service_type
        if state_change is ServiceStateChange.Removed:
            names.discard(name)
        elif len(names) < DEVICES_MAX:
            names.add(name)

    try:
        async with multicast_on(interfaces) as network, AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[heard]):
            await asyncio.sleep(seconds)
            found = await asyncio.gather(*(_ask(network, name) for name in sorted(names)))
    except (OSError, ZeroconfError, RuntimeError) as error:  # zeroconf says RuntimeError where there is no interface at all
        raise UplinkError(f"cannot ask the local network: {error}", "is this machine connected? passerby doctor tells") from error
    return tuple(sorted(device for device in found if device is not None))


async def _ask(network: AsyncZeroconf, name: str) -> Found | None:
    try:
        service = AsyncServiceInfo(SERVICE, name)
        if not await service.async_request(network.zeroconf, ASK_MS):
            return None
    except ZeroconfError:
        return None  # a name that is none: somebody else's device must not hide ours
    texts = {key: _printable(value) for key, value in service.properties.items()}
    return Found(
        name=_printable(name.removesuffix(f".{SERVICE}").encode()),
        addresses=tuple(sorted(service.parsed_addresses(IPVersion.V4Only)))[:ADDRESSES_MAX],
        port=service.port or 0,
        state=texts.get(b"st", ""),
        version=texts.get(b"v", ""),
        id=texts.get(b"id", ""),
    )


def _printable(raw: bytes | None) -> str:
    text = (raw or b"")[:TEXT_CHARACTERS_MAX].decode("ascii", "replace")
    return "".join(character if character.isascii() and character.isprintable() else "?" for character in text)
