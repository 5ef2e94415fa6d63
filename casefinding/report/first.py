"""The first so many by stacked unmet need: aggregates for planning, and one list for each practice alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefinding.definitions.first import First
from casefinding.definitions.shapes import Definitions
from casefinding.disclosure import FEWEST
from casefinding.files import write_text
from casefinding.recall.text_table import safe_cell
from casefinding.report.clauses import clause_words
from casefinding.report.page import page
from casefinding.report.practice import folder_name
from casefinding.report.segment import GROUP_WORDS, KIND_WORDS, count_words, share_words
from casefinding.report.shapes import Edition
from casefinding.rules.need import TIES

CSV_COLUMNS = (
    "list_id", "index_day", "data_through", "standing", "group_kind", "group_code", "group_name", "measure", "name",
    "label", "people", "withheld",
)  # fmt: skip
LIST_COLUMNS = (
    "list_id", "index_day", "data_through", "standing", "practice", "place", "pseudonym", "born", "sex", "points",
    "needs", "notes",
)  # fmt: skip
GROUPINGS = {**GROUP_WORDS, "core20": "Core20"}


@dataclass(frozen=True)
class Reached:
    """One person of a practice's list: their place among all, the needs with their points, what to arrange."""

    place: int
    pseudonym: str
    born: int | None
    sex: str
    points: int
    needs: Sequence[tuple[str, int]]
    notes: Sequence[str]


@dataclass(frozen=True)
class FirstPeople:
    """What the page shows. `shown`: (unit or group, column) -> a published count, None where it is withheld."""

    first: First
    units: Sequence[tuple[str, str, str]]  # kind, code, name
    groups: Mapping[str, Sequence[tuple[str, Any]]]  # grouping -> (name, key in `shown`)
    shown: Mapping[Any, int | None]
    most_points: int
    left_out: Sequence[str]
    run: str  # the list id of the run whose chances were read, or ""


def write_first(
    found: FirstPeople,
    people: Mapping[str, Sequence[Reached]],
    definitions: Definitions,
    edition: Edition,
    folder: Path,
) -> None:
    """Write first.html and first.csv, and into practices/ each practice's own list."""
    write_text(folder / "first.csv", table(found, edition))
    write_text(
        folder / "first.html",
        page(
            "first.html", edition=edition, up="", found=found, first=found.first, kinds=KIND_WORDS, ties=TIES,
            groupings=GROUPINGS, count=count_words, share=share_words, fewest=FEWEST, title=title_of(found.first),
            words=lambda clause: clause_words(clause, definitions), needs=needs_in_words(found.first, definitions),
        ),
    )  # fmt: skip
    for practice, mine in people.items():
        home = folder / "practices" / folder_name(practice)
        name = f"first_{folder_name(practice)[9:]}_{edition.index_day.isoformat()}_{edition.list_id}.csv"
        write_text(home / name, practice_list(practice, mine, found, edition))


def title_of(first: First) -> str:
    """The config's own title, or what it is."""
    return first.title or f"The first {first.people:,}: people by stacked unmet need"


def needs_in_words(first: First, definitions: Definitions) -> dict[str, str]:
    """Need -> what it asks of a record or of a run."""
    found = {}
    for name, need in first.weighting.items():
        if need.when is not None:
            found[name] = clause_words(need.when, definitions)
        else:
            assert need.chance_of is not None
            assert need.at_least is not None
            model = definitions.models[need.chance_of]
            found[name] = f"{model.label}: chance {model.chance_of} at least {100 * need.at_least:g}%"
    return found


def table(found: FirstPeople, edition: Edition) -> str:
    """Every published count as CSV (UTF-8, CRLF), one row a count: no row is a person."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(CSV_COLUMNS)
    standing = f"aggregates for planning; {found.first.status}{'; made-up records' if edition.made_up else ''}"
    head = (edition.list_id, edition.index_day.isoformat(), edition.data_through.isoformat(), standing)
    names = {(kind, code): (KIND_WORDS[kind].lower(), code, name) for kind, code, name in found.units}
    for grouping, groups in found.groups.items():
        names |= {key: (GROUPINGS[grouping].lower(), name, name) for name, key in groups}
    for (where, column), people in found.shown.items():
        if where in names:
            cells = (*head, *names[where], *_measure(column, found), "" if people is None else str(people),
                     "yes" if people is None else "")  # fmt: skip
            out.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def practice_list(practice: str, people: Sequence[Reached], found: FirstPeople, edition: Edition) -> str:
    """A practice's people among the first as CSV (UTF-8, CRLF), in order, exact; no formulas."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(LIST_COLUMNS)
    standing = f"for this practice alone; {found.first.status}{'; made-up records' if edition.made_up else ''}"
    for one in people:
        cells = (
            edition.list_id, edition.index_day.isoformat(), edition.data_through.isoformat(), standing, practice,
            str(one.place), one.pseudonym, "" if one.born is None else str(one.born), one.sex, str(one.points),
            " | ".join(f"{label} ({points} point{'' if points == 1 else 's'})" for label, points in one.needs),
            " | ".join(one.notes),
        )  # fmt: skip
        out.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def _measure(column: Any, found: FirstPeople) -> tuple[str, str, str]:
    """Measure, name and label of a column."""
    kind, *rest = column
    among = "first" if kind.startswith("first") else "considered"
    if kind in ("points", "first points"):
        number = rest[0]
        return f"points among the {among}", str(number), f"{number}{' or more' if number == found.most_points else ''}"
    if rest:
        return f"need among the {among}", rest[0], found.first.weighting[rest[0]].label
    labels = {
        "registered": "Registered", "considered": "May be ranked", "in need": "With a need", "first": "Among the first"
    }  # fmt: skip
    return kind, "", labels[kind]
