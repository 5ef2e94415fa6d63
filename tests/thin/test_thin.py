"""Thin records, as a national survey has them: the chances find the ill whom nobody told and nobody measured.

Each design is another way in which such records may be laid out (world.py). The floors are honest: well below what is
reached today, well above what age alone reaches, which is what learning from codes falls to on such records.
"""

from __future__ import annotations

import pytest

from .measure import casefinding, measured
from .world import DESIGNS, INDEX, write_world

PRESSED = ("A3", "B", "CD", "T")
"""The usual three index days, the test months after the contact; all on one day; one practice and nobody coded in a
horizon; those told are coded within the horizon."""

pytestmark = pytest.mark.xdist_group("thin records")


@pytest.mark.parametrize("name", PRESSED)
def test_the_never_measured_are_ranked_better_than_by_age(survey, name):
    run = survey(name)
    assert run.code == 0, run.said
    found = run.found()
    assert found["people"]["no chance given"] == 0
    assert found["chance"]["auroc"] > found["age"]["auroc"] + 0.04
    assert found["chance"]["auroc"] > found["ceiling"]["auroc"] - 0.04
    assert found["chance"]["top tenth"] > found["age"]["top tenth"] + 0.02


@pytest.mark.parametrize("name", PRESSED)
def test_those_who_seldom_attend_are_found_as_often_as_others(survey, name):
    found = survey(name).found()
    assert found["chance"]["seldom"] > found["age"]["seldom"] + 0.02
    assert found["chance"]["seldom"] > found["chance"]["top tenth"] - 0.03


@pytest.mark.parametrize("name", ["E1"])
def test_another_test_and_another_condition(survey, name):
    run = survey(name)
    assert run.code == 0, run.said
    found = run.found()
    assert found["chance"]["auroc"] > found["age"]["auroc"] + 0.05
    assert found["chance"]["seldom"] > found["age"]["seldom"] + 0.06


def test_signals_that_were_never_recorded_leave_what_age_sex_and_ethnicity_tell(survey):
    run = survey("F0")
    assert run.code == 0, run.said
    found = run.found()
    assert found["chance"]["auroc"] > found["age"]["auroc"] + 0.02
    assert found["chance"]["seldom"] > found["age"]["seldom"]


def test_people_who_were_registered_too_late_to_be_learned_from_are_counted(survey):
    run = survey("G")
    assert run.code == 0, run.said
    assert "no model of hypertension" in run.said
    assert "registered for less than 365 days" in run.said.lower()


def test_a_model_trained_on_a_survey_is_a_bundle_that_scores_another(tmp_path):
    folder, other = tmp_path / "one", tmp_path / "other"
    for home in (folder, other):
        home.mkdir()
    config, again = write_world("D", folder), write_world("D", other, seed=2)
    code, said = casefinding(
        folder, "train", "--config", config, "--condition", DESIGNS["D"].condition, "--out", folder / "bundle"
    )
    assert code == 0, said
    code, said = casefinding(
        other, "run", "--config", again, "--bundle", folder / "bundle", "--out", other / "out"
    )  # fmt: skip
    assert code == 0, said
    assert f"index day {INDEX}" in said
    found = measured(other / "truth.parquet", other / "out" / "scores.parquet")
    assert found["people"]["no chance given"] == 0
    assert found["chance"]["auroc"] > found["age"]["auroc"] + 0.04
