"""axe finds nothing, on every view, in the light and in the dark, on three screens; and what axe
does not see: text that readers space out, a page at 200 %, forced colours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import OpenPage
from .test_every_page import SCHEMES, VIEWS, View, scripted

__all__ = ["scripted"]

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
WIDTHS = (360, 768, 1280)
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)"""

# WCAG 2.2, 1.4.12.
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}"""
CUT_OFF = """() => [...document.querySelectorAll(
  "button, .button, .chip, .stub, summary, h1, h2, h3, .lag, .figure, dt, select")]
  .filter((node) => node.checkVisibility() && getComputedStyle(node).clipPath === "none")
  .filter((node) => node.scrollWidth > node.clientWidth + 1)
  .map((node) => node.outerHTML)"""


def opened(open_page: OpenPage, view: View, locale: str = "fr-FR") -> Page:
    page = open_page(view.path, locale=locale, before=view.before)
    for selector in view.press:
        page.locator(selector).first.click()
    expect(page.locator(view.ready).first).to_be_visible()
    return page


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_axe_finds_nothing(open_page: OpenPage, view: View) -> None:
    page = opened(open_page, view)
    page.evaluate(AXE)
    found: dict[str, Any] = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            if violations := page.evaluate(RUN):
                found[f"{scheme}, {width}"] = violations
    assert found == {}


def test_axe_would_find_something(open_page: OpenPage) -> None:
    page = opened(open_page, VIEWS["landing"])
    page.evaluate(AXE)
    page.evaluate("document.querySelector('#sign-in label').remove()")
    assert any(found.startswith("label:") for found in page.evaluate(RUN))


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_text_that_is_spaced_out_or_twice_as_large_is_not_cut_off(
    open_page: OpenPage, view: View
) -> None:
    page = opened(open_page, view)
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate(SPACED)
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("document.adoptedStyleSheets = []")
    page.set_viewport_size({"width": 640, "height": 512})  # 1280 × 1024 at 200 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.emulate_media(forced_colors="active")
    assert page.evaluate(CUT_OFF) == []
