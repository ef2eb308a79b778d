"""A real headless Chromium over its DevTools protocol: a fresh profile, a pipe of JSON, and what it complained of.

Only what the tests need: open a page, run an expression, press keys and the pointer, take a picture. What the console said
and what the content security policy refused is kept, so that a test can demand silence.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp

COMMAND: Final = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-port=0", "--ignore-certificate-errors", "--force-color-profile=srgb", "--lang=en",
)  # fmt: skip
START_S_MAX: Final = 60.0
WAIT_S: Final = 30.0


class Tab:
    """One page, and what it complained of."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())
        self.complaints: list[str] = []
        self.requests: list[str] = []

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = len(self._asked)
        self._asked[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        answer = await asyncio.wait_for(self._asked[number], WAIT_S)
        assert "error" not in answer, (method, answer)
        result: dict[str, Any] = answer["result"]
        return result

    async def open(self, url: str) -> None:
        await self.send("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        answer = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str, timeout_s: float = WAIT_S) -> Any:
        """Wait until an expression is truthy; its value."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        while True:
            with contextlib.suppress(AssertionError):  # between two documents there is nothing to run in
                if value := await self.run(expression):
                    return value
            assert loop.time() - started_s < timeout_s, f"{expression} stayed false; {self.complaints}"
            await asyncio.sleep(0.1)

    async def look(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0, mobile: bool = False) -> None:
        """A screen of so many points."""
        await self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    async def picture(self, path: Path, quality: int = 80) -> None:
        kind = path.suffix.removeprefix(".")
        more = {"quality": quality} if kind == "webp" else {}
        answer = await self.send("Page.captureScreenshot", format=kind, **more)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def press(self, key: str, *, shift: bool = False) -> None:
        codes = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Delete": 46, "Escape": 27}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], modifiers=8 if shift else 0,
                **(text if kind == "keyDown" else {}),
            )  # fmt: skip

    async def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """The pointer goes down, over, and up."""
        for kind, (x, y), buttons in (("mousePressed", start, 1), *(("mouseMoved", _between(start, end, n / 4), 1) for n in (1, 2, 3, 4)), ("mouseReleased", end, 0)):  # fmt: skip  # noqa: E501
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=buttons, clickCount=1)

    async def close(self) -> None:
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._asked[said["id"]].set_result(said)
            else:
                self._note(said["method"], said["params"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details["text"])))
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning", "assert"}:
            self.complaints.append(" ".join(str(each.get("value", each.get("description"))) for each in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Audits.issueAdded":
            self.complaints.append(f"issue: {told['issue']['code']} {json.dumps(told['issue']['details'])[:300]}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])


def _between(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Tab]:
    """A browser with one empty tab and a profile of its own; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="passerby-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            COMMAND, *FLAGS, f"--user-data-dir={profile}", "about:blank",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as http:
                async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [page for page in await answer.json() if page["type"] == "page"]
                async with http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    tab = Tab(socket)
                    for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
                        await tab.send(f"{domain}.enable")
                    try:
                        yield tab
                    finally:
                        await tab.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _port(path: Path) -> int:
    for _ in range(int(START_S_MAX / 0.05)):
        text = await asyncio.to_thread(_text, path)
        if text.strip():
            return int(text.splitlines()[0])
        await asyncio.sleep(0.05)
    raise TimeoutError("Chromium did not start")


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
