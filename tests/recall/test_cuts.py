"""Cuts: no whole choice that the rows allow is lost, and the choice in fractions is."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from casefinding.recall.choice.cuts import Cuts, broken

rows = st.lists(st.lists(st.integers(-30, 30), min_size=6, max_size=6), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    rows, st.lists(st.integers(-40, 40), min_size=3, max_size=3), st.lists(st.integers(0, 20), min_size=6, max_size=6)
)
def test_a_cut_keeps_every_whole_choice_and_breaks_the_one_in_fractions(uses, limits, worth):
    a, limit = np.array(uses, dtype=float), np.array(limits[: len(uses)], dtype=float)
    spare = np.zeros((len(a), 1))
    spare[0, 0] = -7  # what the first row may be short, in steps of 7
    both = np.hstack([a, spare])
    found = linprog(-np.array([*worth, -3.0]), A_ub=both, b_ub=limit, bounds=[(0, 1)] * 6 + [(0, 9)], method="highs")
    if found.status != 0:
        return
    x, y = found.x[:6], found.x[6:]
    cuts = broken(sparse.csc_array(a), sparse.csc_array(spare), limit, np.array([True]), x, y)
    for of, of_spare, most in cuts:
        assert of @ x + of_spare @ y > most
        for chosen in product((0, 1), repeat=6):
            for short in range(10):
                point = np.array([*chosen, short], dtype=float)
                if (both @ point <= limit).all():
                    assert of @ point[:6] + of_spare @ point[6:] <= most + 1e-9


def test_a_floor_met_by_a_part_of_one_more_person_is_cut():
    """Two people are worth 10 to a floor of 12: a choice in fractions takes 1.2 of them, a whole one takes both."""
    uses, spare = sparse.csc_array(np.array([[-10.0, -10.0]])), sparse.csc_array((1, 0))
    whole = np.zeros(0, dtype=bool)
    [(of, _, limit)] = broken(uses, spare, np.array([-12.0]), whole, np.array([1.0, 0.2]), np.zeros(0))
    assert of @ np.array([1.0, 1.0]) <= limit < of @ np.array([1.0, 0.2])
    assert Cuts.none(2, 0).and_([(of, np.zeros(0), limit)]).limit.tolist() == [limit]


def test_a_row_whose_spare_may_be_a_fraction_gives_no_cut():
    """What a network lends a practice is shared out in fractions of a place: rounding would lose choices."""
    uses, spare = sparse.csc_array(np.array([[2.0, 2.0]])), sparse.csc_array(np.array([[-1.0]]))
    at = np.array([1.0, 0.5]), np.array([0.0])
    assert broken(uses, spare, np.array([3.0]), np.array([False]), *at) == []
    assert len(broken(uses, spare, np.array([3.0]), np.array([True]), *at)) == 1
