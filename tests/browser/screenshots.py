"""`python -m tests.browser.screenshots`: a picture of every view, small, into docs/screenshots/.

Each view of `test_every_page.py`, on a phone in the light and on a wide screen in the dark. The
browser
itself makes the WebP. For whoever changes the pages: look at what is different.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, sync_playwright

from infra.pages import build_pages

from .answers import CAMPAIGN
from .front import Front, about_demo, running_front
from .test_every_page import VIEWS, View, script

TARGET: Final = Path(__file__).resolve().parents[2] / "docs/screenshots"
SCREENS: Final[tuple[tuple[str, int, Literal["light", "dark"]], ...]] = (
    ("phone", 390, "light"),
    ("wide", 1280, "dark"),
)
SMALLER: Final = """async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, 800 / image.width);
  [canvas.width, canvas.height] = [image.width * scale, image.height * scale];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/webp", 0.45).split(",")[1];
}"""


def picture(browser: Browser, front: Front, view: View, width: int, scheme: str) -> bytes:
    """The whole page of a view, as a WebP."""
    context = browser.new_context(
        base_url=front.origin,
        locale="fr-FR",
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    if view.before:
        context.add_init_script(view.before)
    page = context.new_page()
    page.goto(about_demo(view.path))
    for selector in view.press:
        page.locator(selector).first.click()
    page.locator(view.ready).first.wait_for()
    page.evaluate("document.activeElement?.blur()")
    png = page.screenshot(full_page=True, animations="disabled")
    converter = context.new_page()
    smaller: str = converter.evaluate(SMALLER, base64.b64encode(png).decode())
    context.close()
    return base64.b64decode(smaller)


def main(target: Path = TARGET) -> int:
    """Take all of them; the exit status."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        with running_front(build_pages(Path(scratch).resolve() / "web")) as front:
            front.api.answers("GET /v1/campaigns/demo-vip", 200, CAMPAIGN)
            script(front.api)
            for name, view in VIEWS.items():
                for screen, width, scheme in SCREENS:
                    file = target / f"{re.sub(r'[^a-z]+', '-', name.lower())}-{screen}.webp"
                    file.write_bytes(picture(browser, front, view, width, scheme))
        browser.close()
    print(f"{len(list(target.iterdir()))} pictures in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
