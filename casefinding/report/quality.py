"""The page on the quality of the records, and the same as JSON: what came in, how good it is, what to ask of whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from casefinding.definitions.shapes import Definitions
from casefinding.disclosure import FEWEST
from casefinding.explain.wording import date_words
from casefinding.files import canonical_json, write_text
from casefinding.records.quality.assessment import Assessment
from casefinding.records.quality.drift import EVERYTHING, NO_SIGNAL
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.fit import CARE, FIT, NOT
from casefinding.records.quality.held import Quality
from casefinding.records.quality.who import GROUPS, day_of
from casefinding.records.reasons import Cell
from casefinding.records.store import Store
from casefinding.report import quality_counts as people
from casefinding.report import quality_rows
from casefinding.report.page import page
from casefinding.report.quality_words import Speaker
from casefinding.report.shapes import Edition

DISCLOSURE = (
    "Rows of entries, and values, are counted exactly, per file and practice, for the network’s own use, unless a "
    "count is small. People, and rows of tables of people, are "
    f"rounded to the nearest 5; 1 to {FEWEST - 1}, and what would tell such a count, are withheld; shares of people "
    "come from the rounded counts. No person, date of an entry or value is told."
)
GROUPING_WORDS = {"age": "Age", "sex": "Sex", "ethnicity": "Ethnic group", "deprivation": "Deprivation fifth"}
NO_OPT_OUTS = (
    "No Type 1 opt-out code was seen. An extract from which opt-outs were removed at the source holds none; nothing "
    "here can tell whether that was done: ask for the manifest of casefinding pseudonymise."
)
MOST_PRACTICES = 12
"""With more practices than this, tables with a column for each practice stand in the JSON only."""
_VERDICT = {FIT: "Fit", CARE: "With care", NOT: "Not fit"}


def write_quality(
    found: Assessment,
    store: Store,
    definitions: Definitions,
    conditions: Sequence[str],
    edition: Edition,
    file: Path,
    *,
    up: str = "",
) -> dict[str, Any]:
    """Write the page to `file` and the same content to a .json beside it; returns that content.

    `conditions`: those to judge. `up`: the page that this one belongs to.
    """
    content = published(found, store, definitions, conditions)
    content["edition"] = {"network": edition.network, "id": edition.list_id, "casefinding": edition.version}
    write_text(file.with_suffix(".json"), canonical_json(content))
    write_text(
        file,
        page(
            "quality.html", edition=edition, up=up, told=content, json=file.with_suffix(".json").name,
            groupings=GROUPING_WORDS, verdict=_VERDICT, most_practices=MOST_PRACTICES, percent=percent,
            day=lambda text: date_words(dt.date.fromisoformat(text)),
        ),
    )  # fmt: skip
    return content


def percent(share: float | None, decimals: int = 0) -> str:
    """A share in per cent; a dash where there is none.

    >>> percent(0.453), percent(None), percent(0.0219, 1), percent(0.004)
    ('45%', '–', '2.2%', 'under 1%')
    """
    if share is None:
        return "–"
    if 0 < share < 0.5 / 10 ** (2 + decimals):
        return f"under {10**-decimals:g}%"
    return f"{100 * share:.{decimals}f}%"


def published(found: Assessment, store: Store, definitions: Definitions, conditions: Sequence[str]) -> dict[str, Any]:
    """Everything that page and JSON say, as plain values; nothing in it may not travel with them."""
    who, asked = found.who, found.asked
    names = dict(zip(who.codes, who.names, strict=True))
    labels = dict(zip(asked.names, asked.labels, strict=True))
    labels |= {EVERYTHING: "Entries of all kinds", NO_SIGNAL: "Codes that no signal uses"}
    models = {name: model.label for name, model in definitions.models.items()}
    speaker = Speaker(labels, names, models, found.through)
    unused, drugs = (_unused(found, store, drugs=which) for which in (False, True))
    completeness, registered = _completeness(found, definitions, labels)
    findings = [one for one in found.findings if "condition" not in one.facts or one.facts["condition"] in conditions]
    return {
        "store": {
            "source": store.kind, "from": store.data_from.year, "through": store.data_through.isoformat(),
            "digest": store.digest,
        },
        "window": {"from": found.start.isoformat(), "through": found.through.isoformat(), "months": len(found.months)},
        "disclosure": DISCLOSURE,
        "practices": [
            {
                "practice": code, "name": names[code], "where": speaker.where(code),
                "registered": registered["practice", code], "entries": int(found.counted.entries[place].sum()),
            }
            for place, code in enumerate(who.codes)
        ],
        "registered": registered[people.ALL],
        "findings": [_finding(one, speaker, [*unused, *drugs]) for one in findings],
        "verdicts": _verdicts(found, speaker, conditions),
        "rows": quality_rows.rows(store.counts(), found.held),
        "completeness": completeness,
        "units": _units(found, labels),
        "late": [vars(one) for one in found.late],
        "days": [vars(one) for one in found.days],
        "figures": _figures(found, speaker, conditions),
        "unused codes": unused,
        "unmatched drugs": drugs,
        "unused": {
            "share": found.held.unmatched_share, "entries": found.held.events, "codes": found.held.unmatched_codes,
            "drug entries": int(found.counted.drugs[0]), "unmatched drug entries": int(found.counted.drugs[1]),
        },
        "held": {
            "signals": [row for row in found.held.signals if any(row[key] for key in _HELD)],
            "by practice": quality_rows.held(found.held),
        },
        "notes": [*_without_cells(found.held), *_notes(found, store, definitions)],
    }  # fmt: skip


_HELD = ("outside", "unknown_unit", "no_value", "warn")


def _finding(one: Finding, speaker: Speaker, unused: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A finding in words; where a rate fell, with the codes of no signal that came into use there in that month."""
    told = speaker.finding(one)._asdict()
    if one.kind == Kind.RATE and one.practice and not one.facts["rose"]:
        month = dt.date.fromisoformat(one.facts["month"])
        near = {(month + dt.timedelta(days=days)).strftime("%Y-%m") for days in (-1, 0, 31)}
        new = [code for code in unused if code["first month"] in near and code["by practice"][one.practice]]
        if new:
            named = ", ".join(f"“{code['term'] or code['id']}” ({code['system']} {code['id']})" for code in new[:3])
            told["ask"] += f" New here at that time: {named}."
    return {"kind": one.kind.value, "practice": one.practice, "signals": list(one.signals), **told}


def _verdicts(found: Assessment, speaker: Speaker, conditions: Sequence[str]) -> list[dict[str, Any]]:
    """Verdicts for all practices and for each; `same`: no practice has another verdict, or a reason of its own."""
    told = []
    for condition in conditions:
        mine = [one for one in found.verdicts if one.condition == condition]
        whole = next((one for one in mine if not one.practice), None)
        apart = {
            one.practice for one in mine if one.practice and (one.score_why or (whole and one.score != whole.score))
        }
        counted = people.cases({one.practice: one.cases for one in mine if one.practice})
        told += [
            {
                "condition": condition, "label": speaker.models.get(condition, condition), "practice": one.practice,
                "where": speaker.where(one.practice), "score": one.score,
                "train": None if one.practice else one.train,  # a model learns from all of them
                "apart": one.practice in apart, "same in": 0 if one.practice or apart else len(mine) - 1,
                "score why": [speaker.reason(why) for why in one.score_why],
                "train why": [] if one.practice else [speaker.reason(why) for why in one.train_why],
                "cases": counted[one.practice],
            }
            for one in mine
        ]  # fmt: skip
    return told


def _completeness(
    found: Assessment, definitions: Definitions, labels: Mapping[str, str]
) -> tuple[dict[str, Any], dict[people.Key, int | None]]:
    """Shares by signal and group, and the people of each group."""
    keys = {name for one in definitions.quality for key in one.keys for name in key.any_of}
    keys |= {name for one in definitions.quality for figure in one.figures for name in figure.recorded}
    signals = people.shown_signals(found.asked, keys)
    registered, shares = people.complete(found, signals)
    groups = {grouping: list(names) for grouping, names in GROUPS.items()}
    told = {
        "groups": {
            grouping: [{"group": name, "registered": registered[grouping, name]} for name in names]
            for grouping, names in groups.items()
        },
        "signals": [
            {
                "signal": found.asked.names[place], "label": labels[found.asked.names[place]],
                "all": shares[place][people.ALL],
                **{grouping: [shares[place][grouping, name] for name in names] for grouping, names in groups.items()},
                "practice": {code: shares[place]["practice", code] for code in found.who.codes},
            }
            for place in signals
        ],
    }  # fmt: skip
    return told, registered


def _units(found: Assessment, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Units of values by signal, as shares of the values with a number; and the share of values that can be used."""
    told = []
    units, values = found.counted.units.sum(axis=1), found.counted.values.sum(axis=1)
    usable = found.counted.usable.sum(axis=1)
    for at, signal in enumerate(found.asked.readings):
        if not values[:, at].sum():
            continue
        name = found.asked.names[signal]
        told.append(
            {
                "signal": name, "label": labels[name], "values": int(values[:, at].sum()),
                "usable": float(usable[:, at].sum() / values[:, at].sum()),
                "units": _mix(units[:, at].sum(axis=0), found.asked.units),
                "by practice": {
                    code: _mix(units[place, at], found.asked.units)
                    for place, code in enumerate(found.who.codes) if units[place, at].any()
                },
            }
        )  # fmt: skip
    return told


def _mix(counts: Any, names: Sequence[str]) -> dict[str, float]:
    total = counts.sum()
    order = sorted(counts.nonzero()[0], key=lambda unit: -counts[unit])
    return {str(names[unit] or "none"): round(float(counts[unit] / total), 4) for unit in order}


def _figures(found: Assessment, speaker: Speaker, conditions: Sequence[str]) -> list[dict[str, Any]]:
    told = []
    for one in found.compared:
        if one.condition not in conditions:
            continue
        shown = people.prevalence(one.people.astype(int), one.seen.astype(int), found.who.codes)
        rows = [("", int(one.people.sum()), float(one.expected.sum()))]
        rows += [(code, int(n), float(e)) for code, n, e in zip(found.who.codes, one.people, one.expected, strict=True)]
        told.append(
            {
                "condition": one.condition, "label": speaker.models.get(one.condition, one.condition),
                "figure": one.figure.label, "year": one.figure.year, "source": one.figure.source,
                "unverified": one.figure.unverified, "times": one.figure.times,
                "rows": [
                    {
                        "practice": code, "where": speaker.where(code),
                        "share": people.share(*reversed(shown[("practice", code) if code else people.ALL])),
                        "expected": round(expected / number, 3) if number else None,
                    }
                    for code, number, expected in rows
                ],
            }
        )  # fmt: skip
    return told


def _unused(found: Assessment, store: Store, *, drugs: bool) -> list[dict[str, Any]]:
    codes = people.unused_codes(found, drugs=drugs)
    table = store.codes().take(pa.array([code for code, *_ in codes], pa.int64())).to_pylist()
    return [
        {
            "system": row["system"], "id": row["id"], "term": row["term"] or "", "people": number,
            "by practice": by, "first month": day_of(found.counted.seen_first[code]).strftime("%Y-%m"),
        }
        for row, (code, number, by) in zip(table, codes, strict=True)
    ]  # fmt: skip


def _without_cells(held: Quality) -> list[str]:
    """The extract's own notes; cells stand among the held values, where nothing is said of people."""
    cells = {Cell(reason).note(number) for reason, number in held.held_cells.items()}
    return [note for note in held.notes if note not in cells]


def _notes(found: Assessment, store: Store, definitions: Definitions) -> list[str]:
    from casefinding.records.pseudonyms.opt_outs import says

    known = {"all", "", *definitions.models}
    notes = [
        f"{number:,} contacts name the condition “{condition}”, which no model looks for: not used."
        for condition, number in sorted(store.counts().get("contact_conditions", {}).items())
        if condition not in known
    ]
    if not any(says(row["system"], row["id"]) for row in store.codes().to_pylist()):
        notes.insert(0, NO_OPT_OUTS)
    if found.counted.elsewhere:
        notes.append(
            f"{found.counted.elsewhere:,} entries of the window were made before or after the person’s registrations: "
            "they count for the person, and for no practice’s days, units or rates."
        )
    return notes
