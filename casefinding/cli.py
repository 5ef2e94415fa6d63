"""The command `casefinding`: every command under one name, one line for every failure."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from casefinding import __version__
from casefinding.commands.at_the_practice import reidentify
from casefinding.commands.bringing_in import export, ingest, pseudonymise, quality, simulate, template
from casefinding.commands.coming_back import returned
from casefinding.commands.defining import check, codelists, schema
from casefinding.commands.planning import first, gaps, segment
from casefinding.commands.running import run, train
from casefinding.commands.studying import studies
from casefinding.errors import CasefindingError, UsageError

app = typer.Typer(
    name="casefinding",
    help="Find people who probably have an undiagnosed condition, and give each practice a recall list it can work.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: it answers in half the time
    pretty_exceptions_enable=False,  # a traceback could show what a record says
    context_settings={"help_option_names": ["-h", "--help"]},
)
bringing_in = (simulate, pseudonymise, ingest, quality, export, template)
for command in (run, train, reidentify, segment, first, gaps, *bringing_in, check, schema):
    app.command()(command)
app.add_typer(returned, name="outcomes")
app.add_typer(codelists, name="codelists")
app.add_typer(studies, name="study")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"casefinding {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


STOPPED = 130
"""The exit code of a command that was stopped with Ctrl-C."""


def _say_stopped() -> None:
    print("casefinding: stopped; nothing was half-written, what was there before is whole", file=sys.stderr)


def main() -> None:
    """Run a command; every failure a user can cause ends in one line and an exit code by kind."""
    os.umask(0o077)  # what is written holds pseudonyms at least: for its owner alone
    try:
        app()
    except CasefindingError as problem:
        print(f"casefinding: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except SystemExit as end:
        if end.code == STOPPED:  # typer ends an interrupted command without a word
            _say_stopped()
        raise
    except KeyboardInterrupt:
        _say_stopped()
        sys.exit(STOPPED)
    except OSError as problem:
        reason = os.strerror(problem.errno).lower() if problem.errno else type(problem).__name__
        print(f"casefinding: {reason} [{problem.filename or ''}]; nothing was half-written", file=sys.stderr)
        sys.exit(17 if problem.errno in (28, 122, 30, 13) else UsageError.exit_code)
    except Exception as problem:  # our own mistake: say where, never what a record held
        if os.environ.get("CASEFINDING_DEBUG"):
            raise
        place = traceback.extract_tb(problem.__traceback__)[-1]
        print(
            f"casefinding: unexpected {type(problem).__name__} [{Path(place.filename).name}:{place.lineno}]. "
            "Hint: a fault of casefinding, please report it; CASEFINDING_DEBUG=1 shows a trace (which may hold values)",
            file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
