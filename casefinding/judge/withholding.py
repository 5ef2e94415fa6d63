"""The side-by-side sections as they may leave the job: what rests on 1 to 7 people, or would tell of them, is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casefinding.disclosure import tellable

NOTHING: Mapping[str, None] = {"value": None, "low": None, "high": None}


def ways(section: Mapping[str, Any]) -> dict[str, Any]:
    """`Judgement.ways` without shares of lists that hold, or leave out, 1 to 7 of those sought."""
    found = dict(section)
    if section["codes"]:
        codes = section["codes"]
        found["codes"] = {**codes, "ways": _side_by_side(codes, section["shipped"], "listed_cases", codes["cases"])}
    if section["truth"] and not section["truth"]["too_few"]:
        truth, shipped = section["truth"], section["shipped"]
        groups = {name: [_group(entry, shipped) for entry in table] for name, table in truth["groups"].items()}
        found["truth"] = {
            **_group(truth, shipped),
            "groups": groups,
            "low_contact": _group(truth["low_contact"], shipped) if truth["low_contact"] else None,
            "fairness": {name: _fairness(table, truth["groups"][name]) for name, table in truth["fairness"].items()},
        }
    return found


def net_of_rules(section: Mapping[str, Any]) -> dict[str, Any]:
    """`Judgement.net_of_rules` without figures that rest on 1 to 7 people, with a rule or without."""
    return {name: _lists(table) if isinstance(table, Mapping) else table for name, table in section.items()}


def _group(entry: Mapping[str, Any], shipped: str) -> dict[str, Any]:
    if entry["too_few"]:
        return dict(entry)
    return {**entry, "ways": _side_by_side(entry, shipped, "ill_listed", entry["ill"])}


def _side_by_side(table: Mapping[str, Any], shipped: str, hits: str, sought: int) -> dict[str, Any]:
    told = {name: tellable(entry[hits], sought - entry[hits]) for name, entry in table["ways"].items()}
    found = {}
    for name, entry in table["ways"].items():
        found[name] = dict(entry) if told[name] else {**entry, "share": NOTHING}
        if "shipped_minus" in entry and not (told[name] and told[shipped]):
            found[name]["shipped_minus"] = NOTHING
    return found


def _fairness(table: Mapping[str, Any], groups: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Ratios of two groups' shares, where both shares may be told."""
    known = {entry["group"]: entry for entry in groups}
    found: dict[str, Any] = {}
    every = True
    for way, entry in table.items():
        if way == "shipped_minus_coded":
            continue
        told = True
        for group in (known[entry["least_found"]], known[entry["most_found"]]):
            held = group["ways"][way]["ill_listed"]
            told = told and tellable(held, group["ill"] - held)
        found[way] = dict(entry) if told else {**entry, "ratio": NOTHING}
        every = every and told
    if "shipped_minus_coded" in table:
        found["shipped_minus_coded"] = table["shipped_minus_coded"] if every else NOTHING
    return found


def _lists(table: Mapping[str, Any]) -> dict[str, Any]:
    """The three lists of one length, and what two of them find more than the first."""
    found: dict[str, Any] = {}
    gone: set[tuple[str, str, str]] = set()
    for name, entry in table.items():
        if name == "more_than_rules":
            continue
        found[name] = {part: {**figures, "per_100": {}} for part, figures in entry.items()}
        for measure, whole in entry["everybody"]["per_100"].items():
            rest = entry["no_rule"]["per_100"][measure]
            ruled = whole["found"] - rest["found"], whole["known"] - rest["known"]
            told = {
                "everybody": tellable(whole["found"], whole["known"] - whole["found"]),
                # with the figure of all, that of those without a rule would tell of those with one
                "no_rule": tellable(rest["found"], rest["known"] - rest["found"], ruled[0], ruled[1] - ruled[0]),
            }
            for part, figure in (("everybody", whole), ("no_rule", rest)):
                if not told[part]:
                    gone.add((name, part, measure))
                found[name][part]["per_100"][measure] = dict(figure) if told[part] else {**figure, **NOTHING}
    found["more_than_rules"] = {
        name: {
            part: {
                measure: NOTHING if {(name, part, measure), ("rules", part, measure)} & gone else figure
                for measure, figure in figures.items()
            }
            for part, figures in entry.items()
        }
        for name, entry in table["more_than_rules"].items()
    }
    return found
