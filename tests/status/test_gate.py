"""The door of the page, over every route and method of the router: reliability.md section 8, T1 to T20, and T44.

T10 (names as scripts) is in test_browser.py, where a script could run; T42 and T43 are tests/vision/test_confine.py and tests/systemd.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import warnings
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
import psutil
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from firmware.status import doors
from firmware.status.access import FAILURES_MINUTE, IDLE_S, LIFE_S
from firmware.status.assets import FILES
from firmware.status.certificate import page_keys, pin_of
from firmware.status.gate import COOKIE, CSRF_HEADER, RefusedError
from firmware.status.routes import BODY_BYTES_MAX, Route
from tests.status.stage import SECRETS, Browser, Line, Stage, body_for, trusting

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get")
STREAMS = ("/api/stream", "/api/floor")
SPELLINGS = (
    "{}/", "/{}", "{}%2f", "{}%00", "{};x", "{}\\", "{}?", "{}?a=b", "{}#", "{}.", "{}//", "/..{}", "/./{}", "/api/..%2f{}",
    "/%252e%252e{}", "/app.css{}", "{}%20", "/%2e%2e{}", "{}/..%2f..%2fetc/passwd", "{}%c0%af",
)  # fmt: skip


def private(routes: list[Route]) -> list[Route]:
    return [route for route in routes if route.audience != "public" and route.path not in STREAMS]


def changing(routes: list[Route]) -> list[Route]:
    return [route for route in routes if route.method != "GET"]


def tells(content: Any) -> bool:
    return any(secret in str(content) for secret in SECRETS)


async def test_the_table_is_what_we_think_it_is(up: Stage) -> None:
    """Public are the page's own files and four more; whoever adds a public route has to write it here too."""
    public = {(route.method, route.path) for route in up.routes if route.audience == "public"}
    files = {("GET", path) for path, *_ in FILES}
    assert public == files | {("GET", "/api/public"), ("GET", "/api/openapi.json"), ("GET", "/api/session"), ("POST", "/api/session")}
    assert {route.path for route in up.routes if route.audience == "writer"} == {"/api/geometry", "/api/test"}


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer ", "Basic Og==", "bearer x", "Digest", "Bearer  ", "Token", "null"])
async def test_an_authorization_that_is_empty_or_of_another_kind_opens_nothing(up: Stage, said: str) -> None:
    """T1."""
    async with Browser(up) as browser:
        for route in private(up.routes):
            up.clock.now_s += 3600
            status, content, _ = await browser.ask(route.method, route.path, body_for(route), {"Authorization": said})
            assert status == 401, route
            assert not tells(content)


async def test_no_part_of_the_token_opens_anything(up: Stage, stranger: Browser) -> None:
    """T2 and T3: every proper prefix, every proper suffix, and the token with something before or behind it."""
    token = up.keys.token
    wrong = [token[:length] for length in range(len(token))] + [token[length:] for length in range(1, len(token))]
    wrong += [token + "0", token + token, "0" + token, token + "\u0130", token[:-1] + ("0" if token[-1] != "0" else "1"), "0" * 26]
    for each in wrong:
        up.clock.now_s += 3600
        status, *_ = await stranger.ask("POST", "/api/session", {"token": each})
        assert status in {400, 401}, each
        if each.isascii():
            status, content, _ = await stranger.ask("GET", "/api/status", headers={"Authorization": f"Bearer {each}"})
            assert status == 401
            assert not tells(content)
    assert (await stranger.ask("GET", "/api/status", headers=up.bearer()))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.:{port}", "[fe80::1%25eth0]:{port}",
        "[::1]:{port}", "user@127.0.0.1:{port}", "127.0.0.1:{port}@evil.example", "127.0.0.1:{port}, evil.example", "127.1:{port}",
        "2130706433:{port}", "0x7f.1:{port}", "localhost.evil.example:{port}", "passerby-2.local:{port}",
        "127.0.0.1:{port}\r\nHost: evil.example", "\u0131:{port}",
    ],
)  # fmt: skip
async def test_another_host_is_another_device(up: Stage, line: Line, host: str) -> None:
    """T4: for every route, with the right token, public ones too."""
    for route in up.routes:
        request = (
            f"{route.method} {route.path} HTTP/1.1\r\nHost: {host.format(port=up.port)}\r\nAuthorization: Bearer {up.keys.token}\r\n\r\n"
        )
        status, answer = await line.say(request.encode())
        assert status in {400, 421}, (route.path, status)
        assert not tells(answer)


async def test_no_host_and_an_absolute_form_are_refused(up: Stage, line: Line) -> None:
    """T4: what HTTP/1.0 and proxies send."""
    token = f"Authorization: Bearer {up.keys.token}\r\n"
    assert (await line.say(f"GET /api/status HTTP/1.0\r\n{token}\r\n".encode()))[0] in {400, 421}
    for target in (f"https://127.0.0.1:{up.port}/api/status", "https://evil.example/api/status", "*", "api/status", "127.0.0.1:443"):
        status, answer = await line.say(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{up.port}\r\n{token}\r\n".encode())
        assert status in {400, 404, 405, 421, 0}, target
        assert not tells(answer)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "passerby-1.local"])
async def test_our_own_names_are_ours(up: Stage, line: Line, host: str) -> None:
    """Address, loopback and the name that discovery announces."""
    assert (await line.say(f"GET /api/public HTTP/1.1\r\nHost: {host}:{up.port}\r\n\r\n".encode()))[0] == 200


class Flipping(AbstractResolver):
    """A name server of an attacker: first its own machine, then ours."""

    def __init__(self) -> None:
        self.answers = ["127.0.0.2", "127.0.0.1"]

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        address = self.answers.pop(0)
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


async def test_a_name_that_turns_to_us_reads_nothing(up: Stage) -> None:
    """T5: DNS rebinding. The attacker's page comes from its own server; the next request under that name reaches us, and is refused."""

    async def attack(_request: web.BaseRequest) -> web.Response:
        return web.Response(text="the attacker's page")

    evil = await asyncio.get_running_loop().create_server(web.Server(attack), "127.0.0.2", up.port, ssl=page_keys(None).context)
    connector = aiohttp.TCPConnector(ssl=trusting(), resolver=Flipping(), use_dns_cache=False, force_close=True)
    async with evil, aiohttp.ClientSession(connector=connector, headers=up.bearer()) as http:
        async with http.get(f"https://evil.example:{up.port}/") as answer:
            assert await answer.text() == "the attacker's page"
        async with http.get(f"https://evil.example:{up.port}/api/status") as answer:
            assert answer.status == 421
            assert not tells(await answer.text())


@pytest.mark.parametrize(
    "media", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json; x=y", ""]
)
async def test_a_form_of_another_site_changes_nothing(up: Stage, viewer: Browser, media: str) -> None:
    """T6: what a form can send, with the browser's own cookie; from another site, and even from our own."""
    up.device.present_s = 60.0
    for route in changing(up.routes):
        for site in ("cross-site", "same-origin"):
            headers = {"Content-Type": media, "Sec-Fetch-Site": site, CSRF_HEADER: viewer.csrf if site == "same-origin" else ""}
            headers = {name: value for name, value in headers.items() if value}
            up.clock.now_s += 0.1
            async with viewer.http.request(route.method, route.path, data=b'{"camera":"front"}', headers=headers) as answer:
                assert answer.status in {400, 403, 415}, (route, site, answer.status)
    assert up.device.saved == []
    assert (await viewer.ask("GET", "/api/status"))[0] == 200  # not even logged out


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "Same-Origin", "", "same-origin, cross-site", "x"])
async def test_a_change_says_that_it_comes_from_our_own_page(up: Stage, viewer: Browser, site: str | None) -> None:
    """T7: Sec-Fetch-Site missing or another."""
    up.device.present_s = 60.0
    for route in changing(up.routes):
        status, content, _ = await viewer.ask(route.method, route.path, body_for(route), {"Sec-Fetch-Site": site})
        assert (status, content["error"]) == (403, "other_site"), route
    assert up.device.saved == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "x"])
async def test_another_site_reads_nothing(up: Stage, viewer: Browser, site: str) -> None:
    """T7: not even where the browser would send the cookie along."""
    for route in private(up.routes):
        status, content, _ = await viewer.ask(route.method, route.path, body_for(route), {"Sec-Fetch-Site": site})
        assert (status, tells(content)) == (403, False), route


@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "x"])
async def test_a_change_carries_the_second_secret(up: Stage, viewer: Browser, csrf: str | None) -> None:
    """T6: the cookie alone changes nothing."""
    up.device.present_s = 60.0
    for route in (each for each in changing(up.routes) if each.audience != "public"):
        status, content, _ = await viewer.ask(route.method, route.path, body_for(route), {CSRF_HEADER: csrf})
        assert (status, content["error"]) == (403, "csrf"), route


def spellings(routes: list[Route]) -> list[str]:
    paths = {route.path for route in routes}
    return sorted({spelling.format(path) for path in paths for spelling in SPELLINGS} - paths)


async def test_no_other_spelling_of_a_path_is_that_path(up: Stage) -> None:
    """T8: over every route and every method: nothing but the path itself, byte by byte, leads anywhere."""
    asked = 0
    for path in spellings(up.routes):
        for method in METHODS:
            with pytest.raises(RefusedError) as refused:
                up.page.gate._route(Mock(method=method, raw_path=path))
            assert refused.value.status == 404, (method, path)
            asked += 1
    assert asked > 5000


async def test_no_parser_makes_one_path_of_another(up: Stage, line: Line) -> None:
    """T8: the same through the socket, where somebody could decode too early."""
    for path in spellings([route for route in up.routes if route.path.startswith("/api")]):
        status, answer = await line.say(_request(up, "GET", path))
        assert status in {0, 400, 404, 405}, (path, status)
        assert not tells(answer), path


@pytest.mark.parametrize("path", ["/" + "a" * 8192, "/api/status\0", "/api\t/status", "/\xff", "/api/\u202estatus"])
async def test_paths_that_are_none_are_refused(up: Stage, line: Line, path: str) -> None:
    """T8: long, with NUL, with control characters, with bytes that are no text."""
    status, answer = await line.say(_request(up, "GET", path))
    assert status in {0, 400, 404}
    assert not tells(answer)


def _request(up: Stage, method: str, path: str) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{up.port}\r\nAuthorization: Bearer {up.keys.token}\r\n"
    return (head + "Content-Length: 0\r\n\r\n").encode("utf-8", "surrogateescape")


async def test_methods_that_are_not_in_the_table_do_nothing(up: Stage, line: Line) -> None:
    """T9: HEAD, OPTIONS, TRACE and the rest, on every path, with the token and without."""
    for path in sorted({route.path for route in up.routes}):
        for method in METHODS:
            if (method, path) in up.page.table:
                continue
            for head in ("", f"Authorization: Bearer {up.keys.token}\r\n"):
                request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{up.port}\r\n{head}\r\n"
                status, answer = await line.say(request.encode())
                assert status in {0, 400, 404, 405}, (method, path, status)
                assert not tells(answer)


async def test_every_answer_carries_the_rules_and_no_permission(up: Stage, viewer: Browser, stranger: Browser) -> None:
    """T11, T12, T16: a policy without `unsafe-`, no frame, no sniffing, no CORS header ever; refusals too."""
    up.device.present_s = 60.0
    for browser in (viewer, stranger):
        for route in (each for each in up.routes if each.path not in STREAMS and (each.method, each.path) != ("DELETE", "/api/session")):
            _, _, headers = await browser.ask(route.method, route.path, body_for(route), {"Origin": "https://evil.example"})
            _assert_rules(headers)
    for method, path in (("GET", "/nothing"), ("PATCH", "/"), ("OPTIONS", "/api/status")):
        _, _, headers = await stranger.ask(method, path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"})
        _assert_rules(headers)
    for path in STREAMS:
        async with viewer.http.get(path, headers={"Origin": "https://evil.example"}) as answer:
            _assert_rules(answer.headers)


def _assert_rules(headers: Any) -> None:
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any(name.lower().startswith("access-control-") for name in headers)
    expected = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Server": "passerby"}
    assert {name: headers[name] for name in expected} == expected
    assert (headers["Cross-Origin-Opener-Policy"], headers["Cross-Origin-Resource-Policy"]) == ("same-origin", "same-origin")


async def test_two_hundred_slow_connections_take_little_and_end(up: Stage, stranger: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """T13: slowloris from many addresses; memory stays, the page answers again once their time is up."""
    monkeypatch.setattr(doors, "ASK_S_MAX", 1.0)
    before = psutil.Process().memory_info().rss
    writers = []
    for n in range(200):
        local = (f"127.0.1.{1 + n % 20}", 0)
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", up.port, ssl=trusting(), local_addr=local), 5)
        except (OSError, TimeoutError):
            continue
        writer.write(b"GET /api/public HTTP/1.1\r\nX: ")
        writers.append(writer)
    assert len(up.page.doors) <= doors.CONNECTIONS_MAX
    assert psutil.Process().memory_info().rss - before < 64 * 1024**2
    await asyncio.sleep(1.5)
    assert len(up.page.doors) == 0
    assert (await stranger.ask("GET", "/api/public"))[0] == 200
    for writer in writers:
        writer.close()


async def test_who_never_speaks_tls_is_counted_and_cut(up: Stage, stranger: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """T13: before TLS a connection costs nothing but a socket, and not for long."""
    monkeypatch.setattr(doors, "ASK_S_MAX", 1.0)
    held = [await asyncio.open_connection("127.0.0.1", up.port, local_addr=(f"127.0.3.{1 + n % 20}", 0)) for n in range(200)]
    await asyncio.sleep(0.2)
    assert 0 < len(up.page.doors) <= doors.CONNECTIONS_MAX
    await asyncio.sleep(1.5)
    assert len(up.page.doors) == 0
    assert (await stranger.ask("GET", "/api/public"))[0] == 200
    for _, writer in held:
        writer.close()


async def test_one_address_cannot_take_all_connections(up: Stage) -> None:
    """T13: beyond its share it is cut, and others still come in."""
    held = []
    for _ in range(doors.PEER_MAX + 10):
        try:
            held.append(
                await asyncio.wait_for(asyncio.open_connection("127.0.0.1", up.port, ssl=trusting(), local_addr=("127.0.2.1", 0)), 5)
            )
        except (OSError, TimeoutError):
            continue
    assert len(up.page.doors) <= doors.PEER_MAX
    async with Browser(up) as browser:
        assert (await browser.ask("GET", "/api/public"))[0] == 200
    for _, writer in held:
        writer.close()


async def test_who_guesses_waits(up: Stage, stranger: Browser) -> None:
    """T14: after five wrong tokens within a minute even the right one has to wait."""
    for _ in range(FAILURES_MINUTE):
        assert (await stranger.ask("GET", "/api/status", headers={"Authorization": "Bearer wrong"}))[0] == 401
    status, _, headers = await stranger.ask("POST", "/api/session", {"token": up.keys.token})
    assert (status, headers["Retry-After"]) == (429, "60")
    assert (await stranger.ask("GET", "/api/status", headers=up.bearer()))[0] == 429
    up.clock.now_s += 61
    assert (await stranger.ask("POST", "/api/session", {"token": up.keys.token}))[0] == 200


async def test_too_many_requests_wait(up: Stage) -> None:
    """T14: a flood is answered with 429, and a moment later all is well."""
    async with Browser(up) as browser:
        statuses = []
        for _ in range(150):
            async with browser.http.get("/api/public") as answer:
                statuses.append(answer.status)
        assert statuses[0] == 200
        assert statuses[-1] == 429
        up.clock.now_s += 10
        assert (await browser.ask("GET", "/api/public"))[0] == 200


async def test_a_session_is_made_by_us_and_never_taken_over(up: Stage) -> None:
    """T15: a cookie that somebody planted is not adopted; signing in again ends the session before."""
    async with Browser(up) as browser:
        planted = {"Cookie": f"{COOKIE}={'a' * 64}"}
        assert (await browser.ask("GET", "/api/status", headers=planted))[0] == 401
        status, _, headers = await browser.ask("POST", "/api/session", {"token": up.keys.token}, planted)
        cookie = headers["Set-Cookie"]
        assert (status, "a" * 64 in cookie) == (200, False)
        for word in ("__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie
        first = cookie.split(";")[0]
        await browser.sign_in()
        assert (await browser.ask("GET", "/api/status"))[0] == 200
    async with Browser(up) as thief:
        assert (await thief.ask("GET", "/api/status", headers={"Cookie": first}))[0] == 401


async def test_logging_out_ends_a_session_for_good(up: Stage, viewer: Browser) -> None:
    """T15: the same cookie is worth nothing afterwards, and a stream under way ends."""
    cookie = "; ".join(f"{each.key}={each.value}" for each in viewer.http.cookie_jar)
    async with viewer.http.get("/api/stream") as stream:
        assert await stream.content.readline() == b"event: status\n"
        assert (await viewer.ask("DELETE", "/api/session"))[0] == 200
        rest = await asyncio.wait_for(stream.content.read(), 5)
        assert rest.endswith(b"event: over\ndata: {}\n\n")
    assert (await viewer.ask("GET", "/api/status", headers={"Cookie": cookie}))[0] == 401


@pytest.mark.parametrize(("steps", "expected"), [([IDLE_S + 1], 401), ([IDLE_S - 60] * 3, 200), ([IDLE_S - 60] * 5, 401)])
async def test_a_session_ends_when_idle_and_after_an_hour(up: Stage, viewer: Browser, steps: list[float], expected: int) -> None:
    """T15: use keeps it, but not for ever."""
    assert LIFE_S <= 3600
    status = 0
    for step in steps:
        up.clock.now_s += step
        status, *_ = await viewer.ask("GET", "/api/status")
    assert status == expected


async def test_nothing_is_counted_for_strangers(up: Stage, stranger: Browser) -> None:
    """T17: no public answer, and no refusal, holds a count or a name of the shop."""
    for route in up.routes:
        up.clock.now_s += 3600
        status, content, headers = await stranger.ask(route.method, route.path, body_for(route))
        assert not tells(content), route
        assert not tells(dict(headers)), route
        assert (status == 200) == (route.audience == "public" and route.method == "GET"), (route, status)


async def test_what_a_viewer_may_see_is_there(up: Stage, viewer: Browser) -> None:
    """The counter-check of T17: with the token the same markers are found, so the test above can fail."""
    assert tells((await viewer.ask("GET", "/api/status"))[1])
    assert tells((await viewer.ask("GET", "/api/sent"))[1])
    assert "4711" in (await viewer.ask("GET", "/metrics"))[1]


async def test_nobody_writes_from_afar(up: Stage, viewer: Browser) -> None:
    """T18: the token is not enough, by cookie or by header, until somebody is beside the device."""
    writers = [route for route in up.routes if route.audience == "writer"]
    assert writers
    for route in writers:
        for headers in ({}, up.bearer()):
            status, content, _ = await viewer.ask(route.method, route.path, body_for(route), headers)
            assert (status, content["error"]) == (403, "presence_needed"), route
    assert up.device.saved == []
    up.device.present_s = 1.0
    for route in writers:
        assert (await viewer.ask(route.method, route.path, body_for(route)))[0] == 200
    assert len(up.device.saved) == 1


async def test_the_token_is_nowhere_but_on_the_label(up: Stage, viewer: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """T19: no answer, no header, no log line, no file of the page holds it; the device itself keeps a hash."""
    caplog.set_level(logging.DEBUG)
    bare = up.keys.token.replace("-", "")
    for route in (each for each in up.routes if each.path not in STREAMS):
        _, content, headers = await viewer.ask(route.method, route.path, body_for(route))
        for text in (str(content), str(dict(headers))):
            assert up.keys.token not in text
            assert bare not in text
    assert bare not in caplog.text.replace("-", "")
    assert bare not in repr(vars(up.page.guards))


async def test_the_token_is_kept_as_a_hash(tmp_path: Path) -> None:
    """T19: nothing on the card is the token, and the files are their owner's alone."""
    keys = page_keys(tmp_path / "page")
    for path in (tmp_path / "page").iterdir():
        assert keys.token.replace("-", "").encode() not in path.read_bytes().replace(b"-", b"")
        assert path.stat().st_mode & 0o077 == 0


async def test_old_tls_is_refused_and_the_pin_is_the_key_shown(up: Stage) -> None:
    """T20: TLS 1.2 at least; SHA-256 of the public key that is shown equals the pin for the QR code."""
    from cryptography import x509

    context = trusting()
    _, writer = await asyncio.open_connection("127.0.0.1", up.port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    assert pin_of(x509.load_der_x509_certificate(shown)) == up.keys.pin
    assert writer.get_extra_info("ssl_object").version() in {"TLSv1.2", "TLSv1.3"}
    writer.close()
    assert up.keys.context.minimum_version == ssl.TLSVersion.TLSv1_2
    old = trusting.__wrapped__()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection("127.0.0.1", up.port, ssl=old)


async def test_the_token_never_travels_in_clear(up: Stage) -> None:
    """T20: who speaks HTTP without TLS gets not one byte of an answer in it."""
    reader, plain = await asyncio.open_connection("127.0.0.1", up.port)
    plain.write(f"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:{up.port}\r\nAuthorization: Bearer {up.keys.token}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    assert b"HTTP" not in answer
    plain.close()


def test_no_core_is_dumped() -> None:
    """T44: every unit says so."""
    units = sorted((Path(__file__).parent.parent.parent / "systemd").glob("*.service"))
    assert len(units) >= 2
    for unit in units:
        assert "LimitCORE=0" in unit.read_text().splitlines(), unit.name


async def test_a_body_is_bounded_and_of_its_type(up: Stage, viewer: Browser) -> None:
    """Larger than it may be, not JSON, an unknown field, the wrong type: refused, and nothing of it is said back."""
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", CSRF_HEADER: viewer.csrf}
    large = b'{"camera":"' + b"x" * BODY_BYTES_MAX + b'"}'
    bodies = {large: 413, b"{": 400, b'{"camera":1}': 400, b'{"camera":"a","secret":1}': 400, b"[" * 50_000: 400, b"\xff": 400, b"": 400}
    for body, expected in bodies.items():
        up.clock.now_s += 1
        async with viewer.http.post("/api/geometry/check", data=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == expected, body[:20]
            assert "xxxx" not in text

    async def endless() -> Any:
        for _ in range(64):
            yield b" " * 4096

    async with viewer.http.post("/api/geometry/check", data=endless(), headers=headers) as answer:
        assert answer.status == 413


@pytest.mark.parametrize("peer", ["8.8.8.8", "2001:4860:4860::8888", "", "x", "0.0.0.0"])
async def test_who_is_far_away_is_refused(up: Stage, peer: str) -> None:
    """Peers of public networks get nothing, whatever they show."""
    from firmware.status.hosts import is_near

    assert not is_near(peer)
    assert is_near("192.168.1.7")
    assert is_near("::ffff:10.0.0.1")
