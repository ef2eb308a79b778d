"""Texts with a grammar of their own: sources and addresses. The rules over whole files are in test_config.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.config_rules import source_fault, url_fault


@pytest.mark.parametrize(
    "source",
    [
        "",
        "webcam",
        "sim",
        "sim:seed=3",
        "picamera",
        "picamera2:",
        "picamera2:12",
        "v4l2:",
        "v4l2:/dev/",
        "rtsp:camera",
        "rtsp://",
        "a.exe",
        "http://x/y.mp4",
        "file:///x.mp4",
    ],
)
def test_what_vision_cannot_read_is_no_source(source: str) -> None:
    """Each with a reason."""
    assert source_fault(source)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://c",
        "http://c.example",
        "http://localhost.example",
        "https:c.example",
        "https://:443",
        "https://c:0",
        "https://[::1",
        "https://u@c",
        "https://c#x",
        "c.example:443",
    ],
)
def test_what_a_device_may_not_send_to_is_no_address(url: str) -> None:
    """Plain http to anything but this machine, passwords, fragments, things without a host."""
    assert url_fault(url)


@given(st.text(max_size=40), st.sampled_from(["", "rtsp://", "https://", "v4l2:", "http://[", "https://a:"]))
def test_any_text_is_judged(text: str, scheme: str) -> None:
    """No text brings an error."""
    assert isinstance(source_fault(scheme + text), str)
    assert isinstance(url_fault(scheme + text), str)
