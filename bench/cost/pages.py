"""What a browser fetches of each page: the built page and the assets that it names."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cost.population import FOLLOWING, VISITS
from infra.deployment.pages import cache_control
from infra.pages import build_pages

_NAMED = re.compile(r"""(?:src|href)="(/[^"#?]+\.(?:js|css|svg))\"""")
_TEXTS = re.compile(r"""data-texts="(/[^"]+)\"""")


@dataclass(frozen=True)
class Page:
    """How many files a first visit fetches and of how many bytes (without what all pages share, if
    another page came before), and for how many a later one asks: what is not named by its
    content, which costs a request and no bytes.
    """

    files: int
    size: int
    files_again: int


def pages() -> Mapping[str, Page]:
    """Those that people visit."""
    with TemporaryDirectory() as folder:
        root = build_pages(Path(folder).resolve() / "web")
        return {path: _page(root, root / path) for path in VISITS}


def _page(root: Path, html: Path) -> Page:
    path = html.relative_to(root).as_posix()
    page = html.read_text(encoding="utf-8")
    own = [*_NAMED.findall(page), *_TEXTS.findall(page)[:1]]  # the texts of one language
    fetched = [
        one.lstrip("/") for one in own if path not in FOLLOWING or one.endswith((".js", ".json"))
    ]
    paths = [path, *fetched]
    size = sum(len(gzip.compress((root / one).read_bytes())) for one in paths)
    again = [one for one in paths if cache_control(one) == "no-cache"]
    return Page(len(paths), size, len(again))
