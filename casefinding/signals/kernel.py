"""The kernel: one pass over a piece of a shard's events, some sixty people at a time.

For each block of people (so that everything below stays in the processor's cache):

1. `_take` and `_lay_out`: every event that could be seen goes to the slots of its code; a stable counting sort lays the
   block out by slot and person.
2. `_read_values`: where a slot reads values, they are converted and judged, unusable ones leave the slot, and a short
   insertion puts each day's in ascending order.
3. `keep_pairs`: in slots of paired signals, events without a partner leave the slot (see signals/pairs.py).
4. `_ask_block`: for every feature and every (person, index day) a word reads the person's events of one slot.

An event is seen only if it happened and was recorded before the index day. Step 1 already leaves out what no index
day of that person can see; step 4 holds every single event against the index day it is asked for.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from casefinding.definitions import units
from casefinding.signals import calendar, compiled, pairs, values, words
from casefinding.signals.calendar import ALWAYS, NONE, shifted
from casefinding.signals.pairs import keep_pairs
from casefinding.signals.values import worth

BLOCK_PEOPLE = 64
BLOCK_EVENTS = 32_768
HALVE_FROM = 48
"""Slices longer than this are narrowed to the window by halving; in shorter ones each event is looked at."""

DONE, PERSON_ORDER, DAY_ORDER, NO_CODE, NO_UNIT = 0, -1, -2, -3, -4
"""What `walk` returns: all well, or what is wrong with the events."""


class Events(NamedTuple):
    """The columns of some whole people's events; value, unit and comparator are empty if no value is read."""

    person: np.ndarray  # int64
    day: np.ndarray  # int32
    recorded: np.ndarray  # int32
    code: np.ndarray  # int32
    value: np.ndarray  # float32
    filled: np.ndarray  # uint8: Arrow's validity bits of value; empty: every value is there
    bit: int  # where the first row's bit stands
    unit: np.ndarray  # int16
    comparator: np.ndarray  # int8


class Rows(NamedTuple):
    """Who is asked, and when: `person[p]` has the rows [first[p], first[p + 1])."""

    person: np.ndarray  # int64 (people), ascending
    first: np.ndarray  # int64 (people + 1)
    index_day: np.ndarray  # int32 (rows), ascending for each person
    edge: np.ndarray  # int32 (rows): column of window_first and window_stop
    window_first: np.ndarray  # int32 (windows, distinct index days)
    window_stop: np.ndarray  # int32 (windows, distinct index days)
    answered: np.ndarray  # bool (people): set for everyone whose rows were filled


class Block(NamedTuple):
    """Room for a block: items by (slot, person), then day and value. The k-th person's items of slot `s` are
    [start[key], stop[key]) with key = s * BLOCK_PEOPLE + k."""

    events: int  # how many events fit
    place: np.ndarray  # int64 (BLOCK_PEOPLE): the people of the block, as places in Rows
    some: np.ndarray  # int64 (BLOCK_PEOPLE + 1): those of them with an event in the slot at hand
    start: np.ndarray  # int32 (slots * BLOCK_PEOPLE)
    stop: np.ndarray  # int32 (slots * BLOCK_PEOPLE)
    taken_key: np.ndarray  # uint32 (items): in the order they were met
    taken_row: np.ndarray  # uint32 (items)
    day: np.ndarray  # int32 (items)
    recorded: np.ndarray  # int32 (items)
    row: np.ndarray  # uint32 (items): of the event
    value: np.ndarray  # float64 (items): only in slots that read values
    one_day: np.ndarray  # int32 (items): one slot's days after `same day`
    one_recorded: np.ndarray  # int32 (items): all ALWAYS: what `same day` keeps has been seen
    one_value: np.ndarray  # float64 (items)


def block_room(slots: int, events: int, widest: int) -> Block:
    """Room for blocks of so many events, if no code has more than `widest` slots."""
    events = max(BLOCK_EVENTS, events)
    items = events * widest + 1
    keys = np.zeros(slots * BLOCK_PEOPLE, np.int32), np.zeros(slots * BLOCK_PEOPLE, np.int32)
    taken = np.empty(items, np.uint32), np.empty(items, np.uint32)
    laid_out = np.empty(items, np.int32), np.empty(items, np.int32), np.empty(items, np.uint32), np.empty(items)
    one = np.empty(items, np.int32), np.full(items, ALWAYS, np.int32), np.empty(items)
    who = np.empty(BLOCK_PEOPLE, np.int64), np.empty(BLOCK_PEOPLE + 1, np.int64)
    return Block(events, *who, *keys, *taken, *laid_out, *one)


@compiled.compiled
def _take(routes, events, start, stop, last_index, block, place, taken):
    """Note which slots one person's events go to, and count them; returns how many items now, or what is wrong."""
    before, in_order = ALWAYS, True
    for row in words.upwards(start, stop):
        when, code = events.day[row], np.uint32(events.code[row])
        in_order &= when >= before
        before = when
        if code >= routes.main.size:
            return NO_CODE
        seen = (when < last_index) & (events.recorded[row] < last_index)
        # Written in any case, kept only if it was seen: quicker than asking, which the processor cannot foresee.
        keep, key = seen & routes.has[code], np.uint32(routes.main[code] * BLOCK_PEOPLE + place)
        block.taken_key[taken], block.taken_row[taken] = key, row
        block.stop[key] += keep
        taken += keep
        first, end = routes.first[code], routes.first[code + np.uint32(1)]
        if first < end:
            for at in words.upwards(first, end):
                key = np.uint32(routes.further[at] * BLOCK_PEOPLE + place)
                block.taken_key[taken], block.taken_row[taken] = key, row
                block.stop[key] += seen
                taken += seen
    return taken if in_order else DAY_ORDER


@compiled.compiled
def _lay_out(slots, events, block, people, taken):
    """Place the items noted: stop[key] holds how many they are, then where the next one goes: so it ends at the end."""
    item = 0
    for slot in range(slots):
        for key in range(slot * BLOCK_PEOPLE, slot * BLOCK_PEOPLE + people):
            number = block.stop[key]
            block.start[key] = block.stop[key] = item
            item += number
    for at in words.upwards(0, taken):
        key, row = block.taken_key[at], block.taken_row[at]
        to = block.stop[key]
        block.stop[key] = to + 1
        block.day[to], block.recorded[to], block.row[to] = events.day[row], events.recorded[row], row


@compiled.compiled
def _read_values(how, slot, events, block, people):
    """In one slot of every person keep only the items with a usable value, each day's in ascending order."""
    for key in range(slot * BLOCK_PEOPLE, slot * BLOCK_PEOPLE + people):
        start = kept = block.start[key]
        for item in words.upwards(start, block.stop[key]):
            row = block.row[item]
            bit = events.bit + row
            if events.filled.size > 0 and not (events.filled[bit >> 3] >> (bit & 7)) & 1:
                continue
            unit = events.unit[row]
            if unit < 0 or unit >= how.state.shape[1]:
                return NO_UNIT
            value = worth(np.float64(events.value[row]), unit, events.comparator[row], slot, how)
            if np.isnan(value):
                continue
            when, recorded, to = block.day[item], block.recorded[item], kept
            kept += 1
            while to > start and block.day[to - 1] == when and block.value[to - 1] > value:
                block.day[to], block.recorded[to] = block.day[to - 1], block.recorded[to - 1]
                block.value[to] = block.value[to - 1]
                to -= 1
            block.day[to], block.recorded[to], block.value[to] = when, recorded, value
        block.stop[key] = kept
    return DONE


@compiled.compiled
def _first_from(day, first, stop, wanted):
    """The first place in a sorted slice whose day is `wanted` or later."""
    while first < stop:
        middle = (first + stop) >> 1
        if day[middle] < wanted:
            first = middle + 1
        else:
            stop = middle
    return first


@compiled.compiled
def _one_a_day(block, first, stop, sight, same_day, at_least):
    """Reduce each day's seen values to one, and keep the days with so high a value; returns how many days."""
    days, number = 0, 0
    for i in words.upwards(first, stop):
        if not words.seen(block.day[i], block.recorded[i], sight):
            continue
        if days > 0 and block.one_day[days - 1] == block.day[i]:
            number += 1
            if same_day == words.DAY_HIGHEST:  # a day's values stand in ascending order
                block.one_value[days - 1] = block.value[i]
            elif same_day == words.DAY_MEAN:
                block.one_value[days - 1] += block.value[i]
            continue
        if same_day == words.DAY_MEAN and days > 0:
            block.one_value[days - 1] /= number
        block.one_day[days], block.one_value[days], number = block.day[i], block.value[i], 1
        days += 1
    if same_day == words.DAY_MEAN and days > 0:
        block.one_value[days - 1] /= number
    if at_least == -np.inf:
        return days
    kept = 0
    for i in range(days):
        if block.one_value[i] >= at_least:
            block.one_day[kept], block.one_value[kept] = block.one_day[i], block.one_value[i]
            kept += 1
    return kept


@compiled.compiled
def _unanswered(block, first, stop, sight, asked, row, place):
    """Days since the latest event that none of the answering signals follows in time."""
    for i in range(stop - 1, first - 1, -1):
        if not words.seen(block.day[i], block.recorded[i], sight):
            continue
        until = sight.index if sight.days < 0 else shifted(block.day[i], sight.months, sight.days)
        answered = False
        for at in range(asked.answer_first[row], asked.answer_first[row + 1]):
            answer = asked.answer_slot[at] * BLOCK_PEOPLE + place
            begin, end = block.start[answer], block.stop[answer]
            answered |= words.any_seen(block.day, block.recorded, begin, end, block.day[i], until, sight.index)
        if not answered:
            return float(sight.index - block.day[i]), block.day[i]
    return np.nan, NONE


@compiled.compiled
def _say(word, day, recorded, value, first, stop, sight):
    """The word's answer for one slice."""
    if word == words.EVER:
        return words.ever(day, recorded, value, first, stop, sight)
    if word == words.COUNT:
        return words.count(day, recorded, value, first, stop, sight)
    if word == words.DAYS_WITH:
        return words.days_with(day, recorded, value, first, stop, sight)
    if word == words.COURSES:
        return words.courses(day, recorded, value, first, stop, sight)
    if word == words.LATEST:
        return words.latest(day, recorded, value, first, stop, sight)
    if word == words.EARLIEST:
        return words.earliest(day, recorded, value, first, stop, sight)
    if word == words.HIGHEST:
        return words.highest(day, recorded, value, first, stop, sight)
    if word == words.LOWEST:
        return words.lowest(day, recorded, value, first, stop, sight)
    if word == words.MEAN:
        return words.mean(day, recorded, value, first, stop, sight)
    if word == words.SPREAD:
        return words.spread(day, recorded, value, first, stop, sight)
    if word == words.TREND:
        return words.trend(day, recorded, value, first, stop, sight)
    if word == words.LOWER_OF_LAST_TWO:
        return words.lower_of_last_two(day, recorded, value, first, stop, sight)
    if word == words.DAYS_SINCE_LATEST:
        return words.days_since_latest(day, recorded, value, first, stop, sight)
    if word == words.DAYS_SINCE_FIRST:
        return words.days_since_first(day, recorded, value, first, stop, sight)
    return words.days_between(day, recorded, value, first, stop, sight)


@compiled.compiled
def _ask_block(block, rows, asked, people, out, out_day, offset):
    """Fill the block's part of every column."""
    with_days = out_day.shape[0] > 0
    for row in range(asked.column.size):
        column, word, slot = asked.column[row], asked.word[row], asked.slot[row]
        window, same_day = asked.window[row], asked.same_day[row]
        nothing = 0.0 if word <= words.COURSES else np.nan
        some = 0
        for place in range(people):
            key, person = slot * BLOCK_PEOPLE + place, block.place[place]
            block.some[some] = place
            some += block.stop[key] > block.start[key]
            for at in range(rows.first[person], rows.first[person + 1]):
                out[column, offset + at] = nothing
                if with_days:
                    out_day[column, offset + at] = NONE
        for one in range(some):  # only those with an event in the slot; about half of all, and not to be foreseen
            place = block.some[one]
            start, end = block.start[slot * BLOCK_PEOPLE + place], block.stop[slot * BLOCK_PEOPLE + place]
            person = block.place[place]
            for at in range(rows.first[person], rows.first[person + 1]):
                edge, index = rows.edge[at], rows.index_day[at]
                from_day, to_day = rows.window_first[window, edge], rows.window_stop[window, edge]
                sight = words.Sight(from_day, to_day, index, asked.months[row], asked.days[row])
                first, stop = start, end
                if end - start > HALVE_FROM:
                    stop = _first_from(block.day, start, end, to_day)
                    first = _first_from(block.day, start, stop, from_day)
                if word == words.UNANSWERED:
                    answer, when = _unanswered(block, first, stop, sight, asked, row, place)
                elif same_day == words.NO_REDUCTION:
                    answer, when = _say(word, block.day, block.recorded, block.value, first, stop, sight)
                else:
                    stop = _one_a_day(block, first, stop, sight, same_day, asked.at_least[row])
                    answer, when = _say(word, block.one_day, block.one_recorded, block.one_value, 0, stop, sight)
                out[column, offset + at] = answer
                if with_days:
                    out_day[column, offset + at] = when


def _with_stamp(stamp: int):
    """`walk`, compiled; the stamp is part of the key under which numba keeps compiled code on disk."""

    @compiled.compiled_on_disk
    def walk(routes, how, paired, asked, slots, events, rows, block, out, out_day, offset):
        """Fill `out[column, offset + row]` (and `out_day`, unless it has no columns) for everyone with events.

        Returns DONE, or what is wrong, or how many events room is needed for: the block is then too small for a person.
        """
        total, row, person = events.person.size if stamp else 0, 0, 0
        while row < total:
            people, number, taken = 0, 0, 0
            block.stop[:] = 0
            while row < total and people < BLOCK_PEOPLE:
                who, stop = events.person[row], row + 1
                while stop < total and events.person[stop] == who:
                    stop += 1
                if row > 0 and events.person[row - 1] > who:
                    return PERSON_ORDER
                while person < rows.person.size and rows.person[person] < who:
                    person += 1
                if person < rows.person.size and rows.person[person] == who:
                    number += stop - row
                    if number > block.events:
                        if people == 0:
                            return stop - row
                        break
                    last_index = rows.index_day[rows.first[person + 1] - 1]
                    taken = _take(routes, events, row, stop, last_index, block, people, taken)
                    if taken < 0:
                        return taken
                    block.place[people] = person
                    rows.answered[person] = True
                    people += 1
                row = stop
            _lay_out(slots, events, block, people, taken)
            for slot in range(slots):
                if routes.reads_value[slot] and _read_values(how, slot, events, block, people) != DONE:
                    return NO_UNIT
            keep_pairs(paired, block, people, BLOCK_PEOPLE)
            _ask_block(block, rows, asked, people, out, out_day, offset)
        return DONE

    return walk


def _stamp() -> int:
    """Changes with the source of everything the kernel is made of: numba alone would notice changes of this file only,
    and go on with words as they were."""
    modules = (words, values, pairs, calendar, compiled, units)
    sources = (__file__, *(module.__file__ for module in modules))
    return zlib.crc32(b"".join(Path(source or "").read_bytes() for source in sources)) | 1


walk = _with_stamp(_stamp())
