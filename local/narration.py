"""How the demo tells its story: a line a step, a bar while it waits, a table at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

POLL_S = 0.25
PATIENCE_S = 120.0


class StoryError(Exception):
    """The story cannot go on: something that must happen has not."""


class Narrator:
    """Tells the story and keeps the count of what did not hold."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self.failures: list[str] = []

    def chapter(self, text: str) -> None:
        """A heading."""
        self._console.print(f"\n[bold]{text}[/bold]")

    def step(self, text: str) -> None:
        """Something that was done."""
        self._console.print(f"  {text}", soft_wrap=True)

    def check(self, text: str, held: bool) -> None:
        """Something that must hold."""
        mark = "[green]✓[/green]" if held else "[red]✗[/red]"
        self._console.print(f"  {mark} {text}", soft_wrap=True)
        if not held:
            self.failures.append(text)

    def wait(self, text: str, reached: Callable[[], int], target: int) -> None:
        """Wait until `reached` gives `target`. `StoryError` when it does not in time."""
        deadline = time.monotonic() + PATIENCE_S
        with self._bar() as bar:
            task = bar.add_task(text, total=target)
            while (now := reached()) < target:
                bar.update(task, completed=now)
                if time.monotonic() > deadline:
                    raise StoryError(f"{text}: {now} of {target} after {PATIENCE_S:.0f} s")
                time.sleep(POLL_S)
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
