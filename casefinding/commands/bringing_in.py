"""Records: made up, brought in, taken out, or an empty extract to fill."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from casefinding.commands.options import Definitions
from casefinding.errors import UsageError


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
    extract: Annotated[str, typer.Argument(help="The extract: a folder, a file, or a database's address (omop).")],
    store: Annotated[Path, typer.Option("--store", help="The store to write; replaced whole when it ends well.")],
    source: Annotated[
        str, typer.Option("--from", help="The layout: native, emis, systmone, omop, fhir, meds or synthea.")
    ] = "native",
    at_practice: Annotated[
        bool, typer.Option("--at-practice", help="The store stays in the practice: rows marked confidential come in.")
    ] = False,
    flow: Annotated[
        str, typer.Option("--flow", help="secondary (nobody may have a type 1 opt-out) or direct-care.")
    ] = "secondary",
    through: Annotated[
        datetime | None,
        typer.Option(
            "--through", formats=["%Y-%m-%d"], help="The last day that the extract speaks of, if it is silent."
        ),
    ] = None,
    areas: Annotated[
        list[Path] | None,
        typer.Option("--areas", help="Measures by LSOA or practice: a CSV, its declaration FILE.yaml beside it."),
    ] = None,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Bring an extract into a store; say what was refused, and what was left."""
    from casefinding.job import bring_in

    if flow not in ("secondary", "direct-care"):
        raise UsageError(f"no such flow: '{flow}'", where="--flow", hint="secondary or direct-care")
    bring_in(
        extract, store, kind=source, at_practice=at_practice, direct_care=flow == "direct-care",
        through=through.date() if through else None,
        areas=areas or (), definitions=definitions, quiet=quiet,
    )  # fmt: skip


def quality(
    store: Annotated[Path, typer.Argument(help="The store that 'casefinding ingest' made.")],
    out: Annotated[Path | None, typer.Option("--out", help="The page; default: STORE-quality.html.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="A config: its conditions, and its section 'quality'.")
    ] = None,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Say how good the records of a store are, and what to ask of whom."""
    from casefinding.job import quality_of_store

    quality_of_store(store, out=out, definitions=definitions, config_file=config, quiet=quiet)


def pseudonymise(
    extract: Annotated[Path | None, typer.Argument(help="The identifiable extract: a folder.")] = None,
    source: Annotated[
        str, typer.Option("--from", help="The layout: emis, systmone, native, omop (CSV) or fhir.")
    ] = "native",
    out: Annotated[Path | None, typer.Option("--to", help="The folder to write, in the same layout.")] = None,
    lookups: Annotated[
        Path | None, typer.Option("--lookups", help="Where each practice's lookup goes; it never leaves the practice.")
    ] = None,
    key_file: Annotated[Path | None, typer.Option("--key-file", help="The key: 32 bytes or more, mode 600.")] = None,
    key_env: Annotated[str | None, typer.Option("--key-env", help="The environment variable of the key.")] = None,
    make_key: Annotated[Path | None, typer.Option("--make-key", help="Only write a new key into this file.")] = None,
    postcodes: Annotated[Path | None, typer.Option("--postcodes", help="Postcode to LSOA: a CSV of the ONS.")] = None,
    deprivation: Annotated[Path | None, typer.Option("--deprivation", help="LSOA to decile: a CSV.")] = None,
    vintage: Annotated[str, typer.Option("--deprivation-vintage", help="The release of the deciles: 2019.")] = "",
    flow: Annotated[str, typer.Option("--flow", help="secondary (opt-outs removed) or direct-care.")] = "",
    config: Annotated[Path | None, typer.Option("--config", help="A config, or a file of its 'flow' alone.")] = None,
    allowed: Annotated[
        Path | None,
        typer.Option("--national-allowed", help="What the national service returned: who may be used, one a line."),
    ] = None,
    opted_out: Annotated[
        Path | None, typer.Option("--national-opted-out", help="NHS numbers that opted out nationally, one a line.")
    ] = None,
    keep_small_area: Annotated[
        bool, typer.Option("--keep-small-area", help="The LSOA goes out too, not only its decile.")
    ] = False,
    salt: Annotated[
        Path | None, typer.Option("--linkage-salt-file", help="A project's salt: adds its digest to the lookups.")
    ] = None,
    audit: Annotated[
        Path | None, typer.Option("--audit", help="The audit file; default: pseudonymise-audit.jsonl by the lookups.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """In the practice only: take names, numbers and addresses out of an extract, before anything leaves."""
    from casefinding.job.pseudonymise import Asked, new_key
    from casefinding.job.pseudonymise import pseudonymise as work

    if make_key is not None:
        new_key(make_key)
        return
    if extract is None or out is None or lookups is None:
        raise UsageError(
            "from where to where?", hint="casefinding pseudonymise EXTRACT --from KIND --to OUT --lookups DIR"
        )
    work(
        extract,
        Asked(
            source,
            out,
            lookups,
            key_file,
            key_env,
            postcodes,
            deprivation,
            vintage,
            flow,
            config,
            allowed,
            opted_out,
            salt,
            audit,
            keep_small_area,
        ),
        quiet=quiet,
    )


def template(out: Annotated[Path, typer.Argument(help="The folder to write.")]) -> None:
    """Write an empty extract to fill, with instructions."""
    from casefinding.records.template import write_template

    write_template(out)
    typer.echo(f"{out}: fill the tables, then: casefinding ingest {out} --store STORE")


def export(
    store: Annotated[Path, typer.Argument(help="The store, as 'casefinding ingest' wrote it.")],
    out: Annotated[Path, typer.Argument(help="The folder to write; it must not be there yet.")],
    to: Annotated[str, typer.Option("--to", help="The layout to write: meds.")] = "meds",
    time: Annotated[
        str,
        typer.Option("--time", help="The time of an event: recorded (when it was known) or happened."),
    ] = "recorded",
    config: Annotated[
        Path | None, typer.Option("--config", help="Write labels too: the config says which index day.")
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="Labels of this condition; default: the config's.")
    ] = None,
    with_pseudonyms: Annotated[
        bool, typer.Option("--with-pseudonyms", help="Write OUT-pseudonyms.parquet: whose subject_id is whose.")
    ] = False,
    purpose: Annotated[
        str, typer.Option("--purpose", help="Why it may go out, where the store was made for direct care.")
    ] = "",
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Write a store as a MEDS dataset, with the labels of training."""
    from casefinding.job.export import export as take_out

    take_out(
        store, out, layout=to, time=time, config_file=config, conditions=condition or (), definitions=definitions,
        with_pseudonyms=with_pseudonyms, purpose=purpose, quiet=quiet,
    )  # fmt: skip
