"""One local stack for all end-to-end tests: the packaged template, deployed, in a hurry. Another
has the quarter of the demo.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local.errors import StackError
from local.narration import Narrator
from local.quarter.history import History
from local.running import Stack
from local.stack import running_stack
from local.story import Story
from tests.wallets.certificates import ISSUER


@contextmanager
def hurried(stack: Stack, *functions: str) -> Iterator[None]:
    """Run scheduled functions again and again instead of once a minute, until the block ends."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(1):
            for function in functions:
                try:
                    stack.run(function)
                except StackError:
                    # Shown by what then does not happen; here it must not end the thread.
                    continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Played(Story):
    """The story, and what it had given when it ended: other tests go on from there."""

    given: dict[str, int]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    parameters = {"AppleWallet": "yes", "GoogleIssuer": ISSUER}
    directory = tmp_path_factory.mktemp("stack")
    with running_stack(directory=directory, parameters=parameters) as running:
        yield running


@pytest.fixture(scope="package")
def narrator(stack: Stack) -> Narrator:
    return Narrator(stack, Console(file=StringIO(), width=200))


@pytest.fixture(scope="package")
def played(stack: Stack, narrator: Narrator) -> Iterator[Played]:
    """The demo's story, played to its end."""
    story = Played(stack, narrator)
    with hurried(stack, "export", "report"):
        story.play()
    story.given = story.counts()
    yield story
    story.world.close()


@dataclass(frozen=True)
class Quarter:
    """A stack with the quarter of the demo in it, and what was said of it."""

    stack: Stack
    narrator: Narrator

    def tandem(self, *words: str) -> str:
        """What the command says on stdout; it must succeed."""
        command = [str(Path(sys.executable).with_name("tandem")), *words]
        environment = {**os.environ, "TANDEM_PORT": self.stack.url.rsplit(":", 1)[1]}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="package")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarter]:
    with running_stack(directory=tmp_path_factory.mktemp("stack")) as stack:
        narrator = Narrator(stack, Console(file=StringIO(), width=200))
        History(stack).join(narrator)
        yield Quarter(stack, narrator)
