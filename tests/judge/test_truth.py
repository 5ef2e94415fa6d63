"""Against the truth: the ill and uncoded are counted as a slow reader of the file would count them."""

import ast
import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import casefinding
from casefinding.errors import RecordsError, UsageError
from casefinding.judge.judgement import judge
from casefinding.judge.rows import Rows
from casefinding.judge.truth import Truth


@pytest.fixture(scope="module")
def world(maker, tmp_path_factory):
    """1,500 people; illness follows the model's own score; some are coded, some fall ill later."""
    made = maker(people=1500, seed=4)
    rng = np.random.default_rng(0)
    table = made.out_of_fold.to_pandas().drop_duplicates("person")
    ill = rng.random(len(table)) < np.clip(2.5 * table.chance, 0, 0.9)
    numbers = table.person[ill].to_numpy()
    onset = [dt.date(2018, 1, 1) + dt.timedelta(days=int(day)) for day in rng.integers(0, 2200, len(numbers))]
    coded = [day + dt.timedelta(days=int(wait)) if wait < 1500 else None
             for day, wait in zip(onset, rng.integers(0, 6000, len(numbers)), strict=True)]  # fmt: skip
    state = rng.choice(["never measured", "measured, not coded"], len(numbers)).astype(object)
    state[rng.choice(len(numbers), 4, replace=False)] = "treated, not coded"
    rare = state == "treated, not coded"
    onset = [dt.date(2018, 1, 1) if few else day for day, few in zip(onset, rare, strict=True)]
    coded = [None if few else day for day, few in zip(coded, rare, strict=True)]
    path = tmp_path_factory.mktemp("truth") / "truth.parquet"
    pq.write_table(
        pa.table({
            "pseudonym": [*(f"p{number:05d}" for number in numbers), "p01000", "p99999"],
            "condition": ["x"] * len(numbers) + ["another", "x"],  # the last lives elsewhere
            "onset_on": [*onset, dt.date(2000, 1, 1), dt.date(2000, 1, 1)],
            "coded_on": pa.array([*coded, None, None], pa.date32()),
            "state": [*state, "never measured", "never measured"],
        }),
        path,
    )  # fmt: skip
    return made, path


@pytest.fixture(scope="module")
def judged(world):
    made, path = world
    return judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=40, seed=1, groups=made.groups,
                 truth=Truth.read(path), people=made.people)  # fmt: skip


def slow_ill(made, path) -> list[tuple[bool, str]]:
    """Row by row in plain Python."""
    known = {row["pseudonym"]: row for row in pq.read_table(path).to_pylist() if row["condition"] == "x"}
    names = dict(zip(made.people["person"].to_pylist(), made.people["pseudonym"].to_pylist(), strict=True))
    found = []
    for row in made.out_of_fold.select(["person", "index_day"]).to_pylist():
        told = known.get(names[row["person"]])
        ill = bool(told) and told["onset_on"] <= row["index_day"]
        ill = ill and (told["coded_on"] is None or told["coded_on"] >= row["index_day"])
        found.append((ill, told["state"] if ill else ""))
    return found


def test_the_ill_and_uncoded_are_those_of_a_slow_reading(world):
    made, path = world
    rows = Rows.read(made.out_of_fold, 0)
    found = Truth.read(path).about("x", rows.number, rows.day, made.people)
    states = [found.states[place] if place >= 0 else "" for place in found.state]
    assert [(bool(ill), state) for ill, state in zip(found.ill, states, strict=True)] == slow_ill(made, path)
    assert 50 < found.ill.sum() < len(rows) / 2


def test_the_day_of_onset_is_ill_and_the_day_of_the_code_still_uncoded():
    day = dt.date(2024, 1, 1)
    truth = Truth(pa.table({
        "pseudonym": list("abcde"), "condition": ["x"] * 5,
        "onset_on": [day, day + dt.timedelta(days=1), dt.date(2020, 1, 1), dt.date(2020, 1, 1), None],
        "coded_on": pa.array([None, None, day, day - dt.timedelta(days=1), None], pa.date32()),
        "state": ["s"] * 5,
    }))  # fmt: skip
    people = pa.table({"person": [4, 3, 2, 1, 0], "pseudonym": list("edcba")})
    found = truth.about("x", np.arange(5), np.full(5, np.datetime64(day)), people)
    assert found.ill.tolist() == [1, 0, 1, 0, 0]


def test_a_list_holds_as_many_of_the_ill_as_counted_by_hand(world, judged):
    made, path = world
    table = made.out_of_fold.to_pandas()
    table["ill"] = [ill for ill, _ in slow_ill(made, path)]
    ranks = table.groupby(["practice", "index_day"])["chance"].rank(ascending=False, method="first")
    sizes = table.groupby(["practice", "index_day"])["chance"].transform("size")
    found = judged.truth
    assert found["ill"] == table.ill.sum()
    assert found["ill_people"] == table.person[table.ill].nunique()
    model = found["capacity"]["model"]
    assert model["ill_listed"] == (table.ill & (ranks <= 15)).sum()
    assert model["share"]["value"] == pytest.approx((table.ill & (ranks <= 15)).sum() / table.ill.sum())
    assert found["capacity"]["random"]["share"]["value"] == pytest.approx((15 / sizes)[table.ill].mean())
    tenth = table.groupby("index_day")["chance"].rank(ascending=False, method="first") <= 150
    assert found["top_tenth"]["model"]["ill_listed"] == (table.ill & tenth).sum()
    assert found["top_tenth"]["random"]["share"]["value"] == pytest.approx(0.1)


def test_every_group_and_state_is_counted(world, judged):
    made, path = world
    table = made.out_of_fold.to_pandas()
    table["ill"], table["state"] = zip(*slow_ill(made, path), strict=True)
    table["sex"] = made.groups["sex"].to_pylist()
    listed = table.groupby(["practice", "index_day"])["chance"].rank(ascending=False, method="first") <= 15
    for entry in judged.truth["groups"]["sex"]:
        mine = table[(table.sex == entry["group"]) & table.ill]
        assert entry["ill"] == len(mine)
        if not entry["too_few"]:
            assert entry["capacity"]["model"]["value"] == pytest.approx(listed[mine.index].mean())
            low, high = entry["capacity"]["model"]["low"], entry["capacity"]["model"]["high"]
            assert low <= entry["capacity"]["model"]["value"] <= high
    states = {entry["group"]: entry for entry in judged.truth["states"]}
    assert {name: entry["ill"] for name, entry in states.items()} == table[table.ill].state.value_counts().to_dict()
    assert states["treated, not coded"]["too_few"]
    assert "capacity" not in states["treated, not coded"]
    assert sum(entry["ill"] for entry in judged.truth["groups"]["attendance"]) == judged.truth["ill"]


def test_a_model_that_follows_the_illness_beats_age_and_chance_and_its_interval_says_so(judged):
    tenth = judged.truth["top_tenth"]
    assert tenth["model"]["share"]["value"] > tenth["age_sex"]["share"]["value"] > 0.1
    assert tenth["model_minus"]["age_sex"]["low"] > 0
    assert judged.truth["auroc"]["model"]["value"] > judged.truth["auroc"]["age_sex"]["value"]
    assert judged.truth["chance"]["ill_for_each_expected_diagnosis"] > 1


def test_the_truth_counts_everyone_asked_whatever_is_known_of_their_outcome(world, judged):
    made, path = world
    unknown = np.arange(made.out_of_fold.num_rows) % 3 == 0
    changed = made.changed(weight=np.where(unknown, 0.0, 1.0), case=made.out_of_fold["case"].fill_null(0))
    again = judge("x", changed, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups,
                  truth=Truth.read(path), people=made.people).truth  # fmt: skip
    assert again["capacity"]["model"]["share"]["value"] == judged.truth["capacity"]["model"]["share"]["value"]


def test_a_condition_that_nobody_has_gives_counts_only(world):
    made, path = world
    found = judge("nothing", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups,
                  truth=Truth.read(path), people=made.people)  # fmt: skip
    assert found.truth == {"rows": 3000, "ill": 0, "ill_people": 0, "too_few": True}
    assert "truth" not in found.curves


def test_a_broken_truth_is_named(world, tmp_path):
    made, path = world
    (tmp_path / "truth.parquet").write_bytes(path.read_bytes()[:200])
    with pytest.raises(RecordsError, match="cannot be read"):
        Truth.read(tmp_path / "truth.parquet")
    with pytest.raises(RecordsError, match="cannot be read"):
        Truth.read(tmp_path / "absent.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["onset_on"]), tmp_path / "short.parquet")
    with pytest.raises(RecordsError, match="'onset_on'"):
        Truth.read(tmp_path / "short.parquet")
    rows = Rows.read(made.out_of_fold, 0)
    twice = Truth(pa.concat_tables([Truth.read(path).table] * 2))
    with pytest.raises(RecordsError, match="more than one row"):
        twice.about("x", rows.number, rows.day, made.people)
    others = made.people.set_column(1, "pseudonym", pa.array([f"q{n}" for n in range(1500)]))
    with pytest.raises(RecordsError, match="nobody"):
        Truth.read(path).about("x", rows.number, rows.day, others)
    with pytest.raises(UsageError, match="person table"):
        judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups,
              truth=Truth.read(path))  # fmt: skip


def test_no_error_of_the_truth_names_a_person(world):
    made, path = world
    rows = Rows.read(made.out_of_fold, 0)
    twice = Truth(pa.concat_tables([Truth.read(path).table] * 2))
    with pytest.raises(RecordsError) as caught:
        twice.about("x", rows.number, rows.day, made.people)
    assert not any(name in str(caught.value) for name in made.people["pseudonym"].to_pylist())


def test_no_room_but_judge_can_open_the_truth():
    """Only `judge`, and the job that hands it the path, may import its reader; only `synthetic` writes the file."""
    package = Path(casefinding.__file__).parent
    allowed_readers = {"judge", "job", "cli.py", "job.py"}
    offenders, seen = [], 0
    for module in package.rglob("*.py"):
        seen += 1
        room = module.relative_to(package).parts[0]
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            imported = (
                [f"{node.module}.{alias.name}" for alias in node.names] + [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            if any(name.startswith("casefinding.judge.truth") for name in imported) and room not in allowed_readers:
                offenders.append(module.name)
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and "truth.parquet" in text and room not in allowed_readers | {"synthetic"}:
                offenders.append(module.name)
    assert seen > 20
    assert not offenders
