"""What a configuration file means, and what is said when it is wrong."""

from __future__ import annotations

import pytest

from firmware.config import Config, parse
from firmware.errors import ConfigError

GOOD = """
site = "demo"
disclosure = "events"
[[camera]]
name = "door"
source = "picamera2"
[[camera.line]]
name = "entrance"
start = [0.10, 0.80]
end = [0.90, 0.80]
[[camera.zone]]
name = "till"
kind = "queue"
polygon = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.6], [0.1, 0.6]]
service_side = 2
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "shop.toml")
    return caught.value.faults


def test_the_fixed_names_become_structs() -> None:
    """The names every site uses are read into frozen structs, with defaults for the rest."""
    config = parse(GOOD, "shop.toml")
    assert isinstance(config, Config)
    (camera,) = config.camera
    assert camera.line[0].end == (0.9, 0.8)
    assert camera.line[0].in_side == "left"
    assert camera.zone[0].service_side == 2
    assert config.window_s == 15
