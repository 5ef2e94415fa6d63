"""Side by side: every way's list of 5% holds the ill that a slow reader counts on it, overall and by group."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from casefinding.errors import LearnError
from casefinding.judge.beside import LEARNT, Beside
from casefinding.judge.judgement import judge
from casefinding.judge.rows import Rows

WAYS = (*LEARNT, "age_sex", "logistic", "refit_1", "score_points", "rules")
COLUMN = {"rules": "rule_rank", "score_points": "score_points"}


def slow_lists(made, seed=1) -> dict[str, set[int]]:
    """Row numbers on each way's list, in plain Python: 5% of each practice, ties and gaps by the seeded lot."""
    table = made.out_of_fold.to_pandas()
    lot = Rows.read(made.out_of_fold, seed).tiebreak
    practices, found = table.practice.tolist(), {}
    for way in WAYS:
        score = table[COLUMN.get(way, f"chance_{way}")].tolist()
        if way == "rules":
            score = [-rank for rank in score]
        listed = set()
        for practice in set(practices):
            rows = [row for row, code in enumerate(practices) if code == practice]
            order = {row: (True, 0.0) if math.isnan(score[row]) else (False, -score[row]) for row in rows}
            rows.sort(key=lambda row: (order[row], lot[row]))
            listed |= set(rows[: math.ceil(0.05 * len(rows))])
        found[way] = listed
    return found


def slow_fifths(made, seed=1) -> list[int]:
    """Each row's fifth by contacts, -1 where they are not known."""
    contacts = made.groups["contacts"].to_pylist()
    lot = Rows.read(made.out_of_fold, seed).tiebreak
    known = sorted((contacts[row], lot[row], row) for row in range(len(contacts)) if contacts[row] == contacts[row])
    fifth = [-1] * len(contacts)
    for place, (_, _, row) in enumerate(known):
        fifth[row] = place * 5 // len(known)
    return fifth


def test_every_way_finds_the_ill_that_a_slow_reader_counts(beside):
    lists, truth = slow_lists(beside.made), beside.found.ways["truth"]
    ill = set(np.flatnonzero(beside.ill).tolist())
    assert tuple(truth["ways"]) == WAYS
    for way in WAYS:
        held = len(lists[way] & ill)
        assert truth["ways"][way]["ill_listed"] == held, way
        assert truth["ways"][way]["share"]["value"] == pytest.approx(held / len(ill)), way
    assert beside.found.ways["listed"] == len(lists["coded"])
    assert truth["ways"]["graded"]["share"]["value"] > truth["ways"]["coded"]["share"]["value"]


def test_the_lowest_fifth_of_contact_and_every_group_are_counted_likewise(beside):
    lists, fifths = slow_lists(beside.made), slow_fifths(beside.made)
    groups = beside.found.ways["truth"]["groups"]
    sexes, deciles = beside.made.groups["sex"].to_pylist(), beside.made.groups["imd_decile"].to_pylist()
    of = {
        "contact": {name: [k for k, fifth in enumerate(fifths) if fifth == place]
                    for place, name in enumerate(["1 (fewest contacts)", "2", "3", "4", "5 (most contacts)"])},
        "sex": {name: [k for k, sex in enumerate(sexes) if sex == name] for name in ("female", "male")},
        "deprivation": {"2": [k for k, decile in enumerate(deciles) if decile in (3, 4)]},
    }  # fmt: skip
    compared = 0
    for grouping, parts in of.items():
        for name, rows in parts.items():
            entry = next(entry for entry in groups[grouping] if entry["group"] == name)
            ill = {row for row in rows if beside.ill[row]}
            assert (entry["rows"], entry["ill"]) == (len(rows), len(ill))
            for way in WAYS:
                assert entry["ways"][way]["ill_listed"] == len(lists[way] & ill)
                compared += 1
    assert compared == 8 * len(WAYS)
    assert beside.found.ways["truth"]["low_contact"] == groups["contact"][0]
    sizes = [entry["rows"] for entry in groups["contact"] if entry["group"] != "not known"]
    assert max(sizes) - min(sizes) <= 1


def test_what_the_shipped_way_finds_more_is_the_difference_with_a_paired_interval(beside):
    for table in (beside.found.ways["truth"], beside.found.ways["codes"]):
        ours = table["ways"]["graded"]["share"]
        assert "shipped_minus" not in table["ways"]["graded"]
        for way in set(WAYS) - {"graded"}:
            theirs, more = table["ways"][way]["share"], table["ways"][way]["shipped_minus"]
            assert more["value"] == pytest.approx(ours["value"] - theirs["value"])
            assert more["low"] <= more["value"] + 0.02
            assert more["high"] >= more["value"] - 0.02
    near = beside.found.ways["truth"]["ways"]["verified_weighted"]["shipped_minus"]
    apart = sum(beside.found.ways["truth"]["ways"][way]["share"][end] * sign
                for way in ("graded", "verified_weighted") for end, sign in (("high", 1), ("low", -1)))  # fmt: skip
    assert near["high"] - near["low"] < apart


def test_later_codes_are_counted_with_their_outcome_weight(beside):
    table, lists = beside.made.out_of_fold.to_pandas(), slow_lists(beside.made)
    heavy = (table.case * table.weight).to_numpy()
    for way in WAYS:
        share = sum(heavy[row] for row in lists[way]) / heavy.sum()
        assert beside.found.ways["codes"]["ways"][way]["share"]["value"] == pytest.approx(share)


def test_the_ratio_of_the_least_to_the_most_found_group_is_the_one_worked_by_hand(beside):
    truth = beside.found.ways["truth"]
    for grouping in ("deprivation", "sex", "ethnicity"):
        for way in ("coded", "graded"):
            shares = {entry["group"]: entry["ways"][way]["share"]["value"] for entry in truth["groups"][grouping]
                      if not entry["too_few"] and entry["group"] not in ("unknown", "not known")}  # fmt: skip
            found = truth["fairness"][grouping][way]
            assert found["ratio"]["value"] == pytest.approx(min(shares.values()) / max(shares.values()))
            assert shares[found["least_found"]] == min(shares.values())
        after, before = (truth["fairness"][grouping][way]["ratio"]["value"] for way in ("graded", "coded"))
        assert truth["fairness"][grouping]["shipped_minus_coded"]["value"] == pytest.approx(after - before)


def test_the_order_of_people_with_no_score_is_a_lot_and_they_come_last(beside):
    rows = Rows.read(beside.made.out_of_fold, 1)
    orders = Beside.read(beside.made.out_of_fold, rows).orders
    missing = np.isnan(beside.made.out_of_fold["score_points"].to_numpy())
    assert orders["score_points"][missing].max() < orders["score_points"][~missing].min()
    scored = {entry["way"]: entry["scored"] for entry in beside.found.ways["scored"]}
    assert scored["score_points"] == (~missing).sum() < scored["coded"]


def judged(made, table, **changes):
    given = {"capacity": made.capacity, "bootstrap": 20, "seed": 1, "groups": made.groups} | changes
    return judge("x", table, **given)


def test_the_shipped_way_is_known_by_its_chances(beside_maker):
    for name in LEARNT:
        table = beside_maker(people=300, shipped=name).out_of_fold
        assert Beside.read(table, Rows.read(table, 1)).shipped == name
    made = beside_maker(people=300, shipped="another")
    found = judged(made, made.out_of_fold).ways
    assert found["shipped"] == "model"
    assert "model" in found["codes"]["ways"]


def test_a_way_that_could_not_be_trained_is_named_and_left_out(beside):
    made = beside.made
    table = made.changed(chance_verified_weighted=np.full(2400, np.nan), score_points=np.full(2400, np.nan))
    found = judged(made, table)
    assert found.ways["not_trained"] == ["verified_weighted", "score_points"]
    assert "verified_weighted" not in found.ways["codes"]["ways"]
    assert "verified_weighted" not in found.verified["ways"]
    assert found.ways["truth"] is None  # real people
    half = np.where(np.arange(2400) < 5, np.nan, made.out_of_fold["chance_coded"].to_numpy())
    with pytest.raises(LearnError, match="'chance_coded' holds some missing"):
        judged(made, made.changed(chance_coded=half))


def test_a_table_without_ways_is_judged_as_before(made):
    found = judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups)
    assert found.ways is found.verified is found.practices is found.net_of_rules is None
    assert "rules" not in found.curves["net_benefit"]
    assert not any(name.startswith(("truth", "verified", "practices")) for name in found.numbers())


def test_the_table_may_lack_evidence_rules_or_contacts(beside):
    made = beside.made
    table = made.out_of_fold.drop_columns(["verified", "evidence", "verify_weight", "rule_rank"])
    found = judge("x", table, capacity=made.capacity, bootstrap=20, seed=1,
                  groups=made.groups.drop_columns(["contacts"]))  # fmt: skip
    assert found.verified is found.net_of_rules is None
    assert "rules" not in found.ways["codes"]["ways"]
    assert set(found.practices) == {"coded"}
    no_rule = judged(made, made.changed(rule_rank=np.full(2400, np.nan)))
    assert no_rule.net_of_rules is None


def test_nobody_looked_at_gives_no_section_and_few_give_counts_only(beside):
    made = beside.made
    none = np.zeros(2400)
    nobody = made.changed(verified=none.astype(np.int8), evidence=none * np.nan, verify_weight=none)
    found = judged(made, nobody)
    assert found.verified is None
    assert set(found.practices) == {"coded"}
    assert "evidence" not in found.net_of_rules["share"]["model"]["everybody"]["per_100"]
    none[:9] = 1
    few = judged(made, made.changed(verified=none.astype(np.int8), evidence=none, verify_weight=none))
    assert few.verified == {"people": 2400, "looked_at": 9, "too_few": True}
    assert few.practices["verified"]["auroc"]["summary"] is None
    few.as_dict()


def test_a_page_may_be_told_what_to_call_a_way(beside):
    found = judged(beside.made, beside.made.out_of_fold, labels={"refit_1": "A published model"})
    assert found.as_dict()["method"]["labels"] == {"refit_1": "A published model"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evidence": np.full(2400, 1.2)}, "'evidence'"),
        ({"evidence": np.full(2400, np.nan)}, "'evidence'"),
        ({"verify_weight": np.full(2400, -1.0)}, "'verify_weight'"),
        ({"chance_refit_1": np.full(2400, 1.5)}, "'chance_refit_1' holds numbers that are no chances"),
    ],
)
def test_columns_that_cannot_be_right_are_named(beside, change, message):
    with pytest.raises(LearnError, match=message):
        judged(beside.made, beside.made.changed(**change))


def test_the_order_of_rows_moves_no_figure_but_by_the_lot(beside):
    made = beside.made
    order = pa.array(np.random.default_rng(0).permutation(2400))
    again = judge("x", made.out_of_fold.take(order), capacity=made.capacity, bootstrap=20, seed=1,
                  groups=made.groups.take(order))  # fmt: skip
    for way in LEARNT:  # no ties
        ours, theirs = (found.ways["codes"]["ways"][way]["share"]["value"] for found in (beside.found, again))
        assert ours == pytest.approx(theirs)
        ours, theirs = (found.verified["ways"][way]["rates"]["ici"]["value"] for found in (beside.found, again))
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_headlines_for_a_tracker_hold_every_way_and_its_difference(beside):
    numbers = beside.found.numbers()
    for name in ("truth_5pct_graded", "truth_5pct_coded", "truth_5pct_rules", "truth_5pct_low_contact_graded",
                 "truth_5pct_shipped_low", "truth_5pct_shipped_minus_coded_low", "truth_calibration_slope",
                 "truth_ici_high", "verified_auroc_graded", "verified_calibration_slope_low",
                 "practices_verified_auroc_predicted_low", "net_of_rules_truth_per_100"):  # fmt: skip
        assert np.isfinite(numbers[name]), name
    assert all(type(value) is float for value in numbers.values())


def one_practice(made):
    return made.changed(practice=["Y99001"] * 2400), made.groups


def one_sex(made):
    sex = made.groups.column_names.index("sex")
    return made.out_of_fold, made.groups.set_column(sex, "sex", pa.array(["female"] * 2400))


def a_practice_of_one(made):
    return made.changed(practice=["Y99002", *["Y99001"] * 2399]), made.groups


def everybody_looked_at(made):
    ones, share = np.ones(2400), made.out_of_fold["chance"].to_numpy()
    return made.changed(verified=ones.astype(np.int8), evidence=share, verify_weight=ones), made.groups


def no_contacts_known(made):
    contacts = made.groups.column_names.index("contacts")
    return made.out_of_fold, made.groups.set_column(contacts, "contacts", pa.array(np.full(2400, np.nan)))


def one_chance_for_all(made):
    return made.changed(chance=np.full(2400, 0.1), chance_graded=np.full(2400, 0.1)), made.groups


def nobody_coded(made):
    return made.changed(case=np.zeros(2400, np.int8)), made.groups


@pytest.mark.parametrize("poor", [one_practice, one_sex, a_practice_of_one, everybody_looked_at, no_contacts_known,
                                  one_chance_for_all, nobody_coded])  # fmt: skip
def test_poor_records_are_judged_as_far_as_they_go(beside, truth_maker, poor):
    table, groups = poor(beside.made)
    made = beside.made
    found = judged(made, table, groups=groups, truth=truth_maker(made, beside.ill), people=made.people)
    json.dumps(found.as_dict(), allow_nan=False)
    assert found.numbers()["truth_5pct_graded"] > 0
    assert (found.ways["codes"] is None) is (poor is nobody_coded)
    assert (found.ways["truth"]["low_contact"] is None) is (poor is no_contacts_known)
    slope = found.verified["ways"]["graded"]["rates"]["calibration_slope"]["value"]
    assert (slope is None) is (poor is one_chance_for_all)


def test_few_ill_give_counts_only(beside, truth_maker):
    few = np.zeros(2400, bool)
    few[:5] = True
    made = beside.made
    found = judged(made, made.out_of_fold, truth=truth_maker(made, few), people=made.people)
    assert found.ways["truth"] == {"rows": 2400, "ill": 5, "too_few": True}
    assert found.as_dict()["ways"]["truth"]["ill"] is None
    assert not any(name.startswith("truth_5pct") for name in found.numbers())


def test_none_found_has_no_interval_that_pretends_to_know(beside, truth_maker):
    worst = np.argsort(beside.made.out_of_fold["chance"].to_numpy())[:200]
    ill = np.zeros(2400, bool)
    ill[worst] = True
    made = beside.made
    found = judged(made, made.out_of_fold, truth=truth_maker(made, ill), people=made.people)
    assert found.ways["truth"]["ways"]["graded"]["share"] == {"value": 0, "low": None, "high": None}
