"""What became of the people on the lists: `outcomes read` and `outcomes show`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from casefinding.commands.options import DAY

returned = typer.Typer(help="What became of the people on the lists.", no_args_is_help=True, rich_markup_mode=None)


@returned.command("read")
def outcomes_read(
    files: Annotated[list[Path], typer.Argument(help="Workbooks (.xlsx) and CSVs that came back, in any order.")],
    ledger: Annotated[Path, typer.Option("--ledger", help="The ledger of the run that issued the lists.")],
    undated: Annotated[
        datetime | None,
        typer.Option("--undated", formats=DAY, help="The day of outcomes without one; default: refuse."),
    ] = None,
    today: Annotated[
        datetime | None, typer.Option("--today", formats=DAY, help="Refuse outcomes of later days; default: today.")
    ] = None,
) -> None:
    """Take back what practices filled in; each refused row with its reason."""
    from casefinding.job.outcomes import read_outcomes

    day = today.date() if today else date.today()
    done = read_outcomes(files, ledger, today=day, undated=undated.date() if undated else None)
    for one in done:
        for line in one.lines():
            typer.echo(line)
        if one.problem is not None:
            typer.echo(f"casefinding: {one.problem}", err=True)
    problems = [one.problem for one in done if one.problem is not None]
    if problems:
        raise typer.Exit(problems[0].exit_code)


@returned.command("show")
def outcomes_show(
    ledger: Annotated[Path, typer.Option("--ledger", help="The ledger of the run that issued the lists.")],
) -> None:
    """How far people came so far, exact: for the network's own eyes."""
    from casefinding.job.outcomes import funnel_lines, funnel_so_far

    for line in funnel_lines(funnel_so_far(ledger)):
        typer.echo(line)
