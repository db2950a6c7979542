"""Builds the pages: `web/` in, the folder that is served or uploaded out.

A page of `web/` holds its `<main>` alone; what all pages share (the head, the header, the states of
loading and failing) is in `web/frame/`, as Jinja templates. The modules of a page become one script
(`bundle.py`); it and the style are in `assets/`, under names that follow from their content, so
that a browser may keep them for a year and fetches a page's text alone the next time. Styles and
pictures are also where they are in `web/`, for pages that the API makes. Anything else under `web/`
(the types of the API) is for tools and is not published.

Everything that serves pages calls `build_pages`: local/stack.py for each stack, infra/deployment
for a stage, the tests of the pages for themselves. Where people sign in differs from stage to
stage: `sign_in_settings` is the one file that is not the same everywhere.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.bundle import bundle

ROOT: Final = Path(__file__).resolve().parent.parent
WEB: Final = ROOT / "web"
FRAME: Final = WEB / "frame"
SIGN_IN: Final = "dashboard/sign-in.json"
COPIED: Final = frozenset({".css", ".svg"})
ASSETS: Final = "assets"  # what a browser may keep: its name changes with its content
OF_EVERY_PAGE: Final = "/shared/rights-link.js"


def build_pages(target: Path) -> Path:
    """Build every page into `target`, replacing what is there; returns `target`.

    Raises `jinja2.TemplateError` when a page does not set what the frame needs, `BundleError` when
    a script cannot be bundled.
    """
    scripts = {
        file.relative_to(WEB).as_posix(): file.read_text(encoding="utf-8")
        for file in WEB.rglob("*.js")
    }
    templates = Environment(
        loader=FileSystemLoader(WEB),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    if target.exists():
        shutil.rmtree(target)
    (target / ASSETS).mkdir(parents=True)

    def script(path: str) -> str:
        return _kept(target, bundle(scripts, [path, OF_EVERY_PAGE]).encode(), ".js")

    def style(path: str) -> str:
        return _kept(target, (WEB / path.lstrip("/")).read_bytes(), Path(path).suffix)

    templates.globals |= {"bundled": script, "kept": style}
    for source in sorted(WEB.rglob("*")):
        built = target / source.relative_to(WEB)
        if source.suffix == ".html" and FRAME not in source.parents:
            page = templates.get_template(source.relative_to(WEB).as_posix()).render()
            built.parent.mkdir(parents=True, exist_ok=True)
            built.write_text(page, encoding="utf-8")
        elif source.suffix in COPIED:
            built.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, built)
    return target


def sign_in_settings(outputs: Mapping[str, str], url: str | None = None) -> bytes | None:
    """What the page `SIGN_IN` says of a stack with these outputs: where its people sign in, as
    which client, and where that sends them back to. None for a stack of before there was any.
    `url` is in place of the stack's own pages.
    """
    if "DashboardClientId" not in outputs:
        return None
    return json.dumps(
        {
            "sign_in": url or outputs["SignInUrl"],
            "client": outputs["DashboardClientId"],
            "callback": f"{outputs['Origin']}/dashboard/",
        }
    ).encode()


def _kept(target: Path, content: bytes, suffix: str) -> str:
    """Write an asset; its address."""
    name = f"{ASSETS}/{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
    (target / name).write_bytes(content)
    return f"/{name}"


if __name__ == "__main__":
    build_pages(ROOT / "build" / "web")
