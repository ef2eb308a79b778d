"""The device's side of enrolment: what is on the card when, and what happens when it is cut short. The far end is in test_claims.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from collector.app import server_context
from firmware.errors import DataError, UplinkError
from firmware.uplink.enroller import enrol
from firmware.uplink.enrolment import read_enrol, signed_key, write_certified
from firmware.uplink.envelope import device_id
from provisioning.certificates import make_device
from provisioning.claim import new_claim
from provisioning.site import init_site, load_authority

NOW = datetime.now(UTC)
Answer = Callable[[bytes], web.Response]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    init_site(tmp_path / "site", "Shop", 1, ["127.0.0.1"], None, NOW)
    return tmp_path / "site"


def certified(site: Path, body: bytes, key_of: bytes | None = None) -> web.Response:
    """What the collector would say; for the key in another request where one is given."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    authority, key = load_authority(site, None)
    asked = read_enrol(body)
    device = device_id(Ed25519PublicKey.from_public_bytes(asked.public))
    certificate = make_device(authority, key, signed_key(key_of or asked.signing_request), device.hex(), NOW)
    return web.Response(body=write_certified(body, certificate.public_bytes(Encoding.DER), "door"))


def attempts(site: Path, keys: Path, *answers: Answer) -> list[Exception | None]:
    """As many attempts with one claim as there are answers; what each said."""

    async def story() -> list[Exception | None]:
        left = list(answers)

        async def answer(request: web.Request) -> web.Response:
            return left.pop(0)(await request.read())

        app = web.Application()
        app.router.add_post("/v1/enrol", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(site, strangers=True)).start()
        claim = site.parent / "door.claim"
        if not claim.exists():
            new_claim(site, "door", claim, f"https://127.0.0.1:{runner.addresses[0][1]}", (NOW, 72))
        said: list[Exception | None] = []
        for _ in answers:
            try:
                await enrol(claim, keys, NOW)
                said.append(None)
            except (UplinkError, DataError) as error:
                said.append(error)
        await runner.cleanup()
        return said

    return asyncio.run(story())


def test_a_lost_answer_is_asked_for_again_by_the_same_device(site: Path, tmp_path: Path) -> None:
    """The keys are on the card before anybody is asked; the second attempt brings the same identity, and the claim is still there."""
    asked: list[bytes] = []

    def lost(body: bytes) -> web.Response:
        asked.append(body)
        return web.Response(status=503)

    def good(body: bytes) -> web.Response:
        asked.append(body)
        return certified(site, body)

    first, second = attempts(site, tmp_path / "keys", lost, good)
    assert (isinstance(first, UplinkError), second) == (True, None)
    assert read_enrol(asked[0]).public == read_enrol(asked[1]).public
    assert not (tmp_path / "door.claim").exists()


def test_a_certificate_for_another_key_is_not_kept(site: Path, tmp_path: Path) -> None:
    """Whoever sits between cannot slip in its own key: no tls.pem, the claim stays."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    from firmware.uplink.enrolment import signing_request

    theirs = signing_request(generate_private_key(SECP256R1()), b"x" * 16)
    (said,) = attempts(site, tmp_path / "keys", lambda body: certified(site, body, theirs))
    assert isinstance(said, DataError)
    assert "another key" in str(said)
    assert not (tmp_path / "keys" / "tls.pem").exists()
    assert (tmp_path / "door.claim").exists()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda body: web.Response(text="<html>Welcome</html>"), "no certificate came"),
        (lambda body: web.Response(status=404), "HTTP 404"),
        (lambda body: web.Response(status=302, headers={"Location": "http://127.0.0.1/"}), "HTTP 302"),
    ],
    ids=["portal", "another service", "redirect"],
)
def test_anything_else_is_said_in_one_line(site: Path, tmp_path: Path, answer: Answer, words: str) -> None:
    """And changes nothing but the keys that were made."""
    (said,) = attempts(site, tmp_path / "keys", answer)
    assert said is not None
    assert words in str(said)
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["identity.key", "tls.key"]


def test_what_is_kept_is_whole(site: Path, tmp_path: Path) -> None:
    """Certificate, authority, trust and the device's own card; private keys for their owner alone."""
    assert attempts(site, tmp_path / "keys", lambda body: certified(site, body)) == [None]
    keys = tmp_path / "keys"
    assert sorted(path.name for path in keys.iterdir()) == ["ca.pem", "device.toml", "identity.key", "tls.key", "tls.pem", "trust.toml"]
    assert {keys.joinpath(name).stat().st_mode & 0o777 for name in ("identity.key", "tls.key")} == {0o600}
    x509.load_pem_x509_certificate((keys / "tls.pem").read_bytes())
    assert (keys / "ca.pem").read_bytes() == (site / "ca.pem").read_bytes()
    assert (keys / "trust.toml").read_text() == (site / "site.toml").read_text()
