"""The table of routes."""

from __future__ import annotations

import pytest

from firmware.errors import ConfigError
from firmware.status.routes import Route, reply, table_of
from firmware.status.values import Done


async def nothing(_call: object) -> object:
    raise AssertionError


def test_two_routes_for_one_thing_are_a_mistake() -> None:
    """Told at start, not found out by a request."""
    route = Route("GET", "/a", "public", nothing, "x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="GET /a"):
        table_of([route, route])


def test_a_table_cannot_be_changed() -> None:
    """Nobody adds a route while the page is up."""
    with pytest.raises(TypeError):
        table_of([])["GET", "/"] = None  # type: ignore[index]


def test_values_are_never_kept_by_a_browser() -> None:
    """Counts do not stay on a phone that was lent."""
    answer = reply(Done())
    assert (answer.headers["Cache-Control"], answer.body) == ("no-store", b'{"done":true}')
