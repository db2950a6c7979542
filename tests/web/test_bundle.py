"""What esbuild makes of the pages: whole, the same each time, or refused by name."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from infra import pages
from infra.deployment.pages import cache_control
from infra.pages import ASSETS, PagesError, build_pages

from .texts import LANGUAGES

_NAMED = r'(?:src|href|data-texts|data-plot)="(/[^"]+\.\w+)"'


def contents(built: Path) -> dict[str, bytes]:
    files = (file for file in built.rglob("*") if file.is_file())
    return {file.relative_to(built).as_posix(): file.read_bytes() for file in files}


def test_a_visit_fetches_few_files_of_which_a_browser_keeps_all_but_the_page(
    tmp_path: Path,
) -> None:
    built = build_pages(tmp_path / "web")
    for page in built.rglob("*.html"):
        named = re.findall(_NAMED, page.read_text(encoding="utf-8"))
        folder = page.parent.relative_to(built).as_posix()
        # A style of their own; the dashboard has later what draws the charts, too.
        further = {"dashboard": 2, "sponsor": 1}.get(folder, 0)
        assert len(named) == 3 + further + len(LANGUAGES)  # of the texts one is fetched
        assert {cache_control(name.lstrip("/")) for name in named} == {
            "public, max-age=31536000, immutable"
        }
    kept = set(contents(built))
    again = {path for path in kept if cache_control(path) == "no-cache"}
    assert again == {path for path in kept if not path.startswith(f"{ASSETS}/")}


def test_the_same_sources_make_the_same_bytes_named_by_their_content(tmp_path: Path) -> None:
    first, second = (contents(build_pages(tmp_path / name)) for name in "ab")
    assert first == second
    names = {Path(path).name for path in first if path.startswith(f"{ASSETS}/")}
    assert all(re.fullmatch(r"[0-9a-f]{16}\.(?:js|css|svg|json)", name) for name in names)


def test_a_script_is_of_one_piece_and_small(tmp_path: Path) -> None:
    for file in build_pages(tmp_path / "web").rglob("assets/*.js"):
        script = file.read_text(encoding="utf-8")
        assert not re.search(r"\bimport\b(?:[\s{\"']|\([\"'])", script), file.name
        most = 25_000 if "u-legend" in script else 21_000  # what draws the charts
        assert len(gzip.compress(script.encode())) < most, file.name


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one page, to be spoilt."""
    folder = tmp_path / "web"
    (folder / "shared").mkdir(parents=True)
    (folder / "frame").mkdir()
    (folder / "index.html").write_text('{% set script = "/page.js" %}{{ script_address }}')
    (folder / "page.js").write_text("console.log(1);\n")
    (folder / "shared/frame.js").write_text("console.log(2);\n")
    monkeypatch.setattr(pages, "WEB", folder)
    monkeypatch.setattr(pages, "FRAME", folder / "frame")
    return folder


@pytest.mark.usefixtures("web")
def test_a_page_has_its_own_script_and_that_of_every_page(tmp_path: Path) -> None:
    built = build_pages(tmp_path / "built")
    script = built / (built / "index.html").read_text(encoding="utf-8").lstrip("/")
    assert script.read_text(encoding="utf-8") == "console.log(1);console.log(2);\n"


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("page.js", 'import "./none.js";\n', r'page.js:1: Could not resolve "./none.js"'),
        ("page.js", "const = 1;\n", "page.js:1: Expected identifier"),
        ("page.js", 'import { a } from "./shared/frame.js";\na();\n',
         'page.js:1: Import "a" will always be undefined'),
        ("page.js", "if (x === NaN) y();\n", "page.js:1: Comparison with NaN"),
        ("style.css", "p { color: red\n", "style.css:2: Expected"),
        ("index.html", "no script", "web/index.html sets no script"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_refused_with_its_file_and_line(
    web: Path, tmp_path: Path, file: str, text: str, complaint: str
) -> None:
    (web / file).write_text(text)
    with pytest.raises(PagesError, match=re.escape(complaint)):
        build_pages(tmp_path / "built")
    assert not (tmp_path / "built").exists()


@pytest.mark.parametrize("text", ["</b>", "<!--"])
def test_a_script_that_html_would_misread_does_not_stand_in_it(
    web: Path, tmp_path: Path, text: str
) -> None:
    early = '{% set early = "/early.js" %}{{ early_script|safe }}'
    (web / "index.html").write_text((web / "index.html").read_text() + early)
    (web / "early.js").write_text('console.log("<b>");\n')
    built = build_pages(tmp_path / "built") / "index.html"
    assert built.read_text().endswith('(()=>{console.log("<b>");})();')
    (web / "early.js").write_text(f'console.log("{text}");\n')
    with pytest.raises(PagesError, match=r"web/early.js cannot stand in HTML"):
        build_pages(tmp_path / "built")


@pytest.mark.usefixtures("web")
def test_without_node_the_error_says_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "NODE", tmp_path / "none")
    with pytest.raises(PagesError, match="make node"):
        build_pages(tmp_path / "built")
