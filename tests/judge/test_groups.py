"""Group tables equal fairlearn's, and say nothing about a handful of people."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, precision_score, recall_score, roc_auc_score

from casefinding.errors import LearnError
from casefinding.judge.groups import groupings
from casefinding.judge.judgement import judge
from casefinding.judge.rows import Rows


@pytest.fixture(scope="module")
def judged(made):
    return judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=40, seed=1, groups=made.groups)


@pytest.mark.parametrize("grouping", ["sex", "ethnicity", "practice"])
def test_group_rates_are_those_of_fairlearn(made, judged, grouping):
    fairlearn = pytest.importorskip("fairlearn.metrics")
    table = made.out_of_fold.to_pandas()
    listed = table.groupby(["practice", "index_day"])["chance"].rank(ascending=False, method="first") <= 15
    used = table.weight.to_numpy() > 0
    case, chance, weight = (table[name].to_numpy(float)[used] for name in ("case", "chance", "weight"))
    who = np.asarray(made.groups[grouping].to_pylist())[used]

    def frame(metrics, predicted):
        return fairlearn.MetricFrame(
            metrics=metrics,
            y_true=case,
            y_pred=predicted,
            sensitive_features=who,
            sample_params={name: {"sample_weight": weight} for name in metrics},
        ).by_group

    ranked = frame({"auroc": _both(roc_auc_score), "average_precision": average_precision_score,
                    "brier": brier_score_loss}, chance)  # fmt: skip
    lists = frame({"ppv": precision_score, "sensitivity": recall_score}, listed.to_numpy()[used])
    compared = 0
    for entry in judged.groups[grouping]:
        if entry["too_few"]:
            continue
        for theirs in (ranked, lists):
            for name in theirs.columns:
                assert entry["rates"][name]["value"] == pytest.approx(theirs.loc[entry["group"], name], abs=1e-10)
                compared += 1
    assert compared >= 10


def _both(metric):
    return lambda y, p, sample_weight: metric(y, p, sample_weight=sample_weight) if len(set(y)) > 1 else np.nan


def test_every_row_stands_in_one_group_of_every_grouping(made, judged):
    rows = Rows.read(made.out_of_fold, 0)
    used = int((rows.weight > 0).sum())
    assert set(judged.groups) == {
        "age_band", "sex", "ethnicity", "deprivation", "core20", "practice", "attendance",
    }  # fmt: skip
    for name, table in judged.groups.items():
        assert sum(entry["rows"] for entry in table) == used, name
        assert sum(entry["listed"] for entry in table) == judged.overall["listed"], name
    for grouping in groupings(made.groups, rows):
        together = np.concatenate([part for _, part in grouping.parts()])
        assert np.array_equal(np.sort(together), np.arange(len(rows)))


def test_bands_fifths_and_attendance_have_their_edges():
    n = 12
    ages = [18, 34, 35, 44, 45, 85, 84, 101, 65, 74, 75, None]
    deciles = [1, 2, 3, 4, 9, 10, None, 0, 11, 5, 6, 8]
    contacts = [0, 1, 2, 30, None, 1, 1, 1, 1, 1, 1, 1]
    table = pa.table({"age": ages, "sex": ["male"] * 11 + [None], "ethnicity": ["unknown"] * 11 + ["martian"],
                      "imd_decile": pa.array(deciles, pa.int8()), "contacts": contacts})  # fmt: skip
    found = groupings(table, _rows(n))
    by_name = {grouping.name: [grouping.names[place] for place in grouping.of] for grouping in found}
    assert by_name["age_band"] == [
        "under 35", "under 35", "35 to 44", "35 to 44", "45 to 54", "85 and over", "75 to 84", "85 and over",
        "65 to 74", "65 to 74", "75 to 84", "not known",
    ]  # fmt: skip
    most, least, none = "1 (most deprived)", "5 (least deprived)", "not known"
    assert by_name["deprivation"] == [most, most, "2", "2", least, least, none, none, none, "3", "3", "4"]
    assert by_name["core20"][:3] == ["most deprived 20%", "most deprived 20%", "everyone else"]
    assert by_name["core20"][6] == "not known"
    assert by_name["attendance"][:5] == [
        "at most 1 contact in the last year", "at most 1 contact in the last year", "2 or more contacts",
        "2 or more contacts", "not known",
    ]  # fmt: skip
    assert by_name["sex"][11] == "not known"
    assert by_name["ethnicity"][0] == "unknown"  # a group of its own
    assert by_name["ethnicity"][11] == "martian"  # what nobody foresaw is shown, not dropped


def _rows(n: int) -> Rows:
    day = dt.date(2024, 1, 1)
    same = {"index_day": day, "practice": "Y99001", "case": 0, "weight": 1.0}
    same |= {"chance": 0.1, "chance_age_sex": 0.1, "chance_logistic": 0.1}
    return Rows.read(pa.table({"person": range(n)} | {name: [value] * n for name, value in same.items()}), 0)


@pytest.mark.parametrize(("cases", "shown"), [(7, False), (8, True)])
def test_a_group_with_fewer_than_8_cases_gives_no_rates(made, cases, shown):
    """Counted in people: the rows of one person with two index days are not two people."""
    table = made.out_of_fold.to_pandas()
    sex = np.asarray(made.groups["sex"].to_pylist())
    women = table[sex == "female"].drop_duplicates("person").index[:cases]
    again = table.person.isin(table.person[women]) & (sex == "female")
    case = np.where(sex == "female", again, table.case.fillna(0)).astype(int)
    changed = made.changed(case=case, weight=np.ones(len(table)))
    found = judge("x", changed, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups).groups["sex"]
    female = next(entry for entry in found if entry["group"] == "female")
    assert female["cases"] == cases
    assert female["too_few"] is not shown
    assert bool(female["rates"]) is shown


def test_a_table_of_groups_of_another_length_or_without_a_column_is_refused(made):
    rows = Rows.read(made.out_of_fold, 0)
    with pytest.raises(LearnError, match="length"):
        groupings(made.groups.slice(1), rows)
    with pytest.raises(LearnError, match="'sex'"):
        groupings(made.groups.drop_columns(["sex"]), rows)
