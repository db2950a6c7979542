"""How long the functions take to start, compared with bare Chalice with one DynamoDB client.

Each start is a fresh process on the unpacked zip, its bytecode and nothing else; they take turns,
so that whatever slows the machine slows all of them. A start's processor time is taken inside the
process, from the first import to the last, without the interpreter's own start.

    bare          Chalice, boto3, a DynamoDB client: the least a Chalice function with a table does;
                  as pip installs them, with bytecode
    bare, trimmed the same on our zip, whose botocore knows fewer services
    api           the app, as Lambda's start imports it
    api ready     the same with its ports and its DynamoDB client made, logger and metrics loaded
    others        the handler that the template names, ready in the same way
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path

from chalicelib.domain.effects import Queue
from infra.postprocess.functions import API, FUNCTIONS, handler

ROUNDS = 11
BARE = "bare"
# What bare Chalice with a client loads.
_BARE_PACKAGES = (
    *("boto3", "botocore", "chalice", "jmespath", "python-dateutil", "s3transfer", "six"),
    "urllib3",
)
_SETTINGS = (
    *("STAGE", "TABLE", "BUCKET", "ROOTS_BUCKET", "ORIGIN", "SENDER"),
    *("CONFIGURATION_SET", "KEYS_PATH"),
    *(f"QUEUE_{queue.name}" for queue in Queue),
)
_READY = """
from chalicelib import bootstrap, observability
bootstrap.ports().repository._clients.dynamodb
observability._logger(), observability._metrics()
"""
_BARE = """
from chalice.app import Chalice
app = Chalice(app_name="bare")
@app.route("/")
def index():
    return {}
import boto3
boto3.session.Session().client("dynamodb")
"""


@dataclass(frozen=True)
class Start:
    """The median processor time of one start, and how many times that of the bare one it is."""

    name: str
    median_ms: float
    ratio: float


def starts(code: Path, rounds: int = ROUNDS) -> list[Start]:
    """Time every start, in turns; those of functions on the zip `code`."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        unpacked, plain = Path(folder, "zip"), Path(folder, "plain")
        zipfile.ZipFile(code).extractall(unpacked)
        _install_bare(plain)
        programs = {name: (program, unpacked) for name, program in _programs().items()}
        programs = {BARE: (_BARE, plain), **programs}
        times: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, (program, where) in programs.items():
                times[name].append(_timed(program, where))
    medians = {name: statistics.median(each) for name, each in times.items()}
    return [Start(name, median * 1000, median / medians[BARE]) for name, median in medians.items()]


def module_of(logical_id: str) -> str:
    """What Lambda imports when it starts the function."""
    return handler(logical_id, FUNCTIONS[logical_id]).rpartition(".")[0]


def _programs() -> dict[str, str]:
    others = {
        size.name: f"import {module_of(logical_id)}\n{_READY}"
        for logical_id, size in FUNCTIONS.items()
        if logical_id != API
    }
    api = f"import {module_of(API)}"
    return {f"{BARE}, trimmed": _BARE, "api": api, "api ready": f"{api}\n{_READY}", **others}


def _install_bare(into: Path) -> None:
    """Copy the packages that bare Chalice loads, and give them bytecode like that of a zip."""
    for name in _BARE_PACKAGES:
        for file in files(name) or []:
            if ".." not in file.parts and file.suffix != ".pyc":
                (into / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), into / file)
    compiling = ["compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", str(into)]
    subprocess.run([sys.executable, "-m", *compiling], check=True)


def _timed(program: str, where: Path) -> float:
    measured = (
        f"import sys, time; sys.path.insert(0, {str(where)!r}); began = time.process_time()\n"
        f"{program}\nprint(time.process_time() - began)"
    )
    environment = {
        "PATH": os.defpath,
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "POWERTOOLS_SERVICE_NAME": "tandem",
        "POWERTOOLS_METRICS_NAMESPACE": "Tandem",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        **{f"TANDEM_{name}": "none" for name in _SETTINGS},
    }
    # -S leaves this environment's packages out; -B keeps the zip as Lambda has it, read only.
    command = [sys.executable, "-B", "-S", "-c", measured]
    done = subprocess.run(
        command, env=environment, cwd=where, capture_output=True, text=True, check=True
    )
    return float(done.stdout.splitlines()[-1])
