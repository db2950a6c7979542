"""How the demo tells its story: a line a step, a bar while it waits, a table at the end.

A wait goes on while the count moves. It is given up when nothing has moved for as long as the
stack's queues may take to bring a message again (patience.py), and at once when the emulator has
ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.errors import StackError
from local.patience import Patience

POLL_S = 0.25
REPEAT_S = 8.0  # between lines about a wait, where there is no terminal to keep one up to date


class StoryError(Exception):
    """The story cannot go on: something that must happen has not."""


class Watched(Protocol):
    """What a narrator needs to know of a stack."""

    @property
    def patience(self) -> Patience: ...

    def end(self, within_s: float = 0) -> str | None: ...


class Narrator:
    """Tells the story and keeps the count of what did not hold."""

    def __init__(self, stack: Watched, console: Console | None = None) -> None:
        self._stack = stack
        self._console = console or Console(highlight=False)
        self.failures: list[str] = []

    def chapter(self, text: str) -> None:
        """A heading."""
        self._console.print(f"\n[bold]{text}[/bold]")

    def step(self, text: str) -> None:
        """Something that was done."""
        self._console.print(f"  {text}", soft_wrap=True)

    def check(self, text: str, held: bool) -> None:
        """Something that must hold. Raises StackError if it does not, and the stack has ended."""
        if not held and (end := self._stack.end()) is not None:
            raise StackError(end)
        mark = "[green]✓[/green]" if held else "[red]✗[/red]"
        self._console.print(f"  {mark} {text}", soft_wrap=True)
        if not held:
            self.failures.append(text)

    def wait(
        self, text: str, reached: Callable[[], int], target: int, patience_s: float | None = None
    ) -> None:
        """Wait until `reached` gives `target`. `StoryError` when it has stopped moving before.

        Without `patience_s`, it may stand still for as long as work of the stack may.
        """
        granted_s = self._stack.patience.work_s if patience_s is None else patience_s
        with self._bar() as bar:
            task = bar.add_task(text, total=target)
            began = moved = reported = time.monotonic()
            last = now = reached()
            while now < target:
                if (end := self._stack.end()) is not None:
                    raise StackError(end)
                time.sleep(POLL_S)
                now, then = reached(), time.monotonic()
                bar.update(task, completed=now)
                if now != last:
                    last, moved = now, then
                if then - moved > granted_s:
                    raise StoryError(
                        f"{text}: {now} of {target}, and no more for {granted_s:.0f} s"
                    )
                if then - reported > REPEAT_S and not self._console.is_terminal:
                    reported = then
                    self.step(f"… {text}: {now} of {target} after {then - began:.0f} s")
        self.check(f"{text}: {now}" if target > 1 else text, now == target)

    def table(self, expected: Mapping[str, int], counted: Mapping[str, int]) -> None:
        """The closing table; a difference is a failure."""
        table = Table(title="What the story gave", title_justify="left")
        table.add_column("count")
        table.add_column("expected", justify="right")
        table.add_column("counted", justify="right")
        table.add_column("")
        for name, value in expected.items():
            got = counted.get(name, 0)
            table.add_row(name, str(value), str(got), "✓" if got == value else "✗")
            if got != value:
                self.failures.append(f"{name}: {got} instead of {value}")
        self._console.print()
        self._console.print(table)

    def verdict(self) -> bool:
        """Say whether everything held."""
        if not self.failures:
            self._console.print("[green]Every check held.[/green]")
            return True
        for failure in self.failures:
            self._console.print(f"[red]did not hold:[/red] {failure}")
        return False

    def _bar(self) -> Progress:
        return Progress(
            TextColumn("  … {task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
