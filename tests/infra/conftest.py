"""The packaged template and zips, and a local stack of them, made once for every test here."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.package import Package, local_target, package
from local.running import Stack
from local.stack import running_stack

Template = dict[str, Any]
Resource = dict[str, Any]


@pytest.fixture(scope="session")
def made() -> Package:
    return package(local_target())


@pytest.fixture(scope="session")
def template(made: Package) -> Template:
    found: Template = json.loads(made.template.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def resources(template: Template) -> dict[str, Resource]:
    found: dict[str, Resource] = template["Resources"]
    return found


@pytest.fixture
def unpacked(made: Package, tmp_path: Path) -> Path:
    with zipfile.ZipFile(made.code) as archive:
        archive.extractall(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # A client with some of the campaigns, so that the others are seen to be closed to it.
    parameters = {"ClientCampaigns": "demo-*"}
    directory = tmp_path_factory.mktemp("stack")
    with running_stack(directory=directory, parameters=parameters) as running:
        yield running
