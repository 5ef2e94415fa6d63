"""Treatment gaps: from the records to rates for planning and, where asked for, each practice's own list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import register_status, registered
from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, features_in
from casefinding.errors import CohortError, ConfigError
from casefinding.explain.wording import fill, score_words
from casefinding.files import check_replaceable, new_folder
from casefinding.job.asking import only_practices
from casefinding.job.edition import edition_of, facts_of
from casefinding.job.main import home_of, read_all
from casefinding.job.progress import Stages
from casefinding.job.records import prepare
from casefinding.records.store import Store
from casefinding.rules.evaluate import evaluate
from casefinding.rules.treatment_gaps import Found, find_gap, gap_features
from casefinding.signals.matrix import build_matrix

LISTS_ON = "for each practice"


def treatment_gaps(
    config_file: Path,
    out: Path,
    *,
    records: Path | None = None,
    work: Path | None = None,
    definitions: Path | None = None,
    quiet: bool = False,
) -> None:
    """Write index.html, rates.csv and manifest.json to `out`, whole or not at all.

    Where the config says so (treatment gap lists: for each practice) also practices/ with a workbook and a CSV of each
    practice's own people, exact. ConfigError where the definitions hold no treatment gaps, CohortError where nobody is
    registered on the index day.
    """
    from casefinding.judge.treated import rates
    from casefinding.report.network import write_manifest
    from casefinding.report.treatment_gaps import GapRates, write_gap_list, write_gaps

    config, known = read_all(config_file, records, definitions)
    if not known.treatment_gaps:
        raise ConfigError("the definitions hold no treatment gaps", where="models", hint="see treatment_gaps.yaml")
    check_replaceable(out)
    stages = Stages(quiet=quiet)
    store = prepare(config, work or home_of(out), stages, reuse=True).store
    with stages.stage("Treatment gaps: who is registered"):
        base = _base(store, config)
    with stages.stage("Treatment gaps: features") as tick:
        names = list(dict.fromkeys(name for gap in known.treatment_gaps for name in gap_features(known, gap)))
        matrix = build_matrix(store, known, names, base, threads=config.training.threads, progress=tick)
        models = dict.fromkeys(gap.on_register for gap in known.treatment_gaps if gap.on_register)
        status = {name: register_status(store, known, name, base) for name in models}
        found = [find_gap(known, gap, matrix, status) for gap in known.treatment_gaps]
    facts = {**facts_of(config, store, known), "treatment gaps": [one.gap.name for one in found]}
    edition = edition_of(config, store, facts)
    practices = store.practices().to_pylist()
    lists = config.treatment_gap_lists == LISTS_ON
    with new_folder(out) as fresh, stages.stage("Treatment gaps: rates and lists"):
        counted = [
            GapRates(one.gap, rates(one.counted, one.lacking, base, practices), int(one.unscored.sum()),
                     int(one.left_out.sum()))
            for one in found
        ]  # fmt: skip
        write_gaps(counted, edition, fresh, lists=lists)
        if lists:
            people = _people(known, store, config, base, found)
            called = {row["practice"]: row["name"] or row["practice"] for row in practices}
            for code in sorted({str(code) for code in base["practice"].to_pylist()}):
                gaps = known.treatment_gaps
                write_gap_list(code, called.get(code, code), people.get(code, []), gaps, edition, fresh / "practices")
        write_manifest(facts, edition, fresh)
    print(out / "index.html")


def _base(store: Store, config: Config) -> pa.Table:
    """Everybody registered in the practices asked for on the index day, with pseudonyms."""
    if not store.data_from < config.index_day <= store.data_through + dt.timedelta(days=1):
        raise CohortError(
            f"the index day {config.index_day} lies outside the data, {store.data_from} to {store.data_through}",
            where="index day",
            hint="choose a day within them",
        )
    base = only_practices(registered(store, [config.index_day]), config)
    if base.num_rows == 0:
        raise CohortError(f"nobody is registered on {config.index_day}", where="index day")
    return base.append_column("pseudonym", store.people_table()["pseudonym"].take(base["person"]))


def _people(
    known: Definitions, store: Store, config: Config, base: pa.Table, found: Sequence[Found]
) -> Mapping[str, list]:
    """The rows of each practice's list, worded: who stands first, then the higher score, then by pseudonym."""
    from casefinding.report.treatment_gaps import Person

    listed = np.flatnonzero(np.logical_or.reduce([one.lacking for one in found]))
    rows = base.take(pa.array(listed, pa.int64()))
    notes = [one for one in known.leave_outs if one.note and not one.drop_from]
    names = dict.fromkeys(name for one in found for name in gap_features(known, one.gap))
    names.update(dict.fromkeys(name for one in notes for name in features_in(one.when)))
    evidence = build_matrix(store, known, list(names), rows, threads=config.training.threads, with_days=True)
    columns = {name: evidence[name].to_numpy() for name in names}
    days = {
        name: evidence[f"{name}__day"].to_numpy().astype("datetime64[D]")
        for name in names
        if f"{name}__day" in evidence.column_names
    }
    holds = [(one.note, evaluate(one.when, columns)) for one in notes]
    who = {name: rows[name].to_pylist() for name in ("pseudonym", "practice", "birth_month", "sex")}
    place = {row: position for position, row in enumerate(listed.tolist())}
    people: dict[str, list[tuple[tuple, Person]]] = {}
    for one in found:
        for row in np.flatnonzero(one.lacking).tolist():
            at = place[row]
            values = {name: float(column[at]) for name, column in columns.items()}
            dated = {
                name: None if np.isnat(column[at]) else column[at].astype(dt.date) for name, column in days.items()
            }
            score = ""
            points = 0.0
            if one.score is not None:
                points = float(one.score.values[row])
                score = score_words(one.score.score, points, one.score.missing(row))
            first = bool(one.first[row])
            person = Person(
                gap=one.gap.name, pseudonym=who["pseudonym"][at], born=who["birth_month"][at].year,
                sex=who["sex"][at], first=first, do=(one.gap.do_first if first else "") or one.gap.do,
                why=fill(one.gap.say, values, dated, known), score=score,
                notes=tuple(note for note, held in holds if held[at]),
            )  # fmt: skip
            people.setdefault(str(who["practice"][at]), []).append(((not first, -points, person.pseudonym), person))
    return {code: [person for _, person in sorted(mine, key=lambda pair: pair[0])] for code, mine in people.items()}
