"""A judgement as it may leave the job: counts of people rounded or withheld, and the rates that rest on withheld ones.

Source of the rule: see disclosure.py. Rates are weighted, so they are not worked out anew from rounded counts; they are
given to 4 significant figures instead, and left out wherever their numerator, or what is left of their denominator, is
1 to 7 people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casefinding.disclosure import FEWEST, rounded, tellable
from casefinding.judge import withholding
from casefinding.judge.withholding import NOTHING

COUNTS = frozenset(
    (
        "rows", "people", "cases", "listed", "listed_cases", "ill", "ill_people", "ill_listed", "places",
        "scored", "looked_at", "with_rule", "invited", "known", "found",
    )
)  # fmt: skip
"""Every key of a judgement that holds a number of people, or of rows of people."""
RULE = f"1 to {FEWEST - 1} withheld, the rest to the nearest 5; rates that rest on 1 to {FEWEST - 1} people withheld"
_FIGURES = 4
_LENGTHS = ("capacity", "top_tenth")


def published(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The published form of a judgement's fields (by name, as `dataclasses.asdict` gives them); a copy.

    Counts may be exact only once: handing in what was published already would withhold more.
    """
    found = dict(parts)
    yardsticks = parts["yardsticks"]
    found["overall"] = _table(parts["overall"])
    found["yardsticks"] = {name: _beside(parts["overall"], table) for name, table in yardsticks.items()}
    found["groups"] = {name: [_table(entry) for entry in table] for name, table in parts["groups"].items()}
    found["truth"] = _truth(parts["truth"]) if parts["truth"] else parts["truth"]
    found["ways"] = withholding.ways(parts["ways"]) if parts["ways"] else parts["ways"]
    if parts["net_of_rules"]:
        found["net_of_rules"] = withholding.net_of_rules(parts["net_of_rules"])
    found["method"] = {**parts["method"], "counts": RULE}
    return _rounded(found)


def _table(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without the rates of a list that holds, or leaves out, 1 to 7 cases."""
    withheld = _withheld(table)
    return {**table, "rates": {name: NOTHING if name in withheld else rate for name, rate in table["rates"].items()}}


def _beside(model: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """A yardstick's table; a difference tells of both lists."""
    withheld = _withheld(model) | _withheld(table)
    minus = {name: NOTHING if name in withheld else rate for name, rate in table["model_minus_this"].items()}
    return {**_table(table), "model_minus_this": minus}


def _withheld(table: Mapping[str, Any]) -> set[str]:
    listed, cases, hits = table["listed"], table["cases"], table["listed_cases"]
    found = set() if tellable(hits, listed - hits) else {"ppv", "number_needed_to_test"}
    return found if tellable(hits, cases - hits) else {*found, "sensitivity"}


def _truth(truth: Mapping[str, Any]) -> dict[str, Any]:
    if truth["too_few"]:
        return dict(truth)
    return {
        **truth,
        **{length: _list(truth[length], truth["ill"]) for length in _LENGTHS},
        "groups": {name: [_group(entry) for entry in table] for name, table in truth["groups"].items()},
        "states": [_group(entry) for entry in truth["states"]],
    }


def _list(table: Mapping[str, Any], ill: int) -> dict[str, Any]:
    """The lists of one length: whose share of the ill may be told, and whose difference from the model's."""
    found = dict(table)
    told = {
        name: tellable(entry["ill_listed"], ill - entry["ill_listed"])
        for name, entry in table.items()
        if isinstance(entry, Mapping) and "ill_listed" in entry
    }
    for name in told:
        found[name] = {**table[name], "share": table[name]["share"] if told[name] else NOTHING}
    found["model_minus"] = {
        name: entry if told[name] and told["model"] else NOTHING for name, entry in table["model_minus"].items()
    }
    return found


def _group(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A group of the ill: each list's share of them, where it may be told (their number is share x ill)."""
    found = dict(entry)
    for length in _LENGTHS if not entry["too_few"] else ():
        found[length] = {
            name: share if name == "random" or _may_tell(share["value"], entry["ill"]) else NOTHING
            for name, share in entry[length].items()
        }
    return found


def _may_tell(share: float | None, ill: int) -> bool:
    held = round((share or 0.0) * ill)
    return tellable(held, ill - held)


def _rounded(value: Any, name: str = "") -> Any:
    """Counts rounded, other figures to some significant figures; a copy through and through."""
    if isinstance(value, Mapping):
        return {key: _rounded(part, key) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(part) for part in value]
    if name in COUNTS:
        return rounded(value)
    return float(f"{value:.{_FIGURES}g}") if isinstance(value, float) else value
