"""Packages the app: sources in, build/<target>/{template.json,deployment.zip,layer-*.zip} out.

Stages, each cached by the hash of what goes into it:

    requirements.txt ──pip──► vendor (trimmed) ─┐
    app.py, chalicelib ─────────────────────────┼─► chalice package ─► postprocess ─► template.json
    resources.yaml ─────────────────────────────┘                  └─► bytecode ───► deployment.zip
    requirements-{layer}.txt ──pip──► (trimmed) ──► bytecode ──────────► layer-{layer}.zip

Two targets: `local` for this machine's interpreter (the emulator runs functions on it) and `aws`
for python3.13 on arm64, which needs a python3.13 here to write its bytecode. The price of
bytecode in the zip is its size, about a third more; it halves the time of a cold start.

Refuses to guess: a missing interpreter or a failed tool ends in one `PackageError`.
Neighbours: trimming.py (what is left out), record_generated.py (what dataclasses would compile),
postprocess/ (the template), local/stack.py and deploy.sh (who use the result).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml

from infra.postprocess import LAYERS, complete
from infra.postprocess.layers import Layer
from infra.trimming import trim, trim_layer

ROOT: Final = Path(__file__).resolve().parent.parent

# Whatever is installed is installed again when one of them changes.
PACKAGERS: Final = tuple(ROOT / "infra" / name for name in ("package.py", "trimming.py"))
RUNTIME_VERSION: Final = (3, 13)  # which the functions run on
# What pages say is no part of the functions.
PAGE_CATALOGUES: Final = frozenset({"pages.po", "dashboard.po"})
RECORDER: Final = ROOT / "infra/record_generated.py"
# The smallest time a zip can carry; equal inputs give equal bytes.
ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


class PackageError(RuntimeError):
    """Packaging cannot go on; the message is one line and says what to do."""


@dataclass(frozen=True)
class Target:
    """For whom the zip is built."""

    name: str
    runtime: str
    architecture: str
    python: str  # interpreter that writes the bytecode
    pip_options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Package:
    """A finished package; `digest` changes when, and only when, an input does."""

    template: Path
    code: Path
    layers: Mapping[str, Path]  # the zip of each layer, by its name
    digest: str


def runtime_python() -> str | None:
    """An interpreter of the version that the functions run on; None when there is none here.

    `python3.13` on the PATH may be a shim of pyenv that does not start: then pyenv's own is taken.
    """
    versions = sorted((Path.home() / ".pyenv/versions").glob("3.13.*/bin/python3.13"))
    candidates = [os.environ.get("TANDEM_PYTHON313"), shutil.which("python3.13"), *versions]
    return next((str(found) for found in candidates if found and _is_runtime(str(found))), None)


def _is_runtime(python: str) -> bool:
    ask = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.split() == list(map(str, RUNTIME_VERSION))


def local_target() -> Target:
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Target("local", runtime, machine, sys.executable)


def aws_target() -> Target:
    python = runtime_python()
    if python is None:
        raise PackageError("python3.13 is needed to package for AWS: install it, or set "
                           "TANDEM_PYTHON313 to its path")  # fmt: skip
    options = (
        "--platform=manylinux2014_aarch64",
        "--platform=manylinux_2_28_aarch64",
        "--implementation=cp",
        "--python-version=3.13",
        "--only-binary=:all:",
    )
    return Target("aws", "python3.13", "arm64", python, options)


def package(
    target: Target,
    *,
    source: Path = ROOT,
    build: Path = ROOT / "build",
    say: Callable[[str], None] = lambda _text: None,
) -> Package:
    """Build, or find built, the package of the app in `source` (app.py and chalicelib/).

    Processes that ask at the same time wait for one another; all but the first find it built.
    `say` is called with each step that takes a while.
    """
    for directory in (build, ROOT / "build"):
        directory.mkdir(parents=True, exist_ok=True)
    with (ROOT / "build/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _package(target, source, build, say)


def _package(target: Target, source: Path, build: Path, say: Callable[[str], None]) -> Package:
    out = build / target.name
    digest = _digest_of(_inputs(source), source, repr(target))
    stamp = out / "digest"
    zips = {layer.name: out / layer.zipped for layer in LAYERS.values()}
    made = Package(out / "template.json", out / "deployment.zip", zips, digest)
    if stamp.is_file() and stamp.read_text() == digest:
        return made
    say("packaging: installing what the functions need")
    vendor = _vendor(target, build)
    say("packaging: installing what layers hold")
    layers = {layer.name: _layer(layer, target, build) for layer in LAYERS.values()}
    say("packaging: the app, by chalice, with bytecode")
    out.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="package-", dir=build) as scratch:
        staged = Path(scratch, "app")
        _stage(source, vendor, staged)
        _compile_mails(staged)
        _run([_tool("chalice"), "package", "--stage", "tandem", "--template-format", "json",
              "--merge-template", str(ROOT / "infra/resources.yaml"), str(Path(scratch, "out"))],
             cwd=staged)  # fmt: skip
        packaged = yaml.safe_load(Path(scratch, "out/sam.yaml").read_text(encoding="utf-8"))
        template = complete(packaged, runtime=target.runtime, architecture=target.architecture)
        made.template.write_text(json.dumps(template, indent=1) + "\n", encoding="utf-8")
        with zipfile.ZipFile(Path(scratch, "out/deployment.zip")) as archive:
            archive.extractall(Path(scratch, "code"))
        _record_generated(Path(scratch, "code"), target, build)
        _zip_with_bytecode(Path(scratch, "code"), made.code, target)
    for name, zipped in layers.items():
        shutil.copyfile(zipped, made.layers[name])
    stamp.write_text(digest)
    return made


def _inputs(source: Path) -> Iterator[Path]:
    yield source / "app.py"
    yield ROOT / "requirements.txt"
    for layer in LAYERS.values():
        yield ROOT / layer.requirements
    yield ROOT / "requirements-demo.txt"  # names the version of Chalice
    yield ROOT / ".chalice/config.json"
    yield from PACKAGERS
    yield RECORDER
    yield ROOT / "infra/resources.yaml"
    yield from sorted((ROOT / "infra/postprocess").glob("*.py"))
    for path in sorted((source / "chalicelib").rglob("*")):
        left_out = {"__pycache__", "compiled", *PAGE_CATALOGUES}
        if path.is_file() and left_out.isdisjoint(path.parts):
            yield path


def _digest_of(paths: Iterator[Path], base: Path, *more: str) -> str:
    digest = hashlib.sha256("\0".join([sys.version, *more]).encode())
    for path in paths:
        if not path.is_file():
            raise PackageError(f"{path} is missing: nothing to package")
        name = path.relative_to(base) if path.is_relative_to(base) else path.name
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _compile_mails(staged: Path) -> None:
    """Compile templates and catalogues of mails in the copy alone: a tree with stale ones would
    render those. What they were compiled from stays behind.
    """
    if (staged / "chalicelib/mails/compile.py").is_file():
        _run([sys.executable, "-B", "-m", "chalicelib.mails.compile"], cwd=staged)
        shutil.rmtree(staged / "chalicelib/texts")


def _vendor(target: Target, build: Path) -> Path:
    """The dependencies of the functions, installed from hashes and trimmed."""
    requirements = ROOT / "requirements.txt"
    key = _digest_of(iter([requirements, *PACKAGERS]), ROOT, repr(target))
    vendor = build / "vendor" / f"{target.name}-{key[:16]}"
    if vendor.is_dir():
        return vendor
    vendor.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vendor-", dir=build) as scratch:
        fresh = Path(scratch, "vendor")
        _install(requirements, fresh, target)
        trim(fresh)
        fresh.rename(vendor)
    return vendor


def _layer(layer: Layer, target: Target, build: Path) -> Path:
    """The zip of a layer: packages below python/, where the functions of Lambda look for them."""
    requirements = ROOT / layer.requirements
    key = _digest_of(iter([requirements, *PACKAGERS]), ROOT, repr(target))
    zipped = build / "vendor" / f"{target.name}-{layer.name}-{key[:16]}.zip"
    if zipped.is_file():
        return zipped
    zipped.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="layer-", dir=build) as scratch:
        fresh = Path(scratch, "python")
        _install(requirements, fresh, target)
        trim_layer(layer.name, fresh)
        _zip_with_bytecode(Path(scratch), zipped, target)
    return zipped


def _install(requirements: Path, into: Path, target: Target) -> None:
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps",
          "--disable-pip-version-check", "--require-hashes", f"--target={into}",
          *target.pip_options, "-r", str(requirements)], cwd=ROOT)  # fmt: skip


def _stage(source: Path, vendor: Path, staged: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(source / "chalicelib", staged / "chalicelib", ignore=ignore)
    shutil.copytree(vendor, staged / "vendor")
    shutil.copyfile(source / "app.py", staged / "app.py")
    (staged / ".chalice").mkdir()
    shutil.copyfile(ROOT / ".chalice/config.json", staged / ".chalice/config.json")
    # Empty, or Chalice would resolve and download on its own, without hashes.
    (staged / "requirements.txt").write_text("")


def _record_generated(tree: Path, target: Target, build: Path) -> None:
    """Put the code that dataclasses generate into the tree; to meet it, all of it is imported."""
    here = _vendor(_on_this_machine(target), build)
    _run([target.python, "-B", "-I", "-S", str(RECORDER), str(tree), str(here)], cwd=tree)


def _on_this_machine(target: Target) -> Target:
    """The same Python, with packages that this machine can load."""
    options = tuple(one for one in target.pip_options if not one.startswith("--platform"))
    return (
        target
        if options == target.pip_options
        else replace(target, name=f"{target.name}-here", pip_options=options)
    )


def _zip_with_bytecode(tree: Path, out: Path, target: Target) -> None:
    """Zip `tree` with bytecode that is never checked against its source."""
    _run([target.python, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode",
          "unchecked-hash", "-s", str(tree), str(tree)], cwd=tree)  # fmt: skip
    fresh = out.with_suffix(".part")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), ZIP_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())
    fresh.replace(out)


def _tool(name: str) -> str:
    path = Path(sys.executable).parent / name
    if not path.is_file():
        raise PackageError(f"{name} is not beside {sys.executable}: run `make env`")
    return str(path)


def _run(command: Sequence[str], *, cwd: Path) -> None:
    """Run a tool to its end; its last words are in the error if it fails."""
    # Chalice asks for a region although packaging reaches no network.
    # The order of a set in bytecode is that of its hashes.
    environment = {**os.environ, "AWS_DEFAULT_REGION": "eu-west-3", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        words = (done.stderr or done.stdout)[-2000:]
        raise PackageError(f"{' '.join(command[:3])} failed:\n{words}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--target", choices=("local", "aws"), default="local")
    options = parser.parse_args(arguments)
    try:
        made = package(aws_target() if options.target == "aws" else local_target())
    except PackageError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print(made.template.relative_to(ROOT))
    for zipped in (made.code, *made.layers.values()):
        print(f"{zipped.relative_to(ROOT)} ({zipped.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
