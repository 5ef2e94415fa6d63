"""How many of such people have the condition, known or not: from published prevalence, never from this network's codes.

Codes say who was found; where people are seldom seen they say little. Published prevalence by age and sex, with what is
known of ethnicity and deprivation, says something about everybody, also about those of whom nothing was ever measured.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casefinding.definitions.shapes import Expected

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HIGHEST = 0.95
"""However many times as often: nobody is expected to have a condition with more than this chance."""
FEWEST_TO_SCALE = 100
"""People of one age band and sex; with fewer, their own mix says too little, and that of all people is taken."""


def expected_chance(expected: Expected, base: pa.Table) -> Floats:
    """The published chance of having the condition, known or not, one a row of the cohort's base table; 0 to 0.95.

    Published per cent by age band and sex, times what is given for ethnicity and for the tenth of deprivation. The
    times are scaled within each age band and sex (over everybody, where there are fewer than FEWEST_TO_SCALE), so that
    the people of a band have on average the chance that was published for it.

    An unknown sex counts as the mean of the two, an unknown ethnicity or deprivation as 1 time. Younger than the first
    band: 0, as nothing was published. Older than the last band: as the last. An unknown age: the mean of those whose
    age is known. So nobody comes last for want of an entry. KeyError if the table lacks a column of the base.

    >>> bands = [{"ages": [16, 64], "women": 10, "men": 20}, {"ages": [65, 120], "women": 40, "men": 60}]
    >>> published = Expected.model_validate({"bands": bands, "source": "made up"})
    >>> people = {"age": [40, 70, 10], "sex": ["female", "unknown", "male"], "ethnicity": ["white"] * 3}
    >>> expected_chance(published, pa.table({**people, "imd_decile": [1, 5, 9]})).round(2).tolist()
    [0.1, 0.5, 0.0]
    """
    band, sex = band_of(expected, base), sex_of(base)
    percent = np.array([(band.women, band.men, (band.women + band.men) / 2) for band in expected.bands])
    chance = np.zeros(base.num_rows)
    times = _times(expected, base)
    whole = _scale(times[band >= 0], 0.0)
    for place in range(len(expected.bands)):
        for group in range(len(SEX_WORDS)):
            here = np.flatnonzero((band == place) & (sex == group))
            published = percent[place, group] / 100
            if len(here) >= FEWEST_TO_SCALE:
                chance[here] = np.minimum(HIGHEST, published * times[here] * _scale(times[here], published))
            else:
                chance[here] = np.minimum(HIGHEST, published * times[here] * whole)
    unknown = _numbers(base, "age") < 0
    if unknown.any():
        known = chance[~unknown]
        chance[unknown] = known.mean() if known.size else percent[:, 2].mean() / 100
    return chance


LIKE_ALL = 20.0
"""Expected cases that a band's own share of unknown ones is weighed against."""


def still_to_find(expected: Expected, base: pa.Table, on_register: NDArray[np.bool_], published: Floats) -> Floats:
    """The chance of having the condition for somebody who is not on the register; 0 for whoever is on it.

    `published`: `expected_chance` of the same rows. Of the expected cases of an age band and sex those on the register
    are known; what is left is shared among the others in proportion to their published chance. The share that is left
    is drawn towards that of everybody as if LIKE_ALL cases had it (few cases tell little), and is that of everybody
    where a band has fewer than FEWEST_TO_SCALE people. Where diagnosis is common, little is left, and the order of the
    ages and sexes is another one than that of prevalence.
    """
    band, sex, others = band_of(expected, base), sex_of(base), ~on_register

    def share(here: NDArray[np.bool_], whole: float = 0.0, cases: float = 0.0) -> float:
        left = max(0.0, float(published[here].sum()) - int((here & on_register).sum()))
        among = float(published[here & others].sum())
        return (left + cases * whole) / (among + cases) if among + cases > 0 else 0.0

    everybody = share(band >= 0)
    found = np.where(others, published * everybody, 0.0)
    for place in range(len(expected.bands)):
        for group in range(len(SEX_WORDS)):
            here = (band == place) & (sex == group)
            if int(here.sum()) >= FEWEST_TO_SCALE:
                rows = here & others
                found[rows] = published[rows] * share(here, everybody, LIKE_ALL)
    return np.minimum(HIGHEST, found)


SEX_WORDS = ("Women", "Men", "Sex not known")
"""How a table calls the sexes, in the order of `sex_of`."""


def sex_of(base: pa.Table) -> Ints:
    """0 female, 1 male, 2 not known, one a row."""
    words = np.asarray(base["sex"].to_pylist(), dtype=object)
    return np.where(words == "female", 0, np.where(words == "male", 1, 2)).astype(np.int64)


def band_of(expected: Expected, base: pa.Table) -> Ints:
    """The place of each row's age band: -1 younger than the first or not known, the last band for all who are older."""
    starts = [band.ages[0] for band in expected.bands]
    return np.searchsorted(starts, _numbers(base, "age"), side="right").astype(np.int64) - 1


def band_words(expected: Expected) -> tuple[str, ...]:
    """The age bands in words, in the order of `band_of`.

    >>> bands = [{"ages": [16, 64], "women": 10, "men": 20}, {"ages": [65, 120], "women": 40, "men": 60}]
    >>> band_words(Expected.model_validate({"bands": bands, "source": "made up"}))
    ('16 to 64', '65 and over')
    """
    *younger, last = (band.ages for band in expected.bands)
    return (*(f"{low} to {high}" for low, high in younger), f"{last[0]} and over")


def _times(expected: Expected, base: pa.Table) -> Floats:
    """How many times as often as published, before scaling, one a row."""
    ethnicity = [expected.ethnicity_times.get(name, 1.0) for name in base["ethnicity"].to_pylist()]
    tenth = [expected.deprivation_times.get(str(name), 1.0) for name in base["imd_decile"].to_pylist()]  # type: ignore[call-overload]
    return np.asarray(ethnicity, dtype=np.float64) * np.asarray(tenth, dtype=np.float64)


def _scale(times: Floats, published: float) -> float:
    """By what the times are multiplied so that the mean of min(HIGHEST, published x times x scale) is as published.

    Bisection, as the ceiling bends the mean; without a ceiling that is met it is 1 / mean(times).
    """
    if not times.size:
        return 1.0
    scale = 1.0 / float(times.mean())
    if published * scale * float(times.max()) <= HIGHEST or published >= HIGHEST:
        return scale
    low, high = scale, HIGHEST / (published * float(times.min()))
    for _ in range(60):
        middle = (low + high) / 2
        if float(np.minimum(HIGHEST, published * middle * times).mean()) < published:
            low = middle
        else:
            high = middle
    return high


def _numbers(base: pa.Table, name: str) -> Ints:
    """A column of whole numbers; -1 where it is not known."""
    column = pc.fill_null(pc.cast(base[name], pa.int64()), -1)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)
