"""Planning for a population: `segment`, `first` and `gaps`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casefinding.commands.options import ConfigFile, Definitions, RecordsFolder, StoreFolder, WorkFolder


def segment(
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", help="The folder to write: a page and a table, aggregates only.")],
    records: RecordsFolder = None,
    work: StoreFolder = None,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Sort everybody into levels of need, by practice and place, for planning."""
    from casefinding.job.segment import segment_people

    segment_people(config, out, records=records, work=work, definitions=definitions, quiet=quiet)


def first(
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", help="The folder to write: a page, a table, one list a practice.")],
    scored: Annotated[
        Path | None, typer.Option("--run", help="A finished run of the same records, for needs that read chances.")
    ] = None,
    records: RecordsFolder = None,
    work: StoreFolder = None,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Rank people by stacked unmet need, by the weighting that the config declares."""
    from casefinding.job.first import first_people

    first_people(config, out, run=scored, records=records, work=work, definitions=definitions, quiet=quiet)


def gaps(
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", help="The folder to write; replaced whole when it ends well.")],
    records: RecordsFolder = None,
    work: WorkFolder = None,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Treatment gaps of people already diagnosed: rates for planning; lists for the practice where the config asks."""
    from casefinding.job.treatment_gaps import treatment_gaps

    treatment_gaps(config, out, records=records, work=work, definitions=definitions, quiet=quiet)
