"""Safety before everything: whoever has a finding to act on is on the list, whatever anybody configures."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from casefinding.definitions.capacity import Capacities, Capacity, Equity, Pool
from casefinding.definitions.shapes import Definitions, Feature
from casefinding.definitions.visits import Visit
from casefinding.recall.build import lines
from casefinding.recall.choice.choose import choose
from casefinding.recall.lines import WITHOUT_A_PLACE, who_and_why
from casefinding.recall.loop.holdout import without_held_out
from casefinding.recall.view import View
from tests.recall.conftest import model, people
from tests.recall.test_choose import BREAD, VISITS, WATER

CONFIGS, PARTS = 2_000, 4
PEOPLE = 24
STAGES = ("review the record", "invite", "chance", "never measured", "training")
"""What a leave-out may drop somebody from; only data that may not be used at all are dropped from everything."""
RULES = {"X-U1": 0.15, "X-C1": 0.1, "X-1": 0.1, "X-P1": 0.1, "X-2": 0.15, "X-3": 0.2, "X-4": 0.3, "X-5": 0.1}
REVIEW = Visit.model_validate({"name": "review", "label": "r", "lanes": {"act now": {"minutes": 10}}})
DEFINITIONS = Definitions(features={"f": Feature(name="f", label="f", ask="ever", of="f")})


def some(lot: random.Random, share: float) -> np.ndarray:
    return np.array([lot.random() < share for _ in range(PEOPLE)])


def world(number: int) -> tuple[list[View], pa.Table]:
    """People of three practices seen by two conditions; every rule of every lane fires for somebody."""
    lot = random.Random(number)
    views = []
    for condition, test in (("thirst", WATER), ("hunger", lot.choice([BREAD, WATER]))):
        chance = np.array([lot.choice([np.nan, 0.0, 1.0, lot.random()]) for _ in range(PEOPLE)])
        expected = np.array([lot.random() for _ in range(PEOPLE)]) if lot.random() < 0.7 else None
        made = model(condition, test)
        status = np.array([lot.choice(["never", "never", "on register", "resolved"]) for _ in range(PEOPLE)], object)
        flags = {rule.id: some(lot, RULES[rule.id]) for rule in made.rules}
        views.append(
            View(made, status, some(lot, 0.8), flags, {}, {}, (), chance, chance, {"X-U1": some(lot, 0.5)}, expected)
        )
    base = people(
        [lot.choice("ABC") for _ in range(PEOPLE)],
        age=pa.array([lot.choice([None, 18, 39, 40, 95]) for _ in range(PEOPLE)], pa.int16()),
        ethnicity=pa.array([lot.choice([None, "white", "black", "asian"]) for _ in range(PEOPLE)], pa.string()),
        imd_decile=pa.array([lot.choice([None, 1, 2, 10]) for _ in range(PEOPLE)], pa.int8()),
        pseudonym=[f"p{row}" for row in range(PEOPLE)],
        birth_month=[dt.date(1960, 1, 1)] * PEOPLE,
        sex=["female"] * PEOPLE,
        index_day=[dt.date(2026, 10, 1)] * PEOPLE,
        days_registered=[3000] * PEOPLE,
    )
    return views, base


def config(lot: random.Random) -> dict:
    """Any capacity, shares, floors, networks, holdout and leave-outs."""

    def numbers() -> dict[str, int]:
        return {
            kind: lot.choice([0, 0, 1, 3, 100]) for kind in (WATER, BREAD, "bucket", "minutes") if lot.random() < 0.7
        }

    def practice() -> Capacity:
        return Capacity(
            a_month=numbers(), never_measured_share=lot.choice([0.0, 0.2, 0.5, 1.0]),
            expected_attendance=lot.choice([1.0, 0.5, 0.11, 0.37]),
        )  # fmt: skip

    networks = {name: Pool(a_month=numbers(), never_measured_share=lot.choice([0.0, 1.0])) for name in ("N", "")}
    return {
        "visits": lot.choice([(), VISITS, (*VISITS, REVIEW), (REVIEW,)]),
        "capacity": Capacities(
            every_practice=practice(),
            practices={code: practice() for code in "AC" if lot.random() < 0.4},
            networks=networks if lot.random() < 0.3 else {},
        ),
        "equity": Equity(floor=lot.choice([0.0, 0.0, 0.8, 1.0]), group_of_at_least=lot.choice([1, 5, 500])),
        "network_of": lot.choice([{}, dict.fromkeys("ABC", "N"), {"A": "N", "B": "M"}]),
    }


def leave_outs(lot: random.Random, views: list[View]) -> list[View]:
    """The views with up to three leave-outs that drop anybody from any stages, and a note or none."""
    found = []
    for view in views:
        names = [f"state{number}" for number in range(lot.randrange(4))]
        left_out = {name: some(lot, lot.choice([0.2, 1.0])) for name in names}
        drops = {name: tuple(stage for stage in STAGES if lot.random() < 0.6) for name in names}
        found.append(replace(view, left_out=left_out, drops=drops))
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_with_a_finding_to_act_on_is_listed_under_2000_configs(part):
    worlds = [world(number) for number in range(20)]
    acted = 0
    for number in range(part, CONFIGS, PARTS):
        lot = random.Random(1_000_000 + number)
        views, base = worlds[number % len(worlds)]
        views = leave_outs(lot, views)
        held_out = some(lot, lot.choice([0.0, 0.3, 1.0]))
        views = [without_held_out(view, held_out) for view in views]
        found = choose(views, base, **config(lot))
        spoken = who_and_why(views, found.places, found.visit_labels())
        evidence = pa.table({"f": np.zeros(len(spoken))})
        listed = {line.pseudonym: line for line in lines(spoken, views, DEFINITIONS, base, evidence, lambda *_: {})}
        for view in views:
            for lane, rule in (("act now", "X-U1"), ("check the reading", "X-C1")):
                for row in np.flatnonzero(view.flags[rule]):
                    line = listed[f"p{row}"]
                    said = next(item for item in line.items if item.rule == rule and item.condition == view.condition)
                    assert said.say
                    assert said.do == ("act" if rule == "X-U1" else "check")
                    assert said.lane == lane
                    assert WITHOUT_A_PLACE.index(line.lane) <= WITHOUT_A_PLACE.index(lane)
                    assert found.places[view.condition][row] == 0  # and it takes no place to be there
                    acted += 1
    assert acted > CONFIGS / PARTS
