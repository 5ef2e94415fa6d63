"""The population is as published: who is ill, who is coded, who is measured, and what their records look like."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casefinding.records.tables import CONTACT_KINDS
from casefinding.synthetic.codes import CODES, C
from casefinding.synthetic.compare import as_markdown, compare
from casefinding.synthetic.priors import BAND_LABELS
from casefinding.synthetic.shard import DIAGNOSES, STATES

from .conftest import Made, make

END = "2026-09-30"


def ids(*keys: str) -> list[str]:
    return [CODES[C[key]].id for key in keys]


@pytest.fixture(scope="module")
def events(population: Made) -> pd.DataFrame:
    table = population.table("event").to_pandas()
    planted = set(population.truth("planted")["pseudonym"].to_pylist())
    return table[~table["person"].isin(planted)].reset_index(drop=True)


@pytest.fixture(scope="module")
def truth(population: Made) -> pd.DataFrame:
    return population.truth().to_pandas()


@pytest.fixture(scope="module")
def systolic(events: pd.DataFrame) -> pd.DataFrame:
    taken = events[events["code"].isin(ids("sbp", "sbp_other"))].copy()
    taken["value"] = taken["value"].astype(float)
    return taken


def test_true_prevalence_is_the_published_one(population: Made) -> None:
    for row in compare(population.summary.counts):
        aim = row["published_true_percent"] / 100
        noise = np.sqrt(max(aim, 1e-3) * (1 - aim) / max(row["people"], 1))
        assert abs(row["true_percent"] / 100 - aim) < 4 * noise + 0.06 * aim, row


def test_coded_prevalence_is_within_a_fifth_of_the_published_one(population: Made) -> None:
    seen = 0
    for row in compare(population.summary.counts)[::2]:
        aim = row["published_coded_percent_both"] / 100
        if aim < 0.01:
            continue
        seen += 1
        both = population.summary.counts.people.sum(axis=1)[BAND_LABELS.index(row["age"])]
        noise = np.sqrt(aim * (1 - aim) / both)
        assert abs(row["coded_percent_both"] / 100 - aim) < 0.2 * aim + 3 * noise, row
    assert seen == 7 + 4 + 5


def test_the_page_in_the_docs_can_be_made_from_the_counts(population: Made) -> None:
    lines = as_markdown(population.summary.counts).splitlines()
    assert len(lines) == 2 + 3 * 8
    assert lines[2].startswith("| hypertension | 16-24 |")


def test_every_state_of_the_undiagnosed_occurs(truth: pd.DataFrame) -> None:
    for condition, rows in truth.groupby("condition"):
        assert set(rows["state"]) == set(STATES), condition
    assert (truth["coded_on"].notna() == (truth["state"] == "coded")).all()
    assert truth.loc[truth["onset_on"].isna(), "state"].eq("coded").all()


def test_truth_says_when_the_record_was_first_coded(events: pd.DataFrame, truth: pd.DataFrame) -> None:
    for condition, kinds in DIAGNOSES.items():
        coded = events[events["code"].isin(ids(*(key for key, _ in kinds)))].groupby("person")["recorded_on"].min()
        rows = truth[(truth["condition"] == condition) & truth["coded_on"].notna()]
        assert (rows.set_index("pseudonym")["coded_on"].astype(str).sort_index() == coded.sort_index()).all()


def test_diagnosis_comes_only_after_measurement(
    population: Made, events: pd.DataFrame, systolic: pd.DataFrame, truth: pd.DataFrame
) -> None:
    joined = population.table("registration").to_pandas().groupby("person")["started_on"].min()
    measured = pd.concat([systolic, events[events["code"].isin(ids("sbp_abpm", "sbp_home"))]])
    first = measured.groupby("person")["recorded_on"].min()
    rows = truth[(truth["condition"] == "hypertension") & truth["coded_on"].notna()].set_index("pseudonym")
    coded = pd.to_datetime(rows["coded_on"])
    start = pd.to_datetime(joined.reindex(rows.index))
    rows = rows[(coded > "2019-01-01") & (coded - start > pd.Timedelta(days=730))]
    assert len(rows) > 200
    assert (first.reindex(rows.index) <= rows["coded_on"].astype(str)).mean() > 0.99


def test_the_undiagnosed_have_higher_readings_than_the_well(systolic: pd.DataFrame, truth: pd.DataFrame) -> None:
    latest = systolic.sort_values("happened_on").groupby("person")["value"].last()
    ill = set(truth.loc[(truth["condition"] == "hypertension"), "pseudonym"])
    uncoded = set(truth.loc[(truth["condition"] == "hypertension") & (truth["state"] != "coded"), "pseudonym"])
    well = latest[~latest.index.isin(ill)].mean()
    assert latest[latest.index.isin(uncoded)].mean() > well + 15


def test_the_unwilling_have_fewer_records(population: Made, events: pd.DataFrame) -> None:
    hidden = population.truth("people").to_pandas().set_index("pseudonym")
    count = events.groupby("person").size().reindex(hidden.index, fill_value=0)
    assert count[hidden["willingness"] < -1].mean() < 0.65 * count[hidden["willingness"] > 1].mean()


def test_inequality_follows_the_regime(tmp_path: Path) -> None:
    def share(regime: str) -> float:
        """Blood pressure recorded in the last year at 40 to 74: Black people over White British people."""
        made = make(tmp_path / regime.replace(" ", "_"), 6_000, seed=3, regime=regime)
        people = made.table("person").to_pandas().set_index("person")
        people = people[people["birth_month"].between("1952", "1986") & people["died_on"].isna()]
        rows = made.table("event").to_pandas()
        rows = rows[rows["code"].isin(ids("sbp", "sbp_other")) & (rows["happened_on"] > "2025-10")]
        has = people.index.isin(set(rows["person"]))
        black = people["ethnicity"].isin(["African", "Caribbean", "Other Black"])
        return has[black].mean() / has[people["ethnicity"] == "White British"].mean()

    assert share("nearly equal") > share("unequal") + 0.1


def test_readings_scatter_and_end_in_nought_as_in_practices(population: Made, systolic: pd.DataFrame) -> None:
    one = systolic.groupby(["person", "happened_on"])["value"].min().reset_index()
    many = one.groupby("person")["value"].agg(["std", "size"])
    assert 8 < many.loc[many["size"] >= 6, "std"].median() < 14
    practice = population.table("registration").to_pandas().groupby("person")["practice"].first()
    ends = (systolic["value"] % 10 == 0).groupby(systolic["person"].map(practice)).mean()
    assert 0.25 < ends.min() < ends.max() < 0.75
    assert ends.max() - ends.min() > 0.2


def test_codes_are_entered_at_a_steady_rate(truth: pd.DataFrame) -> None:
    coded = pd.to_datetime(truth.loc[truth["condition"] == "hypertension", "coded_on"])
    early = coded.between("2017-10-01", "2021-09-30").sum()
    late = coded.between("2022-10-01", "2026-09-30").sum()
    assert 0.75 < late / early < 1.4


def test_people_move_die_leave_and_bring_backdated_summaries(population: Made, events: pd.DataFrame) -> None:
    stays = population.table("registration").to_pandas()
    assert 0.02 < (stays.groupby("person").size() == 2).mean() < 0.12
    gone = stays["ended_on"].notna()
    assert 0.05 < stays[gone].groupby("person").ngroups / 20_000 < 0.25
    assert population.table("person").to_pandas()["died_on"].notna().mean() > 0.01
    diagnoses = events[events["code"].isin(ids(*(key for kinds in DIAGNOSES.values() for key, _ in kinds)))]
    late = pd.to_datetime(diagnoses["recorded_on"]) - pd.to_datetime(diagnoses["happened_on"])
    assert (late >= pd.Timedelta(0)).all()
    assert 0.1 < (late > pd.Timedelta(days=30)).mean() < 0.6
    joined = stays.groupby("person")["started_on"].min()
    assert (events["recorded_on"] >= events["person"].map(joined)).all()


def test_nothing_happens_after_death_or_the_last_day(population: Made, events: pd.DataFrame) -> None:
    died = population.table("person").to_pandas().drop_duplicates("person").set_index("person")["died_on"].dropna()
    dead = events[events["person"].isin(died.index)]
    assert (dead["recorded_on"] <= dead["person"].map(died)).all()
    assert events["recorded_on"].max() <= END


def test_records_hold_about_as_much_as_a_practice_does(population: Made) -> None:
    assert 80 < population.summary.events / population.summary.people < 110


def test_practices_differ_in_deprivation(population: Made) -> None:
    people = population.table("person").to_pandas().drop_duplicates("person").set_index("person")
    practice = population.table("registration").to_pandas().groupby("person")["practice"].first()
    decile = pd.to_numeric(people["imd_decile"]).groupby(practice).mean()
    assert decile.drop("Z00000", errors="ignore").agg(np.ptp) > 3


def test_what_an_earlier_programme_left_is_in_words_the_store_knows(population: Made) -> None:
    contacts = population.table("contact").to_pandas()
    known = contacts[contacts["kind"] != "telegraphed"]
    assert set(known["kind"]) <= set(CONTACT_KINDS)
    assert {"invited", "declined", "opted out"} <= set(known["kind"])
    assert known["on"].map(dt.date.fromisoformat).max() <= dt.date.fromisoformat(END)
