"""The 36 rules of the specification (2.2) are there, each in its lane, and each shown to speak and to stay silent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions, Rule, features_in
from casefinding.rules.examples import run_examples

ROOT = Path(__file__).parents[2]
LANES = {"T0": "act now", "T1": "review the record", "T2": "invite", "T4": "never measured", "flag": "note"}
TIERS = {
    "hypertension": {
        "T0": "HTN-U1 HTN-U2 HTN-U3 HTN-U4", "T1": "HTN-1 HTN-2 HTN-3", "T2": "HTN-4 HTN-5 HTN-6 HTN-7",
        "T4": "HTN-8 HTN-9 HTN-10", "flag": "HTN-11",
    },
    "atrial_fibrillation": {
        "T0": "AF-U1 AF-U2 AF-U3", "T1": "AF-1 AF-2 AF-3", "T2": "AF-4 AF-5", "T4": "AF-6",
    },
    "copd": {
        "T0": "COPD-U1 COPD-U2 COPD-U3", "T1": "COPD-1 COPD-2 COPD-3", "T2": "COPD-4 COPD-5 COPD-6 COPD-7",
        "flag": "COPD-8", "T4": "COPD-9",
    },
}  # fmt: skip
OTHERWISE = {"COPD-9": "note"}  # T4, but it asks for a questionnaire at the next contact: it takes no place
PRIORITIES = {"HTN-4": 1, "HTN-5": 1, "HTN-6": 2, "HTN-7": 3}  # where the specification gives one within T2
CATALOGUE = [
    (condition, rule, tier) for condition, tiers in TIERS.items() for tier, ids in tiers.items() for rule in ids.split()
]
PARTS = {
    "HTN-U1a": "HTN-U1", "HTN-U1b": "HTN-U1", "HTN-U1c": "HTN-U1", "HTN-U2b": "HTN-U2", "HTN-C1": "HTN-U1",
    "HTN-C2": "HTN-U2", "AF-U2b": "AF-U2", "COPD-1b": "COPD-1", "COPD-C1": "COPD-U2",
}  # fmt: skip
"""Rules of ours that are a part of one of the catalogue: by age of the record, in words, or "check this reading"."""
CHASED = {"hypertension": "HTN-P1", "atrial_fibrillation": "AF-P1", "copd": "COPD-P1"}
"""The "chase result" list of specification 1.2: a work-up is pending.""" ""


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


def rules_of(definitions: Definitions, condition: str) -> dict[str, Rule]:
    return {rule.id: rule for rule in definitions.models[condition].rules}


def test_the_catalogue_has_36_rules():
    assert len(CATALOGUE) == len({rule for _, rule, _ in CATALOGUE}) == 36


@pytest.mark.parametrize(("condition", "rule_id", "tier"), CATALOGUE, ids=[rule for _, rule, _ in CATALOGUE])
def test_a_rule_of_the_catalogue_is_in_its_lane_with_examples_for_and_against(definitions, condition, rule_id, tier):
    rule = rules_of(definitions, condition)[rule_id]
    assert rule.lane == OTHERWISE.get(rule_id, LANES[tier])
    assert rule.priority == PRIORITIES.get(rule_id, rule.priority)
    given = [example.gives for example in rule.examples]
    assert given.count("flagged") >= 1
    assert given.count("not flagged") >= 1
    assert f"specification 2.2, {rule_id}" in rule.source


def test_every_other_rule_is_a_part_of_one_of_the_catalogue(definitions):
    there = {rule_id for condition in TIERS for rule_id in rules_of(definitions, condition)}
    assert there - {rule for _, rule, _ in CATALOGUE} == {*PARTS, *CHASED.values()}
    for part, whole in PARTS.items():
        (condition,) = [name for name in TIERS if part in rules_of(definitions, name)]
        assert whole in rules_of(definitions, condition)


def test_every_example_of_every_rule_comes_out_as_it_says(definitions):
    assert run_examples(definitions, TIERS) == []


@pytest.mark.parametrize("condition", CHASED)
def test_whoever_is_left_out_for_a_pending_work_up_is_on_the_list_to_be_chased(definitions, condition):
    """The rule asks for what the leave-out asks for, and nothing hides it; every other T1 rule comes before it."""
    model = definitions.models[condition]
    chase = rules_of(definitions, condition)[CHASED[condition]]
    (pending,) = [one for one in model.leave_out if one.name == "work_up_pending"]
    assert chase.lane == "chase the result"
    assert set(features_in(chase.when)) - {"age"} == set(features_in(pending.when))
    assert "review the record" not in pending.drop_from
    assert chase.applies_to == "not on register"
    assert len(chase.examples) >= 6
    assert [rule.id for rule in model.rules if rule.lane == chase.lane] == [chase.id]
    assert ".when}" in chase.say  # its age is added where the list is written


def test_what_to_do_is_said_and_never_referred_to(definitions):
    for condition in TIERS:
        for rule in definitions.models[condition].rules:
            assert not re.search(r"\b(HTN|AF|COPD)-[A-Z]?\d", rule.do), rule.id


def test_the_fresher_a_severe_reading_the_sooner_to_act(definitions):
    there = rules_of(definitions, "hypertension")
    soon = ["today", "2 working days", "within the week", "within 2 weeks"]
    said = [there[rule_id].do for rule_id in ("HTN-U1", "HTN-U1a", "HTN-U1b", "HTN-U1c")]
    assert all(word in text for word, text in zip(soon, said, strict=True))
    assert all("same-day assessment" in text for text in said)
