"""No module of infra/ or local/ imports another one that comes back to it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from infra.package import ROOT

Graph = Mapping[str, set[str]]


def module_of(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph(root: Path, *packages: str) -> Graph:
    """What each module imports of these packages, wherever in its text, types included."""
    files = {module_of(file, root): file for p in packages for file in (root / p).rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for name, file in files.items():
        named: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names} & files.keys()
                named |= inner or {node.module}
            elif isinstance(node, ast.Constant) and node.value in files:
                named.add(node.value)  # given to importlib
        graph[name] = (named & files.keys()) - {name}
    return graph


def circle(graph: Graph) -> list[str]:
    """The modules of one circle, in order; none where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_the_imports_of_infra_and_local_form_no_circle() -> None:
    graph = import_graph(ROOT, "infra", "local")
    assert "local.running" in graph["local.story"]
    assert circle(graph) == []


@pytest.mark.parametrize(
    "back",
    [
        "from local.story import play",
        "from local import story",
        "import local.story",
        "if False:\n    from local.story import play",
        "def later():\n    from local.story import play",
        "import importlib\nimportlib.import_module('local.story')",
    ],
)
def test_a_circle_is_found_however_it_is_hidden(tmp_path: Path, back: str) -> None:
    package = tmp_path / "local"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "story.py").write_text("from local.stack import Stack\n")
    (package / "stack.py").write_text(back + "\n")
    assert set(circle(import_graph(tmp_path, "local"))) == {"local.story", "local.stack"}
