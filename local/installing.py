"""Runs pip and says how far it is: packages found, packages installed, seconds.

On a terminal one line is kept up to date; elsewhere a line is printed every few seconds, so that
no reader of a log wonders whether anything happens. Standard library alone, for environment.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

REFRESH_S = 0.2
REPEAT_S = 5.0
_PINNED = re.compile(r"^[A-Za-z0-9][^ ;=]*==", re.MULTILINE)


class InstallFailedError(Exception):
    """pip failed; the message is its reason."""


@dataclass
class Installing:
    """One environment while it is made."""

    name: str
    home: Path
    total: int
    """packages to install, at most: some are for other systems"""
    found: int = 0
    placing: bool = False
    """everything is fetched, and is being put in place"""
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def end(self) -> None:
        """It is complete."""
        self.seconds = time.monotonic() - self.started

    def installed(self) -> int:
        """Packages that are in place."""
        return sum(1 for _ in self.home.glob("lib/python3*/site-packages/*.dist-info"))

    def words(self) -> str:
        """How far it is, for a person."""
        if self.seconds:
            return f"{self.name}: complete, {self.installed()} packages, {self.seconds:.0f} s"
        if self.placing:
            return f"{self.name}: installed {self.installed()} of {self.total}"
        if self.found:
            return f"{self.name}: fetched {self.found} of {self.total}"
        return f"{self.name}: preparing"


class Progress:
    """Reports on the environments that are being made, for as long as the `with` block lasts."""

    def __init__(self, to: IO[str] | None = None) -> None:
        self._to = to or sys.stdout
        self._all: list[Installing] = []
        self._over = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._report, daemon=True)

    def __enter__(self) -> Progress:
        self._say("Installing packages, once; a second start installs nothing.")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._to.isatty():
            self._to.write("\r\033[K")
        if error is None:
            for each in self._all:
                self._say(f"  {each.words()}")

    def begin(self, name: str, home: Path, requirements: Path) -> Installing:
        """From now on report on this environment too."""
        total = len(_PINNED.findall(requirements.read_text(encoding="utf-8")))
        made = Installing(name, home, total)
        self._all.append(made)
        return made

    def _report(self) -> None:
        if not self._to.isatty():
            while not self._over.wait(REPEAT_S):
                self._say(f"  {self._line()}")
            return
        while not self._over.wait(REFRESH_S):
            self._to.write(f"\r  {self._line()}\033[K")
            self._to.flush()

    def _line(self) -> str:
        elapsed = f"{time.monotonic() - self._started:.0f} s"
        return " · ".join([*(each.words() for each in list(self._all)), elapsed])

    def _say(self, text: str) -> None:
        self._to.write(f"{text}\n")
        self._to.flush()


def install(installing: Installing, *arguments: str) -> None:
    """Install into the environment with its own pip. Raises InstallFailedError with the reason.

    Python compiles what is imported when it is: that is half the size and less than half the work.
    """
    command = [
        str(installing.home / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check",
        "--no-input", "--progress-bar", "off", "--no-compile", *arguments,
    ]  # fmt: skip
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            if line.startswith("Collecting "):
                installing.found += 1
            installing.placing |= line.startswith("Installing collected packages")
            lines.append(line.strip())
    if pip.returncode:
        raise InstallFailedError(reason(lines))


def reason(lines: list[str]) -> str:
    """Why pip failed, from the lines it printed, in one line."""
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or [line for line in lines if line] or ["pip printed nothing"])[-1]
