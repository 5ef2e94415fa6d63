"""Planted faults are found, with their month and size; a clean population raises no flag."""

import pytest

from casefinding.definitions.quality import QualityRules
from casefinding.records.quality.assessment import Assessment, assess_all
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.sources import ingest
from casefinding.synthetic.simulate import simulate


def of(assessment: Assessment, kind: Kind) -> list[Finding]:
    return [one for one in assessment.findings if one.kind == kind]


def test_a_clean_population_raises_no_flag_and_is_fit_to_score(clean):
    assert clean.findings == []
    assert {one.score for one in clean.verdicts} == {"fit"}


@pytest.mark.parametrize(("people", "practices"), [(300, 2), (1500, 3)])
def test_a_small_clean_population_raises_no_flag_either(people, practices, known, tmp_path):
    simulate(people, practices, 23, tmp_path / "extract", tmp_path / "truth")
    store = ingest("native", tmp_path / "extract", tmp_path / "store")
    assert assess_all(store, known, QualityRules()).findings == []


def test_a_practice_that_stops_sending_is_found_with_its_day_and_not_said_twice(planted):
    (stopped,) = of(planted, Kind.STOPPED)
    assert stopped.practice == "Y99001"
    assert stopped.facts["first"] == "2026-07-01"
    assert stopped.facts["to the end"]
    assert not [one for one in of(planted, Kind.RATE) if one.practice == "Y99001"]


def test_a_gap_of_two_weeks_is_found(planted):
    (gap,) = of(planted, Kind.GAP)
    assert (gap.practice, gap.facts["first"], gap.facts["last"]) == ("Y99003", "2025-05-05", "2025-05-16")
    assert gap.facts["working days"] == 10


def test_a_unit_that_changes_in_one_month_is_found_with_its_month(planted):
    (changed,) = of(planted, Kind.UNIT)
    assert (changed.practice, changed.signals, changed.facts["month"]) == ("Y99002", ("weight",), "2025-03-01")
    assert (changed.facts["from"], changed.facts["to"]) == ("kg", "stone")
    assert of(planted, Kind.USABLE) == of(planted, Kind.UNUSABLE) == []  # it is said once


def test_a_practice_without_units_is_found(planted):
    (bare,) = of(planted, Kind.NO_UNIT)
    assert (bare.practice, bare.signals) == ("Y99002", ("creatinine",))


def test_a_switched_code_is_found_as_a_fall_and_as_codes_that_nothing_uses(planted):
    fell, rose = sorted(of(planted, Kind.RATE), key=lambda one: one.facts["rose"])
    assert (fell.practice, fell.facts["month"], "hba1c" in fell.signals) == ("Y99003", "2025-01-01", True)
    assert fell.facts["after"] < fell.facts["before"] / 10
    assert (rose.practice, rose.facts["month"], rose.signals) == ("Y99003", "2025-01-01", ("codes of no signal",))


def test_late_recording_is_found(planted):
    (late,) = of(planted, Kind.LATE)
    assert late.practice == "Y99004"
    assert 0.3 < late.facts["over 30"] < 0.42
    assert late.facts["ninetieth"] == 45


def test_a_group_that_is_seldom_measured_is_found_and_only_that_one(planted):
    (low,) = of(planted, Kind.LOW_GROUP)
    assert (low.facts["grouping"], low.facts["group"]) == ("ethnicity", "asian")
    assert "systolic_clinic" in low.signals
    assert of(planted, Kind.LOW) == []


def test_verdicts_follow_what_was_found(planted):
    verdicts = {(one.condition, one.practice): one for one in planted.verdicts}
    for condition in ("hypertension", "atrial_fibrillation", "copd"):
        assert verdicts[condition, "Y99001"].score == verdicts[condition, "Y99001"].train == "not fit"
        assert verdicts[condition, "Y99002"].score == "fit"
        assert verdicts[condition, "Y99004"].train == "with care"  # recorded late
        assert verdicts[condition, ""].score == "with care"
        assert [why.facts["practices"] for why in verdicts[condition, ""].score_why] == [["Y99001"]]
    assert [why.kind for why in verdicts["copd", ""].train_why] == ["practices", "few cases"]


def test_a_source_with_one_date_says_that_late_recording_cannot_be_seen(tables, known, tmp_path):
    tables.event["recorded_on"] = None
    found = assess_all(tables.write(tmp_path), known, QualityRules())
    assert [(one.kind, one.practice) for one in found.findings] == [(Kind.ONE_DATE, "")]
    assert found.late[0].over_30 is None
    assert {one.train for one in found.verdicts if one.practice} == {"with care"}


def test_a_practice_with_one_date_among_others_is_found(tables, known, tmp_path):
    mine = tables.event["practice"] == "Y99002"
    tables.event.loc[mine, "recorded_on"] = tables.event.loc[mine, "happened_on"]
    found = assess_all(tables.write(tmp_path), known, QualityRules())
    assert [(one.kind, one.practice) for one in found.findings] == [(Kind.ONE_DATE, "Y99002")]


def test_a_register_that_was_not_read_makes_a_practice_unfit(tables, known, tmp_path):
    codes = {code.id for code in known.codelists["hypertension_register"].codes}
    tables.event = tables.event[~((tables.event["practice"] == "Y99003") & tables.event["code"].isin(codes))]
    found = assess_all(tables.write(tmp_path), known, QualityRules())
    (far,) = [one for one in found.findings if one.kind == Kind.FIGURE]
    assert (far.practice, far.facts["ratio"]) == ("Y99003", 0.0)
    (unfit,) = [one for one in found.verdicts if one.score == "not fit"]
    assert (unfit.condition, unfit.practice) == ("hypertension", "Y99003")


def test_what_most_practices_change_together_is_said_once(tables, known, tmp_path):
    statin = tables.event["term"].fillna("").str.startswith("Atorvastatin")
    tables.event = tables.event[~(statin & (tables.event["happened_on"] >= "2026-01-01"))]
    found = assess_all(tables.write(tmp_path), known, QualityRules())
    (fell,) = found.findings
    assert (fell.kind, fell.practice, fell.facts["month"]) == (Kind.RATE, "", "2026-01-01")
    assert "drug_statin" in fell.signals


def test_the_rules_of_a_config_decide_what_is_large(extract, known, tmp_path):
    store = ingest("native", extract, tmp_path / "store")
    found = assess_all(store, known, QualityRules(months_to_score=61, months_to_train=61))
    assert {one.score for one in found.verdicts} == {"not fit"}


def test_shards_do_not_change_what_is_found(extract, known, clean, tmp_path):
    store = ingest("native", extract, tmp_path / "store", shard_people=700)
    again = assess_all(store, known, QualityRules())
    for name in ("entries", "monthly", "delays", "values", "usable", "units", "seen_people", "seen_events"):
        assert (getattr(again.counted, name) == getattr(clean.counted, name)).all(), name
    assert again.findings == clean.findings
