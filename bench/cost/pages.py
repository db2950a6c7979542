"""What a browser fetches of each page: the built pages of `web/` and all that they name."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cost.population import VISITS
from infra.pages import build_pages

_NAMED = re.compile(r"""(?:src|href)="(/[^"#?]+\.(?:js|css|svg))\"""")
_IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*"([^"]+\.js)\"""")


@dataclass(frozen=True)
class Page:
    """How many files a first visit fetches and of how many bytes, and how many a later one asks
    for: `no-cache` has a browser ask again for every file, which costs a request and no bytes.
    """

    files: int
    size: int
    files_again: int


def pages() -> Mapping[str, Page]:
    """Those that people visit."""
    with TemporaryDirectory() as folder:
        root = build_pages(Path(folder) / "web")
        return {path: _page(root, root / path) for path in VISITS}


def _page(root: Path, html: Path) -> Page:
    found = list(_fetched(root, html))
    size = sum(len(gzip.compress(file.read_bytes())) for file in found)
    return Page(len(found), size, len(found))


def _fetched(root: Path, html: Path) -> Iterator[Path]:
    waiting, seen = [html], set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        yield file
        pattern = _NAMED if file.suffix == ".html" else _IMPORTED
        if file.suffix in {".html", ".js"}:
            for name in pattern.findall(file.read_text(encoding="utf-8")):
                base = root if name.startswith("/") else file.parent
                waiting.append((base / name.lstrip("/")).resolve())
