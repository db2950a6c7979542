"""What makes a start cheap is in the zip: each function starts from it as the template says."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra.package import ROOT, Package, local_target, package
from infra.postprocess.functions import FUNCTIONS
from infra.trimming import BOTOCORE_DATA
from tests.infra.conftest import Resource

REGIONS = ("eu-west-3", "us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")
CALLED = BOTOCORE_DATA - {"sts"}
CALLS = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {}}),
    "events": ("put_events", {"Entries": [{"Source": "tandem"}]}),
    "lambda": ("invoke", {"FunctionName": "f"}),
    "s3": ("get_object", {"Bucket": "b", "Key": "k"}),
    "sesv2": ("get_account", {}),
    "sqs": ("receive_message", {"QueueUrl": "https://sqs.eu-west-3.amazonaws.com/1/q"}),
    "ssm": ("get_parameter", {"Name": "n"}),
}

STARTS = """
import builtins, gc, json, sys
sys.path.insert(0, sys.argv[1])
texts = []
really = builtins.exec

def noting(code, *namespaces, **named):
    if isinstance(code, str):
        texts.append(code)
    really(code, *namespaces, **named)

builtins.exec = noting
collected = lambda: sum(one["collections"] for one in gc.get_stats())
before = collected()
module, _, name = sys.argv[2].rpartition(".")
from importlib import import_module
handler = getattr(import_module(module), name)
print(json.dumps({
    "callable": callable(handler), "collections": collected() - before,
    "texts": [text[:80] for text in texts if "def __" in text],
    "from": import_module(module).__file__,
}))
"""
ENDPOINTS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import botocore.session
session = botocore.session.Session()
found = {}
for name in sys.argv[2].split(","):
    for region in sys.argv[3].split(","):
        client = session.create_client(
            name, region_name=region, aws_access_key_id="a", aws_secret_access_key="b")
        found[f"{name} {region}"] = client.meta.endpoint_url
    # As far as a call goes before it leaves.
    operation, arguments = json.loads(sys.argv[4])[name]
    assert client.generate_presigned_url(operation, arguments).startswith("https://")
print(json.dumps(found))
"""


def run(program: str, *arguments: str | Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program, *map(str, arguments)],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def code(made: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    with zipfile.ZipFile(made.code) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_each_handler_starts_from_the_zip_and_compiles_and_collects_nothing(
    logical_id: str, code: Path, resources: dict[str, Resource]
) -> None:
    found = run(STARTS, code, resources[logical_id]["Properties"]["Handler"])
    assert found["callable"]
    assert found["from"].startswith(str(code))
    assert found["texts"] == []
    assert found["collections"] <= 40  # before this package is imported; then there were 120


def linked(code: Path, folder: Path) -> Path:
    """The same tree, in which entries may be taken out and put in."""
    (made := folder / "code").mkdir()
    for entry in code.iterdir():
        (made / entry.name).symlink_to(entry)
    return made


def test_without_the_kept_code_dataclasses_are_made_as_usual(code: Path, tmp_path: Path) -> None:
    """So the test above has teeth, and a text that is not kept is no failure."""
    changed = linked(code, tmp_path)
    (changed / "chalicelib").unlink()
    (changed / "chalicelib").mkdir()
    for entry in (code / "chalicelib").iterdir():
        if entry.suffix != ".marshal":
            (changed / "chalicelib" / entry.name).symlink_to(entry)
    found = run(STARTS, changed, "chalicelib.functions.relay.relay")
    assert found["callable"]
    assert len(found["texts"]) > 100


@pytest.mark.parametrize(
    ("runs", "texts"),
    [
        (r'exec("# of a later version\\n" + txt, \1, ns)', True),
        (r'exec(compile(txt, "<generated>", "exec"), \1, ns)', False),
        (r"__import__('builtins').exec(txt, \1, ns)", True),
        pytest.param(
            r"exec(txt, globals=\1, locals=ns)",
            False,
            marks=pytest.mark.skipif(
                sys.version_info < (3, 13), reason="exec takes no names there"
            ),
        ),
    ],
)
def test_a_function_starts_with_dataclasses_that_work_in_another_way(
    code: Path, tmp_path: Path, runs: str, *, texts: bool
) -> None:
    """A later version of the interpreter may have them: what is kept is then of no use, no harm."""
    source = Path(dataclasses.__file__).read_text(encoding="utf-8")
    later, times = re.subn(r"exec\(txt, ([\w.]+), ns\)", runs, source)
    assert times == 1
    changed = linked(code, tmp_path)
    (changed / "dataclasses.py").write_text(later, encoding="utf-8")
    found = run(STARTS, changed, "chalicelib.functions.relay.relay")
    assert (found["callable"], bool(found["texts"])) == (True, texts)


def test_calls_can_be_made_and_go_to_the_endpoints_that_botocore_knows(code: Path) -> None:
    session = botocore.session.Session()
    services, regions = ",".join(sorted(CALLED)), ",".join(REGIONS)
    trimmed = run(ENDPOINTS, code, services, regions, json.dumps(CALLS))
    for name in CALLED:
        for region in REGIONS:
            client = session.create_client(
                name, region_name=region, aws_access_key_id="a", aws_secret_access_key="b"
            )
            assert trimmed[f"{name} {region}"] == client.meta.endpoint_url


def test_descriptions_have_no_texts_but_all_operations(code: Path) -> None:
    for name in CALLED:
        here = botocore.session.Session()
        there = botocore.session.Session()
        there.get_component("data_loader").search_paths[:] = [str(code / "botocore/data")]
        theirs, ours = here.get_service_model(name), there.get_service_model(name)
        assert ours.operation_names == theirs.operation_names
        assert ours.shape_names == theirs.shape_names
        assert any(shape.documentation for shape in map(theirs.shape_for, theirs.shape_names))
        assert not any(shape.documentation for shape in map(ours.shape_for, ours.shape_names))


def test_a_package_has_the_same_code_each_time(made: Package, tmp_path: Path) -> None:
    """Otherwise each packaging would be another release."""
    (build := tmp_path / "build").mkdir()
    (build / "vendor").symlink_to(ROOT / "build/vendor")
    again = package(local_target(), build=build)
    names = [f"chalicelib/generated.{sys.implementation.cache_tag}.marshal"]
    with zipfile.ZipFile(made.code) as one, zipfile.ZipFile(again.code) as two:
        assert [name for name in one.namelist() if name.endswith(".marshal")] == names
        assert one.read(names[0]) == two.read(names[0])
