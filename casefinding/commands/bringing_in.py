"""Records: made up, brought in, or an empty extract to fill."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casefinding.commands.options import Definitions


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Where the extract goes; the truth goes beside it.")],
    people: Annotated[int, typer.Option("--people", min=100, help="How many people.")] = 60_000,
    practices: Annotated[int, typer.Option("--practices", min=1, max=400, help="How many practices.")] = 6,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 20261101,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Make a population whose true disease is known."""
    from casefinding.job import simulate_people

    simulate_people(out, people=people, practices=practices, seed=seed, quiet=quiet)


def ingest(
    extract: Annotated[Path, typer.Argument(help="The extract: a folder of tables.")],
    store: Annotated[Path, typer.Option("--store", help="The store to write; replaced whole when it ends well.")],
    source: Annotated[str, typer.Option("--from", help="The layout of the extract: native or synthea.")] = "native",
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Bring an extract into a store; say what was refused."""
    from casefinding.job import bring_in

    bring_in(extract, store, kind=source, definitions=definitions, quiet=quiet)


def template(out: Annotated[Path, typer.Argument(help="The folder to write.")]) -> None:
    """Write an empty extract to fill, with instructions."""
    from casefinding.records.template import write_template

    write_template(out)
    typer.echo(f"{out}: fill the tables, then: casefinding ingest {out} --store STORE")
