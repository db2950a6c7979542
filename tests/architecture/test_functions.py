"""What Lambda imports for each function: all of its own work, and nothing of the API's."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import pytest

import app
from chalicelib.functions import handler_of
from infra.postprocess.functions import API, FUNCTIONS, handler
from tests import functions
from tests.architecture.sources import ROOT

WORKERS = {id_: size for id_, size in FUNCTIONS.items() if id_ != API}
# What a start has loaded, and which models of pydantic it has built.
LOADED = """
import json, sys
import {module}
from pydantic import BaseModel

def models(of):
    for one in of.__subclasses__():
        yield one
        yield from models(one)

ours = [one for one in models(BaseModel) if one.__module__.startswith("chalicelib.")]
built = [one.__qualname__ for one in ours if one.__pydantic_complete__]
print(json.dumps({{"loaded": sorted(sys.modules), "built": built}}))
"""
# Whatever only one route, only a list or only a mail needs.
HEAVY = {"boto3", "chalice", "cryptography", "dns", "jinja2", "numpy", "segno", "typer", "yaml"}
TEMPLATES = {"mail"}  # which renders them


def start(module: str) -> dict[str, list[str]]:
    """What a fresh process has loaded once it has imported what Lambda imports."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("logical_id", WORKERS)
def test_a_start_loads_nothing_of_the_api_or_of_other_functions(logical_id: str) -> None:
    name = WORKERS[logical_id].name
    module = handler(logical_id, WORKERS[logical_id]).rpartition(".")[0]
    found = start(module)
    loaded = set(found["loaded"])
    assert module in loaded
    assert not {one for one in loaded if one == "app" or one.startswith("chalicelib.api")}
    others = {one for one in loaded if one.startswith("chalicelib.functions.")}
    assert others == {module}
    allowed = {"jinja2"} if name in TEMPLATES else set()
    assert {one.partition(".")[0] for one in loaded} & HEAVY <= allowed


@pytest.mark.parametrize("module", ["app", "chalicelib.functions.relay"])
def test_a_start_builds_no_model(module: str) -> None:
    assert start(module)["built"] == []


@pytest.mark.parametrize("logical_id", WORKERS)
def test_the_app_the_template_and_the_tests_call_the_same_handler(logical_id: str) -> None:
    name = WORKERS[logical_id].name
    module, _, attribute = handler(logical_id, WORKERS[logical_id]).rpartition(".")
    called = getattr(import_module(module), attribute)
    assert called is handler_of(name)
    assert called is getattr(functions, name)


def test_the_tests_have_every_handler_and_no_other() -> None:
    assert sorted(functions.__all__) == sorted(size.name for size in WORKERS.values())


@pytest.mark.parametrize("name", functions.__all__)
def test_the_handlers_of_the_app_hand_on_what_lambda_gives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chalice's own tools call these, such as its test client."""
    monkeypatch.setattr(app, "handler_of", lambda asked: lambda *given: (asked, *given))
    event: dict[str, list[object]] = {"Records": []}
    context = object()
    assert getattr(app, name)(event, context) == (name, event, context)
