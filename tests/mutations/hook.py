"""Importing the code with its switches (`finder`), instead of as it is written."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from tests.mutations import finder, switches


class _Loader(SourceFileLoader):
    """Compiles a module with its switches, each time: no bytecode of it is kept."""

    def get_code(self, fullname: str) -> CodeType:
        path = Path(self.get_filename(fullname))
        tree, _ = finder.rewritten(path)
        code: CodeType = compile(tree, str(path), "exec", dont_inherit=True)
        return code


class _Finder(MetaPathFinder):
    """Finds the modules that have guards."""

    def __init__(self) -> None:
        self._paths = {str(path) for path in finder.paths()}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{finder.PACKAGE}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin in self._paths:
            spec.loader = _Loader(fullname, spec.origin)
        return spec


def install() -> None:
    """From now on, import modules with their switches."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    early = [name for name in sys.modules if name.startswith(f"{finder.PACKAGE}.")]
    if early:
        raise RuntimeError(f"imported before their switches: {early}")
    setattr(builtins, finder.SWITCH, switches)
    sys.meta_path.insert(0, _Finder())
