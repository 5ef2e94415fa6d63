"""A 95% interval holds the true value about 95 times in 100, and people, not rows, are drawn."""

import numpy as np
import pytest
from scipy.stats import norm

from casefinding.judge import cells as cells_module
from casefinding.judge.bootstrap import interval, resamples
from casefinding.judge.cells import Cells
from casefinding.judge.yields import Lists


def test_intervals_hold_the_truth_in_93_to_97_of_100_simulations(monkeypatch):
    """500 sets of 300 people, binormal scores: AUROC = Phi(difference / sqrt 2), all other truths from 2 million."""
    for search in ("cox_slopes", "cox_shifts"):  # not looked at here, and most of the time
        monkeypatch.setattr(cells_module, search, lambda *_: np.zeros(200))
    rng = np.random.default_rng(11)
    share, apart, sets, n = 0.25, 1.1, 500, 300

    def draw(size):
        case = (rng.random(size) < share).astype(float)
        score = rng.normal(size=size) + apart * case
        at = np.log(share / (1 - share)) + apart * score - apart**2 / 2  # the true log-odds, by Bayes' rule
        return case, 1 / (1 + np.exp(-at))

    case, chance = draw(2_000_000)
    truth = {"auroc": norm.cdf(apart / np.sqrt(2)), "brier": np.mean((chance - case) ** 2), "observed_expected": 1.0}
    held = dict.fromkeys(truth, 0)
    everyone = np.arange(n)
    for number in range(sets):
        case, chance = draw(n)
        counts = np.concatenate(list(resamples(everyone, n, 200, number)), axis=1)
        found = Cells(case, np.ones(n), chance, [everyone]).of(counts)[0]
        for name, true in truth.items():
            low, high = interval(found[name])
            held[name] += low <= true <= high
    for name, times in held.items():
        assert 0.93 <= times / sets <= 0.97, (name, times / sets)


def test_the_yield_of_a_list_is_held_too():
    """PPV of the top 40 of 400 in 500 sets; the list is written anew in every resample."""
    rng = np.random.default_rng(3)
    n, long, held, slot = 400, 40, 0, np.zeros(400, int)

    def draw(size):
        at = rng.normal(-2, 1.3, size)
        chance = 1 / (1 + np.exp(-at))
        return chance, (rng.random(size) < chance).astype(float)

    true = np.mean([np.sort(draw(n)[0])[-long:].mean() for _ in range(4000)])
    for number in range(500):
        chance, case = draw(n)
        counts = np.concatenate(list(resamples(np.arange(n), n, 200, number)), axis=1)
        taken = Lists(slot, np.array([long]), chance, rng.random(n)).taken(counts)
        low, high = interval(taken.total(case) / taken.times.sum(axis=0))
        held += low <= true <= high
    assert 0.93 <= held / 500 <= 0.97, held / 500


def test_a_persons_rows_are_drawn_together():
    person = np.repeat(np.arange(50), 4)
    for counts in resamples(person, 50, 30, 1):
        assert (counts.reshape(50, 4, -1) == counts.reshape(50, 4, -1)[:, :1]).all()
        assert (counts[::4].sum(axis=0) == 50).all()


def test_many_rows_of_the_same_people_do_not_narrow_an_interval():
    rng = np.random.default_rng(2)
    chance = rng.uniform(0.05, 0.6, 200)
    case = (rng.random(200) < chance).astype(float)
    person = np.arange(200)
    widths = []
    for times in (1, 6):
        rows = np.repeat(person, times)
        cells = Cells(case[rows], np.ones(len(rows)), chance[rows], [np.arange(len(rows))])
        counts = np.concatenate(list(resamples(rows, 200, 400, 7)), axis=1)
        low, high = interval(cells.of(counts)[0]["auroc"])
        widths.append(high - low)
    assert widths[0] == pytest.approx(widths[1], rel=0.02)


def test_the_same_seed_draws_the_same_people_however_they_are_dealt_out(monkeypatch):
    from casefinding.judge import bootstrap

    person = np.repeat(np.arange(30), 2)
    at_once = np.concatenate(list(resamples(person, 30, 25, 9)), axis=1)
    monkeypatch.setattr(bootstrap, "_CELLS", 60 * 4)
    in_pieces = list(resamples(person, 30, 25, 9))
    assert len(in_pieces) > 1
    assert np.array_equal(at_once, np.concatenate(in_pieces, axis=1))
    assert not np.array_equal(at_once, np.concatenate(list(resamples(person, 30, 25, 10)), axis=1))


def test_no_interval_where_too_many_resamples_are_undefined():
    values = np.arange(100.0)
    assert interval(np.where(values < 11, np.nan, values)) is None
    assert interval(np.where(values < 9, np.nan, values)) is not None
    assert interval(values[:10]) is None
