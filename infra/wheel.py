"""Builds the retailer's wheel: `python -m infra.wheel`.

What goes in is what `cli/client/main.py` imports of this tree, found by following its imports, with
the published digests, the licence and a README. The same sources give the same bytes: times are
SOURCE_DATE_EPOCH, modes are set, and what builds it is pinned. Refuses an import of a package that
the wheel does not declare, boto3 where it would be loaded by every command, and any part of the
backend but the domain.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.client.main import DISTRIBUTION
from infra.package import ROOT, PackageError

ENTRY: Final = "cli.client.main"
TARGET: Final = ROOT / "build/wheel"
OWN: Final = ("chalicelib", "cli")
SHARED: Final = ("cli/", "chalicelib/__init__.py", "chalicelib/starting.py", "chalicelib/domain/")
REQUIRES: Final[Mapping[str, str]] = {
    "idna": ">=3.7,<4",
    "pydantic": ">=2.11,<3",
    "pyyaml": ">=6,<7",
    "rich": ">=13.7,<16",
    "typer": ">=0.15,<1",
}
CHECK: Final[Mapping[str, str]] = {"boto3": ">=1.35,<2"}
# Disposable domains decide who is invited: they are imported where that is asked for, by nothing
# that a client runs. The core of pydantic comes with it, in the one version that it works with.
NOT_REACHED: Final = frozenset({"disposable_email_domains", "pydantic_core"})
# Imported within functions alone, by a check of AWS, which says so where it is missing.
_OF_CHECK: Final = frozenset({"boto3", "botocore"})
_PACKAGE_OF: Final[Mapping[str, str]] = {"yaml": "pyyaml"}  # where it has another name
_FIRST_TIME: Final = "315532800"  # 1980, where the times of a zip begin
DATA: Final[Mapping[str, str]] = {"docs/vectors/digests.json": "cli/client/digests.json"}


@dataclass(frozen=True)
class Closure:
    """The files of this tree that a module needs, and the other packages that these import, in all
    and as soon as they are imported themselves.
    """

    files: frozenset[Path]
    others: frozenset[str]
    at_once: frozenset[str]


def main() -> None:
    """Build it; print where it is."""
    print(build(TARGET).relative_to(ROOT))


def build(target: Path, root: Path = ROOT) -> Path:
    """The wheel, in the folder `target`. Raises PackageError."""
    found = closure(root)
    _require_little(root, found)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        _fill(stage, root, found)
        name = _built(stage)
        return Path(shutil.copy2(stage / "dist" / name, target / name))


def _require_little(root: Path, found: Closure) -> None:
    """Raises PackageError when the wheel would hold or need what a client has no use for."""
    inside = {str(path.relative_to(root)) for path in found.files}
    if backend := sorted(path for path in inside if not path.startswith(SHARED)):
        raise PackageError(f"the wheel would hold the backend's {', '.join(backend)}")
    packages = {_PACKAGE_OF.get(name, name) for name in found.others}
    undeclared = packages - set(REQUIRES) - _OF_CHECK - NOT_REACHED
    if undeclared := undeclared | found.at_once & _OF_CHECK:
        raise PackageError(f"every command of the wheel would need {', '.join(sorted(undeclared))}")


def closure(root: Path, entry: str = ENTRY) -> Closure:
    """What `entry` imports of this tree, and that in turn."""
    files: set[Path] = set()
    others: set[str] = set()
    at_once: set[str] = set()
    waiting = [entry]
    while waiting:
        for path in _files_of(root, waiting.pop()) - files:
            files.add(path)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = set(_imports(ast.walk(tree)))
            waiting += sorted(name for name in names if name.partition(".")[0] in OWN)
            others |= {name.partition(".")[0] for name in names}
            at_once |= {name.partition(".")[0] for name in _imports(tree.body)}
    known = {*sys.stdlib_module_names, *OWN}
    return Closure(frozenset(files), frozenset(others - known), frozenset(at_once - known))


def _files_of(root: Path, module: str) -> set[Path]:
    """The file of a module or of a package, and those of the packages that it is in."""
    parts = module.split(".")
    found = {root.joinpath(*parts[:count], "__init__.py") for count in range(1, len(parts) + 1)}
    found.add(root.joinpath(*parts).with_suffix(".py"))
    return {path for path in found if path.is_file()}


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The modules that these nodes import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _fill(stage: Path, root: Path, found: Closure) -> None:
    """Put the sources, the data and a pyproject.toml where the wheel is built."""
    copies = {path: path.relative_to(root) for path in found.files}
    copies |= {root / source: Path(inside) for source, inside in DATA.items()}
    copies |= {root / "LICENSE": Path("LICENSE"), root / "cli/client/README.md": Path("README.md")}
    for source, inside in copies.items():
        copy = stage / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        copy.chmod(0o644)
    packages = sorted({str(path.parent).replace("/", ".") for path in copies.values()} - {"."})
    (stage / "pyproject.toml").write_text(_project(packages, _version(root)), encoding="utf-8")


def _version(root: Path) -> str:
    for line in (root / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("version = "):
            return line.partition('"')[2].rstrip('"')
    raise PackageError("pyproject.toml names no version")


def _project(packages: list[str], version: str) -> str:
    return f"""\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "{DISTRIBUTION}"
version = "{version}"
description = "Digests, manifests and checks for the systems of a client of Tandem"
readme = "README.md"
license = "Apache-2.0"
license-files = ["LICENSE"]
requires-python = ">=3.11"
dependencies = {_ranges(REQUIRES)}

[project.optional-dependencies]
check = {_ranges(CHECK)}

[project.scripts]
tandem = "{ENTRY}:app"

[tool.setuptools]
packages = {packages}
package-data = {{"cli.client" = ["digests.json"]}}
"""


def _ranges(requires: Mapping[str, str]) -> list[str]:
    return [f"{name}{versions}" for name, versions in sorted(requires.items())]


def _built(stage: Path) -> str:
    """The name of the wheel that setuptools makes in `dist`. Raises PackageError."""
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", _FIRST_TIME),
        "PYTHONHASHSEED": "0",
    }
    script = (
        "import os; os.umask(0o022); from setuptools import build_meta as b; b.build_wheel('dist')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=stage, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PackageError(f"the wheel could not be built: {done.stderr.strip()[-500:]}")
    (wheel,) = (stage / "dist").glob("*.whl")
    return wheel.name


if __name__ == "__main__":
    main()
