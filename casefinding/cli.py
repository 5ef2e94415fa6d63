"""The commands: thin, quick to answer, one line for every failure."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from casefinding import __version__
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
codelists = typer.Typer(help="Code lists: bring in published ones.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(codelists, name="codelists")
studies = typer.Typer(help="Studies on people whose truth is known.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(studies, name="study")

Definitions = Annotated[
    Path | None, typer.Option("--definitions", help="A folder with features/ and models/; default: the ones shipped.")
]
ConfigFile = Annotated[Path, typer.Option("--config", help="The config: where the records are, for whom, which day.")]
RecordsFolder = Annotated[Path | None, typer.Option("--records", help="Use this extract instead of the config's.")]
WorkFolder = Annotated[
    Path | None, typer.Option("--work", help="Where extract and store are kept; default: OUT-records beside --out.")
]


@app.command()
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
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """The main job: records in, explained recall lists out."""
    from casefinding.job import main_job

    main_job(config, out, records=records, work=work, bundles=bundle or [], definitions=definitions, quiet=quiet)


@app.command()
def train(
    config: ConfigFile,
    condition: Annotated[str, typer.Option("--condition", help="The name of a model in models/.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the bundle goes; default: out/bundles/CONDITION.")
    ] = None,
    records: RecordsFolder = None,
    work: WorkFolder = None,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Train, judge and register one model (MLflow)."""
    from casefinding.job import train_one

    train_one(config, condition, out=out, records=records, work=work, definitions=definitions, quiet=quiet)


@app.command()
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


@app.command()
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


@app.command()
def template(out: Annotated[Path, typer.Argument(help="The folder to write.")]) -> None:
    """Write an empty extract to fill, with instructions."""
    from casefinding.records.template import write_template

    write_template(out)
    typer.echo(f"{out}: fill the tables, then: casefinding ingest {out} --store STORE")


@app.command()
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


@app.command()
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


@studies.command("undiagnosed")
def study_undiagnosed(
    out: Annotated[Path, typer.Option("--out", help="Where figures.csv, study.json and index.html go.")] = Path(
        "out/study"
    ),
    people: Annotated[int, typer.Option("--people", min=1000, help="People in each population.")] = 60_000,
    practices: Annotated[int, typer.Option("--practices", min=3, help="Practices in each population.")] = 6,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Populations of each regime.")] = 5,
    regime: Annotated[list[str] | None, typer.Option("--regime", help="A regime of attendance; default: all.")] = None,
    condition: Annotated[list[str] | None, typer.Option("--condition", help="A model; default: all.")] = None,
    synthea: Annotated[
        Path | None, typer.Option("--synthea", help="Also study Synthea people: a folder with their truth.csv.gz.")
    ] = None,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """Do lists find the truly ill whom nobody has coded? Every way of learning, on people whose truth is known."""
    from casefinding.job.study import study_undiagnosed as study
    from casefinding.synthetic.regimes import REGIMES

    study(
        out, people=people, practices=practices, seeds=seeds, regimes=regime or list(REGIMES),
        conditions=condition or [], synthea=synthea, definitions=definitions, quiet=quiet,
    )  # fmt: skip


@studies.command("model")
def study_model(
    config: ConfigFile,
    condition: Annotated[str, typer.Option("--condition", help="The name of a model in models/.")],
    out: Annotated[Path | None, typer.Option("--out", help="Default: out/steadiness/CONDITION.")] = None,
    work: WorkFolder = None,
    times: Annotated[int, typer.Option("--times", min=2, help="Bootstraps of the people.")] = 10,
    definitions: Definitions = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
) -> None:
    """How steady is a model? Each practice left out, more and fewer people, other people of the same kind."""
    from casefinding.job.steadiness import study_model as study

    target = out or Path("out") / "steadiness" / condition
    study(config, condition, target, work=work, times=times, definitions=definitions, quiet=quiet)


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
