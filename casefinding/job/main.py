"""The main job from end to end: records in, trained and judged models, explained recall lists out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casefinding.definitions.config import Config
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.read import read_config, read_definitions
from casefinding.definitions.resolve import resolution as resolve
from casefinding.definitions.shapes import Definitions
from casefinding.definitions.visits import kinds_of, offered
from casefinding.errors import CohortError, ConfigError, LearnError, UsageError
from casefinding.files import check_replaceable, new_folder
from casefinding.job.progress import Stages
from casefinding.job.records import prepare
from casefinding.job.training import Learnt, latest_possible, learn
from casefinding.recall.loop.ledger import Ledger
from casefinding.records.store import Store


def main_job(
    config_file: Path,
    out: Path,
    *,
    records: Path | None = None,
    work: Path | None = None,
    bundles: Sequence[Path] = (),
    definitions: Path | None = None,
    ledger: Path | None = None,
    quiet: bool = False,
) -> None:
    """Run everything a config asks for and write `out`, whole or not at all.

    With a ledger the run knows the lists and outcomes of earlier months, and its own lists are added once it has ended
    well: lists that nobody received are not remembered.
    """
    from casefinding.job.scoring import score
    from casefinding.job.writing import write_everything

    config, known = read_all(config_file, records, definitions)
    given = _given(bundles, config, known)
    check_replaceable(out)
    memory = _memory(ledger, config)
    home = work or home_of(out)
    stages = Stages(quiet=quiet)
    stages.say(f"casefinding: {config.network.name}, index day {config.index_day}")
    prepared = prepare(config, home, stages)
    fits(config, prepared.store, known)
    resolution = resolve(known, prepared.store.codes())
    with new_folder(out) as fresh:
        learnt = {}
        for condition in config.conditions:
            if condition in given:
                learnt[condition] = Learnt(
                    condition, why_not=f"scored with a given bundle, {given[condition].sha256[:16]}"
                )
            else:
                learnt[condition] = learn(
                    condition, known, prepared.store, config, resolution, prepared.truth, stages, memory
                )
                if learnt[condition].why_not:
                    stages.say(f"  {known.models[condition].label}: {learnt[condition].why_not}")
        ready = {**given, **_bundles(learnt, known, fresh)}
        scored = score(known, prepared.store, config, ready, stages, memory)
        with stages.stage("Write the lists and pages"):
            issued = write_everything(fresh, config, known, prepared, learnt, ready, scored, memory)
    if memory is not None:
        memory.record_list(issued)
    for condition, one in learnt.items():  # only when the run has ended well: a champion has lists behind it
        if one.trained is not None:
            _track(one, out / "models" / condition, config, stages)
    print(where_to_look(out))


def train_one(
    config_file: Path,
    condition: str,
    *,
    out: Path | None = None,
    records: Path | None = None,
    work: Path | None = None,
    definitions: Path | None = None,
    ledger: Path | None = None,
    quiet: bool = False,
) -> None:
    """Train, judge, register and bundle one model; the store is made first where it is not there yet."""
    config, known = read_all(config_file, records, definitions, condition)
    config = config.model_copy(update={"conditions": (condition,)})
    target = out or Path("out") / "bundles" / condition
    check_replaceable(target)
    memory = _memory(ledger, config)
    stages = Stages(quiet=quiet)
    prepared = prepare(config, work or home_of(Path("out") / config_file.stem), stages, reuse=True)
    fits(config, prepared.store, known)
    learnt = learn(
        condition, known, prepared.store, config, resolve(known, prepared.store.codes()), prepared.truth, stages, memory
    )
    if learnt.why_not:
        raise LearnError(learnt.why_not, where=condition)
    with new_folder(target) as fresh:
        _bundle(learnt, known, fresh)
    run = _track(learnt, target, config, stages)
    print(f"bundle: {target}\nrun:    {run}")
    print(f"model:  models:/{condition} (its first version is champion, later ones challenger)")


def _memory(ledger: Path | None, config: Config) -> Ledger | None:
    """The ledger that the command or the config names, checked before any work is done."""
    path = ledger or (Path(config.ledger) if config.ledger else None)
    return None if path is None else Ledger.open(path)


def where_to_look(out: Path) -> str:
    return "\n".join(
        (
            "",
            f"Start here:   {out / 'index.html'}",
            f"Practices:    {out / 'practices'}  (one folder each: xlsx, csv, html)",
            f"Models:       {out / 'models'}  (one page and one bundle each)",
            f"Every chance: {out / 'scores.parquet'}",
            f"What it is:   {out / 'manifest.json'}",
        )
    )


def read_all(
    config_file: Path, records: Path | None, definitions: Path | None, *more: str
) -> tuple[Config, Definitions]:
    """The config (with other `records` where given) and the definitions, which must know every condition asked for."""
    config = read_config(config_file)
    if records is not None:
        if not records.exists():
            raise UsageError("there is no such folder", where=str(records), hint="give --records a folder of tables")
        section = config.records.model_copy(update={"path": str(records), "simulate": None})
        config = config.model_copy(update={"records": section})
    known = read_definitions(definitions_folder(definitions))
    for condition in (*config.conditions, *more):
        if condition not in known.models:
            raise ConfigError(
                f"no model is named '{condition}'",
                where=str(config_file),
                hint=f"there are: {', '.join(sorted(known.models))}",
            )
    return config, known


def home_of(out: Path) -> Path:
    """Where extract, truth and store are kept: beside the output, since they are made once and read often."""
    return out.with_name(f"{out.name}-records")


def fits(config: Config, store: Store, known: Definitions) -> None:
    """The config must ask for what the store holds: CohortError or ConfigError."""
    if config.index_day > latest_possible(store):
        raise CohortError(
            f"the index day {config.index_day} lies after the data, which end on {store.data_through}",
            where="index day",
            hint=f"choose {latest_possible(store)} or an earlier day",
        )
    if config.index_day <= store.data_from:
        raise CohortError(
            f"the index day {config.index_day} lies before the data, which begin on {store.data_from}",
            where="index day",
            hint="choose a later day",
        )
    there = set(store.practices()["practice"].to_pylist())
    networks = {name for name in store.practices()["pcn"].to_pylist() if name}
    kinds = kinds_of(offered(known.visits, [model.test for model in known.models.values()]))
    config.capacity.check(kinds, there, networks)
    strange = [name for name in config.impact if name not in known.models]
    if strange:
        raise ConfigError(
            f"no model is named '{strange[0]}'", where="impact", hint=f"there are: {', '.join(sorted(known.models))}"
        )
    unknown = [code for code in dict.fromkeys(config.practices) if code not in there]
    if unknown:
        raise ConfigError(
            f"unknown practice {', '.join(unknown)}",
            where="practices",
            hint=f"the records hold {', '.join(sorted(there)[:10])}{' ...' if len(there) > 10 else ''}",
        )


def _given(folders: Sequence[Path], config: Config, known: Definitions) -> dict[str, Any]:
    """Bundles named on the command line, by condition."""
    from casefinding.learn.bundle import read_bundle

    found: dict[str, Any] = {}
    for folder in folders:
        bundle = read_bundle(folder)
        if bundle.condition not in config.conditions:
            raise ConfigError(
                f"the bundle is for '{bundle.condition}', which the config does not ask for", where=str(folder)
            )
        if bundle.condition in found:
            raise UsageError(f"two bundles are for '{bundle.condition}'", where=str(folder), hint="give one of them")
        bundle.check_fits(known)
        found[bundle.condition] = bundle
    return found


def _bundles(learnt: Mapping[str, Learnt], known: Definitions, out: Path) -> dict[str, Any]:
    """Write and read back the bundle of each trained model: what scores is what was written."""
    from casefinding.learn.bundle import read_bundle

    ready: dict[str, Any] = {}
    for condition, one in learnt.items():
        if one.trained is None:
            continue
        folder = out / "models" / condition
        with new_folder(folder) as fresh:
            _bundle(one, known, fresh)
        ready[condition] = read_bundle(folder)
    return ready


def _bundle(one: Learnt, known: Definitions, folder: Path) -> None:
    from casefinding.learn.bundle import write_bundle

    assert one.judgement is not None
    write_bundle(one.trained, one.judgement.as_dict(), known, folder, certificate=one.certificate.as_dict())


def _track(one: Learnt, folder: Path, config: Config, stages: Stages) -> str:
    from casefinding.learn.track import track
    from casefinding.report.charts import model_charts

    assert one.judgement is not None
    with stages.stage(f"{one.condition}: register in MLflow"):
        charts = {f"{name}.svg": svg for name, svg in model_charts(one.judgement.published()).items()}
        return track(one.trained, folder, one.judgement.numbers(), charts, config)
