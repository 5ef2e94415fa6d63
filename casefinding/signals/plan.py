"""From definitions and a store's dictionaries to the lookup arrays that the kernel walks by."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from casefinding.definitions.shapes import Definitions, Feature, Signal
from casefinding.definitions.words import AGE_WORDS, Span
from casefinding.errors import DefinitionError, RecordsError
from casefinding.signals import words
from casefinding.signals.calendar import Window
from casefinding.signals.pairs import Pairs, pairs_of
from casefinding.signals.values import Reading, reading

CodesOf = Callable[[Signal, Definitions, pa.Table], np.ndarray]


class Asked(NamedTuple):
    """One row a feature that asks about events; a slot is a signal as the kernel sees it (see `Plan`)."""

    column: np.ndarray  # int32: column of the result
    word: np.ndarray  # int8
    slot: np.ndarray  # int32
    window: np.ndarray  # int32: row of Plan.windows
    same_day: np.ndarray  # int8
    at_least: np.ndarray  # float64; -inf: every day counts
    months: np.ndarray  # int32: of `gap` or `answered in`
    days: np.ndarray  # int32; -1: answered at any time after
    answer_first: np.ndarray  # int32 (features + 1)
    answer_slot: np.ndarray  # int32


class Routes(NamedTuple):
    """Where an event goes: code `c` goes to slot main[c] if has[c], and to further[first[c]:first[c + 1]].

    Most codes have one slot or none: to write it in any case and keep it or not is quicker than a loop.
    """

    has: np.ndarray  # bool (codes)
    main: np.ndarray  # int32 (codes); 0 if it has none
    first: np.ndarray  # int32 (codes + 1)
    further: np.ndarray  # int32
    reads_value: np.ndarray  # bool (slots): only events with a usable value enter


@dataclass(frozen=True)
class Plan:
    """Everything the kernel needs to know, worked out once a run.

    A signal has up to two slots: one of its usable values (for words that read values, and for every word of a
    signal with a value filter, with `keep: implausible` or with `pair`), and one of all its events (for the others).
    """

    features: tuple[str, ...]
    person_words: tuple[tuple[int, str], ...]  # (column, word)
    windows: list[Window]
    slots: int
    routes: Routes
    reading: Reading
    pairs: Pairs
    asked: Asked
    age_columns: tuple[int, ...] = ()
    """Columns of the words that give an age: the kernel counts days, the shard turns them into years."""
    event_columns: tuple[str, ...] = field(default=())
    """Columns of the event table that are read; empty if every feature asks about the person alone."""

    @property
    def widest(self) -> int:
        """The most slots that one code has."""
        return 1 + int(np.diff(self.routes.first).max(initial=0))


def compile_plan(
    definitions: Definitions,
    feature_names: Sequence[str],
    codes: pa.Table,
    units: pa.Table,
    *,
    codes_of: CodesOf | None = None,
) -> Plan:
    """Work out the lookups for these features on a store with these codes and units.

    Raises DefinitionError for a feature, signal or combination that does not exist.
    """
    if codes_of is None:
        from casefinding.definitions.resolve import codes_of
    features = [_feature(definitions, name) for name in feature_names]
    about_events = [(column, feature) for column, feature in enumerate(features) if not feature.about_person]
    slot_of: dict[tuple[str, bool], int] = {}
    window_of: dict[Window, int] = {}
    rows, answers, answer_first = [], [], [0]
    for column, feature in about_events:
        assert feature.of is not None
        within = None if feature.within == "ever" else feature.within
        span = feature.gap or feature.answered_in
        rows.append(
            (
                column,
                words.NUMBER_OF[feature.ask],
                _slot(slot_of, definitions, feature, feature.of, feature.reads_values),
                window_of.setdefault((within, feature.leaving_out_the_last), len(window_of)),
                words.SAME_DAY[feature.same_day],
                -math.inf if feature.at_least is None else feature.at_least,
                span.months if isinstance(span, Span) else 0,
                span.days if isinstance(span, Span) else -1,
            )
        )
        answers.extend(_slot(slot_of, definitions, feature, name, False) for name in feature.answered_by)
        answer_first.append(len(answers))
    paired = _pairs(slot_of, definitions)
    signals = [definitions.signals[name] for name, _ in slot_of]
    reads_value = np.array([by_value for _, by_value in slot_of], np.bool_)
    return Plan(
        features=tuple(feature_names),
        person_words=tuple((column, feature.ask) for column, feature in enumerate(features) if feature.about_person),
        windows=list(window_of),
        slots=len(slot_of),
        routes=_routes([codes_of(signal, definitions, codes) for signal in signals], codes, reads_value),
        reading=reading(signals, _texts(units)),
        pairs=paired,
        asked=_asked(rows, answer_first, answers),
        age_columns=tuple(column for column, feature in about_events if feature.ask in AGE_WORDS),
        event_columns=_columns(bool(about_events), bool(reads_value.any())),
    )


def _feature(definitions: Definitions, name: str) -> Feature:
    if name in definitions.features:
        return definitions.features[name]
    close = difflib.get_close_matches(name, definitions.features, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "features are defined in features/*.yaml"
    raise DefinitionError(f"there is no feature named '{name}'", hint=hint)


def _slot(slot_of: dict, definitions: Definitions, feature: Feature, name: str, by_value: bool) -> int:
    return _slot_of(slot_of, definitions, f"feature {feature.name}", feature.ask, name, by_value)


def _pairs(slot_of: dict, definitions: Definitions) -> Pairs:
    """Give every paired signal's slot the slot of its partner, which is added if no feature asks about it."""
    found = []
    for (name, _), slot in list(slot_of.items()):
        signal = definitions.signals[name]
        if signal.paired_with is None:
            continue
        where = f"signal {name}"
        other = _slot_of(slot_of, definitions, where, "pair", signal.paired_with, signal.pair is not None)
        if definitions.signals[signal.paired_with].paired_with is not None:
            raise DefinitionError(f"'{signal.paired_with}' is itself paired", where=where, hint="pair it with another")
        found.append((slot, other, signal))
    return pairs_of(found)


def _slot_of(slot_of: dict, definitions: Definitions, where: str, word: str, name: str, by_value: bool) -> int:
    if name not in definitions.signals:
        close = difflib.get_close_matches(name, definitions.signals, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "signals are defined in features/signals/*.yaml"
        raise DefinitionError(f"there is no signal named '{name}'", where=where, hint=hint)
    signal = definitions.signals[name]
    if by_value and signal.unit is None:
        raise DefinitionError(
            f"'{word}' reads a value, and the signal '{name}' has none",
            where=where,
            hint="give the signal a unit and a plausible range, or ask 'ever', 'count' or 'days since latest'",
        )
    by_value = by_value or signal.filtered or signal.keep == "implausible" or signal.pair is not None
    return slot_of.setdefault((name, by_value), len(slot_of))


def _texts(units: pa.Table) -> list[str | None]:
    numbers, texts = units["unit"].to_pylist(), units["text"].to_pylist()
    by_number: list[str | None] = [None] * (max(numbers, default=0) + 1)
    for number, text in zip(numbers, texts, strict=True):
        by_number[number] = text
    return by_number


def _routes(code_numbers: list[np.ndarray], codes: pa.Table, reads_value: np.ndarray) -> Routes:
    """Turn "codes of a slot" into "slots of a code"."""
    largest = int(np.max(codes["code"].to_numpy(), initial=-1))
    lists = [np.unique(np.asarray(numbers, np.int64)) for numbers in code_numbers]
    if any(numbers.size and (numbers[0] < 0 or numbers[-1] > largest) for numbers in lists):
        raise RecordsError("a signal resolves to a code number that the code table does not have")
    code = np.concatenate(lists) if lists else np.empty(0, np.int64)
    slot = np.repeat(np.arange(len(lists), dtype=np.int32), [numbers.size for numbers in lists])
    order = np.argsort(code, kind="stable")
    code, slot = code[order], slot[order]
    number = np.bincount(code, minlength=largest + 1)
    is_main = np.diff(code, prepend=-1) != 0
    main, first = np.zeros(largest + 1, np.int32), np.zeros(largest + 2, np.int32)
    main[code[is_main]] = slot[is_main]
    np.cumsum(np.maximum(number - 1, 0), out=first[1:])
    return Routes(number > 0, main, first, slot[~is_main], reads_value)


def _asked(rows: list[tuple[float, ...]], answer_first: list[int], answers: list[int]) -> Asked:
    table = np.array(rows, np.float64).reshape(-1, 8)
    types = (np.int32, np.int8, np.int32, np.int32, np.int8, np.float64, np.int32, np.int32)
    columns = [np.ascontiguousarray(table[:, at], kind) for at, kind in enumerate(types)]
    return Asked._make([*columns, np.array(answer_first, np.int32), np.array(answers, np.int32)])


def _columns(events: bool, values: bool) -> tuple[str, ...]:
    if not events:
        return ()
    needed = ("person", "day", "recorded_day", "code")
    return (*needed, "value", "unit", "comparator") if values else needed
