"""Register completeness: recorded over expected, by units that add up."""

import numpy as np
import pyarrow as pa
import pytest

from casefinding.definitions.impact import Goal
from casefinding.recall.network.completeness import register_of
from casefinding.recall.network.units import EVERYBODY, units_of
from casefinding.rules.expected import expected_chance

PRACTICES = [
    {"practice": "A", "name": "Marsh Lane", "pcn": "North", "place": "Shore"},
    {"practice": "B", "name": "Mill Road", "pcn": "North", "place": "Shore"},
    {"practice": "C", "name": None, "pcn": None, "place": None},
]
BANDS = [{"ages": [16, 64], "women": 10, "men": 20}, {"ages": [65, 120], "women": 40, "men": 60}]


@pytest.fixture
def base() -> pa.Table:
    rng = np.random.default_rng(1)
    n = 900
    return pa.table(
        {
            "practice": rng.choice(["A", "B", "C"], n).tolist(),
            "age": rng.integers(0, 95, n),
            "sex": rng.choice(["female", "male", "unknown"], n).tolist(),
            "ethnicity": ["white"] * n,
            "imd_decile": pa.array([None if one > 10 else int(one) for one in rng.integers(1, 12, n)], pa.int8()),
        }
    )


@pytest.fixture
def seen(view, base):
    """A condition of which every fifth person is on the register."""
    made = view(np.full(base.num_rows, np.nan))
    made.status[::5] = "on register"
    model = made.model.model_validate(
        {**made.model.model_dump(by_alias=True), "expected": {"bands": BANDS, "source": "made up"}}
    )
    return type(made)(**{**vars(made), "model": model})


def test_recorded_and_expected_of_every_unit_add_up(seen, base):
    units = units_of(base, PRACTICES)
    found = register_of(seen, base, units, Goal(share=0.8, by=2029, source="made up"))
    assert found is not None
    rows = {row.unit.key: row for row in found.rows}
    for total, parts in units.sums():
        assert rows[total].recorded == sum(rows[part].recorded for part in parts)
        assert rows[total].registered == sum(rows[part].registered for part in parts)
        assert rows[total].expected == pytest.approx(sum(rows[part].expected for part in parts))
    assert found.whole.unit == EVERYBODY
    assert found.whole.recorded == 180
    assert found.whole.expected == pytest.approx(expected_chance(seen.model.expected, base).sum())


def test_practices_without_a_network_or_a_name_are_there_all_the_same(base):
    units = units_of(base, PRACTICES)
    assert [unit.name for unit in units.of("practice")] == ["Marsh Lane", "Mill Road", "C"]
    assert [unit.name for unit in units.of("network")] == ["North", "Not known"]
    assert {unit.name for unit in units.of("core20")} == {"Most deprived 20%", "Everyone else", "Not known"}


def test_two_networks_of_one_name_in_two_alliances_are_two(base):
    rows = [{**row, "pcn": "Network 1", "place": place} for row, place in zip(PRACTICES, "XYY", strict=True)]
    units = units_of(base, rows)
    assert [unit.within for unit in units.of("network")] == ["X", "Y"]
    assert len({unit.key for unit in units.of("network")}) == 2


def test_how_many_more_the_goal_asks_for_is_never_below_nobody(seen, base):
    found = register_of(seen, base, units_of(base, PRACTICES))
    whole = found.whole
    assert whole.to_goal(Goal(share=1.0, by=2029, source="x")) == pytest.approx(max(0, whole.expected - 180))
    assert whole.to_goal(Goal(share=0.01, by=2029, source="x")) == 0


def test_without_published_prevalence_there_is_no_register_to_hold_against_it(view, base):
    assert register_of(view(np.full(base.num_rows, np.nan)), base, units_of(base, PRACTICES)) is None
