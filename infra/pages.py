"""Builds the pages: `web/` in, the folder that is served or uploaded out.

A page of `web/` holds its `<main>` alone; what all pages share (the head, the header, the states of
loading and failing) is in `web/frame/`, as Jinja templates. Scripts, styles and pictures are copied
as they are. Anything else under `web/` (the types of the API) is for tools and is not published.

Everything that serves pages calls `build_pages`: local/stack.py for each stack, infra/deployment
for a stage, the tests of the pages for themselves. Where people sign in differs from stage to
stage: `sign_in_settings` is the one file that is not the same everywhere.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT: Final = Path(__file__).resolve().parent.parent
WEB: Final = ROOT / "web"
FRAME: Final = WEB / "frame"
SIGN_IN: Final = "dashboard/sign-in.json"
COPIED: Final = frozenset({".css", ".js", ".svg"})


def build_pages(target: Path) -> Path:
    """Build every page into `target`, replacing what is there; returns `target`.

    Raises `jinja2.TemplateError` when a page does not set what the frame needs.
    """
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


if __name__ == "__main__":
    build_pages(ROOT / "build" / "web")
