"""Files that `tandem` reads and writes beside one another: progress, digests, atomic writes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

UNFINISHED = ".part"

Advance = Callable[[int], None]


def sha256_of(file: Path) -> str:
    """In lower-case hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def progress(source: Path, file: IO[bytes]) -> Iterator[Advance]:
    """A progress bar on a terminal: the share of the file read, lines per second, time left."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:,.0f} lines/s"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    size = source.stat().st_size if file.seekable() else None  # unknown for a pipe
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(source.name, total=size, rate=0)

        def advance(lines: int) -> None:
            rate = lines / (time.monotonic() - began)
            progress.update(task, completed=file.tell() if size else None, rate=rate)

        yield advance


@contextmanager
def write_atomically(target: Path) -> Iterator[Path]:
    """A temporary file to write to, renamed to `target` only if there was no error."""
    unfinished = target.with_name(f"{target.name}{UNFINISHED}")
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
