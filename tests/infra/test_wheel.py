"""The retailer's wheel: small, the same each time, and whole without the repository."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from chalicelib.domain.files.manifest import parse_manifest
from chalicelib.domain.files.orders import COLUMNS
from cli.campaign_file import campaign_text
from cli.hashing.manifest import canaries
from cli.key_files import digest_key
from infra.package import ROOT, PackageError
from infra.wheel import CHECK, ENTRY, REQUIRES, build, closure
from tests.fakes.campaign import campaign
from tests.infra.wheels import retailers_tandem

VECTORS = json.loads((ROOT / "docs/vectors/digests.json").read_bytes())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


def test_the_same_sources_give_the_same_bytes(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    mask = os.umask(0o077)
    try:
        again = build(tmp_path)
    finally:
        os.umask(mask)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert build(tmp_path).read_bytes() != wheel.read_bytes()


def test_it_says_what_it_is_and_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        said = message_from_bytes(content.read(metadata))
    assert wheel.name == f"tandem_client-{said['Version']}-py3-none-any.whl"
    assert f'version = "{said["Version"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert said["License-Expression"] == "Apache-2.0"
    assert "tandem manifest full.csv.gz" in str(said.get_payload())
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    declared = said.get_all("Requires-Dist", [])
    assert {one.partition("<")[0] for one in declared} == {*REQUIRES, *CHECK}
    assert [one for one in declared if "extra" in one] == ['boto3<2,>=1.35; extra == "check"']
    assert all(">=" in one and "<" in one for one in declared)


def test_it_holds_what_the_command_imports_and_no_more(wheel: Path) -> None:
    expected = {str(path.relative_to(ROOT)) for path in closure(ROOT).files}
    with zipfile.ZipFile(wheel) as content:
        held = {name for name in content.namelist() if ".dist-info/" not in name}
    assert held == expected | {"cli/client/digests.json"}
    assert not [
        name for name in held if name.startswith(("chalicelib/adapters", "chalicelib/serv"))
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import httpx", "every command of the wheel would need httpx"),
        ("import boto3", "every command of the wheel would need boto3"),
        ("from chalicelib.services import ports", "would hold the backend's .*services/ports.py"),
        ("from cli import connection", "would hold the backend's chalicelib/adapters/"),
    ],
)
def test_what_a_client_has_no_use_for_cannot_slip_in(tmp_path: Path, line: str, said: str) -> None:
    for folder in ("chalicelib", "cli"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    entry = tmp_path.joinpath(*ENTRY.split(".")).with_suffix(".py")
    entry.write_text(f"{entry.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    with pytest.raises(PackageError, match=said):
        build(tmp_path / "wheel", tmp_path)


@pytest.fixture(scope="module")
def tandem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment without the extra."""
    return retailers_tandem(tmp_path_factory.mktemp("retailer"), with_check=False)


def run(tandem: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it far from the repository."""
    kept = {"PATH": os.defpath, "HOME": str(folder)}
    return subprocess.run(
        [tandem, *words], cwd=folder, env=kept, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_it_hashes_checks_and_explains_without_the_repository(tandem: Path, tmp_path: Path) -> None:
    (tmp_path / "k.key").write_text(VECTORS["hmac_key_hex"])
    addresses = "".join(f'"{case["address"]}"\n' for case in VECTORS["cases"])
    # So many that blocks go to processes of their own.
    (tmp_path / "in.csv").write_text(f"email\n{addresses * 4000}", encoding="utf-8")
    key = ["--key-id", "k", "--key-file", "k.key"]
    options = ["--column", "email", *key, "--jobs", "2", "-o", "full.csv.gz"]
    done = run(tandem, tmp_path, "hash", "in.csv", *options)
    assert (done.returncode, done.stderr) == (0, "")
    written = (tmp_path / "full.manifest.json").read_bytes()
    done = run(tandem, tmp_path, "manifest", "full.csv.gz", *key)
    assert (done.returncode, done.stderr) == (0, "")
    again = parse_manifest((tmp_path / "full.manifest.json").read_bytes())
    first = parse_manifest(written)
    assert (again.rows, again.sha256, again.canaries) == (first.rows, first.sha256, first.canaries)
    assert again.canaries == tuple(canaries(digest_key("k", tmp_path / "k.key"), 2))
    assert again.sha256 == hashlib.sha256((tmp_path / "full.csv.gz").read_bytes()).hexdigest()
    done = run(tandem, tmp_path, "client", "check", *key, "--list", "full.csv.gz", "--json")
    states = {one["what"]: one["state"] for one in json.loads(done.stdout)["findings"]}
    assert states == {"recipe": "ok", "key": "ok", "list": "ok", "manifest": "ok"}
    assert run(tandem, tmp_path, "--version").stdout.startswith("tandem 0.")
    done = run(tandem, tmp_path, "client", "check", "https://api.example/api")
    assert (done.returncode, "pip install 'tandem-client[check]'" in done.stderr) == (1, True)


@pytest.mark.slow
def test_it_says_what_a_file_would_do_by_a_campaign_file_alone(
    tandem: Path, tmp_path: Path
) -> None:
    rules = campaign(files={"orders": {"delimiter": ";", "decimal": ","}})
    branded = rules.model_copy(
        update={"brand": rules.brand.model_copy(update={"logo": "logo.svg"})}
    )
    (tmp_path / "campaign.yaml").write_text(campaign_text(branded), encoding="utf-8")
    header, digest = ";".join(COLUMNS), "ab" * 32
    good = f"A1;2026-03-01T10:00:00+01:00;{digest};;80,00;EUR;placed"
    (tmp_path / "good.csv").write_text(f"{header}\n{good}\n", encoding="utf-8")
    bad = good.replace("80,00", "80.00")
    (tmp_path / "bad.csv").write_text(f"{header}\n{good}\n{bad}\n", encoding="utf-8")
    by_file = ["--campaign-file", "campaign.yaml"]
    done = run(tandem, tmp_path, "file", "check", "orders", "good.csv", *by_file, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    receipt = json.loads(done.stdout)
    assert (receipt["status"], receipt["accepted"]) == ("accepted", 1)
    assert receipt["read_as"]["decimal"] == ","
    done = run(tandem, tmp_path, "file", "check", "orders", "bad.csv", *by_file)
    assert done.returncode == 1
    assert done.stderr.startswith("bad.csv:3: amount_other_decimal: ")
    (tmp_path / "campaign.yaml").write_text("campaign: 7\n", encoding="utf-8")
    done = run(tandem, tmp_path, "file", "check", "orders", "good.csv", *by_file)
    assert done.returncode == 1
    assert "campaign.yaml:1:11: campaign: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_no_module_of_it_needs_more_than_it_declares(tandem: Path, tmp_path: Path) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(closure(ROOT).files)
    ]
    script = f"import importlib\nfor name in {modules}: importlib.import_module(name)"
    python = tandem.with_name(f"python{sys.version_info[0]}")
    done = subprocess.run(
        [python, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    backend = subprocess.run(
        [python, "-I", "-c", "import chalicelib.services"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "ModuleNotFoundError" in backend.stderr
