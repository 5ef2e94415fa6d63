"""What happened after an index day: a diagnosis after the gap, none, or nobody can tell."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from casefinding.cohort.censoring import CASE, CENSORED, CONTROL, censoring_weights
from casefinding.cohort.diagnoses import WIDTH, diagnoses, first_known
from casefinding.cohort.eligible import NEVER, pair_keys, states_at, states_of
from casefinding.cohort.registration import EPOCH, FOREVER, Spells, check_index_day, day_numbers, number_of, shifted
from casefinding.definitions.config import Training
from casefinding.definitions.shapes import Definitions, Model
from casefinding.definitions.words import Span
from casefinding.errors import CohortError
from casefinding.records.store import Store

OUTCOMES = ("case", "control", "in the gap", "left in the gap", "censored", "prevalent", "from registration")
USED = ("case", "control", "censored")
"""Outcomes of people who were at risk after the gap; the others are neither trained on nor judged."""

TABLE = pa.schema(
    [
        ("person", pa.int64()),
        ("index_day", pa.date32()),
        ("outcome", pa.string()),
        ("day", pa.date32()),  # when the label was first known; null if it was not by the end of follow-up
        ("follow_days", pa.int32()),  # from the index day to the label, the end of follow-up or of the horizon
        ("weight", pa.float64()),  # inverse probability of censoring; 0 for rows that are not used
    ]
)


def outcomes(store: Store, definitions: Definitions, condition: str, pairs: pa.Table) -> pa.Table:
    """What happened to each (person, index_day) of `pairs`, in its order (TABLE).

    The label is the first ever `outcome.diagnosis` by the day from which it is known, the later of happened and
    recorded. With G = index day + gap and H = G + horizon, in this order:

    * "prevalent": a register or label code was known before the index day (resolved or not);
    * "from registration": the label came within `ignore_after_registration` of joining a practice: a summary of
      the past;
    * "in the gap": the label came by G;
    * "left in the gap": the records of this person end before G: left the network, died, or the data end;
    * "case": the label came after G, by H;
    * "censored": the records end before H;
    * "control": followed to H without the label.

    A diagnosis that was recorded after the person had left or died was not observed. Weights are worked out for each
    index day apart, since people of another day can be censored for other reasons.
    """
    model = definitions.models[condition]
    person, index = pair_keys(pairs)
    for day in np.unique(index):
        check_index_day(store, EPOCH + dt.timedelta(days=int(day)))
    gap_end = shifted(index, model.outcome.gap.after)
    end = shifted(gap_end, model.outcome.horizon.after)
    joined, last = _follow_up(store, person, index)
    register = model.register_
    names = {name for name in (model.outcome.diagnosis, register.diagnosis, register.resolved) if name is not None}
    found = diagnoses(store, definitions, sorted(names))
    label = first_known(found[model.outcome.diagnosis], person)
    never = states_of(states_at(register, found, person, index)) == NEVER
    seen = (label <= last) & (label <= end)
    summary = _summary_of_the_past(joined, person, label, model.outcome.ignore_after_registration)
    outcome = np.select(
        [
            ~never | (label < index),
            seen & summary,
            seen & (label <= gap_end),
            last < gap_end,
            seen,
            last < end,
        ],
        ["prevalent", "from registration", "in the gap", "left in the gap", "case", "censored"],
        default="control",
    ).astype(object)
    told = np.isin(outcome, ["case", "in the gap", "from registration"]) | ((outcome == "prevalent") & (label < index))
    until = np.minimum(np.minimum(last, end), np.where(told, label, FOREVER))
    return pa.table(
        {
            "person": person,
            "index_day": pairs["index_day"].cast(pa.date32()),
            "outcome": pa.array(outcome, pa.string()),
            "day": pa.array(np.where(told, label, 0).astype(np.int32), mask=~told).cast(pa.date32()),
            "follow_days": np.maximum(until - index, 0).astype(np.int32),
            "weight": _weights(outcome, index, until - gap_end),
        }
    ).cast(TABLE)


def training_index_days(index_day: dt.date, data_through: dt.date, model: Model, training: Training) -> list[dt.date]:
    """Index days to train on, earliest first: `times` of them, `every` apart.

    The latest is the last day whose gap and horizon end both in the data and before the day that lists are made for.

    >>> from casefinding.definitions.shapes import Outcome
    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(outcome=Outcome(diagnosis="d", gap="30 days", horizon="12 months"))
    >>> training_index_days(dt.date(2026, 10, 1), dt.date(2026, 12, 31), model, Training(times=2, every="12 months"))
    [datetime.date(2024, 8, 31), datetime.date(2025, 8, 31)]
    """
    by = min(data_through, index_day - dt.timedelta(days=1))
    gap, horizon = model.outcome.gap, model.outcome.horizon

    def over(day: dt.date) -> dt.date:
        return horizon.after(gap.after(day))

    latest = gap.before(horizon.before(by))
    one = dt.timedelta(days=1)
    while over(latest) > by:  # ends of months: before and after are not each other's reverse
        latest -= one
    while over(latest + one) <= by:
        latest += one
    every = training.every
    return sorted(Span(months=every.months * n, days=every.days * n).before(latest) for n in range(training.times))


def _follow_up(store: Store, person: np.ndarray, index: np.ndarray) -> tuple[Spells, np.ndarray]:
    """The spells, and for each pair the last day on which the person's records were still kept here.

    It is before the index day for somebody who was not registered on it.
    """
    spells = Spells.of(store)
    last = index - 1
    for number in np.unique(index):
        here = spells.on(EPOCH + dt.timedelta(days=int(number)))
        rows = np.flatnonzero(index == number)
        at = np.searchsorted(spells.person[here], person[rows])
        there = at < here.size
        there[there] = spells.person[here][at[there]] == person[rows][there]
        last[rows[there]] = spells.until[here][at[there]]
    people = store.people_table()
    numbers = people["person"].to_numpy().astype(np.int64)
    order = np.argsort(numbers)
    at = np.searchsorted(numbers[order], person)
    if (at == numbers.size).any() or (numbers[order][at] != person).any():
        raise CohortError("some people to ask about are not in the records", hint="pairs and store are of two ingests")
    died = day_numbers(people["died_on"], when_null=int(FOREVER))[order][at]
    return spells, np.minimum(np.minimum(last, died), number_of(store.data_through))


def _summary_of_the_past(spells: Spells, person: np.ndarray, label: np.ndarray, ignore: Span) -> np.ndarray:
    """Whether the label was recorded within `ignore` of the latest joining of a practice up to that day."""
    found = np.zeros(person.size, dtype=bool)
    with_label = np.flatnonzero(label < FOREVER)
    keys = spells.person * WIDTH + spells.start
    at = np.searchsorted(keys, person[with_label] * WIDTH + label[with_label], side="right") - 1
    there = at >= 0
    there[there] = spells.person[at[there]] == person[with_label][there]
    rows, at = with_label[there], at[there]
    found[rows] = label[rows] < shifted(spells.start[at], ignore.after)
    return found


def _weights(outcome: np.ndarray, index: np.ndarray, time: np.ndarray) -> np.ndarray:
    weights = np.zeros(outcome.size, dtype=np.float64)
    state = np.select([outcome == "case", outcome == "control"], [CASE, CONTROL], default=CENSORED)
    used = np.isin(outcome, USED)
    for number in np.unique(index[used]):
        rows = np.flatnonzero(used & (index == number))
        weights[rows] = censoring_weights(time[rows], state[rows])
    return weights
