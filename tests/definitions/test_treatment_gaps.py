"""A treatment gap that names what does not exist, or shows too little, is refused at its own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefinding.definitions.read import problems, read_definitions

GAP = """\
nsaid_with_ckd:
  label: Kidney disease, painkiller that harms it
  met: None issued
  on register: kidney
  gap: {feature: nsaid_courses, is: present}
  say: "{nsaid_courses} courses, last {nsaid_courses.when}"
  do: Stop it.
  source: made up
  examples:
    - {records: {kidney_register: [2020-01-01], drug_nsaid: [2023-06-01]}, on: 2024-01-01, gives: a gap}
    - {records: {kidney_register: [2020-01-01]}, on: 2024-01-01, gives: no gap}
    - {records: {drug_nsaid: [2023-06-01]}, on: 2024-01-01, gives: not counted}
"""


def write(tree: Path, text: str) -> list[str]:
    (tree / "models" / "treatment_gaps.yaml").write_text(text, encoding="utf-8")
    return [str(one) for one in problems(tree)]


def test_a_sound_gap_is_read(tree: Path) -> None:
    assert write(tree, GAP) == []
    (gap,) = read_definitions(tree).treatment_gaps
    assert gap.features == ("nsaid_courses",)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("on register: kidney", "on register: kidnee", 4, "no model called 'kidnee'"),
        ("gap: {feature: nsaid_courses", "gap: {feature: nsaid_course", 5, "no feature called 'nsaid_course'"),
        ("last {nsaid_courses.when}", "last {nsaids.when}", 6, "no feature called 'nsaids'"),
        ('"{nsaid_courses} courses', '"{ courses', 6, "a brace stands alone"),
        ("  do: Stop it.\n", "  do: Stop it.\n  score: {name: harm, at least: 2}\n", 8, "no score called 'harm'"),
        ("gives: no gap", "gives: a gap", 9, "has no example that gives: no gap"),
        ("  on register: kidney\n", "", 1, "needs 'on register' or 'among'"),
        ("  do: Stop it.\n", "  do: Stop it.\n  do first: Stop today.\n", 1, "'do first' belongs to 'first'"),
        ("drug_nsaid: [2023-06-01]}", "nsaid: [2023-06-01]}", 10, "no signal called 'nsaid'"),
    ],
)  # fmt: skip
def test_a_fault_is_told_at_its_line(tree: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GAP
    found = write(tree, GAP.replace(old, new, 1))
    assert any(f"treatment_gaps.yaml:{line}:" in one and says in one for one in found), found


def test_a_gap_changes_the_lock_of_the_whole_tree_and_of_no_condition(tree: Path) -> None:
    from casefinding.definitions.lock import lock_sha256

    before = read_definitions(tree)
    write(tree, GAP)
    after = read_definitions(tree)
    assert lock_sha256(before) != lock_sha256(after)
    assert lock_sha256(before, condition="kidney") == lock_sha256(after, condition="kidney")
