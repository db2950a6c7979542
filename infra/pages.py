"""Builds the pages: `web/` in, the folder that is served or uploaded out.

A page of `web/` holds its `<main>` alone; what all pages share (the head, the header, the states of
loading and failing) is in `web/frame/`, as Jinja templates. esbuild makes one script of a page's
modules (`bundle.mjs`); it, the style and the page's texts in each language (`page_texts.py`) are in
`assets/`, under names that follow from their content, so that a browser may keep them for a year
and fetches a page's HTML alone the next time. Of the texts it fetches those of one language. Styles
and pictures are also where they are in `web/`, for pages that the API makes. Anything else under
`web/` (the types of the API) is for tools and is not published.

Everything that serves pages calls `build_pages`: local/stack.py for each stack, infra/deployment
for a stage, the tests of the pages for themselves. Where people sign in differs from stage to
stage: `sign_in_settings` is the one file that is not the same everywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.page_texts import LANGUAGES, languages_of, page_texts, texts_of

ROOT: Final = Path(__file__).resolve().parent.parent
WEB: Final = ROOT / "web"
FRAME: Final = WEB / "frame"
NODE: Final = ROOT / ".venv-node/bin/node"
BUNDLER: Final = ROOT / "infra/bundle.mjs"
SIGN_IN: Final = "dashboard/sign-in.json"
COPIED: Final = frozenset({".css", ".svg"})
ASSETS: Final = "assets"  # what a browser may keep: its name changes with its content
OF_EVERY_PAGE: Final = "/shared/frame.js"
_LIBRARY: Final = re.compile(r"""kept\("([^"]+\.js)"\)""")
_EARLY: Final = re.compile(r'{% set early = "([^"]+)" %}')
_SCRIPT: Final = re.compile(r'{% set script = "([^"]+)" %}')


class PagesError(RuntimeError):
    """The pages cannot be built; the message says what is wrong, and where."""


def build_pages(target: Path) -> Path:
    """Build every page into `target`, replacing what is there; returns `target`.

    Raises `jinja2.TemplateError` when a page does not set what the frame needs, `PagesError` when
    a script or a style cannot be bundled.
    """
    sources = [
        path.relative_to(WEB).as_posix()
        for path in sorted(WEB.rglob("*.html"))
        if FRAME not in path.parents
    ]
    copied = [path for path in sorted(WEB.rglob("*")) if path.suffix in COPIED]
    styles = [f"/{path.relative_to(WEB).as_posix()}" for path in copied if path.suffix == ".css"]
    built = _bundled({source: _modules(source) for source in sources}, styles)
    if target.exists():
        shutil.rmtree(target)
    (target / ASSETS).mkdir(parents=True)
    for source in sources:
        page = target / source
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_page(target, source, built), encoding="utf-8")
    for file in copied:
        place = target / file.relative_to(WEB)
        place.parent.mkdir(parents=True, exist_ok=True)
        style = built["styles"].get(f"/{file.relative_to(WEB).as_posix()}")
        place.write_bytes(file.read_bytes() if style is None else style.encode())
    return target


def _modules(source: str) -> list[str]:
    found = _SCRIPT.search((WEB / source).read_text(encoding="utf-8"))
    if not found:
        raise PagesError(f"web/{source} sets no script")
    return [found[1], OF_EVERY_PAGE]


def _libraries(source: str) -> list[str]:
    """The scripts that a page fetches later, by itself."""
    return _LIBRARY.findall((WEB / source).read_text(encoding="utf-8"))


def _early(source: str) -> list[str]:
    """The script that stands in a page's HTML, if it has one."""
    return _EARLY.findall((WEB / source).read_text(encoding="utf-8"))


def _bundled(pages: Mapping[str, list[str]], styles: list[str]) -> Mapping[str, Mapping[str, str]]:
    """What esbuild makes of the modules of each page, and of the styles."""
    if not NODE.is_file():
        raise PagesError("node is not here yet: run `make node`")
    asked = {
        "web": str(WEB),
        "pages": pages,
        "libraries": {library: library for page in pages for library in _libraries(page)},
        "inline": {early: early for page in pages for early in _early(page)},
        "styles": {style: style for style in styles},
    }
    done = subprocess.run(
        [NODE, BUNDLER], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PagesError(done.stderr.strip()[-2000:])
    made: Mapping[str, Mapping[str, str]] = json.loads(done.stdout)
    return made


def _page(target: Path, source: str, built: Mapping[str, Mapping[str, str]]) -> str:
    """The HTML of a page. It is made twice: which texts it needs follows from what is in it."""
    script = built["scripts"][source]

    def kept(path: str) -> str:
        made = built["styles"].get(path, built["scripts"].get(path))
        content = (WEB / path.lstrip("/")).read_bytes() if made is None else made.encode()
        return _kept(target, content, Path(path).suffix)

    templates = Environment(
        loader=FileSystemLoader(WEB),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    early = "".join(_inline(built["scripts"][path], path) for path in _early(source))
    templates.globals |= {
        "early_script": early,
        "kept": kept,
        "script_address": _kept(target, script.encode(), ".js"),
        "words": {name: page_texts(name) for name in LANGUAGES},
    }
    template = templates.get_template(source)
    whole = template.render(languages=_named(LANGUAGES), texts=dict.fromkeys(LANGUAGES)) + script
    languages = languages_of(whole)
    texts = {name: _kept(target, _json(texts_of(whole, name)), ".json") for name in languages}
    return template.render(languages=_named(languages), texts=texts)


def _inline(script: str, path: str) -> str:
    """A script as it may stand in HTML: nothing in it may look like an end of the element."""
    if "</" in script or "<!--" in script:
        raise PagesError(f"web{path} cannot stand in HTML: it has `</` or `<!--`")
    return script


def _named(languages: Iterable[str]) -> Mapping[str, str]:
    """Each language by the name that it has in itself."""
    return {name: str(Locale.parse(name).get_display_name(name)) for name in languages}


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


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
