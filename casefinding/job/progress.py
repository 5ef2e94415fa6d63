"""What a person sees while the job runs: one bar a stage, with the seconds it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Tick = Callable[[int, int], None]
"""Called by a stage with (done, total)."""


class Stages:
    """Prints the stages of a job to standard error; silent where `quiet`.

    On a terminal each stage has a bar that moves; elsewhere a line is printed when it ends.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, highlight=False)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Tick]:
        """One stage; yields what moves its bar."""
        started = time.perf_counter()
        if self.quiet or not sys.stderr.isatty():
            yield lambda done, total: None
            self.seconds[name] = time.perf_counter() - started
            self.say(f"  {name:<46} {self.seconds[name]:6.1f} s")
            return
        columns = (SpinnerColumn(finished_text="✓"), TextColumn(f"{name:<46}"), BarColumn(28), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(name, total=None)

            def tick(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            yield tick
            progress.update(task, total=1, completed=1)
        self.seconds[name] = time.perf_counter() - started

    def say(self, text: str) -> None:
        """A line of plain text, unless quiet."""
        if not self.quiet:
            self.console.print(text, soft_wrap=True, markup=False)
