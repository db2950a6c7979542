"""The project's own source files, parsed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("chalicelib", "cli", "bench", "infra", "local")
GENERATED = ROOT / "chalicelib" / "mails" / "compiled"


def sources(*packages: str) -> list[Path]:
    """The hand-written modules of these packages, in order; without any, all of them and app.py."""
    named = packages or PACKAGES
    found = [file for package in named for file in sorted((ROOT / package).rglob("*.py"))]
    own = [file for file in found if GENERATED not in file.parents]
    return own if packages else [ROOT / "app.py", *own]


@cache
def tree(file: Path) -> ast.Module:
    """A module, parsed."""
    return ast.parse(file.read_text())


def name_of(file: Path) -> str:
    """For test ids and messages."""
    return str(file.relative_to(ROOT))


def words(identifier: str) -> set[str]:
    """`sendMailTo_user` → send, mail, to, user."""
    spaced = "".join(f" {c}" if c.isupper() else c for c in identifier.replace("_", " "))
    return set(spaced.lower().split())


def defined(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Every identifier that a module gives to something itself, and its line."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno
