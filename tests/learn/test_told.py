"""What came back from earlier lists speaks before the readings of the horizon."""

from __future__ import annotations

import numpy as np

from casefinding.learn.verify import Evidence

NOBODY = np.zeros(4, dtype=bool)


def evidence() -> Evidence:
    return Evidence(
        verified=np.array([True, True, False, False]),
        found=np.array([True, False, False, True]),
        chance=np.array([0.8, 0.3, np.nan, 1.0]),
    )


def test_a_result_beats_what_the_readings_alone_would_say() -> None:
    told = evidence().told(np.array([0.0, 1.0, np.nan, np.nan]), NOBODY)
    assert told.found.tolist() == [False, True, False, True]
    assert told.chance[:2].tolist() == [0.0, 1.0]


def test_somebody_with_a_result_was_looked_at_whatever_was_measured() -> None:
    told = evidence().told(np.array([np.nan, np.nan, 0.0, np.nan]), NOBODY)
    assert told.verified.tolist() == [True, True, True, False]
    assert told.chance[2] == 0.0


def test_without_results_nothing_changes() -> None:
    told = evidence().told(np.full(4, np.nan), NOBODY)
    np.testing.assert_array_equal(told.chance, evidence().chance)
    np.testing.assert_array_equal(told.verified, evidence().verified)
    np.testing.assert_array_equal(told.found, evidence().found)


def test_who_was_tested_and_coded_later_has_it_by_then() -> None:
    told = evidence().told(np.array([np.nan, np.nan, np.nan, 0.0]), np.array([False, False, False, True]))
    assert told.found[3]
    assert told.chance[3] == 1.0
