"""What leaves the job tells of no group of 1 to 7 people: not by a count, not by a rate, not by a point of a curve."""

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pytest

from casefinding.disclosure import rounded
from casefinding.judge.judgement import judge
from casefinding.judge.publishing import COUNTS
from casefinding.judge.truth import Truth


def found_in(value, name="", where=()):
    """Every plain value of a judgement with its key and its path."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from found_in(part, key, (*where, key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from found_in(part, "", (*where, place))
    else:
        yield name, value, where


@pytest.fixture(scope="module")
def exact(maker):
    """240 people, short lists, a sex of 3 people, and a truth in which one state is rare."""
    made = maker(people=240, days=1, practices=3, seed=5, intercept=-1.0, places=6)
    sex = made.groups["sex"].to_pylist()
    sex[:3] = ["unknown"] * 3
    groups = made.groups.set_column(made.groups.column_names.index("sex"), "sex", pa.array(sex))
    table = made.out_of_fold.to_pandas()
    ill = table.person[np.random.default_rng(1).random(len(table)) < 0.9 * table.chance].to_numpy()
    truth = pa.table({
        "pseudonym": [f"p{number:05d}" for number in ill], "condition": ["x"] * len(ill),
        "onset_on": [dt.date(2018, 1, 1)] * len(ill), "coded_on": pa.array([None] * len(ill), pa.date32()),
        "state": ["rare"] * 3 + ["common"] * (len(ill) - 3),
    })  # fmt: skip
    return judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=groups,
                 truth=Truth(truth), people=made.people)  # fmt: skip


@pytest.fixture(scope="module")
def shown(exact):
    return json.loads(json.dumps(exact.as_dict(), allow_nan=False))


def test_the_made_up_judgement_has_small_groups_in_every_table(exact):
    small = {where[0] for name, value, where in found_in(vars(exact)) if name in COUNTS and 1 <= value <= 7}
    assert small >= {"yardsticks", "groups", "truth"}
    assert exact.overall["listed"] == 18


def test_no_count_of_1_to_7_is_published_and_the_rest_are_rounded_to_5(exact, shown):
    before = {where: value for name, value, where in found_in(vars(exact)) if name in COUNTS}
    after = {where: value for name, value, where in found_in(shown) if name in COUNTS}
    assert len(after) > 100
    assert all(value is None or value % 5 == 0 for value in after.values())
    assert None in after.values()
    assert after == {where: rounded(value) for where, value in before.items()}


def test_every_whole_number_is_a_known_count_or_no_number_of_people(shown):
    """A new count must be named in COUNTS, or it would leave the job as it is."""
    whole = {name for name, value, _ in found_in(shown) if isinstance(value, int) and not isinstance(value, bool)}
    assert whole - COUNTS <= {"part", "bootstrap", "seed", "index_days", "practices"}


# ------------------------------------------------------------------------------------- side by side, net of rules


@pytest.fixture(scope="module", params=["many", "few"])
def pair(request, beside, beside_maker, truth_maker):
    """An exact judgement with every section and its published form; "few": lists of a handful, few with a rule."""
    if request.param == "many":
        exact = beside.found
    else:
        made = beside_maker(people=500, practices=3, seed=2, places=4)
        ill = np.random.default_rng(1).random(500) < 0.8 * made.out_of_fold["chance"].to_numpy()
        exact = judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups,
                      truth=truth_maker(made, ill), people=made.people)  # fmt: skip
    return exact, json.loads(json.dumps(exact.as_dict(), allow_nan=False)), request.param


SECTIONS = ("ways", "verified", "practices", "net_of_rules")


def test_counts_of_the_new_sections_are_withheld_and_rounded_too(pair):
    exact, shown, _ = pair
    before = {where: value for name, value, where in found_in(vars(exact)) if name in COUNTS and where[0] in SECTIONS}
    after = {where: value for name, value, where in found_in(shown) if name in COUNTS and where[0] in SECTIONS}
    assert len(after) > 100
    assert {where[0] for where in after} == set(SECTIONS) - {"practices"}  # which holds numbers of practices only
    assert after == {where: rounded(value) for where, value in before.items()}
    whole = {name for name, value, _ in found_in(shown) if isinstance(value, int) and not isinstance(value, bool)}
    assert whole - COUNTS <= {"part", "bootstrap", "seed", "index_days", "practices", "too_small", "fewest_cases"}


def few(held, of):
    return 1 <= held <= 7 or 1 <= of - held <= 7


def test_shares_on_the_ways_lists_that_rest_on_few_are_withheld_with_their_differences(pair):
    exact, shown, which = pair
    tables = [(exact.ways["codes"], shown["ways"]["codes"], "listed_cases", exact.ways["codes"]["cases"]),
              (exact.ways["truth"], shown["ways"]["truth"], "ill_listed", exact.ways["truth"]["ill"])]  # fmt: skip
    for name, groups in exact.ways["truth"]["groups"].items():
        for before, after in zip(groups, shown["ways"]["truth"]["groups"][name], strict=True):
            if not before["too_few"]:
                tables.append((before, after, "ill_listed", before["ill"]))
            else:
                assert "ways" not in after
    gone = 0
    for before, after, hits, of in tables:
        ours = few(before["ways"]["graded"][hits], of)
        for way, entry in before["ways"].items():
            hidden = few(entry[hits], of)
            assert (after["ways"][way]["share"]["value"] is None) is hidden
            gone += hidden
            if way != "graded":
                assert (after["ways"][way]["shipped_minus"]["value"] is None) is (hidden or ours)
    assert gone > (50 if which == "few" else 0)
    low = shown["ways"]["truth"]["low_contact"]
    assert low == shown["ways"]["truth"]["groups"]["contact"][0]


def test_a_ratio_of_groups_is_withheld_where_either_share_is(pair):
    exact, shown, _ = pair
    for grouping, table in exact.ways["truth"]["fairness"].items():
        entries = {entry["group"]: entry for entry in exact.ways["truth"]["groups"][grouping]}
        hidden = []
        for way in {"coded", "graded"} & set(table):
            both = (entries[table[way]["least_found"]], entries[table[way]["most_found"]])
            hidden.append(any(few(entry["ways"][way]["ill_listed"], entry["ill"]) for entry in both))
            assert (shown["ways"]["truth"]["fairness"][grouping][way]["ratio"]["value"] is None) is hidden[-1]
        if "shipped_minus_coded" in table:
            after = shown["ways"]["truth"]["fairness"][grouping]["shipped_minus_coded"]
            assert (after["value"] is None) is any(hidden)


def test_figures_net_of_rules_tell_of_few_people_neither_with_nor_without_a_rule(pair):
    exact, shown, _ = pair
    gone = 0
    for length in ("capacity", "share"):
        before, after = exact.net_of_rules[length], shown["net_of_rules"][length]
        for name in ("rules", "rules_then_model", "model"):
            for measure, whole in before[name]["everybody"]["per_100"].items():
                rest = before[name]["no_rule"]["per_100"][measure]
                ruled = {key: whole[key] - rest[key] for key in ("found", "known")}
                hide = few(whole["found"], whole["known"])
                hide_rest = few(rest["found"], rest["known"]) or few(ruled["found"], ruled["known"])
                figures = after[name]["everybody"]["per_100"][measure], after[name]["no_rule"]["per_100"][measure]
                for hidden, figure, exactly in zip((hide, hide_rest), figures, (whole, rest), strict=True):
                    assert (figure["value"] is None) is (hidden or exactly["value"] is None)
                    gone += hidden
                for part, figure in zip(("everybody", "no_rule"), figures, strict=True):
                    if name != "rules" and figure["value"] is None:
                        assert after["more_than_rules"][name][part][measure]["value"] is None
    assert gone > 0


def test_points_of_the_decision_curve_that_rest_on_few_are_left_out(beside):
    seen = beside.made.out_of_fold["verified"].to_numpy() > 0
    share, chance = (beside.made.out_of_fold[name].to_numpy()[seen] for name in ("evidence", "chance"))
    left_out = 0
    curve = beside.found.verified["curve"]
    for at, worth in zip(curve["threshold"], curve["graded"], strict=True):
        sums = [round(float(part[kept].sum())) for kept in (chance >= at, chance < at) for part in (share, 1 - share)]
        assert (worth is None) is any(1 <= value <= 7 for value in sums)
        left_out += worth is None
    assert 0 < left_out < 61


def test_rates_of_lists_with_few_cases_are_withheld(exact, shown):
    """Also where the few are those whom the list leaves out."""
    checked = {True: 0, False: 0}
    ours = [exact.overall, *exact.yardsticks.values(), *(row for table in exact.groups.values() for row in table)]
    theirs = [shown["overall"], *shown["yardsticks"].values(), *(row for t in shown["groups"].values() for row in t)]
    for before, after in zip(ours, theirs, strict=True):
        hits = before["listed_cases"]
        for name, rest in (("ppv", before["listed"] - hits), ("sensitivity", before["cases"] - hits)):
            if before["rates"]:
                few = 1 <= hits <= 7 or 1 <= rest <= 7
                kept = after["rates"][name]["value"]
                assert kept is None if few else kept == pytest.approx(before["rates"][name]["value"], rel=1e-3)
                checked[few] += 1
        if after["rates"]:
            assert after["rates"]["auroc"]["value"] == pytest.approx(before["rates"]["auroc"]["value"], rel=1e-3)
    assert min(checked.values()) > 0


def test_shares_of_few_of_the_ill_are_withheld_and_so_is_their_difference(exact, shown):
    seen = {True: 0, False: 0}
    for length in ("capacity", "top_tenth"):
        before, after = exact.truth[length], shown["truth"][length]
        few = {}
        for name in ("model", "age_sex", "logistic"):
            hits = before[name]["ill_listed"]
            few[name] = 1 <= hits <= 7 or 1 <= exact.truth["ill"] - hits <= 7
            assert (after[name]["share"]["value"] is None) is few[name]
            seen[few[name]] += 1
        for name in ("age_sex", "logistic"):
            assert (after["model_minus"][name]["value"] is None) is (few["model"] or few[name])
    assert min(seen.values()) > 0
    for table, after in ((exact.truth["groups"][name], shown["truth"]["groups"][name]) for name in ("sex", "age_band")):
        for before, entry in zip(table, after, strict=True):
            for length in ("capacity", "top_tenth") if not before["too_few"] else ():
                hits = round(before[length]["model"]["value"] * before["ill"])
                if 1 <= hits <= 7:
                    assert entry[length]["model"]["value"] is None
    rare = next(entry for entry in shown["truth"]["states"] if entry["group"] == "rare")
    assert rare == {"group": "rare", "ill": None, "too_few": True}


def test_points_of_curves_that_rest_on_1_to_7_people_are_left_out(maker):
    made = maker(people=400, days=2, seed=6)
    table, cases = made.out_of_fold.to_pandas(), 0
    found = judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups).curves
    used = table[table.weight > 0]
    everyone = used.person[used.case == 1].nunique()
    for place, share in enumerate(found["gains"]["listed_share"]):
        ranks = table.groupby("index_day")["chance"].rank(ascending=False, method="first")
        listed = table[ranks <= 400 * share + 1e-9]
        hits = listed.person[(listed.weight > 0) & (listed.case == 1)].nunique()
        few = 1 <= hits <= 7 or 1 <= everyone - hits <= 7
        assert (found["gains"]["model"][place] is None) is few
        cases += few
    assert 0 < cases < 60
    left_out = 0
    for threshold, worth in zip(found["net_benefit"]["threshold"], found["net_benefit"]["model"], strict=True):
        cells = [used[(used.chance >= threshold) == tested] for tested in (True, False)]
        people = [cell.person[cell.case == case].nunique() for cell in cells for case in (0, 1)]
        assert (worth is None) is any(1 <= number <= 7 for number in people)
        left_out += worth is None
    assert 0 < left_out < 61


def test_what_was_published_is_not_rounded_again(exact):
    once = exact.published()
    assert once.published() is once
    assert once.as_dict() == exact.as_dict()
    assert "withheld" in once.method["counts"]


def test_figures_for_a_tracker_hold_no_withheld_rate(exact):
    numbers = exact.numbers()
    assert "auroc" in numbers
    withheld = [name for name, rate in exact.published().overall["rates"].items() if rate["value"] is None]
    assert withheld
    assert not any(name in numbers for name in withheld)
    assert "truth_capacity_random" in numbers


def test_the_exact_judgement_stays_as_it_was(exact):
    before = json.dumps(vars(exact))
    exact.as_dict()
    assert json.dumps(vars(exact)) == before
