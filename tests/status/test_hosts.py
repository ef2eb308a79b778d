"""Which names are ours, which peers are near."""

from __future__ import annotations

import pytest

from firmware.status.hosts import is_near, is_ours

NAMES = {"127.0.0.1", "192.168.1.7", "localhost", "passerby-a1.local"}


@pytest.mark.parametrize("host", ["192.168.1.7:8443", "LOCALHOST:8443", "passerby-a1.local:8443"])
def test_our_names_with_our_port_are_ours(host: str) -> None:
    """Capitals do not matter."""
    assert is_ours(host, 8443, NAMES)


@pytest.mark.parametrize(
    "host", ["192.168.1.7", "192.168.1.8:8443", "192.168.1.7:443", "passerby-a1.local.:8443", "x" * 300, ":8443", "a:b:8443"]
)
def test_any_other_name_is_not(host: str) -> None:
    """Without the port, another port, another address, a dot too many, too long, or nothing."""
    assert not is_ours(host, 8443, NAMES)


def test_without_a_port_it_is_443() -> None:
    """As the URL standard has it."""
    assert is_ours("localhost", 443, NAMES)


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.1.1", "fe80::1%eth0", "fd00::1", "::1"])
def test_private_peers_are_near(peer: str) -> None:
    """This machine, private networks, link-local."""
    assert is_near(peer)
