"""Boot tags."""

from __future__ import annotations

from firmware.uplink.stamp import boot_tag


def test_a_boot_is_named_per_device_and_boot() -> None:
    """Eight bytes; two devices with one boot id, or one device with two boots, get different names."""
    tags = {boot_tag("one", b"a" * 16), boot_tag("one", b"b" * 16), boot_tag("two", b"a" * 16)}
    assert len(tags) == 3
    assert all(len(tag) == 8 for tag in tags)
    assert boot_tag("one", b"a" * 16) in tags
