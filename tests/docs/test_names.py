"""Every file and identifier that a document names is there today, every function has its row."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from infra.postprocess import FUNCTIONS
from tests.architecture.sources import ROOT, defined, sources, tree

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
# A release is described with the names it had.
PAGES.remove(ROOT / "CHANGELOG.md")
FILE = re.compile(r"[\w./-]+/?[\w-]+\.(?:py|yaml|js|ts|html|sh|sql|toml|json|txt|in)")
FOLDER = re.compile(
    r"(?:chalicelib|services|domain|adapters|api|mails|tests|infra|web|local|cli)/[\w/]+"
)
# A file that the reader has, S3 holds, a command makes, or a stack serves.
NOT_OURS = re.compile(
    r"(?:in|out|build|/_local)/.*|(?:mine|campaign)\.yaml|(?:answer|facts|event|mailbox|status)\.json"
    r"|(?:.*\.)?manifest\.json"
)
CODE_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE_PAGES = ("docs/laws.md", "docs/architecture.md", "docs/glossary.md", "CONTRIBUTING.md")
# Names of AWS and of the web in those pages.
FOREIGN = frozenset(["SendEmail", "ObjectCreated", "GetItem", "Unreleased"])


def _in_backticks(page: Path) -> list[str]:
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return [re.sub(r"::\w+$", "", name) for name in re.findall(r"`([^`\n]+)`", text)]


def _is_there(page: Path, name: str) -> bool:
    bases = (ROOT, ROOT / "chalicelib", ROOT / "chalicelib/services", ROOT / "tests", page.parent)
    return any((base / name).exists() for base in bases)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = [
        name
        for name in _in_backticks(page)
        if (FILE.fullmatch(name) or FOLDER.fullmatch(name)) and not NOT_OURS.fullmatch(name)
    ]
    assert [name for name in named if not _is_there(page, name)] == []


@cache
def _identifiers() -> frozenset[str]:
    files = [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
    return frozenset(name for file in files for name, _ in defined(tree(file)))


@pytest.mark.parametrize("name", CODE_PAGES)
def test_every_identifier_that_is_named_is_there(name: str) -> None:
    named = {
        part
        for text in _in_backticks(ROOT / name)
        if re.fullmatch(r"(?:[A-Z]\w+|[A-Z][A-Z_]+)(?:\.\w+)*(?:\(\))?", text)
        for part in text.removesuffix("()").split(".")
    }
    assert named
    assert named - _identifiers() - FOREIGN == set()


def test_every_function_has_a_row_in_the_architecture() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    functions = page.partition("## The functions")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", functions, re.MULTILINE)
    assert sorted(rows) == sorted(size.name for size in FUNCTIONS.values())
