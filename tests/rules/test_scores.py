"""Published scores come out as published, say which inputs are missing, and never fill one in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.clauses import AllOf, AnyOf, NoneOf, Test
from casefinding.definitions.evidence import Score, ScoreExample, Term
from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions
from casefinding.rules.scores import completeness, evaluate_score, run_examples

ROOT = Path(__file__).parents[2]
NAN = math.nan
NAMES = ("a", "b", "c")

# Specification 2.3: age, white, cm, kg, upper, lower pressure, smokes, treated, diabetes, heart failure, heart attack.
VECTORS = [
    ((75, 1, 170, 80, 150, 80, 0, 1, 0, 0, 0), 0.10445),
    ((55, 1, 175, 85, 130, 80, 1, 0, 0, 0, 0), 0.01401),
    ((68, 0, 160, 70, 140, 75, 0, 1, 1, 0, 0), 0.02927),
    ((82, 1, 165, 68, 145, 70, 0, 1, 0, 1, 1), 0.46795),
]
NEEDED = {
    "age": "age",
    "height_latest_ever": "height",
    "weight_latest_5y": "weight in 5 years",
    "systolic_clinic_latest_5y": "blood pressure in 5 years",
    "diastolic_clinic_latest_5y": "blood pressure in 5 years",
    "smoking_recorded_days_since_latest_ever": "smoking status",
}


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


@pytest.fixture(scope="module")
def af(definitions: Definitions) -> dict[str, Score]:
    return {score.name: score for score in definitions.models["atrial_fibrillation"].scores}


def inputs(vector: tuple[int, ...]) -> dict[str, float]:
    """One person of a test vector in the features of the shipped definition."""
    age, white, height, weight, upper, lower, smokes, treated, diabetes, failure, attack = vector
    return {
        "age": age, "ethnicity": 1 if white else 3, "height_latest_ever": height, "weight_latest_5y": weight,
        "systolic_clinic_latest_5y": upper, "diastolic_clinic_latest_5y": lower,
        "smoking_recorded_days_since_latest_ever": 30, "smoking_at_present_ever": 30 if smokes else NAN,
        "drug_ccb_count_6m": treated, "diabetes_unresolved_ever": 400 if diabetes else NAN,
        "heart_failure_ever": failure, "myocardial_infarction_ever": attack,
    }  # fmt: skip


def columns(score: Score, *people: Mapping[str, float]) -> dict[str, np.ndarray]:
    return {name: np.array([float(person.get(name, NAN)) for person in people]) for name in score.features}


# ------------------------------------------------------------------------------------------ the shipped scores


@pytest.mark.parametrize(("vector", "risk"), VECTORS)
def test_the_risk_comes_out_as_the_test_vectors_say(af: dict[str, Score], vector: tuple[int, ...], risk: float) -> None:
    given_ = evaluate_score(af["charge_af"], columns(af["charge_af"], inputs(vector)))
    assert given_.values[0] == pytest.approx(risk, abs=1e-5)
    assert given_.missing(0) == ()


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_input_is_named_and_never_filled_in(af: dict[str, Score], name: str) -> None:
    person = {**inputs(VECTORS[0][0]), name: NAN}
    given_ = evaluate_score(af["charge_af"], columns(af["charge_af"], person, inputs(VECTORS[0][0])))
    assert np.isnan(given_.values).tolist() == [True, False]
    assert given_.missing(0) == (NEEDED[name],)
    assert given_.missing(1) == ()


def test_an_unknown_ethnic_group_is_missing_and_not_a_group(af: dict[str, Score]) -> None:
    given_ = evaluate_score(af["charge_af"], columns(af["charge_af"], {**inputs(VECTORS[0][0]), "ethnicity": 0}))
    assert np.isnan(given_.values[0])
    assert given_.missing(0) == ("ethnic group",)


def test_a_disease_or_a_drug_that_is_not_on_record_counts_as_absent(af: dict[str, Score]) -> None:
    written = inputs(VECTORS[1][0])
    bare = {name: written[name] for name in (*NEEDED, "ethnicity", "smoking_at_present_ever")}
    given_ = evaluate_score(af["charge_af"], columns(af["charge_af"], written, bare))
    assert given_.values[0] == given_.values[1]


def test_nobody_with_every_disease_has_more_points_than_the_score_holds(af: dict[str, Score]) -> None:
    for name, most in (("c2hest", 8), ("cha2ds2_vasc", 9)):
        score = af[name]
        for age in range(18, 105):
            person = dict.fromkeys(score.features, 1.0) | {"age": float(age), "sex": 0.0}
            assert evaluate_score(score, columns(score, person)).values[0] <= most


def test_every_worked_example_of_the_tree_holds(definitions: Definitions) -> None:
    assert [str(problem) for problem in run_examples(definitions)] == []


def test_comparators_say_how_likely_a_condition_is_and_the_stroke_score_does_not(af: dict[str, Score]) -> None:
    assert {name for name, score in af.items() if score.use == "comparator"} == {"charge_af", "c2hest"}
    assert "confirmed" in af["cha2ds2_vasc"].meaning
    assert af["c2hest"].unverified
    assert af["cha2ds2_vasc"].unverified


# ------------------------------------------------------------------------------------------ worked examples


def of_terms(*terms: Term, **more) -> Score:
    return Score(name="s", label="S", use="comparator", terms=terms, source="made up", **more)


def test_a_wrong_worked_example_is_told_with_what_is_missing(definitions: Definitions) -> None:
    term = Term(label="height", feature="a")
    examples = (ScoreExample(values={"a": 2}, gives=3), ScoreExample(about="none", values={"a": "missing"}, gives=0))
    score = of_terms(term, examples=examples)
    model = definitions.models["copd"].model_copy(update={"scores": (score,)})
    wrong, lacking = run_examples(definitions.model_copy(update={"models": {"copd": model}}))
    assert (wrong.where, wrong.what) == ("score s of copd, example 1", "gives 3, but its inputs come to 2")
    assert lacking.where == "score s of copd, example 2 (none)"
    assert lacking.hint == "missing here: height"


# ------------------------------------------------------------------------------------------ any score

values = st.sampled_from((NAN, 0.0, 1.0, 2.0, 74.0))
tests = st.builds(lambda name, least: Test(feature=name, at_least=least), st.sampled_from(NAMES), st.integers(0, 75))
clauses = st.one_of(
    tests,
    st.builds(lambda p: AnyOf(any=p), st.lists(tests, min_size=1, max_size=2).map(tuple)),
    st.builds(lambda p: AllOf(all=p), st.lists(tests, min_size=1, max_size=2).map(tuple)),
    st.builds(lambda p: NoneOf(none=p), st.lists(tests, min_size=1, max_size=2).map(tuple)),
)
needs = st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple)
points = st.builds(
    lambda label, when, adds, needs, unless: Term(label=label, when=when, adds=adds, needs=needs, missing_when=unless),
    st.sampled_from(("x", "y")), clauses, st.integers(1, 3), needs, st.none() | tests,
)  # fmt: skip
products = st.builds(
    lambda name, times, per: Term(label=name, feature=name, times=times, per=per),
    st.sampled_from(NAMES), st.sampled_from((0.5, -0.1, 3)), st.sampled_from((1, 10)),
)  # fmt: skip
terms = st.lists(points | products, min_size=1, max_size=5).map(tuple)
people = st.lists(st.tuples(values, values, values), min_size=1, max_size=8)


def one_by_one(score: Score, person: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    """A score and its missing inputs for one person, in plain Python."""

    def holds(clause) -> bool:
        if isinstance(clause, AnyOf):
            return any(holds(part) for part in clause.any)
        if isinstance(clause, AllOf):
            return all(holds(part) for part in clause.all)
        if isinstance(clause, NoneOf):
            return not any(holds(part) for part in clause.none)
        return person[clause.feature] >= clause.at_least

    total, lacks = 0.0, []
    for term in score.terms:
        unknown = any(math.isnan(person[name]) for name in term.needs)
        unknown = unknown or (term.missing_when is not None and holds(term.missing_when))
        if term.feature is not None and math.isnan(person[term.feature]):
            unknown = True
        if unknown:
            if term.label not in lacks:
                lacks.append(term.label)
        elif term.feature is not None:
            total += term.times * person[term.feature] / term.per
        elif holds(term.when):
            total += term.adds
    if lacks:
        return NAN, tuple(lacks)
    return (1 - score.baseline ** math.exp(total - score.centre) if score.baseline else total), ()


def laid_out(rows: list[tuple[float, ...]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[n] for row in rows]) for n, name in enumerate(NAMES)}


@settings(deadline=None)
@given(terms, people, st.sampled_from(({}, {"baseline": 0.97, "centre": 12.5})))
def test_columns_and_one_person_at_a_time_agree(terms, rows, risk) -> None:
    score = of_terms(*terms, **risk)
    told = [one_by_one(score, dict(zip(NAMES, row, strict=True))) for row in rows]
    for table in (laid_out(rows), pa.table(laid_out(rows))):
        found = evaluate_score(score, table)
        assert found.values == pytest.approx([value for value, _ in told], nan_ok=True, rel=1e-9, abs=1e-12)
        assert [found.missing(row) for row in range(len(rows))] == [lacks for _, lacks in told]


@settings(deadline=None)
@given(st.lists(points, min_size=1, max_size=4).map(tuple), points, people)
def test_another_term_with_points_never_lowers_a_score(terms, more, rows) -> None:
    before = evaluate_score(of_terms(*terms), laid_out(rows)).values
    after = evaluate_score(of_terms(*terms, more), laid_out(rows)).values
    both = ~np.isnan(before) & ~np.isnan(after)
    assert (after[both] >= before[both]).all()
    assert np.isnan(after[np.isnan(before)]).all()


@settings(deadline=None)
@given(terms, people)
def test_completeness_counts_what_the_values_lack(terms, rows) -> None:
    score = of_terms(*terms)
    found, told = evaluate_score(score, laid_out(rows)), completeness(score, laid_out(rows))
    assert told.rows == len(rows)
    assert told.whole == pytest.approx((~np.isnan(found.values)).mean())
    for label, share in told.by_input.items():
        assert share == pytest.approx(np.mean([label not in found.missing(row) for row in range(len(rows))]))


def test_completeness_of_nobody_is_unknown(af: dict[str, Score]) -> None:
    told = completeness(af["c2hest"], columns(af["c2hest"]))
    assert (told.rows, list(told.by_input)) == (0, ["age"])
    assert math.isnan(told.whole)


def test_a_hazard_beyond_all_numbers_is_a_risk_of_one() -> None:
    score = of_terms(Term(label="a", feature="a"), baseline=0.97)
    assert evaluate_score(score, {"a": np.array([1e6, -1e6])}).values.tolist() == [1.0, 0.0]


def test_a_feature_that_is_no_column_is_an_error() -> None:
    with pytest.raises(KeyError, match="'a'"):
        evaluate_score(of_terms(Term(label="a", feature="a")), pa.table({"b": [1.0]}))
