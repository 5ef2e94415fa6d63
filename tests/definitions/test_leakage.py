"""A register of leakage that is broken is refused at its line; one that is kept has no problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefinding.definitions.lock import lock
from casefinding.definitions.read import problems, read_definitions

FEATURES, MODEL, SIGNALS = "features/kidney.yaml", "models/kidney.yaml", "features/signals/kidney.yaml"
OWN = "  - signals: [kidney_register]\n    handling: [banned]\n    why: It is the label.\n"


def entry(signals: str, handling: str) -> str:
    return f"  - signals: [{signals}]\n    handling: [{handling}]\n    why: A reason.\n    source: a test\n{OWN}"


def with_entry(tree: Path, signals: str, handling: str, **also: str) -> list[str]:
    """Add an entry to the register, and change other pieces of the model; what is then wrong."""
    path = tree / MODEL
    text = path.read_text()
    assert OWN in text
    text = text.replace(OWN, entry(signals, handling), 1)
    for old, new in also.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    return [str(problem) for problem in problems(tree)]


@pytest.fixture
def wider(tree: Path) -> Path:
    """The tree with a wider and a narrower twin of two signals."""
    path = tree / SIGNALS
    path.write_text(
        path.read_text()
        + "egfr_low:\n  label: eGFR below 60\n  codes: [egfr]\n"
        + "  unit: mL/min/1.73m2\n  plausible: [1, 200]\n  below: 60\n"
        + "any_test:\n  label: Any test\n  codes: [egfr, diabetes]\n"
        + "drug_naproxen:\n  label: Naproxen\n  substances: [naproxen]\n"
    )
    return tree


def test_a_banned_signal_may_not_reach_the_model(tree: Path) -> None:
    (said,) = with_entry(tree, "egfr", "banned")
    assert "models/kidney.yaml:8: feature 'egfr_latest' reads 'egfr', which is banned from this model." in said


def test_a_new_name_for_a_banned_item_does_not_slip_through(wider: Path) -> None:
    (said,) = with_entry(wider, "egfr_low", "banned")
    assert "'egfr_latest' reads 'egfr', which is banned from this model as 'egfr_low', with which it shares" in said


def test_a_medicine_is_known_again_by_what_it_contains(wider: Path) -> None:
    (said,) = with_entry(
        wider, "drug_naproxen", "banned", **{"features: [egfr_latest,": "features: [nsaid_courses, egfr_latest,"}
    )
    assert "'nsaid_courses' reads 'drug_nsaid', which is banned from this model as 'drug_naproxen'" in said


def test_what_the_register_names_is_judged_by_its_own_entry(wider: Path) -> None:
    assert with_entry(wider, "egfr_low", "banned", **{OWN: entry("egfr", "allowed")}) == []


def test_a_lagged_signal_is_read_up_to_the_gap_only(tree: Path) -> None:
    (said,) = with_entry(tree, "egfr", "lagged")
    assert said.startswith("models/kidney.yaml:8: feature 'egfr_latest' reads 'egfr' up to the index day")
    assert "only up to 30 days before" in said
    assert "leaving out the last: 30 days" in said


@pytest.mark.parametrize(
    ("gap", "kept"), [("30 days", True), ("90 days", True), ("91 days", False), ("3 months", True)]
)
def test_a_feature_that_leaves_out_the_gap_may_read_it(tree: Path, gap: str, kept: bool) -> None:
    model = {"features: [egfr_latest,": "features: [egfr_earlier,", "gap: 30 days": f"gap: {gap}"}
    assert (with_entry(tree, "egfr", "lagged", **model) == []) is kept  # it leaves out 90 days; three months have 90


def test_what_is_pending_drops_people_from_the_chance(tree: Path) -> None:
    (said,) = with_entry(tree, "kidney_core", "pending")
    assert said.startswith(
        "models/kidney.yaml:10: 'kidney_core' is 'pending' in the leakage register, but no leave out"
    )
    assert "'chance'" in said


def test_a_common_leave_out_answers_for_what_is_pending(tree: Path) -> None:
    assert with_entry(tree, "drug_nsaid", "pending") == []


def test_a_leave_out_on_a_wider_signal_answers_for_its_parts(wider: Path) -> None:
    assert with_entry(wider, "drug_naproxen", "pending") == []


def test_a_leave_out_on_a_narrower_signal_does_not(wider: Path) -> None:
    path = wider / "models/leave_outs.yaml"
    path.write_text(path.read_text().replace("{feature: nsaid_courses, at least: 1}", "{feature: low, is: known}"))
    with (wider / FEATURES).open("a") as file:
        file.write(
            "low:\n  label: Latest low eGFR\n  ask: latest\n  of: egfr_low\n  within: 1 year\n  examples:\n"
            "    - {records: {2023-06-09: 44}, on: 2024-01-01, gives: 44}\n    - {on: 2024-01-01, gives: missing}\n"
        )
    (said,) = with_entry(
        wider, "egfr", "pending", **{"features: [egfr_latest, diabetes_ever, sex]": "features: [diabetes_ever, sex]"}
    )
    assert "'egfr' is 'pending'" in said


def test_evidence_is_shown_by_a_rule_and_left_out_of_training(tree: Path) -> None:
    (said,) = with_entry(tree, "egfr", "evidence")
    assert "'egfr' is 'evidence' in the leakage register, but no leave out that drops from 'training' reads it" in said


def test_evidence_without_a_rule_is_refused(tree: Path) -> None:
    (said,) = with_entry(tree, "diabetes", "evidence", **{"drop from: [invite]": "drop from: [training]"})
    assert "no rule in the lanes 'act now' and 'review the record' reads it" in said


def test_evidence_that_is_both_shown_and_left_out_has_no_problem(tree: Path) -> None:
    feature = {"when: {feature: diabetes_ever, is: present}": "when: {feature: egfr_latest, less than: 60}"}
    assert with_entry(tree, "egfr", "evidence", **{**feature, "drop from: [invite]": "drop from: [training]"}) == []


@pytest.mark.parametrize(
    ("handling", "what"),
    [("allowed, lagged", "'allowed' stands alone"), ("banned, lagged", "'banned' and 'lagged' contradict each other")],
)
def test_ways_of_handling_that_contradict_each_other_are_refused(tree: Path, handling: str, what: str) -> None:
    assert any(what in said for said in with_entry(tree, "diabetes", handling))


def test_a_signal_has_one_entry(tree: Path) -> None:
    (said,) = with_entry(tree, "kidney_register", "banned")
    assert said.startswith("models/kidney.yaml:14: 'kidney_register' stands twice in the leakage register")


def test_what_the_first_generation_called_banned_is_no_key(tree: Path) -> None:
    path = tree / MODEL
    path.write_text(path.read_text().replace("leakage:", "banned: [egfr]\nleakage:"))
    assert any("unknown key 'banned'" in str(problem) for problem in problems(tree))


def test_the_lock_holds_every_signal_of_the_register(tree: Path) -> None:
    assert with_entry(tree, "drug_nsaid", "pending") == []
    definitions = read_definitions(tree)
    assert definitions.models["kidney"].banned == ("kidney_register",)
    assert definitions.models["kidney"].leaking("pending") == ("drug_nsaid",)
    locked = lock(definitions, condition="kidney")
    assert {"drug_nsaid", "kidney_register"} <= set(locked["signals"])
    assert locked["models"]["kidney"]["leakage"][0]["handling"] == ["pending"]


# -------------------- what stands beside the features


def with_model(tree: Path, old: str, new: str) -> list[str]:
    path = tree / MODEL
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return [str(problem) for problem in problems(tree)]


def verification(when: str, graded: str = "") -> str:
    lines = f"verification:\n  label: a test\n  when: {{feature: {when}, is: known}}\n  source: a test\n"
    return lines + (f"  graded: [[{{feature: {graded}, less than: 60, give or take: 5}}]]\n" if graded else "")


def test_what_counts_as_looked_at_looks_back_no_further_than_the_horizon(tree: Path) -> None:
    assert with_model(tree, "leakage:\n", verification("nsaid_courses") + "leakage:\n") == []
    (said,) = with_model(tree, "horizon: 12 months", "horizon: 11 months")
    assert said.startswith(
        "models/kidney.yaml:9: feature 'nsaid_courses' looks back 12 months, which is further than the"
    )


def test_verification_that_looks_back_for_ever_is_refused(tree: Path) -> None:
    (said,) = with_model(tree, "leakage:\n", verification("diabetes_ever") + "leakage:\n")
    assert "feature 'diabetes_ever' looks back for ever" in said


def test_verification_that_leaves_out_the_last_days_is_refused(tree: Path) -> None:
    said = with_model(tree, "leakage:\n", verification("egfr_earlier") + "leakage:\n")
    assert any("leaves out the last 90 days" in one for one in said)


def test_what_is_graded_reads_values(tree: Path) -> None:
    (said,) = with_model(tree, "leakage:\n", verification("nsaid_courses", "nsaid_courses") + "leakage:\n")
    assert "'nsaid_courses' is graded, but 'courses' reads no values" in said


@pytest.mark.parametrize(
    ("new", "what"),
    [
        (verification("nsaid_corses"), "there is no feature called 'nsaid_corses'"),
        ("attendance: [nsaid_courses]\n", "'nsaid_courses' is no feature of this model"),
        ("attendance: [sex, sex]\n", "'sex' stands twice in 'attendance'"),
        ("attendance: [sox]\n", "there is no feature called 'sox'"),
        ("learn from: verified\n", "'verified' needs 'verification'"),
        ("known by: {readings: egfr_lat, reading is: r, readings are: rs, contacts: sex}\n",
         "there is no feature called 'egfr_lat'"),
        ('expected: {bands: [{ages: [50, 40], women: 1, men: 1}], source: s}\n', "from the younger to the older age"),
        ('expected: {bands: [{ages: [40, 50], women: 1, men: 1}, {ages: [50, 60], women: 1, men: 1}], source: s}\n',
         "must begin at 51"),
        ('expected: {bands: [{ages: [40, 50], women: 1, men: 1}], deprivation times: {"11": 2}, source: s}\n', "'11'"),
    ],
)  # fmt: skip
def test_what_stands_beside_the_features_names_what_exists(tree: Path, new: str, what: str) -> None:
    said = with_model(tree, "leakage:\n", new + "leakage:\n")
    assert any(what in one for one in said), said
    assert all(one.startswith("models/kidney.yaml:") for one in said)
