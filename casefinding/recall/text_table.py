"""A CSV file as people save it: comma or semicolon, UTF-8 or Windows letters; everything unclear is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from casefinding.errors import RecordsError

LARGEST = 200_000_000
"""Bytes of a file that are read at most; the largest lookup of a practice that we know of is under 10 million."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula when it stands first (CWE-1236)."""
_DASHES = frozenset({"-", "--", "－"})


@dataclass(frozen=True)
class TextTable:
    """A header and rows of texts; `rows[i]` stands in line `numbers[i]` of the file."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]


def read_text_table(content: bytes, where: str) -> TextTable:
    """Read CSV from bytes; the delimiter is a comma, or a semicolon where the header has no comma.

    UTF-8 with or without a mark, else Windows-1252. Empty lines are passed over. Raises RecordsError for a file that
    is empty, no text, of another encoding, or whose rows do not fit their header; never with a value of it.
    """
    text = _text(content, where)
    if text.lstrip().startswith("<"):
        raise RecordsError("the file is a web page or XML, not CSV", where=where, hint="save it as CSV (UTF-8)")
    first = text.split("\n", 1)[0]
    delimiter = next((sign for sign in (",", ";", "\t") if sign in first), ",")
    header: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    started = 1
    try:
        for row in reader:
            number, started = started, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = tuple(cell.strip() for cell in row)
                continue
            if len(row) != len(header):
                raise RecordsError(
                    f"a row has {len(row)} cells, the header {len(header)}",
                    where=f"{where}:{number}",
                    hint="save the file again as CSV; a comma inside a cell needs quotes around the cell",
                )
            rows.append(tuple(row))
            numbers.append(number)
    except csv.Error:
        raise RecordsError(
            "the quotes of a cell do not match", where=f"{where}:{started}", hint="save the file again as CSV"
        ) from None
    if not header:
        raise RecordsError("the file is empty", where=where, hint="it needs a header and one row a person")
    if not rows:
        raise RecordsError("the file holds a header and no rows", where=where, hint="is it the right file, and whole?")
    return TextTable(header, tuple(rows), tuple(numbers))


def _text(content: bytes, where: str) -> str:
    if len(content) > LARGEST:
        raise RecordsError(f"the file is larger than {LARGEST:,} bytes", where=where, hint="is it the right file?")
    if not content.strip():
        raise RecordsError("the file is empty", where=where, hint="it needs a header and one row a person")
    again = "save it as CSV (UTF-8)"
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RecordsError("the file is a workbook, not CSV", where=where, hint=again)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RecordsError("the file is UTF-16 text", where=where, hint=again)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise RecordsError("the file is not text that can be read", where=where, hint=again) from None
    if any(sign < " " and sign not in "\t\r\n" for sign in set(text)):
        raise RecordsError("the file is not text that can be read", where=where, hint=again)
    return text


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take a text for a formula; a dash alone means "nothing" to many and is none.

    >>> is_formula("=1+1"), is_formula("-"), is_formula("Ann-Marie")
    (True, False, False)
    """
    return text.startswith(FORMULA) and text.strip() not in _DASHES


def plain(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula.

    >>> plain("'=1+1"), plain("'s-Gravenhage")
    ('=1+1', "'s-Gravenhage")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula (CWE-1236): a leading sign is quoted with an apostrophe.

    >>> safe_cell("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def named(header: str) -> str:
    """A header as it is compared: lower case, underscores for spaces.

    >>> named(" NHS Number")
    'nhs_number'
    """
    return "_".join(header.replace("_", " ").lower().split())


def places(header: Sequence[str], where: str) -> dict[str, int]:
    """The column of each header; RecordsError where two columns have one name."""
    found: dict[str, int] = {}
    for column, name in enumerate(map(named, header)):
        if name in found and name:  # the name is not repeated: without a header it would be what a record says
            both = f"columns {found[name] + 1} and {column + 1} have one name"
            raise RecordsError(both, where=where, hint="keep one of them")
        found.setdefault(name, column)
    return found


def some(numbers: Sequence[int], what: str = "row") -> str:
    """Row numbers for a message, the first five of them.

    >>> some([4, 9])
    'rows 4, 9'
    """
    told = ", ".join(map(str, numbers[:5])) + (f" and {len(numbers) - 5:,} more" if len(numbers) > 5 else "")
    return f"{what}{'' if len(numbers) == 1 else 's'} {told}"
