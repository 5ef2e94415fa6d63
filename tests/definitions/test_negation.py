"""A code that says "no" never stands in a list of what is there, and a list of absences says that it is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefinding.definitions.codelists import parse_codelist
from casefinding.definitions.lock import lock_sha256
from casefinding.definitions.negation import denies
from casefinding.definitions.read import problems, read_definitions

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "label",
    ["No breathlessness", "Not breathless", "Never smoked", "Denies chest pain", "Denied: alcohol", "Absence of wheeze",
     "Without a cough", "no  cough", "Cough not present", "Asthma no longer present", "Ankle oedema absent",
     "Ankle oedema absent (finding)", "Negative for AF", "Screening negative for AF", "Patient denies palpitations",
     "Has not smoked, ever", "Did not attend", "Pressure reading refused", "Spirometry declined", "AF ruled out",
     "No-one smokes at home", "Reversibility not shown", "Treatment not indicated now", "AF excluded"],
)  # fmt: skip
def test_a_label_that_says_no_is_known_as_one(label):
    assert denies(label)


@pytest.mark.parametrize(
    "label",
    ["Breathlessness", "Asthma, not allergic", "Diabetes, no complication", "Cough without sputum", "ECG not normal",
     "Diabetes without complication", "Norwegian scabies", "Nocturnal cough", "Notched P wave",
     "Lung cancer, non-small cell", "Losing weight, not meant to", "Pregnant, not planned, wanted",
     "Bronchitis, not further said", "Negative pressure", "CKD 3, no protein in urine",
     "Knee pain", "Neverland", "Missed a spirometry clinic"],
)  # fmt: skip
def test_a_label_that_describes_what_is_there_is_left_alone(label):
    assert not denies(label)


@given(st.sampled_from(["No", "Not", "Denies", "Absence of", "Without", "Never"]), st.text("abc e", min_size=1))
def test_a_denial_is_known_whatever_it_denies(word, rest):
    assert denies(f"{word} {rest}")
    assert denies(f"  {word.upper()} {rest}")


HEAD = "# source: s\n# release: r\n# reviewed by: v\n"
ROWS = "id,label,system\n267036007,Breathless,snomed\n139193003,No breathlessness,snomed\n"


def parsed(folder: Path, head: str):
    path = folder / "breathlessness.csv"
    path.write_text(head + ROWS)
    return parse_codelist(path, path.name)


def test_a_negated_code_is_refused_at_its_line(tmp_path):
    codelist, (problem,) = parsed(tmp_path, HEAD)
    assert codelist is None
    assert problem.where == "breathlessness.csv:6"
    assert problem.what == "'No breathlessness' says that something is not there"
    assert "# absence means:" in problem.hint


def test_a_list_whose_meaning_is_an_absence_says_so(tmp_path):
    codelist, found = parsed(tmp_path, HEAD + "# absence means: asked and not there\n# unverified: one code\n")
    assert found == []
    assert codelist is not None
    assert codelist.absence_means == "asked and not there"
    assert codelist.unverified == "one code"
    assert len(codelist.codes) == 2


@pytest.mark.parametrize("line", ["# absence means:\n", "# unverified:  \n"])
def test_an_empty_remark_is_no_remark(tmp_path, line):
    _, found = parsed(tmp_path, HEAD + "# absence means: x\n" + line)
    assert any("says nothing" in problem.what for problem in found)


def test_several_denials_are_told_once(tmp_path):
    path = tmp_path / "cough.csv"
    path.write_text(HEAD + "id,label,system\n267036007,No cough,snomed\n139193003,Never coughs,snomed\n")
    (problem,) = parse_codelist(path, path.name)[1]
    assert "(1 more like it)" in problem.what


def test_a_list_of_the_tree_with_a_denial_is_a_problem_of_the_tree(tree):
    path = tree / "features/codelists/diabetes.csv"
    path.write_text(path.read_text().replace("label of 1", "No diabetes"))
    assert [problem.where for problem in problems(tree)] == ["features/codelists/diabetes.csv:6"]


def test_what_a_list_says_of_itself_is_locked(tree):
    before = lock_sha256(read_definitions(tree))
    path = tree / "features/codelists/diabetes.csv"
    path.write_text(path.read_text().replace("id,label", "# unverified: one code\nid,label"))
    assert lock_sha256(read_definitions(tree)) != before


def test_no_list_of_ours_denies_without_saying_so():
    definitions = read_definitions(ROOT)
    denying = {one.name for one in definitions.codelists.values() if any(denies(code.label) for code in one.codes)}
    assert denying == {one.name for one in definitions.codelists.values() if one.absence_means}
    symptoms = {"breathlessness", "cough", "sputum", "wheeze", "palpitations", "haemoptysis", "syncope_dizziness"}
    assert not denying & symptoms
    assert {"smoking_never", "bp_declined", "spirometry_unsuitable"} <= denying
    everything = {code.id for one in definitions.codelists.values() for code in one.codes}
    assert "139193003" not in everything  # "No breathlessness", found in a published list of breathlessness
