"""The main counts of the quality page, again, event by event in plain Python, on two hundred people."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict

import pytest

from casefinding.definitions.quality import QualityRules
from casefinding.definitions.resolve import codes_of
from casefinding.definitions.words import age_on
from casefinding.records.quality.assessment import assess_all
from casefinding.records.quality.held import plain_signals
from casefinding.records.quality.who import GROUPS, number_of
from casefinding.records.sources import ingest
from casefinding.signals.values import reading, worth
from casefinding.synthetic.simulate import simulate

FORGOTTEN = ("bmi", "weight", "drug_statin", "cough")  # their signals are taken out, so that some codes belong to none


class Plain:
    """A store as Python objects, and what its events count up to."""

    def __init__(self, store, known) -> None:
        self.through, self.people = store.data_through, store.people_table().to_pylist()
        assert store.data_through == dt.date(2026, 9, 30)
        self.start = dt.date(2021, 10, 1)
        self.stays = defaultdict(list)
        for row in store.registrations().to_pylist():
            self.stays[row["person"]].append(row)
        self.home = {one["person"]: self.practice(one["person"], self.through, living=True) for one in self.people}
        codes = store.codes()
        self.codes = {name: set(codes_of(signal, known, codes).tolist()) for name, signal in known.signals.items()}
        texts = store.units()["text"].to_pylist()
        self.how = {name: reading([known.signals[name]], texts) for name, signal in plain_signals(known) if signal.unit}
        self.plain = [name for name, _ in plain_signals(known)]
        self.events = [row for shard in range(store.shards) for row in store.events(shard).to_pylist()]

    def practice(self, person: int, day: dt.date, *, living: bool = False) -> str | None:
        if living and self.people[person]["died_on"] is not None and self.people[person]["died_on"] <= day:
            return None
        latest = None
        for stay in self.stays[person]:
            if stay["started_on"] <= day:
                latest = stay
        if latest is None or (latest["ended_on"] is not None and latest["ended_on"] < day):
            return None
        died = self.people[person]["died_on"]
        return None if died is not None and died < day else latest["practice"]

    def usable(self, name: str, event: dict) -> bool:
        if name not in self.how:
            return True
        if event["value"] is None:
            return False
        return not math.isnan(worth(float(event["value"]), event["unit"], event["comparator"], 0, self.how[name]))

    def inside(self) -> list[dict]:
        return [event for event in self.events if self.start <= event["day"] <= self.through]

    def have(self, name: str) -> set[int]:
        return {e["person"] for e in self.inside() if e["code"] in self.codes[name] and self.usable(name, e)}


@pytest.fixture(scope="module")
def both(known, tmp_path_factory):
    home = tmp_path_factory.mktemp("two-hundred")
    simulate(200, 2, 3, home / "extract", home / "truth")
    signals = {name: one for name, one in known.signals.items() if name not in FORGOTTEN}
    fewer = known.model_copy(update={"signals": signals})
    store = ingest("native", home / "extract", home / "store", shard_people=70)
    return assess_all(store, fewer, QualityRules()), Plain(store, fewer), fewer


def test_everybody_is_in_the_practice_and_the_groups_that_the_rows_say(both):
    found, plain, _ = both
    fifths = GROUPS["deprivation"]
    for one in plain.people:
        person = one["person"]
        at = found.who.practice[person]
        assert (found.who.codes[at] if at >= 0 else None) == plain.home[person]
        age = age_on(one["birth_month"], plain.through)
        assert found.who.age[person] == age
        group = {name: GROUPS[name][place[person]] for name, place in found.who.group.items()}
        assert group["sex"] == one["sex"]
        assert group["ethnicity"] == one["ethnicity"]
        low = int(group["age"].split()[0])
        assert low <= age <= (120 if "over" in group["age"] else int(group["age"].split()[-1]))
        decile = one["imd_decile"]
        assert group["deprivation"] == ("unknown" if decile is None else fifths[(decile + 1) // 2 - 1])


def test_entries_by_day_and_month_are_those_of_the_practice_at_the_time(both):
    found, plain, _ = both
    days, months, nothing = Counter(), Counter(), 0
    all_codes = set().union(*plain.codes.values())
    for event in plain.inside():
        where = plain.practice(event["person"], event["day"])
        if where is None:
            nothing += 1
            continue
        days[where, (event["day"] - plain.start).days] += 1
        month = (event["day"].year - 2021) * 12 + event["day"].month - 10
        for name in found.asked.names:
            months[where, month, name] += event["code"] in plain.codes[name]
        months[where, month, ""] += event["code"] not in all_codes
    assert nothing == found.counted.elsewhere
    for place, practice in enumerate(found.who.codes):
        for day, number in enumerate(found.counted.entries[place]):
            assert number == days[practice, day]
        for month in range(len(found.months)):
            for at, name in enumerate([*found.asked.names, ""]):
                assert found.counted.monthly[place, month, at] == months[practice, month, name]
    assert sum(months[practice, month, ""] for practice in found.who.codes for month in range(60)) > 0


def test_late_recording_is_what_sorting_all_delays_gives(both):
    found, plain, _ = both
    delays = sorted(
        (e["recorded_day"] - e["day"]).days for e in plain.inside() if plain.practice(e["person"], e["day"])
    )
    told = found.late[0]
    assert told.entries == len(delays)
    assert told.median == delays[math.ceil(0.5 * len(delays)) - 1]
    assert told.ninetieth == delays[math.ceil(0.9 * len(delays)) - 1]
    assert told.over_30 == pytest.approx(sum(one > 30 for one in delays) / len(delays))
    assert told.over_365 == pytest.approx(sum(one > 365 for one in delays) / len(delays))


def test_completeness_is_the_share_of_registered_people_with_a_usable_entry(both):
    found, plain, _ = both
    registered = {person for person, home in plain.home.items() if home is not None}
    for at, name in enumerate(found.asked.names):
        having = plain.have(name) & registered
        for grouping, names in {"practice": tuple(found.who.codes), **GROUPS}.items():
            place = found.who.practice if grouping == "practice" else found.who.group[grouping]
            for group in range(len(names)):
                those = {person for person in registered if place[person] == group}
                assert found.counted.people[grouping][group].sum() == len(those)
                assert found.counted.have[grouping][group, :, at].sum() == len(having & those), (name, grouping, group)


def test_units_and_usable_values_are_those_of_each_reading(both):
    found, plain, _ = both
    for at, signal in enumerate(found.asked.readings):
        name = found.asked.names[signal]
        mine = [e for e in plain.inside() if e["code"] in plain.codes[name] and plain.practice(e["person"], e["day"])]
        assert found.counted.values[:, :, at].sum() == len(mine)
        assert found.counted.usable[:, :, at].sum() == sum(plain.usable(name, e) for e in mine)
        assert found.counted.units[:, :, at].sum() == sum(e["value"] is not None for e in mine)


def test_codes_of_no_signal_are_counted_in_registered_people(both):
    found, plain, _ = both
    all_codes = set().union(*plain.codes.values())
    people = defaultdict(set)
    for event in plain.inside():
        if event["code"] not in all_codes and plain.home[event["person"]] is not None:
            people[event["code"], plain.home[event["person"]]].add(event["person"])
    assert people
    for code in range(len(found.asked.class_of)):
        for place, practice in enumerate(found.who.codes):
            assert found.counted.seen_people[code, place] == len(people[code, practice])
    seen = {code for (code, _), those in people.items() if those}
    firsts = {code: min(e["day"] for e in plain.inside() if e["code"] == code) for code in seen}
    for code, first in firsts.items():
        assert found.counted.seen_first[code] == number_of(first)


def test_registers_and_published_figures_are_compared_person_by_person(both):
    found, plain, known = both
    for one in found.compared:
        model, figure = known.models[one.condition], one.figure
        latest: dict[str, dict[int, dt.date]] = {"diagnosis": {}, "resolved": {}}
        for event in plain.events:
            for key, name in (("diagnosis", model.register_.diagnosis), ("resolved", model.register_.resolved)):
                if name and event["code"] in plain.codes[name]:
                    day = latest[key].get(event["person"], dt.date.min)
                    latest[key][event["person"]] = max(day, event["day"])
        on = {p for p, day in latest["diagnosis"].items() if latest["resolved"].get(p, dt.date.min) < day}
        if figure.recorded:
            on = set().union(*(plain.have(name) for name in figure.recorded))
        people, seen, expected = Counter(), Counter(), Counter()
        for person, home in plain.home.items():
            age = age_on(plain.people[person]["birth_month"], plain.through)
            for band in figure.bands:
                if home is not None and band.ages[0] <= age <= band.ages[1]:
                    people[home] += 1
                    seen[home] += person in on
                    expected[home] += band.per_cent / 100
        for place, practice in enumerate(found.who.codes):
            assert (one.people[place], one.seen[place]) == (people[practice], seen[practice])
            assert one.expected[place] == pytest.approx(expected[practice])


def test_cases_are_first_diagnoses_recorded_in_three_years_by_settled_people(both):
    found, plain, known = both
    for verdict in found.verdicts:
        if not verdict.practice:
            continue
        first: dict[int, dt.date] = {}
        for event in plain.events:
            if event["code"] in plain.codes[known.models[verdict.condition].outcome.diagnosis]:
                first[event["person"]] = min(first.get(event["person"], dt.date.max), event["recorded_day"])
        cases = 0
        for person, day in first.items():
            since = max(
                (s["started_on"] for s in plain.stays[person] if s["started_on"] <= plain.through), default=None
            )
            settled = since is not None and day > since + dt.timedelta(days=90)
            here = plain.home[person] == verdict.practice
            cases += here and day > dt.date(2023, 9, 30) and settled
        assert verdict.cases == cases
