"""The description says what the router does, and the copy in docs/ is the description."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from firmware import __version__
from firmware.status.openapi import description
from firmware.status.routes import Route, table_of
from tests.status.stage import Browser, Stage

COPY = Path(__file__).parent.parent.parent / "docs/openapi.json"


def routes_of_a_device() -> list[Route]:
    """All routes that a real device has."""
    from firmware.commission import RoomViewing, WalkDesk
    from firmware.status.app import Behind, Place, StatusPage
    from firmware.status.gate import Guards
    from tests.fakes import FakeClock
    from tests.status.stage import FakeDevice, page_keys

    walk, room = WalkDesk(None, None, FakeClock()), RoomViewing(None, None)  # type: ignore[arg-type]  # nobody asks them anything
    device = FakeDevice()
    behind = Behind(device, device, device, (*walk.routes(), *room.routes()))
    guards = Guards("", None, lambda _now_s: 0.0, lambda: 0.0)  # type: ignore[arg-type]
    page = StatusPage(behind, page_keys(None), Place(8443, list), guards)
    return list(page.table.values())


def document() -> dict[str, object]:
    return description(table_of(routes_of_a_device()), __version__)


def test_every_route_is_described_and_nothing_else() -> None:
    """Method by method, with its audience."""
    paths = document()["paths"]
    assert isinstance(paths, dict)
    described = {(method.upper(), path, each["x-audience"]) for path, methods in paths.items() for method, each in methods.items()}
    assert described == {(route.method, route.path, route.audience) for route in routes_of_a_device()}


def test_every_reference_leads_somewhere() -> None:
    """No schema is named that is not there."""
    text = json.dumps(document())
    schemas = json.loads(text)["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)


async def test_the_device_says_the_same(up: Stage, stranger: Browser) -> None:
    """What is served describes the routes that are served."""
    status, content, _ = await stranger.ask("GET", "/api/openapi.json")
    assert status == 200
    assert {(method.upper(), path) for path, methods in content["paths"].items() for method in methods} == set(up.page.table)


def test_the_copy_in_docs_is_true() -> None:
    """Made anew by: python -m tests.status.test_openapi."""
    assert json.loads(COPY.read_text()) == json.loads(msgspec.json.encode(document()))


if __name__ == "__main__":
    COPY.write_bytes(msgspec.json.format(msgspec.json.encode(document()), indent=1) + b"\n")
