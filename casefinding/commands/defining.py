"""Definitions: checked, described, and code lists brought in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casefinding.commands.options import Definitions

codelists = typer.Typer(help="Code lists: bring in published ones.", no_args_is_help=True, rich_markup_mode=None)


def check(
    definitions: Definitions = None,
    sign_off: Annotated[
        Path | None, typer.Option("--sign-off", help="Also write the page of what awaits clinical sign-off: FILE.html.")
    ] = None,
) -> None:
    """Validate every definition, run every worked example."""
    from casefinding.job import check_definitions

    problems, summary = check_definitions(definitions, sign_off)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        typer.echo(f"{len(problems)} problem{'s' if len(problems) != 1 else ''} found", err=True)
        raise typer.Exit(10)
    typer.echo(summary)


def schema(out: Annotated[Path, typer.Argument(help="The folder to write the JSON Schemas to.")]) -> None:
    """Write JSON Schemas, for editors that check YAML."""
    from casefinding.definitions.schema import schemas
    from casefinding.files import canonical_json, write_text

    for name, content in schemas().items():
        write_text(out / f"{name}.schema.json", canonical_json(content))
        typer.echo(out / f"{name}.schema.json")


@codelists.command("import")
def codelists_import(
    file: Annotated[Path, typer.Argument(help="A CSV in OpenCodelists' layout.")],
    name: Annotated[str, typer.Option("--name", help="The name of the list in features/codelists/.")],
    source: Annotated[str, typer.Option("--source", help="Where the list was published.")] = "",
    release: Annotated[str, typer.Option("--release", help="Its version or release date.")] = "",
    reviewed_by: Annotated[str, typer.Option("--reviewed-by", help="Who reviewed it.")] = "awaiting clinical sign-off",
    system: Annotated[
        str | None, typer.Option("--system", help="snomed, dmd, loinc, rxnorm or emis; default: by the id column.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the list of that name.")] = False,
    definitions: Definitions = None,
) -> None:
    """Bring in a published code list; refuses ids that a spreadsheet has ruined."""
    from casefinding.definitions.codelists import import_codelist
    from casefinding.definitions.find import definitions_folder

    written = import_codelist(
        file,
        name,
        folder=definitions_folder(definitions) / "features" / "codelists",
        origin=source,
        release=release,
        reviewed_by=reviewed_by,
        system=system,
        replace=replace,
    )
    typer.echo(written)
