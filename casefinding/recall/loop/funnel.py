"""How far people came, from the list to the treatment, and where they were lost on the way."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from casefinding.disclosure import rounded, tellable
from casefinding.recall.lines import WITHOUT_A_PLACE
from casefinding.recall.loop.ledger import (
    ALREADY_KNOWN,
    AWAITED,
    DECLINED,
    DIAGNOSED,
    DID_NOT_ATTEND,
    INVITED,
    NOT_APPROPRIATE,
    NOT_DIAGNOSED,
    OUTCOMES,
)

STAGES = ("listed", "invited", "attended", "tested", "confirmed", "coded", "treated")
"""From the list to the treatment; each holds only people who are in all before it.

"invited": asked for a test; in the lanes that invite nobody (WITHOUT_A_PLACE) acted on: any outcome came back.
"confirmed": an outcome says diagnosed, or a result was awaited and the register has them since. "coded": confirmed, and
on the register now; "treated": coded, and treated now.
"""
ENDINGS: Mapping[str, str | None] = {
    "confirmed": DIAGNOSED, "not confirmed": NOT_DIAGNOSED, "result awaited": AWAITED, "declined": DECLINED,
    "already known": ALREADY_KNOWN, "not appropriate": NOT_APPROPRIATE, "did not attend": DID_NOT_ATTEND,
    "no answer": INVITED, "nothing returned": None,
}  # fmt: skip
"""How it stands with each person and condition now, exactly one of these, and the last answer that says so."""
GROUPINGS = ("practice", "condition", "lane", "wave", "age_band", "sex", "ethnicity", "deprivation")
CODED_ANYHOW = "coded, not confirmed by an outcome"
_ANSWERS = (AWAITED, DIAGNOSED, NOT_DIAGNOSED, DECLINED, ALREADY_KNOWN, NOT_APPROPRIATE)
_ATTENDED, _VERDICT = (AWAITED, DIAGNOSED, NOT_DIAGNOSED), (DIAGNOSED, NOT_DIAGNOSED)
_ASKED = (INVITED, DID_NOT_ATTEND, DECLINED, *_ATTENDED)

NEVER_CODED = pa.schema(
    [
        ("practice", pa.string()),
        ("pseudonym", pa.string()),
        ("condition", pa.string()),
        ("label", pa.string()),
        ("seen_on", pa.date32()),
        ("list_id", pa.string()),
        ("days", pa.int32()),  # since then, on the index day
    ]
)
"""One row a person and condition that came so far and is still on no register."""


@dataclass(frozen=True)
class Records:
    """What the records say on a later index day; nothing on or after it counts.

    `register`: condition -> pseudonym of everybody on it -> the day since when that is known, None if that is not;
    `treated`: condition -> pseudonyms of who is treated now.
    """

    index_day: dt.date
    register: Mapping[str, Mapping[str, dt.date | None]]
    treated: Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Funnel:
    """One group's way through the stages, in people and conditions: somebody listed for two counts twice.

    Exact, for whoever works the lists; `published` is what may leave them. "coded" and "treated" are None where no
    records were asked. `returned`: of how many any outcome came back.
    """

    grouping: str  # one of GROUPINGS; "all" for everybody
    group: str
    stages: Mapping[str, int | None]
    endings: Mapping[str, int]
    returned: int
    coded_anyhow: int | None  # on the register since the list, though no outcome says diagnosed

    @property
    def known_already(self) -> float | None:
        """The share of those of whom an outcome came back who were known already: the lists' wasted work."""
        return self.endings["already known"] / self.returned if self.returned else None

    def published(self) -> dict[str, Any]:
        """Every count rounded or withheld, and the share known already where both of its counts may be told."""
        known = self.endings["already known"]
        told = self.returned and tellable(known, self.returned - known)
        return {
            "grouping": self.grouping,
            "group": self.group,
            **{stage: rounded(count) for stage, count in self.stages.items()},
            **{ending: rounded(count) for ending, count in self.endings.items() if ending != "confirmed"},
            "outcome returned": rounded(self.returned),
            CODED_ANYHOW: rounded(self.coded_anyhow),
            "share already known": round((rounded(known) or 0) / (rounded(self.returned) or 1), 2) if told else None,
        }


@dataclass(frozen=True)
class _Way:
    """One person and condition: as first listed, how many stages they reached, and how it stands now."""

    first: Mapping[str, Any]
    reached: int
    ending: str
    coded_anyhow: bool


def funnel(lists: pa.Table, outcomes: pa.Table, records: Records | None = None) -> list[Funnel]:
    """Everybody, then each group of each grouping, in the order of their names.

    `lists`: ledger.LISTED; `outcomes`: ledger.OUTCOME, those that count (received.standing). A person and condition
    counts once however often it was listed, in the group in which it was first; but once in each wave, with what came
    of that invitation. Of several verdicts the last counts; of two on one day, that it was found.
    """
    listed, told = _until(lists, outcomes, records)
    once = _ways(listed, told, records, lambda one: (one["pseudonym"], one["condition"]))
    by_wave = _ways(
        [one for one in listed if one["wave"]],
        told,
        records,
        lambda one: (one["pseudonym"], one["condition"], one["wave"]),
    )
    found = [_count("all", "Everybody", once, records)]
    for grouping in GROUPINGS:
        parts: dict[Any, list[_Way]] = {}
        for way in by_wave if grouping == "wave" else once:
            parts.setdefault(way.first[grouping], []).append(way)
        found += [_count(grouping, str(name), parts[name], records) for name in sorted(parts, key=str)]
    return found


def never_coded(
    lists: pa.Table, outcomes: pa.Table, records: Records, registered: Mapping[str, str] | None = None
) -> pa.Table:
    """Whom an outcome calls diagnosed and no register holds on the index day (NEVER_CODED), the oldest finding first.

    The last verdict counts; the day is that of the first outcome that found it. With `registered` (pseudonym ->
    practice on the index day) whoever has left or died is left out, and whoever has moved is shown where they are now.
    """
    rows = []
    for one, said in _verdicts(lists, outcomes, records, registered, _VERDICT):
        if said[-1]["outcome"] == DIAGNOSED:
            last_not = max(
                (place for place, verdict in enumerate(said) if verdict["outcome"] == NOT_DIAGNOSED), default=-1
            )
            rows.append(_unfinished(one, said[last_not + 1], records, registered))
    return _oldest_first(rows)


def awaited(
    lists: pa.Table, outcomes: pa.Table, records: Records, registered: Mapping[str, str] | None = None
) -> pa.Table:
    """Whose result was awaited and never told, and whom no register holds (NEVER_CODED), the longest awaited first.

    Nobody invites them while a result is awaited, so that they would be on no list at all. `registered` as above.
    """
    rows = []
    for one, said in _verdicts(lists, outcomes, records, registered, _ANSWERS):
        if said[-1]["outcome"] == AWAITED:
            last_other = max((place for place, told in enumerate(said) if told["outcome"] != AWAITED), default=-1)
            rows.append(_unfinished(one, said[last_other + 1], records, registered))
    return _oldest_first(rows)


def _verdicts(
    lists: pa.Table,
    outcomes: pa.Table,
    records: Records,
    registered: Mapping[str, str] | None,
    kinds: Collection[str],
) -> Iterator[tuple[tuple[str, str, str], list[dict[str, Any]]]]:
    """What was told, of some kinds and in order, of all here and on no register: (pseudonym, condition, label)."""
    listed, told = _until(lists, outcomes, records)
    labels = {one["condition"]: one["label"] for one in listed}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in told:
        if one["outcome"] in kinds:
            found.setdefault((one["pseudonym"], one["condition"]), []).append(one)
    for (pseudonym, condition), said in found.items():
        gone = registered is not None and pseudonym not in registered
        if not gone and pseudonym not in records.register.get(condition, {}):
            yield (pseudonym, condition, labels.get(condition, condition)), sorted(said, key=_when)


def _unfinished(
    one: tuple[str, str, str], since: Mapping[str, Any], records: Records, registered: Mapping[str, str] | None
) -> dict[str, Any]:
    pseudonym, condition, label = one
    return {
        "practice": since["practice"] if registered is None else registered[pseudonym],
        "pseudonym": pseudonym, "condition": condition, "label": label, "seen_on": since["on"],
        "list_id": since["list_id"], "days": (records.index_day - since["on"]).days,
    }  # fmt: skip


def _oldest_first(rows: list[dict[str, Any]]) -> pa.Table:
    order = [(name, "ascending") for name in ("seen_on", "practice", "pseudonym", "condition")]
    return pa.Table.from_pylist(rows, schema=NEVER_CODED).sort_by(order)


def _until(
    lists: pa.Table, outcomes: pa.Table, records: Records | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Who was listed, the first list first, what was told of them and in which lane; all before the index day."""
    end = records.index_day if records is not None else dt.date.max
    listed = [one for one in lists.to_pylist() if one["index_day"] < end]
    listed.sort(key=lambda one: one["index_day"])
    lane = {(one["list_id"], one["pseudonym"], one["condition"]): one["lane"] for one in listed}
    told = [
        {**one, "lane": lane[key]}
        for one in outcomes.to_pylist()
        if one["on"] < end and (key := (one["list_id"], one["pseudonym"], one["condition"])) in lane
    ]
    return listed, told


def _ways(listed: list[dict[str, Any]], told: list[dict[str, Any]], records: Records | None, key: Any) -> list[_Way]:
    by_listing = {(one["list_id"], one["pseudonym"], one["condition"]): one for one in listed}
    first: dict[Any, dict[str, Any]] = {}
    for one in listed:
        first.setdefault(key(one), one)
    about: dict[Any, list[dict[str, Any]]] = {}
    for one in told:
        listing = by_listing.get((one["list_id"], one["pseudonym"], one["condition"]))
        if listing is not None:
            about.setdefault(key(listing), []).append(one)
    return [_way(one, sorted(about.get(name, ()), key=_when), records) for name, one in first.items()]


def _when(one: Mapping[str, Any]) -> tuple[dt.date, bool, int]:
    """The order of what is told of a person: by day; on one day the verdict last, and last of all that it was found."""
    place = OUTCOMES.index(one["outcome"])
    return (one["on"], True, -place) if one["outcome"] in _VERDICT else (one["on"], False, place)


def _way(first: Mapping[str, Any], told: list[dict[str, Any]], records: Records | None) -> _Way:
    outcomes = [one["outcome"] for one in told]
    verdicts = [outcome for outcome in outcomes if outcome in _VERDICT]
    on_register, treated, since = False, False, None
    if records is not None:
        register = records.register.get(first["condition"], {})
        on_register, since = first["pseudonym"] in register, register.get(first["pseudonym"])
        treated = first["pseudonym"] in records.treated.get(first["condition"], ())
    awaited = [one["on"] for one in told if one["outcome"] == AWAITED]
    by_register = not verdicts and bool(awaited) and on_register and (since is None or since >= awaited[0])
    confirmed = by_register or verdicts[-1:] == [DIAGNOSED]
    reached = (
        1,
        any(one["outcome"] in _ASKED or one["lane"] in WITHOUT_A_PLACE for one in told),
        any(outcome in _ATTENDED for outcome in outcomes),
        bool(verdicts) or by_register,
        confirmed,
        confirmed and on_register,
        confirmed and on_register and treated,
    )
    if confirmed:
        ending = "confirmed"
    else:
        answers = [outcome for outcome in outcomes if outcome not in (INVITED, DID_NOT_ATTEND)] or outcomes
        last = answers[-1] if answers else None
        ending = next((name for name, outcome in ENDINGS.items() if outcome == last), "nothing returned")
    anyhow = not confirmed and on_register and (since is None or since >= first["index_day"])
    return _Way(first, sum(reached), ending, anyhow)


def _count(grouping: str, group: str, ways: Iterable[_Way], records: Records | None) -> Funnel:
    ways = list(ways)
    unknown = () if records is not None else ("coded", "treated")
    endings = Counter(way.ending for way in ways)
    return Funnel(
        grouping=grouping,
        group=group,
        stages={
            stage: None if stage in unknown else sum(way.reached > place for way in ways)
            for place, stage in enumerate(STAGES)
        },
        endings={name: endings[name] for name in ENDINGS},
        returned=len(ways) - endings["nothing returned"],
        coded_anyhow=None if records is None else sum(way.coded_anyhow for way in ways),
    )
