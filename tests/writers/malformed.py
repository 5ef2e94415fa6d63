"""Extracts as they should not be: named ways to spoil a copy of a written extract, for tests of the readers.

A `Way` that is `harmless` changes no fact: a reader must bring in the same rows (or, where it is stricter, refuse the
file with a message of its own). After any other way it must refuse the file, or refuse rows and count them. After none
may it show a traceback, or a cell of the file in a message.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ENCODINGS = {"emis": "utf-8", "systmone": "cp1252"}
"""Kinds of extracts, and how their files are encoded."""
CELLS: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "emis": {
        "Admin_Patient": {
            "day": ("DateOfBirth", "DateOfRegistration"), "number": ("PatientNumber", "ProcessingId"),
            "id": ("PatientGuid", "OrganisationGuid", "NhsNumber"), "flag": ("Deleted", "DummyType"),
        },
        "CareRecord_Observation": {
            "day": ("EffectiveDate", "EnteredDate"), "number": ("Value", "ProcessingId"),
            "id": ("ObservationGuid", "PatientGuid", "CodeId"), "flag": ("Deleted", "IsConfidential"),
        },
        "CareRecord_Consultation": {
            "day": ("EffectiveDate", "EnteredDate"), "number": ("ProcessingId",),
            "id": ("ConsultationGuid", "PatientGuid", "ConsultationSourceCodeId"), "flag": ("Deleted",),
        },
        "Prescribing_IssueRecord": {
            "day": ("EffectiveDate", "EnteredDate"), "number": ("Quantity", "ProcessingId"),
            "id": ("IssueRecordGuid", "PatientGuid", "CodeId"), "flag": ("Deleted",),
        },
        "Coding_ClinicalCode": {
            "day": (), "number": ("ProcessingId",), "id": ("CodeId", "SnomedCTConceptId"), "flag": (),
        },
    },
    "systmone": {
        "SRPatient": {
            "day": ("DateBirth", "DateDeath"), "number": ("RowIdentifier",), "id": ("RowIdentifier", "NHSNumber"),
            "flag": ("TestPatient", "RemovedData"),
        },
        "SRPatientRegistration": {
            "day": ("DateRegistration", "DateDeRegistration"), "number": ("RowIdentifier",),
            "id": ("IDPatient", "IDOrganisation"), "flag": ("RemovedData",),
        },
        "SRCode": {
            "day": ("DateEvent", "DateEventRecorded"), "number": ("NumericValue",),
            "id": ("RowIdentifier", "IDPatient", "SNOMEDCode", "CTV3Code"), "flag": ("IsNumeric", "RemovedData"),
        },
        "SRPrimaryCareMedication": {
            "day": ("DateEvent", "DateEventRecorded"), "number": ("MedicationQuantity",),
            "id": ("RowIdentifier", "IDPatient", "IDMultiLexDMD"), "flag": ("RemovedData",),
        },
        "SRCtv3ToSnomed": {"day": (), "number": (), "id": ("Ctv3Code", "SnomedCode"), "flag": ()},
    },
}  # fmt: skip
"""Kind -> table -> sort of cell -> columns that hold such cells."""

DAYS = (
    "12/03/2021", "3/12/21", "2021.03.12", "20210312", "44267", "44267.5", "12-Mar-21", "2021-02-30", "0000-00-00",
    "1753-01-01", "9999-12-31", "2021-03-12T25:61:61", "30 Feb 2021", "12 Mär 2021", "-1", "yesterday", "2021-3-2",
    "NULL",
    "12 Mar 2021 24:00:00", "1 Jan 0001",
)  # fmt: skip
"""Cells that stand where a day should."""
NUMBERS = (
    "one forty", "140/90", "1,5", "1.5.2", "NaN", "Infinity", "-inf", "1e400", "1" * 400, "0x1F", "١٤٠", "<", "> ",
    "--5",
    "1_000", "£5", "5 mmHg", "NULL", "1e", " 7",
)  # fmt: skip
"""Cells that stand where a number should."""
IDS = (
    "-1", "0", "18446744073709551616", "99999999999999999999999999", "7.000003E+15", "7000003000006110.0",
    "{not-a-guid}",
    "", "NULL", "00000000-0000-0000-0000-000000000000", "'; DROP TABLE event; --", "a" * 5000, "\x01\x02", "é" * 20,
)  # fmt: skip
"""Cells that stand where an id should; one is past 64 bits, two went through a spreadsheet."""
FLAGS = ("yes", "2", "TRUE ", "faux", "", "NULL", "-1", "True,", "0.0")
"""Cells that stand where a boolean should."""


@dataclass(frozen=True)
class Way:
    """One way to spoil: `change` gets the file, its encoding, the cells' columns and a source of chance."""

    name: str
    harmless: bool
    change: Callable[[Path, str, dict[str, tuple[str, ...]], random.Random], None]


def spoil(kind: str, source: Path, target: Path, way: Way, table: str, seed: int = 0) -> Path:
    """Copy an extract and spoil the first file of one table in one way; gives the spoilt file (it may be gone)."""
    shutil.copytree(source, target)
    pattern = f"*_{table}_*.csv" if kind == "emis" else f"**/{table}.csv"
    path = sorted(target.glob(pattern))[0]
    way.change(path, ENCODINGS[kind], CELLS[kind][table], random.Random(f"{way.name} {table} {seed}"))
    return path


# Helpers: a file as cells, and back.


def _read(path: Path, encoding: str) -> list[list[str]]:
    with open(path, encoding=encoding, newline="") as handle:
        return list(csv.reader(handle))


def _bytes(lines: list[list[str]], encoding: str, **options) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **options).writerows(lines)
    return buffer.getvalue().encode(encoding, errors="replace")


def _some(lines: list[list[str]], draw: random.Random, share: float = 0.2) -> list[int]:
    """Positions of some rows, at least one if there is any; never the header."""
    rows = range(1, len(lines))
    return [row for row in rows if draw.random() < share] or list(rows[:1])


def _cells(sort: str, texts: tuple[str, ...], all_rows: bool = False):
    def change(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
        lines = _read(path, encoding)
        places = [lines[0].index(name) for name in columns[sort] if name in lines[0]]
        for row in range(1, len(lines)) if all_rows else _some(lines, draw):
            for place in places:
                lines[row][place] = texts[0] if all_rows else draw.choice(texts)
        path.write_bytes(_bytes(lines, encoding))

    return change


def _raw(edit: Callable[[bytes, random.Random], bytes]):
    """A change of the bytes as they stand."""

    def change(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
        path.write_bytes(edit(path.read_bytes(), draw))

    return change


def _lines(edit: Callable[[list[list[str]], random.Random], list[list[str]]], **options):
    """A change of the cells as they stand."""

    def change(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
        path.write_bytes(_bytes(edit(_read(path, encoding), draw), encoding, **options))

    return change


def _wanted(edit: Callable[[list[list[str]], int], list[list[str]]]):
    """A change of a column that matters: the first id."""

    def change(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
        lines = _read(path, encoding)
        path.write_bytes(_bytes(edit(lines, lines[0].index(columns["id"][0])), encoding))

    return change


def _shuffled(lines: list[list[str]], draw: random.Random) -> list[list[str]]:
    order = draw.sample(range(len(lines[0])), len(lines[0]))
    return [[line[place] for place in order] for line in lines]


def _every(lines: list[list[str]], draw: random.Random, edit: Callable[[list[str]], list[str]]) -> list[list[str]]:
    chosen = set(_some(lines, draw))
    return [edit(line) if row in chosen else line for row, line in enumerate(lines)]


def _gz(path: Path, cut: bool) -> None:
    packed = gzip.compress(path.read_bytes(), mtime=0)
    path.with_name(path.name + ".gz").write_bytes(packed[: len(packed) * 2 // 3] if cut else packed)
    path.unlink()


def _insert(data: bytes, draw: random.Random, what: bytes) -> bytes:
    """Put bytes somewhere after the header."""
    start = data.index(b"\n") + 1
    place = draw.randrange(start, max(start + 1, len(data)))
    return data[:place] + what + data[place:]


def _recoded(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
    path.write_bytes(path.read_bytes().decode(encoding).encode("utf-16"))


def _foreign(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
    other = "cp1252" if encoding == "utf-8" else "utf-8"
    path.write_bytes(_insert(path.read_bytes(), draw, "é’€".encode(other)))


def _folder(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _renamed(path: Path, encoding: str, columns: dict[str, tuple[str, ...]], draw: random.Random) -> None:
    path.rename(path.with_name(path.name + ".gz"))


WAYS: tuple[Way, ...] = (
    # Nothing of the facts changes.
    Way("columns in another order", True, _lines(_shuffled)),
    Way("rows in another order", True, _lines(lambda lines, draw: [lines[0], *draw.sample(lines[1:], len(lines) - 1)])),
    Way("a column more", True, _lines(lambda lines, draw: [[*line, "Extra" if row == 0 else "x,\"y"]
                                                          for row, line in enumerate(lines)])),
    Way("every cell in quotes", True, _lines(lambda lines, draw: lines, quoting=csv.QUOTE_ALL)),
    Way("lines that end in LF", True, _lines(lambda lines, draw: lines, lineterminator="\n")),
    Way("mixed line ends", True, _raw(lambda data, draw: data.replace(b"\r\n", b"\n", data.count(b"\r\n") // 2))),
    Way("no line end at the end", True, _raw(lambda data, draw: data.rstrip(b"\r\n"))),
    Way("blank lines", True, _raw(lambda data, draw: data.replace(b"\r\n", b"\r\n\r\n", 3))),
    Way("a header in capitals", True, _lines(lambda lines, draw: [[name.upper() for name in lines[0]], *lines[1:]])),
    Way("blanks around the header's names", True,
        _lines(lambda lines, draw: [[f" {name} " for name in lines[0]], *lines[1:]])),
    Way("packed with gzip", True, lambda path, encoding, columns, draw: _gz(path, cut=False)),
    Way("every row twice", True,
        _lines(lambda lines, draw: [lines[0], *(line for line in lines[1:] for _ in range(2))])),
    Way("a byte order mark", True, _raw(lambda data, draw: b"\xef\xbb\xbf" + data)),
    # The file as a whole.
    Way("gzip cut short", False, lambda path, encoding, columns, draw: _gz(path, cut=True)),
    Way("text called gzip", False, _renamed),
    Way("an empty file", False, _raw(lambda data, draw: b"")),
    Way("a header alone", False, _raw(lambda data, draw: data[: data.index(b"\n") + 1])),
    Way("a header cut short", False, _raw(lambda data, draw: data[:20])),
    Way("no header", False, _raw(lambda data, draw: data[data.index(b"\n") + 1 :])),
    Way("cut short in a row", False, _raw(lambda data, draw: data[: len(data) * 2 // 3])),
    Way("no such file", False, lambda path, encoding, columns, draw: path.unlink()),
    Way("a folder instead of the file", False, _folder),
    Way("UTF-16", False, _recoded),
    Way("a few letters in the other supplier's encoding", False, _foreign),
    Way("bytes of no encoding", False, _raw(lambda data, draw: _insert(data, draw, b"\xff\xfe\x81\x8d\x9d"))),
    Way("semicolons", False, _lines(lambda lines, draw: lines, delimiter=";")),
    Way("tabs", False, _lines(lambda lines, draw: lines, delimiter="\t")),
    Way("another page altogether", False,
        _raw(lambda data, draw: b"<!DOCTYPE html><html><body>Sign in</body></html>\r\n")),
    # The header.
    Way("a column missing", False, _wanted(lambda lines, at: [[*line[:at], *line[at + 1 :]] for line in lines])),
    Way("a column twice", False, _wanted(lambda lines, at: [[*line, line[at]] for line in lines])),
    Way("a column renamed", False, _wanted(lambda lines, at: [
        [*lines[0][:at], lines[0][at] + "x", *lines[0][at + 1 :]], *lines[1:]])),
    Way("the header again in the middle", False, _lines(lambda lines, draw: [
        *lines[: len(lines) // 2], lines[0], *lines[len(lines) // 2 :]])),
    # Rows.
    Way("rows with too many cells", False,
        _lines(lambda lines, draw: _every(lines, draw, lambda line: [*line, "a", "b"]))),
    Way("rows with too few cells", False, _lines(lambda lines, draw: _every(lines, draw, lambda line: line[:-3]))),
    Way("rows of nothing but commas", False,
        _lines(lambda lines, draw: _every(lines, draw, lambda line: [""] * len(line)))),
    Way("a quote that never ends", False, _raw(lambda data, draw: _insert(data, draw, b',"'))),
    Way("quotes in the middle of cells", False, _raw(lambda data, draw: data.replace(b"false,", b'fa"l"se,', 9)
                                                     .replace(b"FALSE,", b'FA"L"SE,', 9))),
    Way("NULs", False, _raw(lambda data, draw: _insert(data, draw, b"\0\0\0"))),
    Way("control characters", False, _raw(lambda data, draw: _insert(data, draw, b"\x1a\x1b[31m\x07"))),
    Way("a very long cell", False, _raw(lambda data, draw: _insert(data, draw, b"a" * 3_000_000))),
    Way("lines broken inside quotes", False, _lines(lambda lines, draw: _every(
        lines, draw, lambda line: [cell + "\r\nx" if i == 1 else cell for i, cell in enumerate(line)]))),
    # Cells.
    Way("other days", False, _cells("day", DAYS)),
    Way("every day as day/month/year", False, _cells("day", ("12/03/2021",), all_rows=True)),
    Way("every day empty", False, _cells("day", ("",), all_rows=True)),
    Way("other numbers", False, _cells("number", NUMBERS)),
    Way("other ids", False, _cells("id", IDS)),
    Way("every id alike", False, _cells("id", ("1",), all_rows=True)),
    Way("other flags", False, _cells("flag", FLAGS)),
)  # fmt: skip
"""Every way, by name unlike the others."""
