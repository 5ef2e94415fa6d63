"""A list takes the highest chances of each practice on each day, as many as it has places, in any resample."""

import numpy as np
import pytest

from casefinding.errors import ConfigError
from casefinding.judge.judgement import judge
from casefinding.judge.rows import Rows
from casefinding.judge.yields import Lists, places


def slow_taken(slot, places, score, tiebreak, counts):
    """Plain Python: deal out each slot's places from the top."""
    taken = np.zeros(len(slot))
    for number, left in enumerate(places):
        rows = sorted((row for row in range(len(slot)) if slot[row] == number), key=lambda r: (-score[r], tiebreak[r]))
        for row in rows:
            taken[row] = min(left, counts[row])
            left -= taken[row]
    return taken


@pytest.mark.parametrize("places", [[0, 0, 0], [1, 5, 0], [7, 400, 40], [60, 60, 60]])
def test_lists_are_dealt_as_by_hand_in_every_resample(places):
    rng = np.random.default_rng(1)
    n = 600
    slot, score, tiebreak = rng.integers(0, 3, n), np.round(rng.random(n), 2), rng.random(n)
    counts = rng.poisson(1, (n, 6)).astype(float)
    counts[:, 5] = np.where(score > 0.4, 0, 1)  # nobody near the top was drawn: the list reaches far down
    found = Lists(slot, np.array(places), score, tiebreak).taken(counts)
    whole = np.zeros_like(counts)
    whole[found.rows] = found.times
    for column in range(6):
        assert (whole[:, column] == slow_taken(slot, places, score, tiebreak, counts[:, column])).all()


def test_ties_at_the_end_of_a_list_are_drawn_fairly():
    rng = np.random.default_rng(0)
    listed = np.zeros(40)
    for _ in range(400):
        lists = Lists(np.zeros(40, int), np.array([10]), np.full(40, 0.3), rng.random(40))
        listed += lists.taken(np.ones((40, 1))).listed(40)
    assert listed.sum() == 4000
    assert listed.std() < 20  # binomial (400, 1/4): about 9


def test_a_practice_without_stated_capacity_is_an_error(made):
    with pytest.raises(ConfigError, match="Y99003"):
        places(Rows.read(made.out_of_fold, 0), {"Y99001": 3, "Y99002": 3})


def test_yields_are_those_counted_by_hand(made):
    table = made.out_of_fold.to_pandas()
    found = judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups).overall
    table["listed"] = table.groupby(["practice", "index_day"])["chance"].rank(ascending=False, method="first") <= 15
    listed, cases = table[table.listed], table[table.weight * table.case.fillna(0) > 0]
    hits = listed[listed.case == 1]
    assert found["listed"] == len(listed) == 3 * 2 * 15
    assert found["rates"]["ppv"]["value"] == pytest.approx(hits.weight.sum() / listed.weight.sum(), abs=1e-12)
    assert found["rates"]["sensitivity"]["value"] == pytest.approx(hits.weight.sum() / cases.weight.sum(), abs=1e-12)
    assert found["rates"]["number_needed_to_test"]["value"] == pytest.approx(1 / found["rates"]["ppv"]["value"])


def test_people_of_unknown_outcome_take_their_place_on_the_list(made):
    """The day of the list knows nothing of who will leave."""
    table = made.out_of_fold.to_pandas()
    top = table.sort_values("chance").groupby(["practice", "index_day"]).tail(15)
    changed = made.changed(weight=np.where(table.index.isin(top.index), 0.0, table.weight))
    found = judge("x", changed, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups).overall
    assert found["listed"] == 90
    assert found["listed_cases"] == 0
    assert found["rates"]["ppv"]["value"] is None
    assert found["rates"]["sensitivity"]["value"] == 0


def test_a_capacity_of_zero_gives_no_yield_and_no_failure(made):
    none = dict.fromkeys(made.capacity, 0)
    found = judge("x", made.out_of_fold, capacity=none, bootstrap=20, seed=1, groups=made.groups).overall
    assert found["listed"] == 0
    assert found["rates"]["ppv"] == {"value": None, "low": None, "high": None}
    assert found["rates"]["sensitivity"]["value"] == 0
