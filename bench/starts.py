"""How long the functions take to start, compared with bare Chalice with one DynamoDB client.

Each start is a fresh process on the unpacked zip, its bytecode and nothing else; they take turns,
so that whatever slows the machine slows all of them. A start is timed inside the process, from the
first import to the last, without the interpreter's own start.

    bare       Chalice, boto3, a DynamoDB client: the least a Chalice function with a table does
    api        the app, as Lambda's start imports it
    api ready  the same with its ports and its DynamoDB client made, logger and metrics loaded
    others     the app with what the first event of that function imports
"""

from __future__ import annotations

import ast
import inspect
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from app import app
from chalicelib import functions

ROUNDS = 11
_SETTINGS = (
    "STAGE TABLE BUCKET ROOTS_BUCKET ORIGIN SENDER CONFIGURATION_SET KEYS_PATH"
    " QUEUE_DECIDE QUEUE_INGEST QUEUE_MAIL QUEUE_REWARD"
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
    """The median time of one start, and how many times that of the bare one it is."""

    name: str
    median_ms: float
    ratio: float


def starts(code: Path, rounds: int = ROUNDS) -> list[Start]:
    """Time every start on the zip `code`, in turns."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as unpacked:
        zipfile.ZipFile(code).extractall(unpacked)
        programs = _programs()
        times: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, program in programs.items():
                times[name].append(_timed(program, unpacked))
    bare = statistics.median(times["bare"])
    medians = {name: statistics.median(each) for name, each in times.items()}
    return [Start(name, median * 1000, median / bare) for name, median in medians.items()]


def first_imports() -> dict[str, str]:
    """What each function imports when its first event arrives: the imports within its handler."""
    found = {}
    for handler in app.pure_lambda_functions:
        body = ast.parse(inspect.getsource(getattr(functions, handler.name)))
        imports = [node for node in ast.walk(body) if isinstance(node, ast.ImportFrom)]
        found[handler.name] = "\n".join(map(ast.unparse, imports))
    return found


def _programs() -> dict[str, str]:
    others = {name: f"import app\n{imports}\n{_READY}" for name, imports in first_imports().items()}
    return {"bare": _BARE, "api": "import app", "api ready": f"import app\n{_READY}", **others}


def _timed(program: str, unpacked: str) -> float:
    measured = (
        f"import sys, time; sys.path.insert(0, {unpacked!r}); began = time.perf_counter()\n"
        f"{program}\nprint(time.perf_counter() - began)"
    )
    environment = {
        "PATH": os.defpath,
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "POWERTOOLS_SERVICE_NAME": "tandem",
        "POWERTOOLS_METRICS_NAMESPACE": "Tandem",
        **{f"TANDEM_{name}": "none" for name in _SETTINGS.split()},
    }
    # -S leaves this environment's packages out; -B keeps the zip as Lambda has it, read only.
    command = [sys.executable, "-B", "-S", "-c", measured]
    done = subprocess.run(
        command, env=environment, cwd=unpacked, capture_output=True, text=True, check=True
    )
    return float(done.stdout.splitlines()[-1])
