"""What the sender makes of what comes back, over real TLS: only the collector's signature acknowledges."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.app import server_context
from firmware.errors import UplinkError
from firmware.uplink.delivery import Delivery
from firmware.uplink.exchange import Acknowledged, Answer, request_hash, write_answer
from firmware.uplink.keys import DeviceKeys, load_device_keys
from firmware.uplink.segment import Spooled
from firmware.uplink.sender import Sender
from provisioning.device import new_device
from provisioning.site import init_site, load_receipt_key

NOW = datetime.now(UTC)
STREAM = b"stream-1"
Reply = Callable[[bytes], Awaitable[web.StreamResponse] | web.StreamResponse]


class Outbox:
    """Five letters, until they are acknowledged."""

    def __init__(self) -> None:
        self.left = [Spooled("batches", STREAM, seq, b"letter %d" % seq) for seq in range(5)]

    def newest(self, bytes_max: int, skip: Container[tuple[bytes, int]]) -> Sequence[Spooled]:
        return [each for each in reversed(self.left) if (each.stream, each.seq) not in skip]

    def oldest(self, bytes_max: int, skip: Container[tuple[bytes, int]]) -> Sequence[Spooled]:
        return []

    def acknowledge(self, stream: bytes, through: int | None, sparse: tuple[int, ...]) -> None:
        self.left = [each for each in self.left if through is None or each.seq > through]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sender")
    init_site(folder / "site", "test", 1, ["127.0.0.1"], None, NOW)
    new_device(folder / "site", "door", folder / "device", None, NOW)
    init_site(folder / "portal", "portal", 1, ["127.0.0.1"], None, NOW)
    return folder


def exchanged(site: Path, reply: Reply, *, server: str = "site", wall: datetime = NOW) -> tuple[Sender, Delivery, Outbox]:
    """One exchange with a server that answers as `reply` says."""
    keys: DeviceKeys = load_device_keys(site / "device")
    delivery, outbox = Delivery(lambda: 0.0), Outbox()

    async def answer(request: web.Request) -> web.StreamResponse:
        said = reply(await request.read())
        return said if isinstance(said, web.StreamResponse) else await said

    async def story() -> Sender:
        app = web.Application()
        app.router.add_post("/v1/uplink", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(site / server, strangers=server != "site")).start()
        sender = Sender(f"https://127.0.0.1:{runner.addresses[0][1]}", keys.folder, keys.device, keys.receipt, lambda: wall)
        request = delivery.compose(0.0, outbox)
        assert request is not None
        await sender.exchange(delivery, outbox, request, lambda: 10.0)
        await sender.close()
        await runner.cleanup()
        return sender

    return asyncio.run(story()), delivery, outbox


def signed(site: Path, body: bytes, key: Ed25519PrivateKey | None = None) -> bytes:
    keys = load_device_keys(site / "device")
    answer = Answer(1, request_hash(body), keys.device, (Acknowledged(STREAM, 4),), (), (), 1)
    return write_answer(answer, key or load_receipt_key(site / "site"))


def test_a_signed_answer_acknowledges(site: Path) -> None:
    """The letters go, and the sender says nothing is wrong."""
    sender, delivery, outbox = exchanged(site, lambda body: web.Response(body=signed(site, body)))
    assert (outbox.left, sender.last_error, delivery.last_outcome) == ([], "", "acknowledged")
    assert sender.bytes_sent > 0


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (lambda site, body: web.Response(text="<html>Welcome to our free WiFi</html>"), "untrusted"),
        (lambda site, body: web.Response(body=signed(site, body)[:-1]), "untrusted"),
        (lambda site, body: web.Response(body=signed(site, body, Ed25519PrivateKey.generate())), "untrusted"),
        (lambda site, body: web.Response(body=signed(site, b"another request")), "untrusted"),
        (lambda site, body: web.Response(body=bytes(1 << 20)), "untrusted"),
        (lambda site, body: web.Response(status=302, headers={"Location": "/v1/uplink"}), "untrusted"),
        (lambda site, body: web.Response(status=413), "rejected"),
        (lambda site, body: web.Response(status=403), "forbidden"),
        (lambda site, body: web.Response(status=503, headers={"Retry-After": "77"}), "busy"),
    ],
    ids=["portal", "cut short", "wrong key", "other request", "too long", "redirect", "too large", "forbidden", "busy"],
)
def test_nothing_else_does(site: Path, reply: Callable[[Path, bytes], web.StreamResponse], outcome: str) -> None:
    """T30: a portal's 200, a cut, foreign, moved or endless answer, any status: all letters stay, and the reason is said."""
    sender, delivery, outbox = exchanged(site, lambda body: reply(site, body))
    assert (len(outbox.left), delivery.last_outcome) == (5, outcome)
    assert sender.last_error.startswith(outcome)
    if outcome == "busy":
        assert delivery.due_s == 87.0


def test_a_redirect_is_not_followed(site: Path) -> None:
    """307 asks to post the same again elsewhere; nobody hears it a second time."""
    heard = []

    def redirect(body: bytes) -> web.StreamResponse:
        heard.append(body)
        return web.Response(status=307, headers={"Location": "/v1/uplink"}) if len(heard) == 1 else web.Response(body=signed(site, body))

    _, delivery, outbox = exchanged(site, redirect)
    assert (len(heard), len(outbox.left), delivery.last_outcome) == (1, 5, "untrusted")


def test_a_stranger_with_a_certificate_of_its_own_hears_nothing(site: Path) -> None:
    """Another authority: refused before a byte of ours is sent."""
    heard = []

    def listen(body: bytes) -> web.StreamResponse:
        heard.append(body)
        return web.Response()

    sender, delivery, outbox = exchanged(site, listen, server="portal")
    assert (heard, len(outbox.left), delivery.last_outcome) == ([], 5, "untrusted")
    assert "certificate" in sender.last_error


def test_a_board_without_a_clock_delivers(site: Path) -> None:
    """1970: the server's certificate is not valid yet by that clock, and the answer is believed all the same, for it is signed."""
    _, _, outbox = exchanged(site, lambda body: web.Response(body=signed(site, body)), wall=datetime.fromtimestamp(0, UTC))
    assert outbox.left == []


def test_missing_certificates_are_said_at_once(site: Path, tmp_path: Path) -> None:
    """By folder, with what makes them."""
    keys = load_device_keys(site / "device")
    with pytest.raises(UplinkError, match="passerby enrol"):
        Sender("https://x", tmp_path, keys.device, keys.receipt, lambda: NOW)
