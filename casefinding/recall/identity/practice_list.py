"""One practice's list as it was received, a workbook or CSV: whose it is, who is on it, in which lane."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from casefinding.errors import RecordsError
from casefinding.recall.text_table import TextTable, is_formula, named, places, plain, read_text_table

SHEETS = {
    "act now": "act now",
    "check the reading": "check the reading",
    "review the record": "review the record",
    "chase the result": "chase the result",
    "invite": "invite",
    "not measured lately": "never measured",
    "reach differently": "reach differently",
}
"""The sheets of people in lower case, and what each is called in CSV."""
BY_CHANCE = ("invite", "never measured")
"""The sheets whose people are invited by letter or text."""
REACH_DIFFERENTLY = "reach differently"
NHS_NUMBER = "nhs_number"
CSV_NEEDS = ("list_id", "practice", "lane", "pseudonym", "outcome", "outcome_date")
SHEET_NEEDS = ("what_to_do", "outcome", "outcome_date")
AGAIN = "use the file as it was received, with every column"
_WAVE = re.compile(r"(?:.*: )?([1-9])(?:st|nd|rd|th) invitation")  # as words.invitation says it
_NOTHING = ("", "–", "-")
_HEADER_WITHIN = 20  # rows of a sheet in which its header stands
_MOST_BYTES = 60_000_000  # of a workbook when it is unpacked
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """One row with a person: where it stands, and what is needed of it. `sheet` is empty where it is no lane's.

    `visit`: what they are invited to, in the list's words, empty where it does not say; `wave`: which invitation, or 0.
    """

    place: str  # "sheet 'Invite' row 7" or "row 7"
    sheet: str
    pseudonym: str
    born: int | None
    outcome: str
    visit: str = ""
    wave: int = 0


@dataclass(frozen=True)
class PeopleSheet:
    """A sheet of a workbook that names people; `lane` is empty for those beside the lanes (who left the list ...)."""

    title: str
    header_row: int
    columns: dict[str, int]  # header as compared -> column, from 1
    rows: tuple[tuple[int, str], ...]  # row number, pseudonym
    lane: str
    list_id: str = ""  # as the rows above the header say it
    practice: str = ""


@dataclass(frozen=True)
class PracticeList:
    """A list; `people` are those of the lanes, `others` stand on sheets beside them."""

    practice: str
    list_id: str
    index_day: str  # ISO, empty where the file does not say it
    people: tuple[Listed, ...]
    others: tuple[Listed, ...]
    says_reach: bool  # whether it says who must be reached in another way than by letter or text
    table: TextTable | None = None
    book: Any = None  # openpyxl's
    sheets: tuple[PeopleSheet, ...] = ()

    @property
    def stem(self) -> str:
        """The name that every file made from the list begins with."""
        return "_".join(part for part in ("recall", self.practice, self.index_day, self.list_id) if part)


def read_practice_list(content: bytes, where: str, *, identified: bool = False) -> PracticeList:
    """Read a list from the bytes of a workbook or CSV file; `identified`: one that casefinding put NHS numbers into.

    Raises RecordsError for a file that is neither, is broken, lacks a column, holds a formula, lists of two practices
    or a person twice; never with a value of it.
    """
    if content.startswith(b"PK\x03\x04"):
        found = _of_book(_open_book(content, where), where)
    else:
        found = _of_table(read_text_table(content, where), where)
    holds = any(NHS_NUMBER in sheet.columns for sheet in found.sheets) or (
        found.table is not None and NHS_NUMBER in map(named, found.table.header)
    )
    if holds and not identified:
        raise RecordsError("the list holds NHS numbers already", where=where, hint="use the list as it was received")
    if identified and not holds:
        raise RecordsError("the list holds no NHS numbers", where=where, hint="it can be sent back as it is")
    first: dict[str, str] = {}
    for person in found.people:
        if person.pseudonym in first:
            raise RecordsError(
                "one pseudonym stands twice on the list",
                where=f"{where}, {first[person.pseudonym]} and {person.place}",
                hint="one of them is another person: ask for the list again",
            )
        first[person.pseudonym] = person.place
    if not found.people and not found.others:
        raise RecordsError("nobody is on the list", where=where)
    return found


def _of_table(table: TextTable, where: str) -> PracticeList:
    at = places(table.header, where)
    for name in CSV_NEEDS:
        if name not in at:
            raise RecordsError(f"column '{name}' is missing", where=where, hint=AGAIN)
    people = []
    for row, number in zip(table.rows, table.numbers, strict=True):
        if any(is_formula(cell) for cell in row):
            raise RecordsError("a formula stands in a cell", where=f"{where}:{number}", hint="take it out, or " + AGAIN)
        cells = {name: plain(row[column].strip()) for name, column in at.items()}
        if not cells["pseudonym"]:
            raise RecordsError("a row has no pseudonym", where=f"{where}:{number}", hint=AGAIN)
        lane = cells.get("sheet") or cells["lane"]
        if cells.get("reach") and lane in BY_CHANCE:
            lane = REACH_DIFFERENTLY
        if lane not in SHEETS.values():
            raise RecordsError("a row has a lane that no list has", where=f"{where}:{number}", hint=AGAIN)
        visit, wave = _visit(cells.get("visit", "").split("; ")), cells.get("wave", "")
        people.append(
            Listed(
                f"row {number}", lane, cells["pseudonym"], _year(cells.get("born", "")), cells["outcome"],
                visit, int(wave) if re.fullmatch("[1-9]", wave) else 0,
            )
        )  # fmt: skip
    whose = {name: {row[at[name]].strip() for row in table.rows} for name in ("practice", "list_id")}
    days = {row[at["index_day"]].strip() for row in table.rows} if "index_day" in at else set()
    return PracticeList(
        _code(_one(whose["practice"], "practices", where), "practice", where),
        _code(_one(whose["list_id"], "issues", where), "list id", where),
        _day(days.pop()) if len(days) == 1 else "", tuple(people), (), "sheet" in at or "reach" in at, table=table,
    )  # fmt: skip


def _one(values: set[str], what: str, where: str) -> str:
    """The only one of several values, empty where there is none."""
    if len(values) > 1:
        raise RecordsError(
            f"lists of {len(values)} {what} in one file", where=where, hint="one file for each list, as it was received"
        )
    return next(iter(values), "")


def _open_book(content: bytes, where: str) -> Any:
    """A workbook that holds neither macros nor links to other files nor more than it could honestly hold."""
    import openpyxl

    broken = RecordsError("the workbook cannot be read: it is broken or locked", where=where, hint=AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            names = parts.namelist()
            if sum(part.file_size for part in parts.infolist()) > _MOST_BYTES:
                raise RecordsError("the workbook is too large when it is unpacked", where=where, hint=AGAIN)
            if any("vbaproject" in name.lower() or "externallink" in name.lower() for name in names):
                raise RecordsError("the workbook holds macros or links to other files", where=where, hint=AGAIN)
            xml = [name for name in names if name.lower().endswith((".xml", ".rels", ".vml"))]
            if any(b"<!DOCTYPE" in text or b"<!ENTITY" in text for text in map(parts.read, xml)):
                raise broken
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what openpyxl does not write again
            return openpyxl.load_workbook(io.BytesIO(content), keep_links=False, rich_text=True)
    except RecordsError:
        raise
    except Exception:  # whatever is wrong inside: a message of the library could hold what a cell says
        raise broken from None


def _of_book(book: Any, where: str) -> PracticeList:
    sheets = tuple(sheet for sheet in (_people_sheet(one, where) for one in book.worksheets) if sheet is not None)
    people: list[Listed] = []
    others: list[Listed] = []
    for sheet in sheets:
        born = next((column for name, column in sheet.columns.items() if name.startswith("born")), 0)
        cells = book[sheet.title]
        for row, pseudonym in sheet.rows:
            place = f"sheet '{sheet.title}' row {row}" if sheet.lane else f"row {row} of another sheet"
            outcome = _text(cells.cell(row, sheet.columns["outcome"])) if sheet.lane else ""
            year = _year(_text(cells.cell(row, born))) if born else None
            at = sheet.columns.get("invitation", 0) if sheet.lane else 0
            visit, wave = _invitation(_text(cells.cell(row, at))) if at else ("", 0)
            (people if sheet.lane else others).append(Listed(place, sheet.lane, pseudonym, year, outcome, visit, wave))
    if not any(sheet.lane for sheet in sheets):
        raise RecordsError("no sheet of the workbook is a sheet of a recall list", where=where, hint=AGAIN)
    cover = _cover(book)
    by_name = re.search(r"\(([^()]+)\)$", cover.get("practice", ""))
    practices = {sheet.practice for sheet in sheets} | ({by_name[1]} if by_name else set())
    lists = {sheet.list_id for sheet in sheets} | {cover.get("list", "").split(" ")[0]}
    return PracticeList(
        _code(_one(practices - {""}, "practices", where), "practice", where),
        _code(_one(lists - {""}, "issues", where), "list id", where),
        _day(cover.get("index_day", "")), tuple(people), tuple(others),
        any(sheet.lane == REACH_DIFFERENTLY for sheet in sheets), book=book, sheets=sheets,
    )  # fmt: skip


def _invitation(text: str) -> tuple[str, int]:
    """The visit and the invitation that a cell of a workbook names, a line each; of several invitations the last.

    >>> _invitation("2nd invitation\\nVisit to the practice"), _invitation("–")
    (('Visit to the practice', 2), ('', 0))
    """
    lines = [line.strip() for line in plain(text).splitlines()]
    waves = [int(found[1]) if (found := _WAVE.fullmatch(line)) else 0 for line in lines]
    return _visit([line for line, wave in zip(lines, waves, strict=True) if not wave]), max(waves, default=0)


def _visit(labels: Sequence[str]) -> str:
    """The labels of what is offered at one visit in one text, with a capital as in the workbook."""
    kept = (label.strip() for label in labels)
    return "; ".join(dict.fromkeys(label[:1].upper() + label[1:] for label in kept if label not in _NOTHING))


def _people_sheet(sheet: Any, where: str) -> PeopleSheet | None:
    """A sheet that names people; None for the cover and the like.

    Cells that are there are read, not the rectangle around them: a border down to the last row would make it endless.
    """
    lane = SHEETS.get(sheet.title.strip().lower(), "")
    place = f"{where}, sheet '{sheet.title}'" if lane else where
    cells: dict[int, dict[int, Any]] = {}
    for (row, column), cell in sorted(sheet._cells.items()):
        if cell.data_type == "f":
            spot = f"{place}, cell {cell.coordinate}"
            raise RecordsError("a formula stands in a cell", where=spot, hint="take it out, or " + AGAIN)
        if cell.value is not None:
            cells.setdefault(row, {})[column] = cell
    header_row, columns = _header(cells)
    lost = [name for name in ("pseudonym", *(SHEET_NEEDS if lane else ())) if name not in columns]
    if lost and (lane or header_row):
        shown = lost[0].replace("_", " ").capitalize()
        raise RecordsError(f"column '{shown}' is missing", where=place, hint=AGAIN)
    if not header_row:
        return None
    rows = []
    for number in [number for number in cells if number > header_row]:
        cell = cells[number].get(columns["pseudonym"])
        pseudonym = plain(_text(cell)) if cell is not None else ""
        if cell is not None and pseudonym and cell.data_type != "s":
            raise RecordsError("a pseudonym is not text", where=f"{place}, row {number}", hint=AGAIN)
        if pseudonym and (lane or len(cells[number]) > 1):  # a heading between rows stands alone in its row
            rows.append((number, pseudonym))
        elif lane and columns["what_to_do"] in cells[number]:
            raise RecordsError("a row has no pseudonym", where=f"{place}, row {number}", hint=AGAIN)
    above = [_text(cell) for number in cells if number < header_row for cell in cells[number].values()]
    beside = dict(pairwise(above))
    list_id, practice = plain(beside.get("List", "")), plain(beside.get("Practice", ""))
    return PeopleSheet(sheet.title, header_row, columns, tuple(rows), lane, list_id, practice)


def _header(cells: dict[int, dict[int, Any]]) -> tuple[int, dict[str, int]]:
    """The row of the headers and the column of each; 0 where no row is one. Sheets share "Pseudonym", lanes more."""
    for number in [number for number in cells if number <= _HEADER_WITHIN]:
        names: dict[str, int] = {}
        for column, cell in cells[number].items():
            names.setdefault(named(_text(cell)), column)
        if "pseudonym" in names or len(set(SHEET_NEEDS) & set(names)) >= 2:
            return number, names
    return 0, {}


def _cover(book: Any) -> dict[str, str]:
    """What the cover says: label in the first column, value in the second."""
    sheet = next((one for one in book.worksheets if one.title.strip().lower() == "cover"), book.worksheets[0])
    told: dict[str, str] = {}
    for label, value in sheet.iter_rows(max_row=100, min_col=1, max_col=2):
        told.setdefault(named(_text(label)), plain(_text(value)))
    return told


def _text(cell: Any) -> str:
    return "" if cell.value is None else str(cell.value).strip()


def _code(text: str, what: str, where: str) -> str:
    """A code that goes into file names: letters, digits, dash and underscore only."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise RecordsError(f"the list does not say its {what}", where=where, hint=AGAIN)
    return text


def _year(text: str) -> int | None:
    found = re.match(r"\s*((?:18|19|20)[0-9]{2})(?![0-9])", text)
    return int(found[1]) if found else None


def _day(text: str) -> str:
    """A day in words ("1 October 2026") or as 01/10/2026, as ISO; empty where it is none."""
    words = re.match(r"([0-9]{1,2}) ([A-Za-z]+) ([0-9]{4})", text)
    if words and words[2].lower() in _MONTHS:
        return f"{words[3]}-{_MONTHS.index(words[2].lower()) + 1:02d}-{int(words[1]):02d}"
    figures = re.fullmatch(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", text)
    if figures:
        return f"{figures[3]}-{figures[2]}-{figures[1]}"
    return text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else ""
