"""A judgement is plain JSON, the same for the same seed, and it knows a good model from a leak and from noise."""

import dataclasses
import itertools
import json

import numpy as np
import pyarrow as pa
import pytest

from casefinding.errors import LearnError, UsageError
from casefinding.judge.judgement import Judgement, judge


def judged(made, out_of_fold=None, **changes):
    given = {"capacity": made.capacity, "bootstrap": 30, "seed": 1, "groups": made.groups} | changes
    return judge("x", made.out_of_fold if out_of_fold is None else out_of_fold, **given)


@pytest.fixture(scope="module")
def found(made):
    return judged(made)


def test_a_judgement_goes_through_json_and_comes_back_as_published(found):
    text = json.dumps(found.as_dict(), allow_nan=False)
    assert Judgement(**json.loads(text)) == found.published()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.condition = "y"


def test_the_same_seed_gives_the_same_figures_and_another_seed_other_intervals(made, found):
    assert json.dumps(judged(made).as_dict()) == json.dumps(found.as_dict())
    other = judged(made, seed=2)
    assert other.overall["rates"]["auroc"]["value"] == found.overall["rates"]["auroc"]["value"]
    assert other.overall["rates"]["auroc"]["low"] != found.overall["rates"]["auroc"]["low"]


def test_every_interval_holds_its_value_and_every_measure_has_one(found):
    seen = 0
    for table in (found.overall, *found.yardsticks.values(), *found.groups["sex"], *found.groups["practice"]):
        for name, entry in table["rates"].items():
            if entry["low"] is not None:
                assert entry["low"] <= entry["value"] <= entry["high"], name
                seen += 1
    assert seen > 40
    for name in ("auroc", "average_precision", "brier", "calibration_slope", "calibration_in_the_large",
                 "observed_expected", "ppv", "sensitivity", "number_needed_to_test"):  # fmt: skip
        assert found.overall["rates"][name]["low"] is not None, name


def test_nothing_is_called_minimum_or_maximum_and_no_row_is_published(found, made):
    text = json.dumps(found.as_dict()).lower()
    assert "minimum" not in text
    assert "maximum" not in text
    chances = {repr(float(value)) for value in made.out_of_fold["chance"].to_pylist()}
    assert not any(chance in text for chance in chances)  # no figure is one person's chance


def test_a_true_chance_is_found_calibrated_and_better_than_age_and_sex(maker):
    made = maker(people=6000, seed=2)
    found = judged(made)
    rates = found.overall["rates"]
    assert rates["calibration_slope"]["low"] < 1 < rates["calibration_slope"]["high"]
    assert rates["observed_expected"]["value"] == pytest.approx(1, abs=0.08)
    gain = found.yardsticks["age_sex"]["model_minus_this"]["auroc"]
    assert gain["low"] > 0.05
    paired = gain["high"] - gain["low"]
    apart = sum(table["rates"]["auroc"]["high"] - table["rates"]["auroc"]["low"]
                for table in (found.overall, found.yardsticks["age_sex"]))  # fmt: skip
    assert paired < apart
    worth = {row["threshold"]: row for row in found.overall["net_benefit"]}
    assert worth[0.2]["value"] > max(worth[0.2]["everybody"], 0)


def test_shuffled_outcomes_are_no_better_than_chance(maker):
    made = maker(people=6000, seed=3)
    case = np.random.default_rng(0).permutation(made.out_of_fold["case"].fill_null(0).to_numpy())
    found = judged(made, made.changed(case=case))
    assert found.overall["rates"]["auroc"]["value"] == pytest.approx(0.5, abs=0.03)
    assert all(row["value"] < 0.01 for row in found.overall["net_benefit"] if row["threshold"] >= 0.2)


def test_curves_stand_on_fixed_grids(found):
    for name, scores in (("net_benefit", "threshold"), ("gains", "listed_share")):
        curve = found.curves[name]
        assert len({len(points) for points in curve.values()}) == 1
        assert curve[scores] == sorted(curve[scores])
    gains = found.curves["gains"]["model"]
    assert gains[0] == 0
    assert gains[-1] == pytest.approx(1)
    shown = [value for value in gains if value is not None]
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(shown))
    half = {name: found.curves["gains"][name][50] for name in ("model", "age_sex")}
    assert half["model"] > half["age_sex"] > 0.5
    at_zero = found.curves["net_benefit"]
    assert at_zero["model"][0] == pytest.approx(found.overall["rates"]["prevalence"]["value"])


def test_gains_at_a_tenth_are_those_counted_by_hand(made, found):
    table = made.out_of_fold.to_pandas()
    top = table.groupby("index_day")["chance"].rank(ascending=False, method="first") <= 60
    cases = (table.case.fillna(0) * table.weight).where(table.weight > 0, 0)
    assert found.curves["gains"]["model"][10] == pytest.approx(cases[top].sum() / cases.sum())


def test_figures_for_a_tracker_are_flat_and_finite(found):
    numbers = found.numbers()
    assert numbers["auroc"] == pytest.approx(found.overall["rates"]["auroc"]["value"], rel=1e-3)
    assert numbers["auroc_low"] < numbers["auroc"] < numbers["auroc_high"]
    assert "age_sex_auroc" in numbers
    assert all(type(value) is float and np.isfinite(value) for value in numbers.values())


def test_too_few_cases_give_counts_and_no_rates(made):
    case = np.zeros(made.out_of_fold.num_rows, int)
    case[:3] = 1
    found = judged(made, made.changed(case=case))
    assert found.overall["too_few"]
    assert found.overall["rates"] == {}
    assert found.curves == {}
    assert found.numbers() == {}
    json.dumps(found.as_dict(), allow_nan=False)


def test_no_cases_at_all_are_borne(made):
    found = judged(made, made.changed(case=np.zeros(made.out_of_fold.num_rows, int)))
    assert found.overall["cases"] == 0
    assert found.overall["too_few"]


def test_the_order_of_rows_moves_no_figure(made, found):
    order = np.random.default_rng(0).permutation(made.out_of_fold.num_rows)
    again = judge("x", made.out_of_fold.take(pa.array(order)), capacity=made.capacity, bootstrap=30, seed=1,
                  groups=made.groups.take(pa.array(order)))  # fmt: skip
    ours, theirs = found.overall["rates"], again.overall["rates"]
    assert {name: ours[name]["value"] for name in ours} == pytest.approx({name: theirs[name]["value"] for name in ours})


def test_tables_with_dictionary_columns_and_timestamps_are_read(made, found):
    table = made.out_of_fold
    table = table.set_column(2, "practice", table["practice"].dictionary_encode())
    table = table.set_column(1, "index_day", table["index_day"].cast(pa.timestamp("ms")))
    assert judged(made, table).overall == found.overall


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chance": np.nan}, "'chance' holds missing"),
        ({"chance_logistic": 1.2}, "'chance_logistic' holds numbers that are no chances"),
        ({"weight": -1.0}, "'weight' not negative"),
        ({"case": 2}, "'case' must be 0 or 1"),
    ],
)
def test_predictions_that_cannot_be_judged_are_named(made, change, message):
    columns = {name: np.full(made.out_of_fold.num_rows, value) for name, value in change.items()}
    with pytest.raises(LearnError, match=message):
        judged(made, made.changed(**columns))


def test_a_missing_column_no_rows_and_too_few_resamples_are_named(made):
    with pytest.raises(LearnError, match="'chance_age_sex'"):
        judged(made, made.out_of_fold.drop_columns(["chance_age_sex"]))
    with pytest.raises(LearnError, match="no predictions"):
        judged(made, made.out_of_fold.slice(0, 0), groups=made.groups.slice(0, 0))
    with pytest.raises(UsageError, match="20 resamples"):
        judged(made, bootstrap=19)
