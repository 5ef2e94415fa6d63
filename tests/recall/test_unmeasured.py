"""Who was never measured is counted by group, over those who could have been, and published rounded."""

import numpy as np
import pyarrow as pa

from casefinding.recall.unmeasured import Unmeasured, never_measured


def people(n: int) -> pa.Table:
    return pa.table(
        {
            "age": pa.array([17] + [40] * (n - 1), pa.int16()),
            "sex": ["male", "female"] * (n // 2),
            "ethnicity": ["white"] * (n - 1) + [None],
            "imd_decile": pa.array([1, 10] * (n // 2), pa.int8()),
        }
    )


def test_each_group_counts_its_own_and_nobody_is_lost(view):
    seen = view([0.5] * 10, {"X-4": [0, 1, 2, 3]})
    seen.status[4] = "on register"
    place = np.zeros(10, dtype=int)
    place[[1, 9]] = 1
    found = never_measured(seen, people(10), place)
    everybody = found[0]
    # row 0 is younger than the condition is looked for, row 4 is known to have it, row 9 has a place but was measured
    assert (everybody.people, everybody.never_measured, everybody.with_a_place) == (8, 3, 1)
    for grouping in ("age_band", "sex", "ethnicity", "deprivation"):
        mine = [one for one in found if one.grouping == grouping]
        assert sum(one.people for one in mine) == 8
        assert sum(one.never_measured for one in mine) == 3
    women = next(one for one in found if one.group == "female")
    assert (women.people, women.never_measured) == (5, 2)


def test_small_numbers_are_withheld_with_the_share_that_rests_on_them():
    assert Unmeasured("sex", "female", 40, 3, 2).published() == {
        "grouping": "sex", "group": "female", "people": 40, "never measured": None, "share": None, "with a place": None
    }  # fmt: skip
    assert Unmeasured("sex", "male", 41, 12, 0).published()["share"] == 0.25
