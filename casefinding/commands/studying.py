"""Studies on people whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casefinding.commands.options import ConfigFile, Definitions, WorkFolder

studies = typer.Typer(help="Studies on people whose truth is known.", no_args_is_help=True, rich_markup_mode=None)


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
