"""The AWS emulator as a process: started, awaited, ended with everything it started.

It runs in an environment of its own (.venv-local), listens on 127.0.0.1 alone and keeps its files
under one directory. AUTH is on: it checks signatures and evaluates the policies of the packaged
roles, so a right that is missing in infra/resources.yaml fails here as it would on AWS.

Neighbours: guard.py sees to its end; deployment.py fills it; stack.py owns it.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Final

from local.errors import StackError

ROOT: Final = Path(__file__).resolve().parent.parent
REGION: Final = "eu-west-3"
# The emulator's root caller. Anybody on this machine may know it: nothing here leaves the machine.
ACCESS_KEY_ID: Final = "test"
SECRET_ACCESS_KEY: Final = "test"

PATIENCE_S: Final = 20
# Between the death of the emulator and the end of its guard, who is the one to ask.
GRACE_S: Final = 1.0
SERVICES: Final = (
    "apigateway cloudformation cloudfront cloudwatch cognito-idp dynamodb events iam lambda logs s3"
    " scheduler secretsmanager ses sns sqs ssm sts wafv2"
)


class Emulator:
    """A running emulator; use it as a context manager."""

    def __init__(self, directory: Path, port: int, mail_endpoint: str) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self.log = directory / "emulator.log"
        self._directory = directory / "emulator"
        self._mail_endpoint = mail_endpoint
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Emulator:
        interpreter = ROOT / ".venv-local/bin/python"
        if not interpreter.is_file():
            raise StackError("the emulator is not installed: run `make env`")
        if not port_is_free(self.port):
            raise StackError(
                f"port {self.port} is in use: stop what listens there, or choose another one "
                "with TANDEM_AWS_PORT"
            )
        remove(self._directory)
        (self._directory / "tmp").mkdir(parents=True)
        guard = [sys.executable, "-I", str(Path(__file__).with_name("guard.py"))]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*guard, str(interpreter), "-I", str(Path(__file__).with_name("leading_keys.py"))],
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_health()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def end(self, within_s: float = 0) -> str | None:
        """One line about its end, once it has ended; None if it still runs after `within_s`."""
        if self._process is not None:
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                return None
        return (
            f"the emulator of the local stack has ended, see {self.log}: "
            "start it again with: make demo"
        )

    def stop(self) -> None:
        """End the emulator and every process it started; returns when they are gone."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()  # the guard does the rest
        self._process.wait()
        remove(self._directory)

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's but PATH: no profile, no credentials, no python settings."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._directory),
            "TMPDIR": str(self._directory / "tmp"),
            "LANG": "C.UTF-8",
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL_SESV2": self._mail_endpoint,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "SERVICES": ",".join(SERVICES.split()),
            "SFTP_ENABLED": "0",
        }

    def _await_health(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while self.end() is None and time.monotonic() < deadline:
            try:
                with opener.open(f"{self.endpoint}/_ministack/health", timeout=1) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise StackError(f"the emulator did not start: see {self.log}")


def remove(directory: Path) -> None:
    """Take a directory away at once, and delete what is in it without anybody waiting for that.

    The emulator unpacks the code for every process of a function: tens of thousands of files, which
    a disk may take more than a minute to delete.
    """
    if not directory.exists():
        return
    aside = directory.with_name(f"{directory.name}-{secrets.token_hex(4)}.removed")
    directory.rename(aside)
    process = subprocess.Popen(
        ["/bin/rm", "-rf", "--", str(aside)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # it outlives this process
    )
    threading.Thread(target=process.wait, daemon=True).start()


def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
