"""The population in levels: one page and one table of published counts; nobody can be seen in either."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefinding.definitions import segments as asked
from casefinding.definitions.clauses import Clause
from casefinding.definitions.shapes import Definitions
from casefinding.disclosure import FEWEST
from casefinding.files import write_text
from casefinding.recall.text_table import safe_cell
from casefinding.report.clauses import clause_words
from casefinding.report.page import page
from casefinding.report.shapes import Edition

CSV_COLUMNS = (
    "list_id", "index_day", "data_through", "standing", "group_kind", "group_code", "group_name", "measure", "name",
    "label", "level", "people", "withheld",
)  # fmt: skip
KIND_WORDS = {"all": "Everybody", "place": "Place", "pcn": "Network", "practice": "Practice"}
GROUP_WORDS = {"age": "Age", "sex": "Sex", "ethnicity": "Ethnic group"}
WITHHELD = "withheld"


@dataclass(frozen=True)
class Counted:
    """A condition, a risk or a flag, and how many of everybody have it (None: withheld)."""

    name: str
    flag: asked.Flag
    people: int | None


@dataclass(frozen=True)
class Area:
    """A clinical area: whom it concerns, and of them who lacks what; `known` is false where the records cannot tell."""

    name: str
    area: asked.Area
    people: int | None
    gaps: Sequence[tuple[str, Clause, int | None]]
    known: bool


@dataclass(frozen=True)
class Segmented:
    """What the page shows. `shown`: (unit or group, column) -> a published count, None where it is withheld."""

    segments: asked.Segments
    units: Sequence[tuple[str, str, str]]  # kind, code, name; everybody first, then from place to practice
    groups: Mapping[str, Sequence[tuple[str, Any]]]  # grouping -> (name, key in `shown`)
    shown: Mapping[Any, int | None]
    conditions: Sequence[Counted]
    risks: Sequence[Counted]
    plus: Sequence[Counted]
    areas: Sequence[Area]
    not_used: int | None


def count_words(count: int | None) -> str:
    """A published count as a page shows it.

    >>> count_words(1235), count_words(None)
    ('1,235', 'withheld')
    """
    return WITHHELD if count is None else f"{count:,}"


def share_words(part: int | None, whole: int | None) -> str:
    """A share of two published counts in whole per cent, or nothing where either is withheld or there is nobody.

    >>> share_words(45, 100), share_words(10, 5000), share_words(None, 100), share_words(5, 0)
    ('45%', 'under 1%', '', '')
    """
    if part is None or not whole:
        return ""
    if 0 < 100 * part < whole:
        return "under 1%"
    return f"{100 * part / whole:.0f}%"


def write_segment(found: Segmented, definitions: Definitions, edition: Edition, folder: Path) -> None:
    """Write segment.html and segment.csv."""
    write_text(folder / "segment.csv", table(found, edition))
    write_text(
        folder / "segment.html",
        page(
            "segment.html", edition=edition, up="", found=found, segments=found.segments, kinds=KIND_WORDS,
            groupings=GROUP_WORDS, count=count_words, share=share_words, fewest=FEWEST,
            words=lambda clause: clause_words(clause, definitions),
        ),
    )  # fmt: skip


def table(found: Segmented, edition: Edition) -> str:
    """Every published count as CSV (UTF-8, CRLF), one row a count: no row is a person."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(CSV_COLUMNS)
    standing = f"aggregates for planning; {found.segments.status}{'; made-up records' if edition.made_up else ''}"
    head = (edition.list_id, edition.index_day.isoformat(), edition.data_through.isoformat(), standing)
    names = {(kind, code): (KIND_WORDS[kind].lower(), code, name) for kind, code, name in found.units}
    for grouping, groups in found.groups.items():
        names |= {key: (GROUP_WORDS[grouping].lower(), name, name) for name, key in groups}
    labels = dict(_labels(found.segments))
    for (where, column), people in found.shown.items():
        if where in names:
            measure, name, level, label = labels[column]
            cells = (*head, *names[where], measure, name, label, level, "" if people is None else str(people),
                     "yes" if people is None else "")  # fmt: skip
            out.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def _labels(segments: asked.Segments) -> Iterator[tuple[Any, tuple[str, str, str, str]]]:
    """Column -> measure, name, level, label."""
    yield ("registered",), ("registered", "", "", "Registered")
    for level, one in segments.levels.items():
        yield ("level", level), ("level", level, level, one.label)
        for name, part in one.parts.items():
            yield ("part", name), ("part of a level", name, level, part.label)
    for section, flags in (("condition", segments.conditions), ("risk", segments.risks)):
        for name, flag in flags.items():
            yield (section, name), (section, name, "", flag.label)
    for name, flag in {"core20": segments.core20, **segments.plus}.items():
        yield ("plus", name), ("flag", name, "", flag.label)
        for level, one in segments.levels.items():
            yield ("plus", name, level), ("flag", name, level, f"{flag.label}: {one.label}")
    for name, area in segments.areas.items():
        yield ("area", name), ("clinical area", name, "", area.label)
        for label in area.gaps:
            yield ("gap", name, label), ("gap in a clinical area", name, "", f"{area.label}: {label}")
