"""The built pages: complete, self-contained, and nothing but pages."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from chalicelib.api.page_policy import PAGE_POLICY
from infra import pages
from infra.pages import build_pages

from .texts import LANGUAGES

PAGES = (
    "404.html",
    "dashboard/index.html",
    "index.html",
    "privacy/index.html",
    "referee/index.html",
    "sign-in-stop/index.html",
    "sponsor/index.html",
    "unsubscribe/index.html",
)


INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def inline_hashes(page: str) -> list[str]:
    """How a content security policy names each script that stands in this HTML."""
    digests = (hashlib.sha256(script.encode()).digest() for script in INLINE.findall(page))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_pages(tmp_path_factory.mktemp("built") / "web")


def test_the_eight_pages_are_built_and_nothing_of_what_they_are_made_from(built: Path) -> None:
    html = sorted(file.relative_to(built).as_posix() for file in built.rglob("*.html"))
    assert html == sorted(PAGES)
    assert {file.suffix for file in built.rglob("*.*")} == {".html", ".js", ".css", ".svg", ".json"}
    assert not list(built.rglob("*.d.ts"))
    assert not (built / "frame").exists()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_its_files_are_there(built: Path, name: str) -> None:
    page = (built / name).read_text("utf-8")
    assert page.startswith("<!doctype html>\n")
    assert page.count("<head>") == page.count("<main ") == page.count("</html>") == 1
    assert "<h1" in page
    assert not re.search(r"\{[{%#]", page)
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        named = built / address.lstrip("/")
        assert (named / "index.html" if address.endswith("/") else named).is_file(), address


@pytest.mark.parametrize("name", PAGES)
def test_only_the_landing_page_may_be_indexed(built: Path, name: str) -> None:
    page = (built / name).read_text("utf-8")
    assert ('content="noindex"' in page) == (name != "index.html")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_no_other_origin_and_holds_one_script_at_most(built: Path, name: str) -> None:
    page = (built / name).read_text("utf-8")
    assert re.findall(r"""(?:src|href|action)="(?!/|#)""", page) == []
    assert re.findall(r"<style|\s(?:on\w+|style)=", page) == []
    assert len(re.findall(r"<script(?![^>]*src=)", page)) == len(inline_hashes(page)) <= 1


def test_the_policy_names_the_scripts_that_stand_in_pages_and_no_other(built: Path) -> None:
    """Changed? The digests stand in chalicelib/api/page_policy.py and infra/resources.yaml."""
    texts = [(built / name).read_text("utf-8") for name in sorted(PAGES)]
    wanted = [digest for text in texts for digest in inline_hashes(text)]
    assert re.findall(r"'sha256-[^']+'", PAGE_POLICY) == wanted


def test_the_digest_is_that_of_the_script_as_it_stands_there() -> None:
    """The example of the recommendation Content Security Policy Level 2, § 7.2."""
    page = "<script>alert('Hello, world.');</script><script type=\"module\">other()</script>"
    assert inline_hashes(page) == ["'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_switched_to_every_language_that_has_texts(built: Path, name: str) -> None:
    buttons = re.findall(r'data-language="(\w+)"', (built / name).read_text("utf-8"))
    assert tuple(buttons) == LANGUAGES


def test_building_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    (tmp_path / "old.html").touch()
    assert not (build_pages(tmp_path) / "old.html").exists()


def test_a_page_that_does_not_say_whether_it_may_be_indexed_is_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = tmp_path / "web"
    web.mkdir()
    for script in ("s.js", pages.OF_EVERY_PAGE.lstrip("/")):
        (web / script).parent.mkdir(exist_ok=True)
        (web / script).touch()
    shutil.copytree(pages.WEB / "frame", web / "frame", dirs_exist_ok=True)
    (web / "index.html").write_text(
        '{% extends "frame/page.html" %}\n{% set title = "t" %}\n{% set script = "/s.js" %}\n'
        "{% block main %}{% endblock %}\n"
    )
    monkeypatch.setattr(pages, "WEB", web)
    monkeypatch.setattr(pages, "FRAME", web / "frame")
    with pytest.raises(UndefinedError, match="indexed"):
        build_pages(tmp_path / "built")
