"""Serves on this machine's private addresses, and follows them when they change. IPv4, as discovery.

Each address has a socket of its own: a new DHCP lease is served within WATCH_S, a public address never is. A port that is
taken is told by `trouble` and tried again: the page must never keep a device from counting.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

import ifaddr

from firmware.cancelling import cancelled
from firmware.status.discovery import lan_addresses

WATCH_S: Final = 10.0
WAITING_MAX: Final = 64  # connections that the kernel keeps for us
LOOPBACK: Final = "127.0.0.1"

Factory = Callable[[], asyncio.BaseProtocol]


def serving_addresses(wanted: Sequence[str]) -> tuple[str, ...]:
    """Where to serve: `wanted` are IPv4 addresses or names of interfaces; none: loopback and every private address."""
    if not wanted:
        return (LOOPBACK, *lan_addresses())
    named = {str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4 and adapter.nice_name in wanted}
    found = {text for text in wanted if _is_private(text)} | {text for text in named if _is_private(text)}
    return tuple(sorted(found, key=ipaddress.IPv4Address))


class Listening:
    """The sockets of one page."""

    def __init__(self, factory: Factory, port: int, addresses: Callable[[], Sequence[str]]) -> None:
        self._factory, self._port, self._addresses = factory, port, addresses
        self._servers: dict[str, asyncio.Server] = {}
        self._watching: asyncio.Task[None] | None = None
        self.trouble = ""

    @property
    def bound(self) -> tuple[str, ...]:
        """The addresses that are served now."""
        return tuple(self._servers)

    async def start(self) -> None:
        """Serve, and look for other addresses from now on."""
        await self.refresh()
        self._watching = asyncio.create_task(self._watch())

    async def refresh(self) -> None:
        """Serve on the addresses that are ours now, and on no other."""
        wanted = tuple(self._addresses())
        for address in [each for each in self._servers if each not in wanted]:
            self._servers.pop(address).close()
        self.trouble = "" if wanted else "no private address to serve on"
        loop = asyncio.get_running_loop()
        for address in [each for each in wanted if each not in self._servers]:
            try:
                self._servers[address] = await loop.create_server(
                    self._factory, address, self._port, reuse_address=True, backlog=WAITING_MAX
                )
            except OSError as error:
                self.trouble = f"cannot serve on {address}:{self._port}: {error.strerror}"

    async def close(self) -> None:
        """Serve nobody any more."""
        if self._watching is not None:
            await cancelled(self._watching)
            self._watching = None
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            await self.refresh()


def _is_private(text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return address.is_private
