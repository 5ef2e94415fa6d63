"""Net of rules: three lists of one length, dealt and counted by hand; and the rules as a decision curve."""

import numpy as np
import pandas as pd
import pytest

from casefinding.judge import decision
from casefinding.judge.judgement import judge
from casefinding.judge.rows import Rows


def slow_lists(made, places, seed=1) -> dict[str, list[int]]:
    """Who is on each list, in plain Python; `places` by practice."""
    table = made.out_of_fold.to_pandas()
    lot = Rows.read(made.out_of_fold, seed).tiebreak
    rank = [None if rank != rank else rank for rank in table.rule_rank.tolist()]
    chance, practices = table.chance.tolist(), table.practice.tolist()
    found = {"rules": [], "rules_then_model": [], "model": []}
    for practice, length in places.items():
        rows = [row for row, code in enumerate(practices) if code == practice]
        named = sorted((row for row in rows if rank[row] is not None), key=lambda row: (rank[row], lot[row]))
        others = [row for row in rows if rank[row] is None]
        by_chance = sorted(others, key=lambda row: (-chance[row], lot[row]))
        found["rules"] += (named + sorted(others, key=lambda row: lot[row]))[:length]
        found["rules_then_model"] += (named + by_chance)[:length]
        found["model"] += sorted(rows, key=lambda row: (-chance[row], lot[row]))[:length]
    return found


@pytest.mark.parametrize("length", ["capacity", "share"])
def test_the_three_lists_find_what_is_counted_by_hand(beside, length):
    table, section = beside.made.out_of_fold.to_pandas(), beside.found.net_of_rules
    sizes = table.practice.value_counts()
    places = beside.made.capacity if length == "capacity" else {p: int(np.ceil(0.05 * n)) for p, n in sizes.items()}
    assert section["with_rule"] == table.rule_rank.notna().sum()
    for name, rows in slow_lists(beside.made, places).items():
        mine = table.iloc[rows]
        ill = pd.Series(beside.ill[rows], index=mine.index)
        for part, kept in (("everybody", mine.rule_rank.isna() | True), ("no_rule", mine.rule_rank.isna())):
            some, found = mine[kept], section[length][name][part]
            assert found["invited"] == len(some)
            if not len(some):
                assert found["per_100"]["truth"]["value"] is None
                continue
            coded = 100 * (some.case * some.weight).sum() / some.weight.sum()
            evidence = 100 * (some.evidence.fillna(0) * some.verify_weight).sum() / some.verify_weight.sum()
            assert found["per_100"]["coded"]["value"] == pytest.approx(coded)
            assert found["per_100"]["evidence"]["value"] == pytest.approx(evidence)
            assert found["per_100"]["evidence"]["known"] == (some.verified > 0).sum()
            assert found["per_100"]["truth"]["value"] == pytest.approx(100 * ill[kept].mean())
            assert found["per_100"]["truth"]["found"] == ill[kept].sum()


def test_what_is_found_more_than_by_the_rules_is_the_difference(beside):
    lists = beside.found.net_of_rules["share"]
    for name in ("rules_then_model", "model"):
        for part in ("everybody", "no_rule"):
            for measure, more in lists["more_than_rules"][name][part].items():
                ours, theirs = (lists[which][part]["per_100"][measure]["value"] for which in (name, "rules"))
                assert more["value"] == pytest.approx(ours - theirs)
    gain = lists["more_than_rules"]["rules_then_model"]["no_rule"]["truth"]
    assert gain["low"] > 0  # the model's chances follow the truth of these people, the lot does not


def test_where_rules_fill_the_places_the_model_adds_nothing(beside):
    made = beside.made
    full = made.changed(rule_rank=np.arange(1.0, 2401.0))
    found = judge("x", full, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups).net_of_rules
    for length in ("capacity", "share"):
        assert found[length]["rules"] == found[length]["rules_then_model"]
        assert found[length]["rules"]["no_rule"]["invited"] == 0


def test_rules_and_chances_have_the_net_benefit_of_dcurves(beside):
    """With weights of 1 and evidence of 0 or 1; dcurves knows no weights (those are in test_soft)."""
    dcurves = pytest.importorskip("dcurves")
    made = beside.made
    seen = made.out_of_fold["verified"].to_numpy() > 0
    evidence = np.where(seen, made.out_of_fold["evidence"].to_numpy() > 0.3, np.nan)
    rank = np.where(np.random.default_rng(2).random(2400) < 0.3, 1.0, np.nan)
    table = made.changed(evidence=evidence, verify_weight=seen.astype(float), rule_rank=rank)
    found = judge("x", table, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups).verified
    frame = pd.DataFrame({
        "found": evidence[seen].astype(int), "graded": made.out_of_fold["chance"].to_numpy()[seen],
        "rules": (~np.isnan(rank[seen])).astype(float),
    })  # fmt: skip
    grid = np.array(decision.CURVE_THRESHOLDS)[1:]  # at 0 dcurves takes everybody to have the rule
    theirs = dcurves.dca(data=frame, outcome="found", modelnames=["graded", "rules"], thresholds=grid)
    theirs = theirs.set_index(["model", "threshold"])["net_benefit"]
    compared = 0
    for name in ("graded", "rules"):
        for ours, worth in zip(found["curve"][name][1:], theirs[name].to_numpy(), strict=True):
            if ours is not None:
                assert ours == pytest.approx(worth, abs=1e-12)
                compared += 1
    assert compared > 100
    assert found["curve"]["everybody"][1:] == pytest.approx(theirs["all"].to_numpy(), abs=1e-12)


def test_no_threshold_moves_the_rules_but_what_a_false_alarm_costs(beside):
    curve = beside.found.curves["net_benefit"]
    table = beside.made.out_of_fold.to_pandas()
    named = table.rule_rank.notna()
    total = table.weight.sum()
    true, false = ((table.weight * part)[named].sum() / total for part in (table.case, 1 - table.case))
    shown = [(at, worth) for at, worth in zip(curve["threshold"], curve["rules"], strict=True) if worth is not None]
    assert len(shown) > 50
    for at, worth in shown:
        assert worth == pytest.approx(true - false * at / (1 - at), abs=1e-12)


def test_a_table_of_net_benefits_has_intervals_and_paired_differences(beside):
    rows = {row["threshold"]: row for row in beside.found.verified["net_benefit"]}
    assert set(rows) == set(decision.TABLE_THRESHOLDS)
    for row in rows.values():
        for name, more in row["shipped_minus"].items():
            if more["value"] is not None:
                assert more["value"] == pytest.approx(row["ways"]["graded"]["value"] - row["ways"][name]["value"])
                assert more["low"] <= more["value"] <= more["high"]
