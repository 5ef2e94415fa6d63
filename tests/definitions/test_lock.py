"""The lock changes with the meaning of what a set of features reaches, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casefinding.definitions.lock import lock, lock_sha256, sha256_of_lock
from casefinding.definitions.read import read_definitions
from casefinding.files import canonical_json

SIGNALS, FEATURES, MODEL = "features/signals/kidney.yaml", "features/kidney.yaml", "models/kidney.yaml"
Change = Callable[[str, str, str], None]


@pytest.fixture
def change(tree: Path) -> Change:
    def make(file: str, old: str, new: str) -> None:
        path = tree / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return make


def test_a_lock_holds_what_the_features_reach_and_no_more(tree: Path) -> None:
    locked = lock(read_definitions(tree), ["egfr_latest", "sex"])
    assert list(locked["features"]) == ["egfr_latest", "sex"]
    assert list(locked["signals"]) == ["egfr"]
    assert list(locked["codelists"]) == ["egfr"]
    assert "models" not in locked


def test_a_lock_of_a_condition_holds_its_labels_rules_and_leave_outs(tree: Path) -> None:
    locked = lock(read_definitions(tree), condition="kidney")
    assert set(locked["codelists"]) == {"egfr", "ckd_all", "ckd_core", "ckd_resolved", "diabetes"}
    assert [rule["id"] for rule in locked["models"]["kidney"]["rules"]] == ["CKD-1"]
    assert list(locked["leave outs"]) == ["on_nsaid"]
    assert set(locked["signals"]) >= {"kidney_register", "kidney_core", "kidney_resolved", "drug_nsaid"}


def test_the_whole_tree_is_locked_without_names(tree: Path) -> None:
    definitions = read_definitions(tree)
    locked = lock(definitions)
    assert set(locked["features"]) == set(definitions.features)
    assert set(locked["signals"]) == set(definitions.signals)
    assert set(locked["codelists"]) == set(definitions.codelists)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (FEATURES, "within: 5 years", "within: 60 months"),
        (FEATURES, "about: Kidney features.", "about: Other words."),
        (FEATURES, "gives: 58", "gives: 52"),  # examples test the meaning, they are no part of it
        (FEATURES, "nsaid_courses:\n  label: Courses", "nsaid_courses:\n  label: Runs"),  # not reached
        (SIGNALS, "plausible: [1, 200]", "plausible: [1.0, 200.0]"),
        (MODEL, "less than: 60", "less than: 45"),  # not reached by the features
        ("features/codelists/egfr.csv", "# source", "# a remark\n# source"),
    ],
)
def test_what_means_the_same_locks_the_same(tree: Path, change: Change, file: str, old: str, new: str) -> None:
    names = ["egfr_latest", "sex"]
    before = lock_sha256(read_definitions(tree), names)
    change(file, old, new)
    assert lock_sha256(read_definitions(tree), names) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (FEATURES, "within: 5 years", "within: 4 years"),
        (FEATURES, "higher means: less likely", "higher means: more likely"),
        (SIGNALS, "plausible: [1, 200]", "plausible: [2, 200]"),
        (SIGNALS, "times: 1}", "times: 2}"),
        ("features/codelists/egfr.csv", "857971000000104", "1020291000000106"),
        ("features/codelists/egfr.csv", "# release: 2026-11-01", "# release: 2026-11-02"),
    ],
)
def test_what_means_something_else_locks_otherwise(tree: Path, change: Change, file: str, old: str, new: str) -> None:
    names = ["egfr_latest", "sex"]
    before = lock_sha256(read_definitions(tree), names)
    change(file, old, new)
    assert lock_sha256(read_definitions(tree), names) != before


def test_rules_and_outcome_are_part_of_a_condition_s_lock(tree: Path, change: Change) -> None:
    before = lock_sha256(read_definitions(tree), condition="kidney")
    change(MODEL, "less than: 60", "less than: 45")
    changed = lock_sha256(read_definitions(tree), condition="kidney")
    assert changed != before
    change(MODEL, "gap: 30 days", "gap: 31 days")
    assert lock_sha256(read_definitions(tree), condition="kidney") not in (before, changed)


def test_the_order_of_names_and_codes_does_not_matter(tree: Path) -> None:
    definitions = read_definitions(tree)
    before = lock_sha256(definitions, ["egfr_latest", "sex"])
    assert lock_sha256(definitions, ["sex", "egfr_latest", "sex"]) == before
    path = tree / "features/codelists/egfr.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], *reversed(lines[4:])]) + "\n")
    a, b = lock(definitions, ["egfr_latest"])["codelists"], lock(read_definitions(tree), ["egfr_latest"])["codelists"]
    assert a == b


def test_a_lock_read_back_has_the_same_hash(tree: Path) -> None:
    import json

    locked = lock(read_definitions(tree))
    assert sha256_of_lock(json.loads(canonical_json(locked))) == lock_sha256(read_definitions(tree))


def test_a_name_that_does_not_exist_is_an_error(tree: Path) -> None:
    with pytest.raises(KeyError):
        lock(read_definitions(tree), ["absent"])
