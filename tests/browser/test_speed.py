"""How much a visit fetches, when the page is ready, and whether anything moves: on a slow line.

The line has 150 ms to each answer and 1.6 Mbit/s, as a phone has it. Ready is when the first state
has its words; blank is a page without anything, on the same line.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from chalicelib.adapters.pages import REFEREE_PAGE

from .front import Front, about_demo
from .sign_in import signed_in
from .test_every_page import VIEWS, scripted
from .test_promises import STATES
from .test_shared_link import PATH as SHORT_LINK
from .test_shared_link import made

__all__ = ["scripted"]

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("speed")]

LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
VISITS = 3
MOST_BYTES = 60_000
MOST_BYTES_OF_DASHBOARD = 120_000
MOST_SHIFT = 0.01
# A blank page is one answer. Each of these is three after one another: itself, its script, and
# those of the API, which it asks for at once. How long that takes is printed, and held by nothing:
# the machine is shared.
PAGES = ("landing", "offer", "sign-up", "short link", "space, open")
SIGNED_IN = """sessionStorage.setItem("tandem.session.demo-vip",
  JSON.stringify({ session: "s3", expires_at: "2099-01-01" }))"""
SHIFTS = """globalThis.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) globalThis.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
READY = """() => new Promise((done) => {
  const ready = () => {
    const section = document.querySelector("[data-state]:not([hidden], [data-state=loading])");
    if (section?.querySelector("h1")?.textContent) done(performance.now());
    else requestAnimationFrame(ready);
  };
  ready();
})"""


# The dashboard is ready when its first figure is there.
FIGURES = """() => new Promise((done) => {
  const ready = () => {
    const figure = document.querySelector("#numbers:not([hidden]) #figures .figure");
    if (figure?.textContent) done(performance.now());
    else requestAnimationFrame(ready);
  };
  ready();
})"""


def visit(browser: Browser, front: Front, path: str, before: str) -> tuple[Page, list[int]]:
    """A first visit by a browser of its own, on the slow line; the bytes come in the list."""
    context = browser.new_context(
        base_url=front.origin, locale="fr-FR", viewport={"width": 390, "height": 844}
    )
    context.add_init_script(SHIFTS)
    if before:
        context.add_init_script(before)
    page = context.new_page()
    line: CDPSession = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", LINE)
    received: list[int] = []
    line.on("Network.loadingFinished", lambda it: received.append(int(it["encodedDataLength"])))
    page.goto(about_demo(path), wait_until="commit")
    return page, received


def blank_ms(browser: Browser, front: Front, pages: Path) -> float:
    (pages / "blank.html").write_text("<!doctype html><title>Blank</title><h1>Blank</h1>")
    times = []
    for _ in range(VISITS):
        page, _received = visit(browser, front, "/blank.html", "")
        expect(page.get_by_role("heading", name="Blank")).to_be_visible()
        times.append(page.evaluate("performance.timing.domContentLoadedEventEnd "
                                   "- performance.timing.navigationStart"))  # fmt: skip
        page.context.close()
    return float(median(times))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_and_stays_where_it_is(
    browser: Browser, front: Front, pages: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    space = name == "space, open"
    front.api.link_pages[SHORT_LINK] = (200, made((pages / REFEREE_PAGE).read_text("utf-8"), "fr"))
    others = {"space, open": "/sponsor/?campaign=demo-vip", "short link": SHORT_LINK}
    path = others.get(name) or STATES[name].path
    blank = blank_ms(browser, front, pages)
    times, sizes, shifts = [], [], []
    for _ in range(VISITS):
        page, received = visit(browser, front, path, SIGNED_IN if space else "")
        times.append(float(page.evaluate(READY)))
        page.wait_for_load_state("networkidle")
        sizes.append(sum(received))
        shifts.append(float(page.evaluate("globalThis.shift")))
        page.context.close()
    ratio = median(times) / blank
    with capsys.disabled():
        print(
            f"\n{name}: {max(sizes) / 1000:.1f} KB, ready after {median(times):.0f} ms, "
            f"{ratio:.2f} times a blank page, layout shift {max(shifts):.4f}"
        )
    assert max(sizes) <= MOST_BYTES
    assert max(shifts) <= MOST_SHIFT


def test_the_dashboard_is_light_and_its_numbers_are_there_soon(
    browser: Browser, front: Front, pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blank = blank_ms(browser, front, pages)
    times, sizes, shifts = [], [], []
    for _ in range(VISITS):
        page, received = visit(browser, front, VIEWS["dashboard"].path, signed_in())
        times.append(float(page.evaluate(FIGURES)))
        page.wait_for_load_state("networkidle")
        sizes.append(sum(received))
        shifts.append(float(page.evaluate("globalThis.shift")))
        page.context.close()
    with capsys.disabled():
        print(
            f"\ndashboard: {max(sizes) / 1000:.1f} KB, ready after {median(times):.0f} ms, "
            f"{median(times) / blank:.2f} times a blank page, layout shift {max(shifts):.4f}"
        )
    assert max(sizes) <= MOST_BYTES_OF_DASHBOARD
    assert max(shifts) <= MOST_SHIFT
