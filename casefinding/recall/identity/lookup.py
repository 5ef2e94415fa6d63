"""The practice's own lookup: which pseudonym is which NHS number. It is read in the practice and never leaves it."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from casefinding import nhs_number
from casefinding.errors import RecordsError
from casefinding.recall.text_table import TextTable, is_formula, places, plain, read_text_table, some

NEEDED = ("pseudonym", "nhs_number")
OPTIONAL = ("practice", "date_of_birth", "emis_number", "telecom_number", "name")
"""Columns that a lookup may have beside those it needs; any other column is not read."""
SIGNED = {"telecom_number": ("+",), "pseudonym": ("+", "-")}
"""Columns whose honest values may begin with a sign; neither is ever written out with it."""
EXAMPLE = "casefinding reads columns pseudonym, nhs_number and, if there, " + ", ".join(OPTIONAL)
_TELECOM = re.compile(r"\+?[0-9]{7,15}")
_EMIS = re.compile(r"[0-9A-Za-z]{1,20}")


@dataclass(frozen=True)
class Patient:
    """One row of a lookup; `nhs_number` is ten digits, or empty where the practice has none for them."""

    row: int
    nhs_number: str
    date_of_birth: dt.date | None = None
    emis_number: str = ""
    telecom_number: str = ""
    name: str = ""


@dataclass(frozen=True)
class Lookup:
    """Every patient of a practice by pseudonym, checked row by row."""

    patients: dict[str, Patient]
    columns: frozenset[str]
    names_practice: bool

    def known(self, pseudonym: str) -> Patient | None:
        """The patient of a pseudonym, None where the lookup does not have them or has no NHS number for them."""
        found = self.patients.get(pseudonym)
        return found if found is not None and found.nhs_number else None


def read_lookup(content: bytes, where: str, practice: str) -> Lookup:
    """Read and check the lookup of one practice; RecordsError says which rows are wrong, never what stands in them.

    Refused whole: a row that names another practice, a pseudonym with two NHS numbers, two people with one NHS number,
    an NHS number that is none or that a spreadsheet has spoilt, a formula, a date that is none.
    """
    table = read_text_table(content, where)
    at = places(table.header, where)
    lost = [name for name in NEEDED if name not in at]
    if lost:
        raise RecordsError(f"column '{lost[0]}' is missing", where=where, hint=EXAMPLE)
    used = {name: at[name] for name in (*NEEDED, *OPTIONAL) if name in at}
    _no_formulas(table, used, where)
    _one_practice(table, used, where, practice)
    patients = [_patient(row, number, used, where) for row, number in zip(table.rows, table.numbers, strict=True)]
    found: dict[str, Patient] = {}
    by_number: dict[str, str] = {}
    for row, patient in zip(table.rows, patients, strict=True):
        pseudonym = plain(row[used["pseudonym"]].strip())
        if not pseudonym:
            raise RecordsError("a row has no pseudonym", where=f"{where}:{patient.row}", hint="take the row out")
        before = found.get(pseudonym)
        if before is not None and _content(before) != _content(patient):
            what = "NHS numbers" if before.nhs_number != patient.nhs_number else "details"
            raise RecordsError(
                f"one pseudonym stands twice with different {what}",
                where=f"{where}, {some([before.row, patient.row])}",
                hint="one pseudonym is one person: make the lookup again",
            )
        first = by_number.get(patient.nhs_number)
        if patient.nhs_number and first not in (None, pseudonym):
            raise RecordsError(
                "two people with one NHS number",
                where=f"{where}, {some([found[str(first)].row, patient.row])}",
                hint="one of the two rows is somebody else's: make the lookup again",
            )
        found.setdefault(pseudonym, patient)
        by_number.setdefault(patient.nhs_number, pseudonym)
    return Lookup(found, frozenset(used), "practice" in used)


def _content(patient: Patient) -> tuple:
    return (
        patient.nhs_number, patient.date_of_birth, patient.emis_number, patient.telecom_number, patient.name,
    )  # fmt: skip


def _patient(row: Sequence[str], number: int, used: dict[str, int], where: str) -> Patient:
    def cell(name: str) -> str:
        text = row[used[name]].strip() if name in used else ""
        return "" if text in ("-", "–") else text

    digits = nhs_number.digits_of(cell("nhs_number"))
    wrong = nhs_number.what_is_wrong(digits) if digits else ""
    if wrong:
        hint = "make the lookup again with NHS numbers as text; a spreadsheet that opens a CSV spoils them"
        raise RecordsError(f"an NHS number is not right: {wrong}", where=f"{where}:{number}", hint=hint)
    return Patient(
        number,
        digits,
        _day(cell("date_of_birth"), f"{where}:{number}"),
        _code(cell("emis_number"), "emis_number", _EMIS, f"{where}:{number}"),
        _telecom(cell("telecom_number"), f"{where}:{number}"),
        _name(cell("name"), f"{where}:{number}"),
    )


def _day(text: str, where: str) -> dt.date | None:
    """A date as 31/12/1960 or 1960-12-31, with or without a midnight behind it; anything else is refused."""
    if not text:
        return None
    text = re.sub(r"[T ]00:00(:00(\.0+)?)?$", "", text)
    for form in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            day = dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
        if 1890 <= day.year <= 2100:
            return day
    raise RecordsError("a date of birth is not right", where=where, hint="write it as 31/12/1960 or 1960-12-31")


def _code(text: str, name: str, form: re.Pattern[str], where: str) -> str:
    if text and not form.fullmatch(text):
        raise RecordsError(f"a cell of column '{name}' is not right", where=where, hint="letters and digits only")
    return text


def _telecom(text: str, where: str) -> str:
    """A telephone number without its gaps; +44 becomes 0 and another + becomes 00, since + begins a formula."""
    plain = re.sub(r"[\s().\-]+", "", text)
    plain = _code(plain, "telecom_number", _TELECOM, where)
    return re.sub(r"^\+44(0)?", "0", plain) if plain.startswith("+44") else plain.replace("+", "00")


def _name(text: str, where: str) -> str:
    """A name to greet somebody with: letters and the signs that names have, at most 100 of them."""
    spoken = all(unicodedata.category(sign)[0] in "LM" or sign in " '’`.,-()" for sign in text)
    if len(text) > 100 or not spoken:
        raise RecordsError(
            "a name holds signs that no name has", where=where, hint="letters, spaces, hyphens and apostrophes only"
        )
    return text


def _no_formulas(table: TextTable, used: dict[str, int], where: str) -> None:
    for row, number in zip(table.rows, table.numbers, strict=True):
        for name, column in used.items():
            cell = row[column]
            signed = name in SIGNED and cell.strip().startswith(SIGNED[name])
            if (is_formula(cell) or is_formula(cell.strip())) and not signed:
                raise RecordsError(
                    f"a formula stands in column '{name}'",
                    where=f"{where}:{number}",
                    hint="type the value itself; a cell may not begin with = + - @ or a tab",
                )


def _one_practice(table: TextTable, used: dict[str, int], where: str, practice: str) -> None:
    if "practice" not in used:
        return
    others = [
        number
        for row, number in zip(table.rows, table.numbers, strict=True)
        if row[used["practice"]].strip() and row[used["practice"]].strip().upper() != practice.upper()
    ]
    if others:
        raise RecordsError(
            "the lookup names another practice than the list",
            where=f"{where}, {some(others)}",
            hint=f"the list is for {practice}: use that practice's own lookup",
        )
