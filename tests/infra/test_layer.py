"""A layer holds what its functions need and nothing else: numpy for `ingest` alone, Sequoia for
those that write or read encrypted files. None asks for it before there is such a file.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chalicelib.domain.effects import Queue
from infra.package import ROOT, Package, local_target, package
from infra.postprocess import FUNCTIONS, LAYERS
from infra.postprocess.layers import LISTS, PGP
from tests.infra.conftest import Resource
from tests.infra.test_zip import UNCHECKED_HASH

# Lambda takes 250 MB of code and layers together, unpacked; the code is below 60.
LARGEST_MB = 60

SETTINGS = [
    *(
        f"TANDEM_{name}"
        for name in ("STAGE", "TABLE", "BUCKET", "ROOTS_BUCKET", "ORIGIN", "SENDER", "KEYS_PATH")
    ),
    *(f"TANDEM_QUEUE_{queue.name}" for queue in Queue),
    *("TANDEM_CONFIGURATION_SET", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
]
# Runs one function up to its first call of AWS, which nobody answers, and says what of the layers
# it asked for on its way. Nothing is found but the directories in argv: no site-packages.
CALLS = """
import importlib.abc, json, sys

asked = set()

class Asked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "pysequoia"}:
            asked.add(name)

sys.meta_path.insert(0, Asked())
sys.path[:0] = sys.argv[2:]
from importlib import import_module
from chalicelib import bootstrap

bootstrap.ports()
notice = {"eventTime": "2026-05-04T08:00:00Z",
          "s3": {"object": {"key": "in/demo/orders/day.csv", "sequencer": "0A"}}}
drop = {"messageId": "1", "receiptHandle": "r", "eventSourceARN": "arn:aws:sqs:r:1:ingest",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772445600000"},
        "body": json.dumps({"Records": [notice]})}
events = {"ingest": [{"Records": [drop]}, {"Records": []}]}
ended = []
for event in events.get(sys.argv[1].rpartition(".")[2], [{"Records": []}]):
    try:
        module, _, name = sys.argv[1].rpartition(".")
        ended.append(getattr(import_module(module), name)(event, None))
    except Exception as error:
        ended.append(type(error).__name__)
print(json.dumps({"asked": sorted(asked), "ended": ended}))
"""

# Builds a list from good and bad rows, adds to it, removes from it.
BUILDS = """
import contextlib, hashlib, json, sys

sys.path[:0] = sys.argv[1:]
from chalicelib.adapters.lists.building import SegmentBuilder
from chalicelib.domain.files.reading import Tally
from chalicelib.services.list_ports import Layer, NewSegment

stored = {}

class Upload:
    def __init__(self, key):
        self.key, self.content = key, b""
    def write(self, content):
        self.content += content
    def finish(self, header):
        stored[self.key] = header + self.content
        return "etag"

class Segments:
    def fetch(self, key, start, end, etag):
        return stored[key][start:end]
    def upload(self, key):
        return contextlib.nullcontext(Upload(key))

def row(number):
    return hashlib.sha256(str(number).encode()).hexdigest()

builder = SegmentBuilder(Segments())
lists = [
    ("full", "\\n".join(row(n) for n in range(20_000))),
    ("add", 'digest,name\\r\\n"%s",a\\r\\n%s,"b, c"\\r\\n\\r\\n' % (row(-1), row(-2).upper())),
    ("remove", "\\n".join(row(n) for n in range(10_000, 30_000))),
]
made = []
for mode, text in lists:
    new = NewSegment(f"{len(made)}.seg", "hmac_sha256", "k1", len(made))
    with builder.gather([text.encode()], Tally()) as digests:
        layers = [Layer("full", last) for last in made[-1:]] + [Layer(mode, digests)]
        made.append(builder.build(new, layers))
numpy = sys.modules["numpy"]
print(json.dumps({"numpy": numpy.__file__, "rows": [one.rows for one in made]}))
"""


@pytest.fixture(scope="module")
def code(made: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked_to(tmp_path_factory.mktemp("code"), made.code)


@pytest.fixture(scope="module")
def layer(made: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked_to(tmp_path_factory.mktemp("layer"), made.layers[LISTS]) / "python"


def unpacked_to(directory: Path, zipped: Path) -> Path:
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(directory)
    return directory


def run(program: str, *arguments: str | Path) -> str:
    """What `program` printed, run without site-packages and away from every AWS."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, *map(str, arguments)],
        env={
            **dict.fromkeys(SETTINGS, "http://127.0.0.1:9"),
            "PATH": os.defpath,
            "AWS_DEFAULT_REGION": "eu-west-3",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def called(function: str, *paths: Path) -> dict[str, list[object]]:
    found: dict[str, list[object]] = json.loads(run(CALLS, function, *paths).splitlines()[-1])
    return found


def test_the_layer_is_numpy_as_bytecode_without_what_nobody_loads(made: Package) -> None:
    with zipfile.ZipFile(made.layers[LISTS]) as archive:
        found = set(archive.namelist())
        assert {Path(name).parts[:2] for name in found} == {
            ("python", "numpy"), ("python", "numpy.libs"),
        }  # fmt: skip
        assert not [
            name
            for name in found
            if {"tests", "f2py", "distutils"} & set(Path(name).parts)
            or name.endswith((".pyi", ".pxd", ".a", ".h"))
        ]
        for name in (name for name in found if name.endswith(".py")):
            head = archive.read(importlib.util.cache_from_source(name))[:8]
            assert head[:4] == importlib.util.MAGIC_NUMBER
            assert int.from_bytes(head[4:8], "little") == UNCHECKED_HASH, name
        assert sum(entry.file_size for entry in archive.infolist()) < LARGEST_MB * 1_000_000


# Encrypts and decrypts with the zip and the layer alone.
ENCRYPTS = """
import json, sys

sys.path[:0] = sys.argv[1:]
from datetime import UTC, datetime
from chalicelib.adapters.pgp import SequoiaCipher, new_key, public_part
import pysequoia

own, client = new_key("own"), new_key("client")
cipher = SequoiaCipher(lambda: own, lambda: datetime.now(UTC))
sealed = cipher.encrypt(b"a,b" * 999, public_part(client))
print(json.dumps({"from": pysequoia.__file__, "same": cipher.decrypt(sealed) == b"a,b" * 999}))
"""


def test_the_layer_for_pgp_is_sequoia_and_nothing_else(
    made: Package, code: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(made.layers[PGP]) as archive:
        found = set(archive.namelist())
        assert {Path(name).parts[:2] for name in found} == {("python", "pysequoia")}
        assert not [name for name in found if name.endswith(".pyi")]
        assert sum(entry.file_size for entry in archive.infolist()) < 12_000_000
    assert made.layers[PGP].stat().st_size < 5_000_000
    layer = unpacked_to(tmp_path, made.layers[PGP]) / "python"
    reported = json.loads(run(ENCRYPTS, code, layer))
    assert reported["same"]
    assert reported["from"].startswith(str(layer))


def test_without_the_layer_nothing_is_encrypted(code: Path) -> None:
    program = "import sys; sys.path[:0] = sys.argv[1:]\nimport chalicelib.adapters.pgp"
    with pytest.raises(AssertionError, match="No module named 'pysequoia'"):
        run(program, code)


def test_equal_requirements_give_an_equal_layer(made: Package, tmp_path: Path) -> None:
    """Otherwise each deployment would publish a version."""
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    for kept in (ROOT / "build/vendor").iterdir():
        if kept.is_dir():
            (vendor / kept.name).symlink_to(kept)
    said: list[str] = []
    again = package(local_target(), build=tmp_path, say=said.append)
    assert [line.partition(":")[0] for line in said] == ["packaging"] * 3
    fresh = [path for path in vendor.iterdir() if path.suffix == ".zip"]
    assert len(fresh) == len(LAYERS)
    assert not any(path.is_symlink() for path in fresh)
    for name in LAYERS:
        assert again.layers[name].read_bytes() == made.layers[name].read_bytes(), name


def test_a_list_is_built_and_changed_with_the_zip_and_the_layer_alone(
    code: Path, layer: Path
) -> None:
    """What was trimmed of numpy is missing here as it is on Lambda."""
    reported = json.loads(run(BUILDS, code, layer))
    assert reported["numpy"].startswith(str(layer))
    assert reported["rows"] == [20_000, 20_002, 10_002]


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_no_function_asks_for_a_layer_before_it_needs_it(
    logical_id: str, code: Path, resources: dict[str, Resource]
) -> None:
    """Each as deployed: the template's handler from the zip alone, up to its first call of AWS."""
    function = FUNCTIONS[logical_id].name
    answer = called(resources[logical_id]["Properties"]["Handler"], code)
    assert answer["asked"] == []
    ended = answer["ended"]
    if function == "ingest":
        # The order file was processed, and failed when the campaign was read.
        assert ended == [
            {"batchItemFailures": [{"itemIdentifier": "1"}]}, {"batchItemFailures": []},
        ]  # fmt: skip
    elif function in {"export", "expire", "reconcile", "report"}:
        assert ended == ["WorkFailedError"]


def test_a_function_that_asks_for_numpy_is_found_out(code: Path, tmp_path: Path) -> None:
    """The test above has teeth."""
    changed = shutil.copytree(code, tmp_path / "code")
    use_case = changed / "chalicelib/services/operations/report.py"
    shutil.rmtree(use_case.parent / "__pycache__")
    use_case.write_text(
        use_case.read_text() + "\ntry:\n    import numpy\nexcept ImportError: ...\n"
    )
    assert called("chalicelib.functions.report.report", changed)["asked"] == ["numpy"]
    assert called("chalicelib.functions.relay.relay", changed)["asked"] == []
