"""One execution environment of a function: a process on the unpacked zip, as Lambda starts it, with
the stores of a cloud behind TLS. Every event is measured: processor time, peak memory, calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from bench.capacity import deployed
from bench.memory.aws import Aws
from infra.package import Package
from infra.postprocess.functions import FUNCTIONS, Size, handler
from tests.api.gateway import ORIGIN_KEY

Event = dict[str, Any]
INSIDE = Path(__file__).with_name("inside.py")


@dataclass(frozen=True)
class Measured:
    """What one event took. `things` are its records; `first` is the first one of its process."""

    function: str
    things: int
    first: bool
    cpu_s: float
    slept_s: float
    calls: int
    calls_s: float
    peak_mb: float


@dataclass(frozen=True)
class Started:
    """What a start took, before any event."""

    function: str
    cpu_s: float
    peak_mb: float


@dataclass
class Measurements:
    """All that was measured."""

    starts: list[Started] = field(default_factory=list)
    events: list[Measured] = field(default_factory=list)

    def of(self, function: str) -> list[Measured]:
        """The events of one function."""
        return [one for one in self.events if one.function == function]


class ExecutionFailedError(RuntimeError):
    """The process of a function ended, or its event failed: nothing was measured."""


@dataclass(frozen=True)
class Code:
    """The unpacked package."""

    functions: Path
    layers: Mapping[str, Path]  # by name

    @classmethod
    def unpacked(cls, made: Package, folder: Path) -> Code:
        """Unpack the zip and the layers into `folder`."""
        for zipped in (made.code, *made.layers.values()):
            with zipfile.ZipFile(zipped) as archive:
                archive.extractall(folder / zipped.stem)
        layers = {name: folder / zipped.stem / "python" for name, zipped in made.layers.items()}
        return cls(folder / made.code.stem, layers)

    def paths(self, size: Size) -> list[str]:
        """Where the function finds modules."""
        return [str(self.functions), *(str(self.layers[name]) for name in size.layers)]


class Execution:
    """See the module. Called like the handler."""

    def __init__(
        self,
        logical_id: str,
        code: Code,
        aws: Aws,
        kept: Measurements,
        clock: Callable[[], datetime],
    ) -> None:
        self._size = FUNCTIONS[logical_id]
        self._aws, self._kept, self._clock = aws, kept, clock
        self._events = 0
        read, write = os.pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-B", "-S", str(INSIDE), handler(logical_id, self._size)),
                *(str(write), *code.paths(self._size)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=_environment(code, aws),
            pass_fds=[write],
            text=True,
        )
        os.close(write)
        self._reports = os.fdopen(read, encoding="utf-8")
        started = self._report()
        kept.starts.append(Started(self._size.name, started["cpu_s"], started["peak_kb"] / 1024))

    def __call__(self, event: Event | None = None, *_: object) -> Any:
        """Handle the event in the process, and keep what it took."""
        event = event or {}
        self._aws.calls_made()
        stdin = self._process.stdin
        assert stdin is not None
        print(
            json.dumps({"event": event, "now": self._clock().isoformat()}), file=stdin, flush=True
        )
        found = self._report()
        if found["error"]:
            raise ExecutionFailedError(f"{self._size.name}: {found['error']}")
        calls = self._aws.calls_made()
        self._kept.events.append(
            Measured(
                function=self._size.name,
                things=len(event.get("Records", "1")),
                first=not self._events,
                cpu_s=found["cpu_s"],
                slept_s=found["slept_s"],
                calls=len(calls),
                calls_s=sum(seconds for _, seconds in calls),
                peak_mb=found["peak_kb"] / 1024,
            )
        )
        self._events += 1
        return found["answer"]

    def end(self) -> None:
        """Let the process end."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        self._reports.close()

    def _report(self) -> dict[str, Any]:
        line = self._reports.readline()
        if not line:
            raise ExecutionFailedError(f"{self._size.name} ended")
        return cast("dict[str, Any]", json.loads(line))


def _environment(code: Code, aws: Aws) -> dict[str, str]:
    # What the stack gives, as `tests.api.world.environment` has set it in this process.
    given = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("TANDEM_", "POWERTOOLS_", "AWS_"))
    }
    bundle = aws.certificate.with_name("bundle.pem")
    trusted = (code.functions / "botocore/cacert.pem").read_bytes()
    bundle.write_bytes(trusted + aws.certificate.read_bytes())
    return {
        **given,
        "PATH": os.defpath,
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_CA_BUNDLE": str(bundle),
        "TANDEM_ORIGIN_KEY": ORIGIN_KEY,
        "TANDEM_RESOLVER": aws.resolver,
        "TANDEM_MAIL_RATE": str(deployed.default_mail_rate()),
    }
