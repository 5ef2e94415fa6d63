"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Definitions = Annotated[
    Path | None, typer.Option("--definitions", help="A folder with features/ and models/; default: the ones shipped.")
]
ConfigFile = Annotated[Path, typer.Option("--config", help="The config: where the records are, for whom, which day.")]
RecordsFolder = Annotated[Path | None, typer.Option("--records", help="Use this extract instead of the config's.")]
WorkFolder = Annotated[
    Path | None, typer.Option("--work", help="Where extract and store are kept; default: OUT-records beside --out.")
]

DAY = ["%Y-%m-%d"]
LedgerFolder = Annotated[
    Path | None,
    typer.Option("--ledger", help="Earlier lists and what came of them; read, and the new lists are added."),
]

StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--work", help="Where extract and store are kept; default: out/NAME-records, as the run of NAME.yaml."
    ),
]
