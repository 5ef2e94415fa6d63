"""The main job and one model: `run` and `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casefinding.commands.options import ConfigFile, Definitions, LedgerFolder, RecordsFolder, WorkFolder


def run(
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", help="The folder to write; replaced whole when the run ends well.")],
    records: RecordsFolder = None,
    work: WorkFolder = None,
    bundle: Annotated[
        list[Path] | None,
        typer.Option("--bundle", help="Score with this trained bundle instead of training; repeatable."),
    ] = None,
    definitions: Definitions = None,
    ledger: LedgerFolder = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """The main job: records in, explained recall lists out."""
    from casefinding.job import main_job

    main_job(
        config, out, records=records, work=work, bundles=bundle or [], definitions=definitions, ledger=ledger,
        quiet=quiet,
    )  # fmt: skip


def train(
    config: ConfigFile,
    condition: Annotated[str, typer.Option("--condition", help="The name of a model in models/.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the bundle goes; default: out/bundles/CONDITION.")
    ] = None,
    records: RecordsFolder = None,
    work: WorkFolder = None,
    definitions: Definitions = None,
    ledger: LedgerFolder = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Train, judge and register one model (MLflow)."""
    from casefinding.job import train_one

    train_one(
        config, condition, out=out, records=records, work=work, definitions=definitions, ledger=ledger, quiet=quiet
    )
