"""A bad score or a bad refitted model is found at its file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casefinding.definitions.read import Problem, problems, read_definitions

MODEL = "models/kidney.yaml"
BEFORE = "missing notes: [egfr_latest]\n"
SCORES = """\
refit:
  Two variables, refitted: [egfr_latest, sex]
scores:
  stones:
    label: STONES
    meaning: risk in 5 years
    use: comparator
    baseline: 0.97
    centre: 2.5
    terms:
      - {label: eGFR, feature: egfr_latest, times: -0.2, per: 10}
      - label: sex
        when: {feature: sex, at least: 1}
        adds: 0.5
        needs: [sex]
        missing when: {feature: sex, less than: 0}
      - label: diabetes
        when:
          any:
            - {feature: diabetes_ever, is: present}
        adds: 1
    source: made for a test
    examples:
      - {values: {egfr_latest: 50, sex: 1, diabetes_ever: 1}, gives: 0.004}
      - {about: sex not recorded, values: {egfr_latest: 50, sex: missing}, gives: missing}
"""


@pytest.fixture
def with_scores(tree: Path) -> Path:
    path = tree / MODEL
    path.write_text(path.read_text().replace(BEFORE, SCORES + BEFORE))
    return tree


@pytest.fixture
def broken_score(with_scores: Path) -> Callable[[str, str], tuple[int, list[Problem]]]:
    """Replace one piece; the line where it stood, and the problems."""

    def make(old: str, new: str) -> tuple[int, list[Problem]]:
        path = with_scores / MODEL
        text = path.read_text()
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1, problems(with_scores)

    return make


def test_a_sound_score_has_no_problems_and_its_features_are_built(with_scores: Path) -> None:
    assert problems(with_scores) == []
    definitions = read_definitions(with_scores)
    (score,) = definitions.models["kidney"].scores
    assert score.features == ("egfr_latest", "sex", "diabetes_ever")
    assert set(score.features) <= set(definitions.features_for("kidney"))


CASES = [
    # piece, instead, line of the problem (0 = the line of the piece), what is said, hint
    ("feature: egfr_latest, times", "feature: egfr_lastest, times", 0, "there is no feature called 'egfr_lastest'",
     "did you mean 'egfr_latest'?"),
    ("needs: [sex]", "needs: [sx]", 0, "there is no feature called 'sx'", ""),
    ("feature: diabetes_ever, is: present}\n        ad", "feature: diabetis_ever, is: present}\n        ad", 0,
     "there is no feature called 'diabetis_ever'", "did you mean 'diabetes_ever'?"),
    ("missing when: {feature: sex,", "missing when: {feature: six,", 0, "there is no feature called 'six'", ""),
    ("per: 10", "per: 0", 0, "divides by 0", ""),
    ("times: -0.2", "times: 0", 0, "a term that adds nothing", ""),
    ("feature: egfr_latest, times", "feature: egfr_latest, adds: 1, times", 0, "'adds' belongs to 'when'", ""),
    ("adds: 0.5", "adds: 0.5\n        times: 2", -2, "'times' and 'per' belong to 'feature'", ""),
    ("label: eGFR, feature: egfr_latest, times: -0.2, per: 10", "label: eGFR", 0, "a term needs either", ""),
    ("    baseline: 0.97\n", "", -4, "'centre' belongs to 'baseline'", ""),
    ("baseline: 0.97", "baseline: 1.2", 0, "'baseline'", ""),
    ("use: comparator", "use: detector", 0, "'use' cannot be 'detector'", ""),
    ("values: {egfr_latest: 50, sex: 1,", "values: {egfr_lates: 50, sex: 1,", 0,
     "'egfr_lates' is no input of this score", "did you mean 'egfr_latest'?"),
    ("      - {about: sex not recorded, values: {egfr_latest: 50, sex: missing}, gives: missing}\n", "", -2,
     "'stones' has one worked example only", "at least two"),
    ("sex: missing}, gives: missing", "sex: 0}, gives: 0.002", -2, "'stones' has no example with a missing input",
     "gives: missing"),
    ("[egfr_latest, sex]\nscores", "[egfr_last, sex]\nscores", 0, "there is no feature called 'egfr_last'", ""),
    ("[egfr_latest, sex]\nscores", "[sex, sex]\nscores", 0, "'sex' stands twice in 'Two variables, refitted'", ""),
    ("[egfr_latest, sex]\nscores", "[]\nscores", 0, "'Two variables, refitted' names no feature", ""),
    ("[egfr_latest, sex]\nscores", "[egfr_earlier, sex]\nscores", 0, "'egfr_earlier' is no feature of this model",
     "add it to 'features' first"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "offset", "what", "hint"), CASES, ids=[f"{n}" for n in range(len(CASES))])
def test_a_fault_is_found_where_it_stands(broken_score, old: str, new: str, offset: int, what: str, hint: str) -> None:
    line, found = broken_score(old, new)
    told = [problem for problem in found if what in problem.what]
    assert told, [str(problem) for problem in found]
    assert hint in told[0].hint
    assert told[0].where == f"{MODEL}:{line + offset}"


def test_a_score_whose_inputs_always_have_a_value_needs_no_missing_example(broken_score) -> None:
    start = SCORES.index("      - {label: eGFR")
    end = SCORES.index("      - label: diabetes")
    _, found = broken_score(SCORES[start:end], "")
    told = [problem.what for problem in found]
    assert not [what for what in told if "no example with a missing input" in what]
    assert [what for what in told if "is no input of this score" in what]
