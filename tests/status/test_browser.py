"""The page in a real headless Chromium: no complaint from the console or the policy, every control has a name, keys are enough."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.status.chromium import COMMAND, Tab, chromium
from tests.status.stage import FakeDevice, Stage, stage

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not COMMAND, reason="no Chromium: apt-get install chromium"),
    pytest.mark.timeout(180),
]

VIEWS = ("now", "floor", "device", "sent", "setup")
SCRIPTS = (
    "<script>window.broken = 1</script>", "<img src=x onerror=window.broken=1>", '"><svg onload=window.broken=1>',
    "javascript:window.broken=1",
    "';window.broken=1;//", "</title><script>window.broken=1</script>", "{{constructor.constructor('window.broken=1')()}}", "\u202e<b>x",
)  # fmt: skip


def axe() -> str:
    """The script, from the package that brings it."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe is not installed: make setup")
    return Path(found.origin).with_name("axe.min.js").read_text()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Tab]:
    async with chromium() as tab:
        yield tab


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: Tab) -> Tab:
    """A clean page of the one browser."""
    await browser.open("about:blank")
    await browser.send("Network.clearBrowserCookies")
    await browser.look(1280, 900)
    browser.complaints.clear()
    browser.requests.clear()
    return browser


async def signed_in(tab: Tab, up: Stage) -> None:
    await tab.open(f"{up.url}/#token={up.keys.token}")
    await tab.until("document.documentElement.dataset.ready === 'yes'")
    await tab.until("!!document.querySelector('#counts .card')")


async def go(tab: Tab, view: str) -> None:
    await tab.run(f"location.hash = '#{view}'")
    await tab.until(f"!document.getElementById('view-{view}').hidden && document.querySelector('#view-{view} .card') !== null")
    await asyncio.sleep(0.3)


def quiet(tab: Tab) -> list[str]:
    """What was complained of; that a page without a click is skipped when going back is no complaint."""
    return [each for each in tab.complaints if "NavigationEntryMarkedSkippable" not in each]


async def test_the_token_in_the_address_opens_the_page_and_leaves_it(tab: Tab) -> None:
    """What the QR code carries: one address; the token is gone from the address bar, and never went to the server in a path."""
    async with stage() as up:
        await signed_in(tab, up)
        assert up.keys.token not in await tab.run("location.href")
        assert not any(up.keys.token in request.partition("#")[0] for request in tab.requests)
        assert all(request.startswith(up.url) for request in tab.requests if request != "about:blank")
        assert quiet(tab) == []
        assert await tab.run("document.cookie") == ""


async def test_signing_in_by_hand_and_out_again(tab: Tab) -> None:
    """A wrong token is told in words, the right one opens, signing out leaves nothing behind."""
    async with stage() as up:
        await tab.open(up.url)
        await tab.until("document.documentElement.dataset.ready === 'yes'")
        assert "queue times" in await tab.run("document.getElementById('notice').textContent")
        await tab.run("document.getElementById('token').value = '0'.repeat(26); document.querySelector('#sign-in button').click()")
        await tab.until("document.getElementById('sign-in-error').textContent.includes('not the token')")
        complaints = quiet(tab)
        assert len(complaints) == 1, complaints  # the browser notes each 401
        assert "401" in complaints[0]
        await tab.run(f"document.getElementById('token').value = '{up.keys.token}'; document.querySelector('#sign-in button').click()")
        await tab.until("!!document.querySelector('#counts .card')")
        await tab.run("document.getElementById('sign-out').click()")
        await tab.until("!document.getElementById('view-sign-in').hidden")
        assert "secret" not in await tab.run("document.documentElement.outerHTML")


async def test_numbers_arrive_without_asking(tab: Tab) -> None:
    """One stream feeds the page: a change shows within seconds, and the page asked for nothing more."""
    async with stage() as up:
        await signed_in(tab, up)
        assert "4,711" in await tab.run("document.getElementById('counts').textContent")
        asked = len(tab.requests)
        up.device.names = ("front", "other door", "secret till")
        up.device.changes += 1
        await tab.until("document.getElementById('counts').textContent.includes('other door')", 5)
        assert len(tab.requests) == asked


@pytest.mark.parametrize(("width", "dark", "language"), [(390, True, "de"), (1280, False, "en")])
async def test_every_view_is_usable_by_everybody(tab: Tab, width: int, dark: bool, language: str) -> None:
    """axe finds nothing, in both languages, on a phone and a desktop, in light and dark; nothing is wider than the screen."""
    script = axe()
    device = FakeDevice(present_s=60.0, faults=("shop.toml:3: a fault",))
    async with stage(device) as up:
        await tab.look(width, 844, dark=dark)
        await tab.open(up.url)
        await tab.until("document.documentElement.dataset.ready === 'yes'")
        await tab.run(f"const s = document.getElementById('language'); s.value = '{language}'; s.dispatchEvent(new Event('change'))")
        await tab.until(f"document.documentElement.lang === '{language}'")
        await judge(tab, script, "sign-in")
        await tab.open("about:blank")
        await signed_in(tab, up)
        assert await tab.run("document.documentElement.lang") == language
        finding = "import('/words.js').then((words) => words.said('line \"a\" is 0.20 box heights long, narrower than one person'))"
        assert ("schmaler als ein Mensch" in await tab.run(finding)) == (language == "de")
        for view in VIEWS:
            await go(tab, view)
            await judge(tab, script, view)
        assert quiet(tab) == []


async def judge(tab: Tab, script: str, view: str) -> None:
    await tab.run(script + "; 0")
    found = json.loads(
        await tab.run(
            "axe.run(document).then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.html + ' ' + n.failureSummary)])))"
        )
    )
    assert found == [], (view, found)
    nameless = await tab.run(
        "[...document.querySelectorAll('button, a, input, select, [role=button], summary')].filter(e => e.checkVisibility() "
        "&& !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == [], view
    assert await tab.run("document.documentElement.scrollWidth <= innerWidth"), view
    assert not await tab.run(
        "[...document.querySelectorAll('[data-w], main *')].some(e => e.childElementCount === 0 && /^[a-z]+_[a-z_]+$/.test(e.textContent))"
    ), view


async def test_names_that_are_scripts_stay_names(tab: Tab) -> None:
    """T10: in camera, line and zone, and in what the device says of itself; shown as they are, nothing runs, nothing is refused."""
    for first in range(0, len(SCRIPTS), 3):
        names = (SCRIPTS * 2)[first : first + 3]
        async with stage(FakeDevice(names=(names[0], names[1], names[2]), present_s=60.0, faults=names)) as up:
            await signed_in(tab, up)
            assert names[1] in await tab.run("document.querySelector('#counts .count.line h2').textContent")
            for view in ("floor", "device", "setup"):
                await go(tab, view)
            assert await tab.run("window.broken") is None
            assert quiet(tab) == []
            await tab.open("about:blank")


async def test_keys_are_enough_to_move_name_and_save(tab: Tab) -> None:
    """A corner moves by an arrow key, a line is added and named without a pointer, the save button saves; the device got it all."""
    async with stage(FakeDevice(present_s=60.0)) as up:
        await signed_in(tab, up)
        await go(tab, "setup")
        await tab.until("!!document.querySelector('.grip')")
        await tab.run("document.querySelector('.grip[data-kind=line][data-at=\"0\"]').focus()")
        assert "secret door" in await tab.run("document.activeElement.getAttribute('aria-label')")
        for _ in range(5):
            await tab.press("ArrowDown")
        assert "65 % from the top" in await tab.run("document.activeElement.getAttribute('aria-label')")
        await tab.run("document.getElementById('draw-area').focus()")
        await tab.press("Enter")
        await tab.press("Enter")
        await tab.send("Input.insertText", text="shelf")
        await tab.until("document.getElementById('save-geometry').disabled === false")
        await tab.run("document.getElementById('save-geometry').focus()")
        await tab.press("Enter")
        await tab.until("document.getElementById('toast').textContent.startsWith('Saved')")
        (saved,) = up.device.saved
        assert saved.line[0].start == (0.2, 0.65)
        assert [zone.name for zone in saved.zone] == ["secret till", "shelf"]
        assert quiet(tab) == []


async def test_without_presence_nothing_can_be_saved(tab: Tab) -> None:
    """The button stays shut and the page says what to do; the server would refuse it too (T18)."""
    async with stage() as up:
        await signed_in(tab, up)
        await go(tab, "setup")
        await tab.run("document.querySelector('#drawings .buttons button').click()")
        await asyncio.sleep(0.8)
        assert await tab.run("document.getElementById('save-geometry').disabled")
        assert "beside the device" in await tab.run("document.getElementById('presence').textContent")


async def test_foot_points_are_asked_for_only_while_they_are_shown(tab: Tab) -> None:
    """Vision is watched from the moment the floor opens until a moment after it is left."""
    async with stage() as up:
        await signed_in(tab, up)
        await asyncio.sleep(0.5)
        assert up.device.watched == []
        await go(tab, "floor")
        await tab.until("document.querySelectorAll('.foot-point').length === 2")
        assert up.device.watched
        await go(tab, "now")
        await asyncio.sleep(0.5)
        asked = len(up.device.watched)
        up.clock.now_s += 100
        await asyncio.sleep(1.0)
        assert len(up.device.watched) == asked


async def centre(tab: Tab, selector: str) -> tuple[float, float]:
    x, y = await tab.run(
        f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
        " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
    )
    return x, y


async def test_the_pointer_drags_a_corner_and_draws_a_zone(tab: Tab) -> None:
    """Down, over, up: the corner is where it was let go, and the new zone is what was drawn."""
    async with stage(FakeDevice(present_s=60.0)) as up:
        await tab.look(1280, 1400)
        await signed_in(tab, up)
        await go(tab, "setup")
        await tab.until("!!document.querySelector('.grip')")
        start = await centre(tab, '.grip[data-kind="line"][data-at="1"] .handle')
        await tab.drag(start, (start[0] - 40, start[1] + 60))
        await tab.run("document.getElementById('draw-queue').click()")
        await asyncio.sleep(1.0)  # findings come in, and the plane may move by a line
        box: Any = await tab.run(
            "(() => { const b = document.getElementById('draft').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()"
        )
        at = [(box[0] + box[2] * x, box[1] + box[3] * y) for x, y in ((0.5, 0.2), (0.75, 0.5))]
        await tab.drag(at[0], at[1])
        await tab.until("document.querySelectorAll('.drawing').length === 3")
        await tab.until("document.getElementById('save-geometry').disabled === false")
        await tab.run("document.getElementById('save-geometry').click()")
        await tab.until("document.getElementById('toast').textContent.startsWith('Saved')")
        (saved,) = up.device.saved
        assert saved.line[0].end[0] < 0.8
        assert saved.line[0].end[1] > 0.6
        assert saved.zone[1].kind == "queue"
        assert [*sum(saved.zone[1].polygon, ())] == pytest.approx([0.5, 0.2, 0.75, 0.2, 0.75, 0.5, 0.5, 0.5], abs=0.01)
