"""Guards that mypy misses: without `if voucher is None: return`, the line behind it has no type.

mypy is a gate of `make check`, so what it notices need no test. It runs as a daemon on a copy of
the code, in which one guard at a time is left out of the text.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.mutations.finder import PACKAGE, ROOT, SWITCH, Guard, module_of, paths, rewritten

LEFT_OUT = {"exit", "only", "operand", "filter", "case"}


def without(path: Path, guard: str) -> str:
    """The text of a module without one of its guards."""
    tree, _ = rewritten(path)
    return ast.unparse(ast.fix_missing_locations(_Without(guard).visit(tree)))


class _Without(ast.NodeTransformer):
    """Takes the switches out again, and with them one guard."""

    def __init__(self, guard: str) -> None:
        self._guard = guard

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        is_gone = self._is_gone(node.test)
        is_exit = is_gone and isinstance(node.test, ast.BoolOp) and isinstance(
            node.test.op, ast.And
        )  # fmt: skip
        self.generic_visit(node)
        if not is_gone:
            return node
        return (node.orelse or [ast.Pass()]) if is_exit else node.body

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        if _switched(node):
            condition: ast.expr = self.visit(node.values[0])
            return condition
        node.values = [self.visit(each) for each in node.values if not self._is_gone(each)]
        return node.values[0] if len(node.values) == 1 else node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.ifs = [each for each in node.ifs if not self._is_gone(each)]
        return self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        if node.guard and self._is_gone(node.guard):
            node.guard = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not _is_switch(node):
            return node
        match ast.unparse(node.func).removeprefix(f"{SWITCH}."):
            case "on":
                return ast.Constant(True)
            case "required":
                (thunk,) = (each for each in node.args if isinstance(each, ast.Lambda))
                return thunk.body
            case "members":
                return node.args[0]
            case _:
                return node.args[-1]

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if node.arg is None and isinstance(node.value, ast.Call) and _is_switch(node.value):
            _, name, value = node.value.args
            assert isinstance(name, ast.Constant)
            assert isinstance(name.value, str)
            return ast.keyword(name.value, self.visit(value))
        return self.generic_visit(node)

    def _is_gone(self, condition: ast.expr) -> bool:
        return _switched(condition) == self._guard


def _switched(condition: ast.expr) -> str | None:
    """The guard that a condition with a switch is."""
    match condition:
        case ast.BoolOp(values=[_, ast.Call(args=[ast.Constant(value=str(name))]) as switch]):
            return name if _is_switch(switch) else None
    return None


def _is_switch(node: ast.Call) -> bool:
    return ast.unparse(node.func).startswith(f"{SWITCH}.")


def noticed(guards: Iterable[Guard], copy: Path) -> Iterator[tuple[str, str]]:
    """Those guards that mypy misses, with an error it prints; `copy` is a folder to work in."""
    shutil.copytree(ROOT / PACKAGE, copy / PACKAGE, dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", copy)
    _mypy(copy, "run", "--", PACKAGE)
    of_module = {module_of(path): path for path in paths()}
    left_out = [guard for guard in guards if guard.kind in LEFT_OUT]
    try:
        for module, of_it in groupby(left_out, key=lambda guard: guard.module):
            path = of_module[module]
            copied = copy / path.relative_to(ROOT)
            # Without its comments, a module may have errors that are ignored otherwise.
            usual = _errors(copied, without(path, ""), copy)
            for guard in of_it:
                found = _errors(copied, without(path, guard.name), copy) - usual
                if found:
                    yield guard.name, min(found)
            copied.write_text(path.read_text())
    finally:
        _mypy(copy, "stop")


def _errors(path: Path, text: str, copy: Path) -> set[str]:
    """The errors of the code with this text of one module, without their lines."""
    path.write_text(text)
    printed = _mypy(copy, "recheck")
    return {line.partition(": error: ")[2] for line in printed.splitlines() if ": error: " in line}


def _mypy(copy: Path, *arguments: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-m", "mypy.dmypy", *arguments],
        cwd=copy, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode > 1:
        raise RuntimeError(answer.stdout + answer.stderr)
    return answer.stdout
