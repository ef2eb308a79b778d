"""Tells the local network that a device is here: `_passerby._tcp` and `_https._tcp` by multicast DNS, while it can be connected to.

Rules: what is told says nothing about the shop: a version, a state, and a random id that lives in memory and is drawn anew
at every start; no site, no model, no serial, not even the machine's host name. Somebody who has our name: another is drawn.
Addresses that change: everything is withdrawn and announced anew, on the new ones (IPv4: what shops' networks speak).
A network that refuses is told by `trouble` and tried again. Left to others: whether there is a page to announce, and what
`find` makes of the answers (`firmware.status.find`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final, Literal

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import InterfaceChoice, IPVersion, NonUniqueNameException
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from firmware.cancelling import cancelled
from firmware.errors import UplinkError

SERVICE: Final = "_passerby._tcp.local."
PAGE: Final = "_https._tcp.local."  # for whoever looks for pages, and not for us
TXT_VERSION: Final = "1"
ID_BYTES: Final = 6  # 2**48: two devices of one network share an id once in a billion starts
DRAWS_MAX: Final = 8  # a network on which eight random names are taken is answering for everybody
WATCH_S: Final = 10.0  # a new DHCP lease is announced within this
ADDRESSES_MAX: Final = 16

DeviceState = Literal["running", "degraded"]


def lan_addresses() -> tuple[str, ...]:
    """This machine's IPv4 addresses on private networks, in a fixed order; without loopback and link-local."""
    found = {ipaddress.IPv4Address(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4}
    usable = sorted(address for address in found if address.is_private and not address.is_loopback and not address.is_link_local)
    return tuple(str(address) for address in usable[:ADDRESSES_MAX])


def multicast_on(addresses: Sequence[str]) -> AsyncZeroconf:
    """Multicast DNS on these IPv4 addresses of this machine; none: on all it has.

    Raises:
        OSError, RuntimeError: one is not ours, or there is no network at all.
    """
    for address in addresses:  # zeroconf would find out too, and leave its sockets open
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    return AsyncZeroconf(interfaces=list(addresses) or InterfaceChoice.All, ip_version=IPVersion.V4Only)


class Announcer:
    """One device on the local network, from `start` to `close`."""

    def __init__(self, port: int, draw: Callable[[int], bytes], addresses: Callable[[], Sequence[str]] = lan_addresses) -> None:
        """Nothing is sent before `start`.

        Args:
            port: where the device serves, TCP.
            draw: so many random bytes; `os.urandom`.
            addresses: on which this machine is to be found now.
        """
        self._port = port
        self._draw = draw
        self._addresses = addresses
        self._state: DeviceState = "running"
        self._zeroconf: AsyncZeroconf | None = None
        self._service: AsyncServiceInfo | None = None
        self._watching: asyncio.Task[None] | None = None
        self._id = draw(ID_BYTES).hex()
        self.announced: tuple[str, ...] = ()
        self.trouble = ""

    @property
    def name(self) -> str:
        """What the device is called on the network, without the type."""
        return f"passerby-{self._id}"

    async def start(self) -> None:
        """Announce, and go on watching the addresses. A network that refuses is no error of ours: see `trouble`."""
        await self.refresh()
        self._watching = asyncio.create_task(self._watch())

    async def refresh(self) -> None:
        """Announce anew if the addresses have changed, or if it did not work the last time."""
        addresses = tuple(self._addresses())
        if self.announced and addresses == self.announced:
            return
        await self._withdraw()
        if not addresses:
            self.trouble = "no address on a local network"
            return
        try:
            await self._announce(addresses)
        except UplinkError as error:
            await self._withdraw()
            self.trouble = str(error)
        else:
            self.announced, self.trouble = addresses, ""

    async def tell(self, state: DeviceState) -> None:
        """Say how the device is, if that is new."""
        if state == self._state:
            return
        self._state = state
        if self._zeroconf is not None and self._service is not None:
            self._service = self._described(self.announced)
            with contextlib.suppress(ZeroconfError, OSError):  # the next refresh says it again
                await self._zeroconf.async_update_service(self._service)

    async def close(self) -> None:
        """Say good-bye, and release the sockets. May be called twice."""
        if self._watching is not None:
            await cancelled(self._watching)
            self._watching = None
        await self._withdraw()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            await self.refresh()

    async def _announce(self, addresses: tuple[str, ...]) -> None:
        try:
            self._zeroconf = multicast_on(addresses)
            for _ in range(DRAWS_MAX):
                self._service = self._described(addresses)
                try:
                    announcing = await self._zeroconf.async_register_service(self._service)
                except NonUniqueNameException:
                    self._id = self._draw(ID_BYTES).hex()
                else:
                    await announcing
                    await (await self._zeroconf.async_register_service(self._described(addresses, PAGE)))
                    return
        except (ZeroconfError, OSError, RuntimeError) as error:
            raise UplinkError(f"cannot announce the device on {', '.join(addresses)}: {error or type(error).__name__}") from error
        raise UplinkError(f"{DRAWS_MAX} random names were taken", "something on this network answers for every name")

    async def _withdraw(self) -> None:
        zeroconf, self._zeroconf, self._service = self._zeroconf, None, None
        self.announced = ()
        if zeroconf is not None:
            with contextlib.suppress(ZeroconfError, OSError):  # the network may be gone already: nobody to say good-bye to
                await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()

    def _described(self, addresses: tuple[str, ...], service: str = SERVICE) -> AsyncServiceInfo:
        return AsyncServiceInfo(
            service,
            f"{self.name}.{service}",
            port=self._port,
            addresses=[socket.inet_aton(address) for address in addresses],
            properties={"v": TXT_VERSION, "id": self._id, "st": self._state} if service == SERVICE else {},
            server=f"{self.name}.local.",  # the default would be the machine's own name
        )
