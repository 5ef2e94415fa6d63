"""The headline figures of the side-by-side sections by flat name, for a tracker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casefinding.judge.calibrated import RATES

Section = Mapping[str, Any] | None
Numbers = dict[str, float | None]


def headlines(ways: Section, verified: Section, practices: Section, net_of_rules: Section) -> Numbers:
    """Figures of published sections; a section that is None, or too small, gives none.

    `truth_5pct_WAY`, `truth_5pct_low_contact_WAY` (share of the ill on a list of 5%), the same with `shipped` as WAY
    and `shipped_minus_WAY` (what the shipped way finds more), these with _low and _high; `fairness_GROUPING_WAY`,
    `truth_calibration_slope`, `truth_ici`; `verified_auroc_WAY`, `verified_calibration_slope`;
    `practices_OUTCOME_auroc` with _predicted_low and _predicted_high; `net_of_rules_MEASURE_per_100` (what the model
    finds more than the lot, per 100 invited people without a rule).
    """
    found: Numbers = {}
    if ways:
        _ways(ways, found)
    if verified and not verified["too_few"]:
        for way, entry in verified["ways"].items():
            found[f"verified_auroc_{way}"] = entry["rates"]["auroc"]["value"]
            _with_ends(found, f"verified_auroc_shipped_minus_{way}", entry.get("shipped_minus", {}).get("auroc"))
        found["verified_effective"] = verified["effective"]
        _calibration(found, "verified", verified["calibration"]["overall"])
    for about, prefix in (("coded", "practices_coded"), ("verified", "practices_verified")):
        table = (practices or {}).get(about)
        for measure in ("auroc", "calibration_slope", "observed_expected") if table else ():
            summary = table[measure]["summary"] if table else None
            if summary:
                found[f"{prefix}_{measure}"] = summary["mean"]
                found[f"{prefix}_{measure}_predicted_low"] = summary["predicted_low"]
                found[f"{prefix}_{measure}_predicted_high"] = summary["predicted_high"]
    if net_of_rules:
        for measure, entry in net_of_rules["share"]["more_than_rules"]["rules_then_model"]["no_rule"].items():
            _with_ends(found, f"net_of_rules_{measure}_per_100", entry)
    return found


def _ways(ways: Mapping[str, Any], found: Numbers) -> None:
    for way, entry in (ways["codes"] or {}).get("ways", {}).items():
        found[f"codes_5pct_{way}"] = entry["share"]["value"]
    for way, entry in (ways["codes"] or {}).get("auroc", {}).items():
        found[f"codes_auroc_{way}"] = entry["value"]
    truth, shipped = ways["truth"], ways["shipped"]
    if not truth or truth["too_few"]:
        return
    for prefix, table in (("truth_5pct", truth), ("truth_5pct_low_contact", truth["low_contact"])):
        for way, entry in (table or {}).get("ways", {}).items():
            found[f"{prefix}_{way}"] = entry["share"]["value"]
            if way == shipped:
                _with_ends(found, f"{prefix}_shipped", entry["share"])
            else:
                _with_ends(found, f"{prefix}_shipped_minus_{way}", entry["shipped_minus"])
    found["truth_5pct_random"] = truth["random"]["value"]
    for way, entry in truth["auroc"].items():
        found[f"truth_auroc_{way}"] = entry["value"]
    for grouping, table in truth["fairness"].items():
        for way, entry in table.items():
            _with_ends(found, f"fairness_{grouping}_{way}", entry.get("ratio", entry))
    _calibration(found, "truth", truth["calibration"]["overall"])


def _calibration(found: Numbers, prefix: str, rates: Mapping[str, Any]) -> None:
    for measure in RATES if rates else ():
        _with_ends(found, f"{prefix}_{measure}", rates[measure])


def _with_ends(found: Numbers, name: str, entry: Mapping[str, float | None] | None) -> None:
    if entry:
        found |= {name: entry["value"], f"{name}_low": entry["low"], f"{name}_high": entry["high"]}
