"""Which names are ours and which peers are near: what stands between the page and a rebinding attack. Pure.

A Host header must name an address we are bound to, our mDNS name or `localhost`, with our port; anything else is a page on
the internet that points its name at us (CVE-2018-5702 is that, on another product). Peers must be on a private network:
the page is for the shop, also where a router forwards too much (CVE-2026-34205).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

HOST_CHARACTERS_MAX: Final = 255


def is_ours(host: str, port: int, names: Collection[str]) -> bool:
    """Whether a Host header means this device. `names` are lower-case names and IPv4 literals; the port must be ours."""
    if not 0 < len(host) <= HOST_CHARACTERS_MAX or not host.isascii():
        return False
    name, colon, said_port = host.lower().rpartition(":")
    if not colon:
        name, said_port = host.lower(), "443"
    return said_port == str(port) and name in names


def is_near(peer: str) -> bool:
    """Whether an address belongs to this machine or to a private network."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return (address.is_private or address.is_loopback or address.is_link_local) and not address.is_unspecified
