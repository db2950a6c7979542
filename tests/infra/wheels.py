"""The retailer's wheel in an environment of its own: what it declares is there, and nothing else.

What it needs is copied from this environment, one distribution after the other as each declares it,
so that an import of anything that is not declared fails, and no index is asked.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from infra.wheel import CHECK, REQUIRES, build

VERSIONED = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def retailers_tandem(folder: Path, *, with_check: bool) -> Path:
    """The `tandem` of a fresh environment with the wheel, with its extra or without."""
    wheel = build(folder / "wheel")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    packages = environment / "lib" / VERSIONED / "site-packages"
    for one in needed({**REQUIRES, **CHECK} if with_check else dict(REQUIRES)):
        _copy(one, packages)
    subprocess.run(
        [environment / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         "--disable-pip-version-check", wheel],
        check=True, cwd=folder,
    )  # fmt: skip
    return environment / "bin/tandem"


def needed(requires: dict[str, str]) -> list[Distribution]:
    """The distributions that these declare, and those that they declare in turn, in the ranges that
    are asked for.
    """
    waiting = [Requirement(f"{name}{versions}") for name, versions in requires.items()]
    found: dict[str, Distribution] = {}
    while waiting:
        wanted = waiting.pop()
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        one = distribution(wanted.name)
        assert wanted.specifier.contains(one.version, prereleases=True), (wanted, one.version)
        if one.name not in found:
            found[one.name] = one
            waiting += map(Requirement, one.requires or ())
    return list(found.values())


def _copy(one: Distribution, packages: Path) -> None:
    for file in one.files or ():
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        target = packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)
