"""What is withheld stays withheld: attacked by counting out every possibility, and by linear programmes."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.disclosure import FEWEST, rounded
from casefinding.suppression import FEWEST_POSSIBLE, possible, published, solved, withheld

SMALL = st.one_of(st.just(0), st.integers(1, 7), st.integers(8, 30))
COUNT = st.one_of(SMALL, st.integers(31, 4000))


def table(cells):
    """A table of rows by columns with its row totals, column totals and grand total, and what adds up to what."""
    rows, columns = len(cells), len(cells[0])
    counts = {(r, c): cells[r][c] for r in range(rows) for c in range(columns)}
    sums = []
    for r in range(rows):
        counts[r, "all"] = sum(cells[r])
        sums.append(((r, "all"), [(r, c) for c in range(columns)]))
    for c in (*range(columns), "all"):
        counts["all", c] = sum(counts[r, c] for r in range(rows))
        sums.append((("all", c), [(r, c) for r in range(rows)]))
    sums.append((("all", "all"), [("all", c) for c in range(columns)]))
    return counts, sums


def tables(cell, rows=5, columns=4):
    return st.integers(1, columns).flatmap(
        lambda wide: st.lists(st.lists(cell, min_size=wide, max_size=wide), min_size=1, max_size=rows)
    )


def test_the_smallest_neighbour_goes_too_where_a_small_number_would_be_told():
    counts, sums = {"a": 1, "b": 13, "c": 13, "all": 27}, [("all", ["a", "b", "c"])]
    assert solved(counts, sums, {"a"}) == ["a"]  # at most 27 in all, at least 13 and 13: it can only be 1
    assert published(counts, sums) == {"a": None, "b": None, "c": 15, "all": 15}


def test_a_number_is_withheld_no_more_often_than_it_must_be():
    counts, sums = {"a": 5, "b": 100, "c": 200, "all": 305}, [("all", ["a", "b", "c"])]
    assert withheld(counts, sums) == {"a"}


def test_a_total_is_the_sum_of_what_is_shown_and_never_0_for_want_of_it():
    counts = {"a": 3, "b": 14, "c": 22, "all": 39}
    shown = published(counts, [("all", ["a", "b", "c"])])
    assert shown["all"] == sum(value for key, value in shown.items() if key != "all" and value)
    assert published({"a": 5, "b": 0, "all": 5}, [("all", ["a", "b"])])["all"] is None
    assert published({"a": 0, "b": 0, "all": 0}, [("all", ["a", "b"])]) == {"a": 0, "b": 0, "all": 0}


def test_two_ways_to_part_the_same_people_do_not_tell_on_each_other():
    counts = {"p": 3, "q": 13, "core": 8, "rest": 8, "all": 16}
    sums = [("all", ["p", "q"]), ("all", ["core", "rest"])]
    hidden = withheld(counts, sums)
    assert solved(counts, sums, hidden) == []
    low, high = possible("p", counts, sums, hidden)
    assert low <= 3 <= high
    assert high - low + 1 >= FEWEST_POSSIBLE


@settings(max_examples=120, deadline=None)
@given(tables(COUNT))
def test_nothing_small_is_shown_and_nothing_withheld_can_be_solved_in_any_table(cells):
    counts, sums = table(cells)
    hidden = withheld(counts, sums)
    assert {key for key, count in counts.items() if 0 < count < FEWEST} <= hidden
    assert solved(counts, sums, hidden) == []
    shown = published(counts, sums)
    assert all(value is None or value == 0 or (value >= FEWEST and value % 5 == 0) for value in shown.values())
    printed = set()
    for total, parts in sums:
        if total not in printed and shown[total] is not None:
            assert shown[total] == sum(shown[part] or 0 for part in parts)
        printed.add(total)
    for key, value in shown.items():
        if "all" not in key:
            assert value is None or value == rounded(counts[key])


def counted_out(counts, sums, hidden, key):
    """Every value that one number can have: all whole numbers tried, which needs no programme and trusts none."""
    cells = [name for name in counts if "all" not in name]

    def options(name):
        if name in hidden:
            return range(FEWEST) if 0 < counts[name] < FEWEST else range(FEWEST, counts[name] + 8)
        middle = rounded(counts[name])
        return [0] if middle == 0 else range(max(FEWEST, middle - 2), middle + 3)

    found = set()
    for values in itertools.product(*(options(name) for name in cells)):
        world = dict(zip(cells, values, strict=True))
        for total, parts in sums:
            world[total] = sum(world[part] for part in parts)
        if all(world[total] in options(total) for total, _ in sums):
            found.add(world[key])
    return found


@settings(max_examples=25, deadline=None)
@given(st.lists(SMALL, min_size=1, max_size=4))
def test_an_attacker_who_tries_every_number_still_has_several_left(row):
    """What was withheld beside it is tried from 8 up only, fewer numbers than the attack allows for."""
    counts = {(0, place): value for place, value in enumerate(row)} | {(0, "all"): sum(row)}
    sums = [((0, "all"), [(0, place) for place in range(len(row))])]
    hidden = withheld(counts, sums)
    for key in hidden:
        if 0 < counts[key] < FEWEST and "all" not in key:
            low, high = possible(key, counts, sums, hidden)
            left = counted_out(counts, sums, hidden, key)
            assert left <= set(range(low, high + 1))
            assert high - low + 1 >= FEWEST_POSSIBLE


def test_where_nothing_more_is_withheld_the_programme_agrees_with_counting_out():
    for cells in ([[3, 12, 20]], [[1, 13, 18]], [[7, 9], [12, 30]], [[2, 0, 8], [40, 5, 9]]):
        counts, sums = table(cells)
        hidden = {key for key, count in counts.items() if 0 < count < FEWEST}
        for key in hidden:
            if "all" not in key:
                left = counted_out(counts, sums, hidden, key)
                assert possible(key, counts, sums, hidden) == (min(left), max(left))


def test_a_part_without_a_count_is_refused():
    with pytest.raises(KeyError):
        published({"all": 20}, [("all", ["a"])])
