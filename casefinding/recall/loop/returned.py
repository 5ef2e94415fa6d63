"""What a practice sends back, as rows: a workbook or a CSV, however it was sorted, filtered, moved about or saved."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from casefinding.errors import RecordsError
from casefinding.recall.loop.ledger import OUTCOMES
from casefinding.recall.loop.opened import Formula, Opened, Sheet, looks_identified, open_file, plain, text_of

PSEUDONYM, OUTCOME_SAID, ON, DIAGNOSED_WITH = "pseudonym", "outcome", "outcome date", "diagnosed with"
LIST, PRACTICE = "list id", "practice"
NEEDED = (PSEUDONYM, OUTCOME_SAID, ON)
"""Headers without which a sheet of a workbook cannot be read; those of a CSV are in NEEDED_IN_A_CSV."""
NEEDED_IN_A_CSV = (LIST, PRACTICE, *NEEDED)
IDENTITY = ("born, sex", "born", "sex", "year of birth")
"""Headers of what tells two people apart who bear one pseudonym."""
_OURS = frozenset((
    *NEEDED_IN_A_CSV, *IDENTITY, DIAGNOSED_WITH, "no.", "number", "lane", "for", "concerns", "what to do", "do",
    "chance, if tested", "chance if tested", "why", "against, and missing", "against", "missing", "what is known",
    "group", "rules", "invitation", "scores in use", "please note", "notes",
))  # fmt: skip
"""Headers of the sheets that are to be filled in."""
_FEWEST_OURS = 5
"""So many of them tell a sheet of ours, whichever were deleted; what has changed since last month shares three."""
_LOOKED_THROUGH = 60  # rows in which a header is looked for


@dataclass(frozen=True)
class Row:
    """One person's row of a sheet, as it was sent: nothing is checked but where it stands.

    `row` is the number that a spreadsheet shows; `on` is a day where the cell held one, else its text (or a number).
    `formula` names the column in which something computes; `born_sex` is what else tells who the person is.
    """

    sheet: str
    row: int
    list_id: str
    practice: str
    pseudonym: str
    outcome: str
    diagnosed: str
    on: dt.date | float | str | None
    born_sex: str = ""
    formula: str = ""

    @property
    def filled(self) -> bool:
        """Whether somebody has written anything down."""
        return bool(self.outcome or self.diagnosed or self.formula) or self.on not in (None, "")


@dataclass(frozen=True)
class Returned:
    """One file that came back."""

    file: str
    sha256: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Issued:
    """What the ledger knows of each list, for recognising it: its practices; and every pseudonym that was issued."""

    practices: Mapping[str, frozenset[str]]
    pseudonyms: frozenset[str]

    @classmethod
    def of(cls, lists: pa.Table) -> Issued:
        """From the lists of a ledger (ledger.LISTED)."""
        practices: dict[str, set[str]] = {}
        for list_id, practice in zip(lists["list_id"].to_pylist(), lists["practice"].to_pylist(), strict=True):
            practices.setdefault(list_id, set()).add(practice)
        return cls(
            {name: frozenset(codes) for name, codes in practices.items()}, frozenset(lists["pseudonym"].to_pylist())
        )


@dataclass(frozen=True)
class _Marks:
    """Words among which a list and a practice are looked for: nearest first."""

    near: str
    cover: Mapping[str, str] = field(default_factory=dict)  # what stands beside "List" and "Practice"
    far: str = ""


def read_returned(path: Path, issued: Issued) -> Returned:
    """Read one file that came back; every person's row on it, filled in or not.

    Columns and sheets are found by their headers, so their order and what was added do not matter. Raises RecordsError,
    and so refuses the whole file, if it is neither a workbook (.xlsx) nor CSV, if a needed column was deleted, if its
    list or practice is not one of the ledger's, or if anything in it looks like an NHS number.
    """
    opened = open_file(path)
    _refuse_identified(opened, issued, path.name)
    sheets, far = opened.sheets, opened.properties
    needed = NEEDED if opened.is_workbook else NEEDED_IN_A_CSV
    cover = _cover(sheets)
    rows: list[Row] = []
    found = False
    for sheet in sheets:
        header = _header(sheet, needed, path.name)
        if header is None:
            _refuse_headless(sheet, issued, path.name)
            continue
        found = True
        rows += _rows(sheet, header, cover, far, issued, path.name)
    if not found:
        raise RecordsError(
            "no sheet has the columns of a recall list"
            if opened.is_workbook
            else "not a recall list: its columns are missing",
            where=path.name,
            hint=f"send the list itself back; it has columns {', '.join(repr(name) for name in NEEDED)}",
        )
    return Returned(path.name, hashlib.sha256(opened.content).hexdigest(), tuple(rows))


def _refuse_identified(opened: Opened, issued: Issued, file: str) -> None:
    for sheet in opened.sheets:
        texts = [
            *(
                (number, text_of(cell))
                for number, cells in sheet.rows
                for cell in cells
                if isinstance(cell, str | int | float)
            ),
            *((0, note) for note in (*sheet.notes, sheet.margins, sheet.name, opened.properties)),
        ]
        for number, text in texts:
            if looks_identified(text) and text not in issued.pseudonyms:
                row = f", row {number}" if number else ""
                raise RecordsError(
                    "holds what looks like an NHS number: this file must not leave the practice; nothing was read",
                    where=f"{file}{f', {sheet.name}' if number and sheet.name else ''}{row}",
                    hint="delete it here, and ask for the list with pseudonyms, which came without names",
                )


def _header(sheet: Sheet, needed: tuple[str, ...], file: str) -> tuple[int, dict[str, int]] | None:
    """The number of the header's row and the place of each column; None where the sheet is none of ours."""
    best: tuple[int, list[str]] = 0, []
    for number, cells in sheet.rows[:_LOOKED_THROUGH]:
        names = [plain(cell) if isinstance(cell, str) else "" for cell in cells]
        if len(_OURS & set(names)) > len(_OURS & set(best[1])):
            best = number, names
    number, names = best
    ours = _OURS & set(names)
    if len(ours) < _FEWEST_OURS and len(ours & set(needed)) < 2:
        return None
    where = f"{file}, {sheet.name}" if sheet.name else file
    missing = [name for name in needed if name not in names]
    if missing:
        columns = " and ".join(repr(name.capitalize() if sheet.name else name.replace(" ", "_")) for name in missing)
        raise RecordsError(
            f"column {columns} is missing; nothing of this file was read",
            where=where,
            hint="put the header back where it was, or copy the outcomes into a fresh copy of the list",
        )
    twice = [name for name in (*needed, DIAGNOSED_WITH) if names.count(name) > 1]
    if twice:
        raise RecordsError(
            f"column '{twice[0].capitalize()}' stands there twice; nothing of this file was read",
            where=where,
            hint="keep the one that counts",
        )
    return number, {name: place for place, name in reversed(list(enumerate(names))) if name}


def _refuse_headless(sheet: Sheet, issued: Issued, file: str) -> None:
    """A sheet whose header row was deleted: people of a list stand on it, and an outcome that nothing names."""
    words = {plain(word) for word in OUTCOMES}
    for number, cells in sheet.rows:
        texts = {text_of(cell) for cell in cells}
        if texts & issued.pseudonyms and {plain(text) for text in texts} & words:
            raise RecordsError(
                "people and outcomes stand here, but the row of headers is missing; nothing of this file was read",
                where=f"{file}, {sheet.name}, row {number}" if sheet.name else f"{file}, row {number}",
                hint="put the header back where it was, or copy the outcomes into a fresh copy of the list",
            )


def _cover(sheets: list[Sheet]) -> dict[str, str]:
    """What stands beside "List" and "Practice", on whichever sheet."""
    found: dict[str, str] = {}
    for sheet in sheets:
        for _, cells in sheet.rows[:_LOOKED_THROUGH]:
            texts = [text for cell in cells if (text := text_of(cell))]
            if len(texts) >= 2 and plain(texts[0]) in ("list", LIST, "practice code"):
                found.setdefault(plain(texts[0]).split()[0], texts[1])
    return found


def _rows(
    sheet: Sheet, header: tuple[int, dict[str, int]], cover: Mapping[str, str], far: str, issued: Issued, file: str
) -> Iterator[Row]:
    number_of_header, places = header
    above = " ".join(
        text_of(cell) for number, cells in sheet.rows if number < number_of_header for cell in cells if cell
    )
    marks = _Marks(f"{above} {sheet.margins}", cover, far)
    by_sheet: tuple[str, str] | None = None
    for number, cells in sheet.rows:
        if number <= number_of_header:
            continue

        def cell(name: str, cells: list[Any] = cells) -> Any:
            place = places.get(name)
            return cells[place] if place is not None and place < len(cells) else None

        asked = {name: cell(name) for name in (PSEUDONYM, OUTCOME_SAID, ON, DIAGNOSED_WITH)}
        if not any(text_of(value) for value in asked.values()):
            continue
        if LIST in places and PRACTICE in places:
            list_id, practice = text_of(cell(LIST)), text_of(cell(PRACTICE))
            _check_names(list_id, practice, issued, file)
        else:
            by_sheet = by_sheet or _named(marks, issued, f"{file}, {sheet.name}")
            list_id, practice = by_sheet
        on = asked[ON]
        if isinstance(on, dt.datetime):
            on = on.date()
        yield Row(
            sheet=sheet.name,
            row=number,
            list_id=list_id,
            practice=practice,
            pseudonym=text_of(asked[PSEUDONYM]),
            outcome=_said(asked[OUTCOME_SAID]),
            diagnosed=_said(asked[DIAGNOSED_WITH]),
            on=on if isinstance(on, dt.date | float | int) and not isinstance(on, bool) else _said(on),
            born_sex=" ".join(" ".join(text_of(cell(name)).split()) for name in IDENTITY if cell(name) is not None),
            formula=next((name for name, value in asked.items() if isinstance(value, Formula)), ""),
        )


def _said(cell: Any) -> str:
    """What somebody wrote; a dash says nothing."""
    text = text_of(cell)
    return "" if text.strip("-–—. ") == "" else text


def _check_names(list_id: str, practice: str, issued: Issued, file: str) -> None:
    """A row that names its list and practice; one that names no list is refused by itself, not with its file."""
    if list_id and list_id not in issued.practices:
        raise _unknown_list(list_id, file)
    if list_id and practice and practice not in issued.practices[list_id]:
        raise _other_practice(list_id, file)


def _named(marks: _Marks, issued: Issued, where: str) -> tuple[str, str]:
    """The list and the practice that a sheet names: above its header, in its margins, on the cover, in the file."""
    beside = marks.cover.get("list", "")
    for text in (marks.near, beside, marks.far):
        lists = [name for name in issued.practices if _word(name, text)]
        if len(lists) == 1:
            break
    else:
        told = re.search(r"\b[0-9a-f]{8}\b", f"{marks.near} {beside} {marks.far}")
        if told:
            raise _unknown_list(told[0], where)
        raise RecordsError(
            "does not say which list it is", where=where, hint="send the file back with its cover, page header and all"
        )
    known = issued.practices[lists[0]]
    for text in (marks.near, marks.cover.get("practice", ""), marks.far):
        practices = [code for code in known if _word(code, text)]
        if len(practices) == 1:
            return lists[0], practices[0]
    raise _other_practice(lists[0], where)


def _unknown_list(list_id: str, where: str) -> RecordsError:
    return RecordsError(
        f"list {list_id[:40]} is not in the ledger; nothing of this file was read",
        where=where,
        hint="`casefinding outcomes read` needs the ledger of the run that issued it: --ledger",
    )


def _other_practice(list_id: str, where: str) -> RecordsError:
    return RecordsError(
        f"names no practice that list {list_id} was made for; nothing of this file was read",
        where=where,
        hint="was it made for another network, or was the practice's code changed?",
    )


def _word(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None
