"""Counts that leave a practice: small ones are withheld, and nobody can work them out from the sums around them."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from casefinding.disclosure import rounded
from casefinding.report.counts import published
from casefinding.suppression import possible

COUNT = st.one_of(st.integers(0, 12), st.integers(0, 80))


def two_way(rows: list[list[int]]):
    """Cells, margins and the whole of a table, and how they add up."""
    counts, sums = {}, []
    for i, row in enumerate(rows):
        counts |= {(i, j): count for j, count in enumerate(row)}
    columns = range(len(rows[0]))
    for i, row in enumerate(rows):
        counts[i, "all"] = sum(row)
        sums.append(((i, "all"), [(i, j) for j in columns]))
    for j in columns:
        counts["all", j] = sum(row[j] for row in rows)
        sums.append((("all", j), [(i, j) for i in range(len(rows))]))
    counts["all", "all"] = sum(map(sum, rows))
    sums.append((("all", "all"), [(i, "all") for i in range(len(rows))]))
    sums.append((("all", "all"), [("all", j) for j in columns]))
    return counts, sums


TABLE = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(COUNT, min_size=width, max_size=width), min_size=2,
                                                         max_size=4))  # fmt: skip


@given(TABLE)
@example([[1, 31], [7, 7]])
@settings(max_examples=60, deadline=None)
def test_no_small_count_can_be_worked_out_even_from_all_sums_at_once(rows):
    counts, sums = two_way(rows)
    told = published(counts, sums)
    withheld = {key for key, value in told.items() if value is None}
    for key, count in counts.items():
        if 0 < count < 8:
            assert told[key] is None
            low, high = possible(key, counts, sums, withheld)
            assert high > low, (rows, key)
        elif told[key] is not None:
            assert told[key] == rounded(count)


@given(st.integers(8, 200), st.integers(0, 200))
def test_what_is_left_of_a_group_is_not_told_where_it_is_small(group, flagged):
    flagged = min(flagged, group)
    rest = group - flagged
    counts = {"group": group, "flagged": flagged, "rest": rest}
    told = published(counts, [("group", ["flagged", "rest"])], {"rest"})
    assert set(told) == {"group", "flagged"}
    if 0 < rest < 8 and told["group"] is not None and told["flagged"] is not None:
        between = told["group"] - told["flagged"]
        possible_rest = range(max(0, between - 4), min(7, between + 4) + 1)
        assert len(possible_rest) >= 4
        assert rest in possible_rest


def test_a_table_without_small_counts_is_only_rounded():
    counts, sums = two_way([[20, 31], [44, 0]])
    assert published(counts, sums) == {key: rounded(count) for key, count in counts.items()}
