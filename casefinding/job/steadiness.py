"""How steady one model is: every practice left out in turn, more and fewer people, other people of the same kind."""

from __future__ import annotations

from pathlib import Path

from casefinding.files import canonical_json, check_replaceable, new_folder, write_text
from casefinding.job.asking import ask
from casefinding.job.main import home_of, read_all
from casefinding.job.progress import Stages
from casefinding.job.records import prepare
from casefinding.job.training import judged, places_of


def study_model(
    config_file: Path,
    condition: str,
    out: Path,
    *,
    work: Path | None = None,
    times: int = 10,
    definitions: Path | None = None,
    quiet: bool = False,
) -> None:
    """Write study.json and index.html to `out`: internal-external validation with each practice left out, the learning
    curve, and how much lists of one length overlap when the model is learned again from bootstraps of the people.

    The records are made or read as `train` does. LearnError where there is too little to learn from.
    """
    from casefinding.learn.fit import train
    from casefinding.learn.stability import learning_curve, stability
    from casefinding.report.steadiness import write_steadiness

    config, known = read_all(config_file, None, definitions, condition)
    check_replaceable(out)
    stages = Stages(quiet=quiet)
    store = prepare(config, work or home_of(Path("out") / config_file.stem), stages, reuse=True).store
    asked = ask(condition, known, store, config, stages, {})
    practices = len(set(asked.base["practice"].to_pylist()))
    each = config.training.model_copy(update={"folds": max(2, practices)})
    threads = config.training.threads
    with stages.stage(f"Leave out each of {practices} practices in turn") as tick:
        left_out = train(
            condition, known, asked.matrix, asked.base, asked.after, config.model_copy(update={"training": each}),
            evidence=asked.evidence, usable=asked.usable, design=asked.design, progress=tick,
        )  # fmt: skip
        judgement = judged(condition, known, left_out.out_of_fold, asked, store, config, None).published()
    taught = left_out.taught
    with stages.stage("Learning curve") as tick:
        curve = learning_curve(
            taught.forest, taught.person, taught.practice, folds=config.training.folds, threads=threads, progress=tick
        )
    with stages.stage(f"Learn again from {times} bootstraps") as tick:
        here = taught.practice[taught.last]
        steady = stability(
            taught.forest, taught.person, taught.forest.x[taught.last], here,
            places_of(config, known, sorted(set(here)), known.models[condition].test), times=times, threads=threads,
            progress=tick,
        )  # fmt: skip
    summary = {
        "condition": condition, "label": known.models[condition].label, "learnt from": left_out.learned_from,
        "each practice left out": left_out.by_practice, "practices": judgement.practices,
        "learning curve": curve, "stability": steady,
    }  # fmt: skip
    with new_folder(out) as fresh:
        write_text(fresh / "study.json", canonical_json(summary))
        write_steadiness(fresh, summary)
    print(out / "index.html")
