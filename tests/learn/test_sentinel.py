"""The leakage sentinel: a leak is found and named, a clean world passes, and the certificate stays with the model."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learn_world import CONDITION, World, config, definitions, world
from sklearn.metrics import roc_auc_score

from casefinding.definitions.shapes import Definitions, Feature
from casefinding.definitions.words import Span
from casefinding.errors import BundleError, LearnError
from casefinding.files import canonical_json, sha256_of
from casefinding.learn.bundle import MANIFEST, _self_digest, read_bundle, write_bundle
from casefinding.learn.fit import Trained
from casefinding.learn.sentinel.certificate import CHECKS, Certificate, sentinel
from casefinding.learn.sentinel.lagged import gap_shifted, lagged_twins, own_gap
from casefinding.learn.sentinel.leaks import alone, canaries
from casefinding.learn.sentinel.ranking import auroc, two_sided
from casefinding.learn.verify import Evidence

HORIZON = 365
LATEST = 180 + HORIZON


@dataclass
class Timed:
    """A world whose people are diagnosed so many days after their index day (or never: beyond everything)."""

    world: World
    days: np.ndarray
    twins: pa.Table  # the matrix with the last days hidden

    def outcomes(self, gap: int) -> pa.Table:
        day = self.world.base["index_day"].to_numpy().astype("datetime64[D]")
        case = (self.days > gap) & (self.days <= gap + HORIZON)
        outcome = np.where(self.days <= gap, "in the gap", np.where(case, "case", "control"))
        return pa.table(
            {
                "person": self.world.base["person"],
                "index_day": self.world.base["index_day"],
                "outcome": outcome,
                "day": pa.array((day + self.days.astype("timedelta64[D]")), pa.date32(), mask=~case),
                "weight": np.where(outcome == "in the gap", 0.0, 1.0),
            }
        )

    def asked(self, threads: int = 2, **more: object) -> Certificate:
        known = more.pop("known", None) or definitions()
        assert isinstance(known, Definitions)
        hidden = lagged_twins(known, CONDITION)

        def twins(rows: pa.Table) -> pa.Table:
            width = 1_000_000
            mine, theirs = (
                table["person"].to_numpy() * width + table["index_day"].to_numpy().astype("datetime64[D]").astype(int)
                for table in (self.twins, rows)
            )
            there = self.twins.take(pa.array(np.searchsorted(mine, theirs)))
            return pa.table({twin: there[name] for name, twin in hidden.of.items() if twin is not None})

        return sentinel(
            CONDITION, known, self.world.matrix, self.world.base,
            {key: self.outcomes(int(key.split()[0])) for key in gap_shifted(known, CONDITION)},
            config(threads=threads), **{"twins": twins, **more},
        )  # fmt: skip


def column(table: pa.Table, name: str, values: np.ndarray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values.astype(float)))


def timed(people: int = 4000, seed: int = 1) -> Timed:
    made = world(people, seed=seed)
    rng = np.random.default_rng(seed)
    case = made.outcomes["outcome"].to_numpy(zero_copy_only=False) == "case"
    days = np.where(case, rng.integers(1, LATEST + 1, len(case)), 9999)
    return Timed(made, days, made.matrix)


@pytest.fixture(scope="module")
def clean() -> Timed:
    return timed()


@pytest.fixture(scope="module")
def certificate(clean: Timed) -> Certificate:
    return clean.asked()


def working_up(clean: Timed) -> Timed:
    """Contacts rise steeply before a diagnosis that is not half a year away, and now and then for no reason."""
    soon = (clean.days <= 170) | (np.random.default_rng(6).random(len(clean.days)) < 0.02)
    values = clean.world.matrix["noise_a"].to_numpy() * 0.01
    worked_up = column(clean.world.matrix, "noise_a", np.where(soon, 50.0, values))
    return replace(clean, world=replace(clean.world, matrix=worked_up), twins=column(clean.twins, "noise_a", values))


def test_a_clean_world_passes_every_check(certificate: Certificate) -> None:
    assert {name: check["verdict"] for name, check in certificate.checks.items()} == dict.fromkeys(CHECKS, "passed")
    assert certificate.passed
    assert certificate.verdict == "passed"
    assert not certificate.suspects
    certificate.refuse_a_leak()


def test_the_certificate_holds_figures_thresholds_and_no_small_count(certificate: Certificate) -> None:
    written = json.loads(canonical_json(certificate.as_dict()))
    assert set(written["checks"]) == set(CHECKS)
    for check in written["checks"].values():
        assert check["says"]
        assert check.get("thresholds") or check["canaries"]
    gaps = written["checks"]["gap shifted"]["gaps"]
    assert [one["gap"] for one in gaps] == ["30 days", "90 days", "180 days"]
    assert all(one["auroc"]["low"] < one["auroc"]["value"] < one["auroc"]["high"] for one in gaps)
    assert all(one["cases"] % 5 == 0 for one in gaps)
    assert all(written["read"][name] % 5 == 0 for name in ("rows", "people", "cases"))


def test_a_shuffled_label_gives_one_half(certificate: Certificate) -> None:
    shuffled = certificate.checks["shuffled label"]
    assert abs(shuffled["auroc"]["value"] - 0.5) <= 0.02
    assert shuffled["cases enough to show it"]


def test_every_canary_rings_the_alarm(certificate: Certificate) -> None:
    rang = certificate.checks["canaries"]["canaries"]
    assert [one["canary"] for one in rang] == [
        "the outcome itself",
        "the outcome of two cases in five",
        "days to the code",
        "the outcome itself, among the other features of a forest",
    ]
    assert all(one["refused"] for one in rang)


def test_the_same_certificate_on_any_number_of_threads(clean: Timed, certificate: Certificate) -> None:
    assert canonical_json(clean.asked(threads=1).as_dict()) == canonical_json(certificate.as_dict())


def test_a_planted_work_up_is_suspected_twice_and_named(clean: Timed) -> None:
    found = working_up(clean).asked()
    assert found.checks["gap shifted"]["verdict"] == "suspect"
    assert found.checks["gap shifted"]["fall beyond age and sex"]["low"] > 0
    assert found.checks["last days hidden"]["verdict"] == "suspect"
    assert found.checks["last days hidden"]["named"] == ["contact"]
    assert found.checks["last days hidden"]["one by one"][0]["features"] == ["visits", "noise_a", "noise_b"]
    assert found.verdict == "suspect"
    assert found.passed
    assert len(found.suspects) == 2
    found.refuse_a_leak()


@pytest.mark.parametrize("how", ["whole", "part", "day"])
def test_a_label_that_leaks_ends_training_and_is_named(clean: Timed, how: str) -> None:
    case = (clean.days > 90) & (clean.days <= 90 + HORIZON)
    known = np.random.default_rng(1).random(len(case)) < 0.4
    leaking = {"whole": case, "part": case & known, "day": np.where(case, clean.days, np.nan)}[how]
    found = replace(clean, world=replace(clean.world, matrix=column(clean.world.matrix, "bmi_latest", leaking))).asked()
    assert not found.passed
    assert found.checks["features that tell"]["named"] == ["bmi_latest"]
    assert found.checks["canaries"]["verdict"].startswith("not possible")
    with pytest.raises(LearnError, match="a label that leaks: 'bmi_latest' tells the outcome") as caught:
        found.refuse_a_leak()
    assert caught.value.exit_code == 14


def test_a_label_hidden_among_values_is_found_by_the_forest(clean: Timed) -> None:
    """Neither its order nor a group of its values gives it away: each stripe of the scale is a case or none."""
    case = (clean.days > 90) & (clean.days <= 90 + HORIZON)
    stripes = 4 * np.random.default_rng(2).integers(0, 4, len(case)) + 2 * case
    disguised = stripes + np.random.default_rng(3).random(len(case))
    found = replace(
        clean, world=replace(clean.world, matrix=column(clean.world.matrix, "bmi_latest", disguised))
    ).asked()
    assert found.checks["features that tell"].get("named") == ["bmi_latest"]


def test_evidence_is_watched_where_the_model_learns_from_it(clean: Timed) -> None:
    known = definitions()
    model = known.models[CONDITION].model_copy(update={"learn_from": "graded"})
    known = known.model_copy(update={"models": {CONDITION: model}})
    case = (clean.days > 90) & (clean.days <= 90 + HORIZON)
    looked = np.random.default_rng(4).random(len(case)) < 0.5
    chance = np.where(looked | case, np.where(case, 0.9, 0.05), np.nan)
    found = clean.asked(known=known, evidence=Evidence(looked, case, chance))
    assert found.read["cases are"] == "the evidence that is learned from"
    assert found.passed
    assert found.checks["shuffled label"]["verdict"] == "passed"


def test_what_cannot_be_checked_says_why(clean: Timed) -> None:
    few = replace(clean, days=np.where(np.arange(len(clean.days)) < 120, clean.days, 9999)).asked()
    assert few.verdict.startswith("not possible")
    assert few.checks["gap shifted"]["verdict"] == "not possible: fewer than 20 cases"
    assert clean.asked(twins=None).checks["last days hidden"]["verdict"].startswith("not possible: the features")


def test_days_without_a_whole_horizon_are_left_out_of_the_shift(clean: Timed) -> None:
    """Nobody is followed to the end of the last day's longest horizon, so it has no control."""
    last = clean.world.base["index_day"].to_numpy() == np.datetime64("2024-07-01")

    class Short(Timed):
        def outcomes(self, gap: int) -> pa.Table:
            table = super().outcomes(gap)
            outcome = table["outcome"].to_numpy(zero_copy_only=False)
            cut = np.where(last & (outcome == "control") & (gap == 180), "censored", outcome)
            return table.set_column(2, "outcome", pa.array(cut))

    found = Short(clean.world, clean.days, clean.twins).asked()
    assert found.checks["gap shifted"]["index days"] == ["2022-07-01", "2023-07-01"]


def test_twins_hide_the_last_days_and_nothing_else() -> None:
    known = definitions()
    features = dict(known.features)
    features["visits"] = features["visits"].model_copy(update={"within": Span(days=60)})
    features["bmi_latest"] = features["bmi_latest"].model_copy(update={"leaving_out_the_last": Span(months=6)})
    known = known.model_copy(update={"features": features})
    twins = lagged_twins(known, CONDITION)
    assert twins.hidden == "90 days"
    assert set(twins.of) == {"sbp_latest", "visits", "noise_a", "noise_b"}
    assert twins.of["visits"] is None  # its whole window is hidden
    assert twins.signals == {"sbp": ("sbp_latest",), "contact": ("visits", "noise_a", "noise_b")}
    for name, twin in twins.of.items():
        if twin is not None:
            was, now = known.features[name], twins.definitions.features[twin]
            assert isinstance(now, Feature)
            assert now.leaving_out_the_last == Span(days=90)
            assert (now.ask, now.of, now.within) == (was.ask, was.of, was.within)


def test_gaps_are_shifted_and_the_models_own_is_among_them() -> None:
    known = definitions()
    assert list(gap_shifted(known, CONDITION)) == ["30 days", "90 days", "180 days"]
    assert own_gap(known, CONDITION) == "90 days"
    outcome = known.models[CONDITION].outcome.model_copy(update={"gap": Span(months=12)})
    yearly = known.model_copy(
        update={"models": {CONDITION: known.models[CONDITION].model_copy(update={"outcome": outcome})}}
    )
    shifted = gap_shifted(yearly, CONDITION)
    assert list(shifted) == ["30 days", "90 days", "180 days", "12 months"]
    assert shifted["30 days"].models[CONDITION].outcome.gap == Span(days=30)
    assert shifted["30 days"].models[CONDITION].outcome.horizon == outcome.horizon


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_auroc_is_scikit_learns_for_soft_labels_ties_and_weights(data: st.DataObject) -> None:
    n = data.draw(st.integers(4, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    label, weight = rng.choice([0.0, 0.3, 1.0], n), rng.uniform(0.1, 3, n)
    label[:2] = 0.0, 1.0
    score = rng.integers(0, 5, n).astype(float)
    found = auroc(label, score, weight)
    split = np.concatenate([weight * label, weight * (1 - label)])
    twice = np.repeat([1, 0], n), np.tile(score, 2)
    assert found.value == pytest.approx(roc_auc_score(*twice, sample_weight=split), abs=1e-12)
    assert found.influence.sum() == pytest.approx(0, abs=1e-9)
    assert two_sided(score, label, weight) == pytest.approx(max(found.value, 1 - found.value), abs=1e-12)
    score[rng.random(n) < 0.4] = np.nan
    ends = [auroc(label, np.nan_to_num(score, nan=end), weight).value for end in (-1.0, 9.0)]
    assert two_sided(score, label, weight) == pytest.approx(max(max(one, 1 - one) for one in ends), abs=1e-12)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    truth, held = 0.76025, 0  # of two normal curves one standard deviation apart
    for _ in range(300):
        case = np.repeat([0.0, 1.0], [300, 100])
        score = rng.normal(case, 1.0)
        bounds = auroc(case, np.repeat(score, 2)[::2], np.ones(400)).as_dict(np.arange(400))
        held += bounds["low"] <= truth <= bounds["high"]
    assert 0.91 <= held / 300 <= 0.98


def test_no_honest_feature_of_the_world_is_taken_for_a_canary(clean: Timed) -> None:
    case = ((clean.days > 90) & (clean.days <= 90 + HORIZON)).astype(float)
    one = np.ones(len(case))
    for name in clean.world.matrix.column_names[2:]:
        assert not alone(name, clean.world.matrix[name].to_numpy(), case, one).leaks
    for name, made in canaries(case, np.full(len(case), np.nan), 1).items():
        assert alone(name, made, case, one).leaks


def test_the_certificate_is_kept_in_the_bundle_and_cannot_be_changed(
    trained: Trained, certificate: Certificate, tmp_path: Path
) -> None:
    whole = write_bundle(trained, {}, definitions(), tmp_path / "whole", certificate=certificate.as_dict())
    assert read_bundle(whole).certificate == json.loads(canonical_json(certificate.as_dict()))
    bare = write_bundle(trained, {}, definitions(), tmp_path / "bare")
    assert read_bundle(bare).certificate["verdict"] == "not possible: the sentinel was not asked"

    tampered = shutil.copytree(whole, tmp_path / "tampered")
    text = (tampered / "certificate.json").read_text()
    (tampered / "certificate.json").write_text(text.replace('"auroc alone": 1.0', '"auroc alone": 0.6', 1))
    with pytest.raises(BundleError, match=r"certificate\.json was altered"):
        read_bundle(tampered)
    shutil.copy(bare / "certificate.json", tampered / "certificate.json")
    with pytest.raises(BundleError, match=r"certificate\.json was altered"):
        read_bundle(tampered)
    (tampered / "certificate.json").unlink()
    with pytest.raises(BundleError, match=r"certificate\.json is missing"):
        read_bundle(tampered)


def rewritten(folder: Path, certificate: dict[str, object], **manifest: object) -> None:
    """As an intruder would who recomputes every digest."""
    (folder / "certificate.json").write_text(canonical_json(certificate))
    told = json.loads((folder / MANIFEST).read_text()) | manifest
    told["files"]["certificate.json"] = sha256_of(folder / "certificate.json")
    told["sha256"] = _self_digest(told)
    (folder / MANIFEST).write_text(canonical_json(told))


def test_a_certificate_of_another_model_or_of_a_leak_is_refused(
    trained: Trained, certificate: Certificate, tmp_path: Path
) -> None:
    folder = write_bundle(trained, {}, definitions(), tmp_path / "b", certificate=certificate.as_dict())
    for wrong in ({"condition": "another"}, {"verdict": "failed"}):
        rewritten(folder, certificate.as_dict() | wrong)
        with pytest.raises(BundleError, match="do not fit together"):
            read_bundle(folder)
    rewritten(folder, certificate.as_dict(), format=1)
    with pytest.raises(BundleError, match=r"has format 1, and this version reads 2.*train again"):
        read_bundle(folder)
