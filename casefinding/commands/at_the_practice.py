"""What runs on the practice’s own computer: `reidentify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casefinding.errors import UsageError


def reidentify(
    practice_list: Annotated[Path, typer.Argument(metavar="LIST", help="One practice's list, .xlsx or .csv.")],
    lookup: Annotated[
        Path | None, typer.Option("--lookup", help="The practice's own CSV: pseudonym, nhs_number and more.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A new folder; default: LIST-identified beside the list.")
    ] = None,
    profile: Annotated[
        list[str] | None, typer.Option("--profile", help="An import file to write; repeatable. Default: plain.")
    ] = None,
    profiles: Annotated[
        Path | None, typer.Option("--profiles", help="A file with profiles of your own (YAML).")
    ] = None,
    lane: Annotated[
        list[str] | None,
        typer.Option("--lane", help="Lanes of the plain import file; repeatable. Default: invite, never measured."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit line.")] = "",
    leave_out_unknown: Annotated[
        bool, typer.Option("--leave-out-unknown", help="Go on without people whom the lookup does not know.")
    ] = False,
    audit: Annotated[
        Path | None, typer.Option("--audit", help="The audit file; default: reidentify-audit.jsonl beside the output.")
    ] = None,
    back: Annotated[
        bool, typer.Option("--back", help="The other way: take the NHS numbers out of LIST, to send it back.")
    ] = False,
) -> None:
    """In the practice only: put NHS numbers beside pseudonyms, write import files; never where the store is."""
    from casefinding.job.reidentify import LANES, Asked, take_out
    from casefinding.job.reidentify import reidentify as identify

    asked = Asked(tuple(profile or ["plain"]), tuple(lane or LANES), profiles, reason, leave_out_unknown, audit)
    if back:
        if lookup is not None:
            raise UsageError("--back needs no lookup", where="--lookup", hint="name only the list and --out")
        take_out(practice_list, out, asked)
        return
    if lookup is None:
        raise UsageError("whose NHS numbers?", where="--lookup", hint="name the practice's own lookup, a CSV")
    identify(practice_list, lookup, out, asked)
