"""Records that cannot be learned from, or hardly: a clear refusal or a stated fallback, never a model that looks fine.

4,000 simulated people and one condition each; models that are content with few cases and grow few trees, but where the
number of cases is the point.
"""

import csv
import datetime as dt
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from .conftest import ROOT, config_text, quick_definitions

pytestmark = pytest.mark.xdist_group("bad training")

CONDITION = "hypertension"
LISTS = ROOT / "features" / "codelists"
READINGS = (
    *(f"{side}_{where}" for side in ("systolic", "diastolic") for where in ("clinic", "home", "abpm")),
    *(f"{side}_home_{how}" for side in ("systolic", "diastolic") for how in ("average", "told")),
    "bp_panel",
)
SMOKING = ("smoking_current", "smoking_ex", "smoking_never", "smoking_not_now", "smoking_status_other")
LETTER = "371531000"
"""A code that no list of the definitions holds: a letter filed."""
Table = pa.Table
Change = Callable[[Table], Table]


@pytest.fixture
def spoilt(tiny: Path, tmp_path: Path) -> Callable[..., Path]:
    """`spoilt(event=change)`: a config for the extract of 4,000 people with some of its tables changed."""

    def make(**changes: Change) -> Path:
        extract = tmp_path / "extract"
        extract.mkdir()
        for table in ("person", "registration", "practice", "event", "contact", "extract"):
            single = tiny / f"{table}.parquet"
            rows = pq.read_table(single if single.exists() else tiny / table)
            pq.write_table(changes.get(table, lambda same: same)(rows), extract / f"{table}.parquet")
        config = tmp_path / "config.yaml"
        config.write_text(config_text(CONDITION, path=extract), encoding="utf-8")
        return config

    return make


def ids_of(*lists: str) -> set[str]:
    """The ids of some code lists."""
    found: set[str] = set()
    for name in lists:
        lines = [line for line in (LISTS / f"{name}.csv").read_text("utf-8").splitlines() if not line.startswith("#")]
        found |= {row["id"] for row in csv.DictReader(lines)}
    return found


def without(*lists: str) -> Change:
    """Take away every event with a code of some lists."""
    ids = pa.array(sorted(ids_of(*lists)))
    return lambda events: events.filter(pc.invert(pc.is_in(events["code"].cast(pa.string()), ids)))


def like(events: Table, **columns: list) -> Table:
    """Further rows of the event table; what is not given is empty."""
    length = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns.get(field.name, [None] * length)).cast(field.type) for field in events.schema
    ]  # fmt: skip
    return pa.concat_tables([events, pa.Table.from_arrays(arrays, schema=events.schema)])


def chances(folder: Path) -> np.ndarray:
    return pq.read_table(folder / "scores.parquet")["chance"].to_numpy(zero_copy_only=False).astype(float)


def finite_and_varied(folder: Path) -> None:
    """Chances that differ from each other, each strictly between 0 and 1."""
    given = chances(folder)
    assert np.isfinite(given).all()
    assert 0 < given.min() < given.max() < 1


def numbers_in(folder: Path) -> list[float]:
    """Every number of the measures of a bundle."""
    found: list[float] = []
    waiting = [json.loads((folder / "measures.json").read_text(encoding="utf-8"))]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting.extend(one.values() if isinstance(one, dict) else one)
        elif isinstance(one, float):
            found.append(one)
    return found


# --------------------------------------------------------------------------------------------- too few to learn from


def test_fewer_positives_than_a_model_needs_are_refused_with_their_number(casefinding, tiny, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(config_text("atrial_fibrillation", path=tiny), encoding="utf-8")
    said = casefinding("train", "--config", config, "--condition", "atrial_fibrillation", "--out", "bundle")
    said.refused(14, "no model of atrial_fibrillation", "cases among", "100 are needed", "Hint")
    assert not (tmp_path / "bundle").exists()


def test_nobody_verified_is_refused_and_the_rules_still_run(casefinding, spoilt, quick, tmp_path):
    config = spoilt(event=without(*READINGS))
    said = casefinding(
        "train", "--config", config, "--condition", CONDITION, "--definitions", quick, "--out", "bundle"
    )  # fmt: skip
    said.refused(14, f"no model of {CONDITION}", "looked at")
    assert not (tmp_path / "bundle").exists()
    said = casefinding("run", "--config", config, "--definitions", quick, "--out", "lists")
    assert said.code == 0, said.err
    assert "looked at" in said.err
    assert np.isnan(chances(tmp_path / "lists")).all()
    assert "looked at" in (tmp_path / "lists" / "models" / f"{CONDITION}.html").read_text(encoding="utf-8")


# --------------------------------------------------------------------------------------------------- odd, but learnable


def test_everyone_verified_needs_no_weights_and_is_learned_from(casefinding, spoilt, quick, tmp_path):
    def measured_each_spring(events: Table) -> Table:
        people, rng = pc.unique(events["person"]).to_pylist(), np.random.default_rng(1)
        usual = rng.normal(128, 16, len(people))
        for year in (2024, 2025, 2026):
            for code, value in (("271649006", usual), ("271650006", 78 + (usual - 128) / 2)):
                many = len(people)
                events = like(
                    events, person=people, happened_on=[dt.date(year, 3, 1)] * many,
                    recorded_on=[dt.date(year, 3, 1)] * many, system=["snomed"] * many, code=[code] * many,
                    value=[f"{number:.0f}" for number in value + rng.normal(0, 6, many)], unit=["mmHg"] * many,
                )  # fmt: skip
        return events

    config = spoilt(event=measured_each_spring)
    said = casefinding(
        "train", "--config", config, "--condition", CONDITION, "--definitions", quick, "--out", "bundle"
    )  # fmt: skip
    assert said.code == 0, said.err
    measures = json.loads((tmp_path / "bundle" / "measures.json").read_text(encoding="utf-8"))
    assert measures["overall"]["rates"]["auroc"]["value"] > 0.6
    assert all(math.isfinite(number) for number in numbers_in(tmp_path / "bundle"))


def test_a_practice_of_one_patient_is_scored_and_its_patient_is_not_counted(casefinding, spoilt, quick, tmp_path):
    def one_moves(registrations: Table) -> Table:
        person, practice = registrations["person"].to_pylist(), registrations["practice"].to_pylist()
        ended = registrations["ended_on"].to_pylist()
        once = [one for one in range(len(person)) if ended[one] is None and person.count(person[one]) == 1]
        practice[once[0]] = "Y99777"
        at = registrations.schema.get_field_index("practice")
        return registrations.set_column(at, "practice", pa.array(practice).cast(registrations.schema.field(at).type))

    def one_more(practices: Table) -> Table:
        row = {name: ["Y99777" if name == "practice" else "Alone"] for name in practices.column_names}
        return pa.concat_tables([practices, pa.table(row, schema=practices.schema)])

    config = spoilt(registration=one_moves, practice=one_more)
    said = casefinding("run", "--config", config, "--definitions", quick, "--out", "out")
    assert said.code == 0, said.err
    finite_and_varied(tmp_path / "out")
    measures = json.loads((tmp_path / "out" / "models" / CONDITION / "measures.json").read_text(encoding="utf-8"))
    alone = [group for group in measures["groups"]["practice"] if group["group"] == "Y99777"]
    for group in alone:
        assert group["people"] is None
        assert group["too_few"]
        assert not group["rates"]
    assert all(math.isfinite(number) for number in numbers_in(tmp_path / "out" / "models" / CONDITION))


def test_one_sex_only_is_learned_from_and_compared_with_nobody(casefinding, spoilt, quick, tmp_path):
    def women(people: Table) -> Table:
        at = people.schema.get_field_index("sex")
        return people.set_column(at, "sex", pa.array(["female"] * people.num_rows).cast(people.schema.field(at).type))

    config = spoilt(person=women)
    said = casefinding("run", "--config", config, "--definitions", quick, "--out", "out")
    assert said.code == 0, said.err
    finite_and_varied(tmp_path / "out")
    measures = json.loads((tmp_path / "out" / "models" / CONDITION / "measures.json").read_text(encoding="utf-8"))
    assert len(measures["groups"]["sex"]) <= 1
    assert all(math.isfinite(number) for number in numbers_in(tmp_path / "out" / "models" / CONDITION))


def test_a_signal_that_is_never_recorded_weighs_nothing(casefinding, spoilt, quick, tmp_path):
    config = spoilt(event=without(*SMOKING))
    said = casefinding("run", "--config", config, "--definitions", quick, "--out", "out")
    assert said.code == 0, said.err
    finite_and_varied(tmp_path / "out")
    text = (tmp_path / "out" / "models" / CONDITION / "model.txt").read_text(encoding="utf-8")
    names = re.search(r"^feature_names=(.*)$", text, re.MULTILINE)[1].split(" ")
    split_by = {int(one) for line in re.findall(r"^split_feature=(.+)$", text, re.MULTILINE) for one in line.split()}
    weighing = {names[one] for one in split_by}
    assert "age" in weighing
    assert {"smoking_current_unanswered_ever", "smoking_ex_ever", "smoking_never_ever"} <= set(names)
    assert not any(name.startswith("smoking_") for name in weighing)


# ----------------------------------------------------------------------------------------------- a label that leaks


def plant(folder: Path, codes: str, *, label: str = "Planted") -> Path:
    """Definitions with one more feature of the model, whether a code of some list is on record."""
    known = quick_definitions(folder)
    (known / "features" / "signals" / "planted.yaml").write_text(
        f"about: A signal for a test.\n\nplanted:\n  label: {label}\n  codes: [{codes}]\n", encoding="utf-8"
    )
    (known / "features" / "planted.yaml").write_text(
        "about: A feature for a test.\n\n"
        "planted_ever:\n  label: Planted\n  ask: ever\n  of: planted\n  say: Planted\n  examples:\n"
        "    - {records: {planted: [2020-01-01]}, on: 2024-01-01, gives: 1}\n"
        "    - {records: {}, on: 2024-01-01, gives: 0}\n",
        encoding="utf-8",
    )
    model = known / "models" / f"{CONDITION}.yaml"
    text = model.read_text(encoding="utf-8")
    assert "\nfeatures:\n" in text
    model.write_text(text.replace("\nfeatures:\n", "\nfeatures:\n  - planted_ever\n", 1), encoding="utf-8")
    return known


@pytest.mark.parametrize("codes", ["hypertension_core", "hypertension_register"])
def test_a_feature_made_from_the_outcomes_codes_is_refused_before_anything_is_read(casefinding, tiny, tmp_path, codes):
    known = plant(tmp_path / "known", codes)
    said = casefinding("check", "--definitions", known)
    assert said.code == 10
    assert "planted" in said.err
    config = tmp_path / "config.yaml"
    config.write_text(config_text(CONDITION, path=tiny), encoding="utf-8")
    for command in (("train", "--condition", CONDITION, "--out", "bundle"), ("run", "--out", "out")):
        casefinding(*command, "--config", config, "--definitions", known).refused(10, "planted")
    assert not (tmp_path / "bundle").exists()
    assert not (tmp_path / "out").exists()


def test_a_list_of_ones_own_that_holds_a_code_of_the_outcome_is_refused(casefinding, tmp_path):
    known = plant(tmp_path / "known", "planted")
    code = sorted(ids_of("hypertension_core"))[0]
    write_list(known, code)
    said = casefinding("check", "--definitions", known)
    assert said.code == 10
    assert "planted" in said.err


def test_a_code_that_tells_the_diagnosis_beforehand_stops_the_training(casefinding, spoilt, tmp_path):
    """Nothing in the definitions gives it away: whoever is diagnosed had a letter filed 400 days before."""
    label = pa.array(sorted(ids_of("hypertension_core")))

    def letters(events: Table) -> Table:
        diagnosed = events.filter(pc.is_in(events["code"].cast(pa.string()), label))
        first = diagnosed.group_by("person").aggregate([("recorded_on", "min")])
        days = first["recorded_on_min"].to_numpy().astype("datetime64[D]") - 400
        own = [pa.array(days)] * 2
        many = first.num_rows
        return like(
            events, person=first["person"].to_pylist(), happened_on=own[0], recorded_on=own[1],
            system=["snomed"] * many, code=[LETTER] * many, term=["Letter filed"] * many,
        )  # fmt: skip

    known = plant(tmp_path / "known", "planted", label="Letter filed")
    write_list(known, LETTER)
    config = spoilt(event=letters)
    said = casefinding(
        "train", "--config", config, "--condition", CONDITION, "--definitions", known, "--out", "bundle"
    )  # fmt: skip
    said.refused(14, "leak", "planted_ever")
    assert not (tmp_path / "bundle").exists()
    said = casefinding("run", "--config", config, "--definitions", known, "--out", "lists")
    assert said.code == 0, said.err
    assert "leak" in said.err
    assert np.isnan(chances(tmp_path / "lists")).all()


def write_list(known: Path, code: str) -> None:
    """A code list of one code for the signal that `plant` made."""
    (known / "features" / "codelists" / "planted.csv").write_text(
        f"# source: a test\n# release: 1\n# reviewed by: nobody\nid,label,system\n{code},Letter filed,snomed\n",
        encoding="utf-8",
    )
