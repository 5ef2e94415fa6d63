"""An empty extract in the native layout: headers to fill, and a page that says how."""

from __future__ import annotations

from pathlib import Path

from casefinding.errors import UsageError
from casefinding.files import write_text
from casefinding.records.layout import LAYOUTS, Layout
from casefinding.records.reasons import Cell, Held, Left, Refusal

README = "README.md"


def write_template(folder: Path | str) -> None:
    """Write one CSV with a header for each table of the native layout, and README.md.

    Raises UsageError if the folder already holds one of these files: a filled table is never overwritten.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError("a file stands where the folder should be", where=str(folder), hint="choose another path")
    names = [f"{layout.name}.csv" for layout in LAYOUTS] + [README]
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise UsageError(f"{there[0]} is there already", where=str(folder), hint="choose a new folder")
    for layout in LAYOUTS:
        write_text(folder / f"{layout.name}.csv", ",".join(layout.names) + "\r\n")
    write_text(folder / README, readme())


def readme() -> str:
    """The page beside the template: every table, column and reason for a refusal."""
    return _INTRODUCTION + "\n" + tables()


def tables() -> str:
    """Every table and column, and every reason, in Markdown; docs/how-to/native-layout.md holds the same."""
    return "\n".join((*(_table(layout) for layout in LAYOUTS), _reasons()))


_INTRODUCTION = """# How to fill this extract

Each file here has a header and no rows. Fill the rows, keep the header. Then:

    casefinding ingest FOLDER --store STORE

* Files may be CSV (UTF-8, commas, text with commas in double quotes), CSV compressed as `.csv.gz`, or Parquet.
  A large table may be a folder of parts: `event/part-1.csv`, `event/part-2.csv`.
* Every column must be in the header. "must be filled" below says which cells may not be empty.
* Dates are written YYYY-MM-DD. A time after the day is cut off. 03/04/2023 is refused: nobody can tell whether it is
  in March or in April.
* Codes are text. Never open these files in a spreadsheet: it rounds ids of more than 15 digits.
* `person` is a pseudonym made where the records are kept. NHS numbers are refused, whatever the column is called;
  a pseudonym of ten digits may be taken for one, so put a letter in front.
* Nothing is dropped in silence: refused rows are listed, with file, row number and reason, in the store's quarantine.
"""


def _table(layout: Layout) -> str:
    needed = "" if layout.needed else " This table may be left out."
    lines = [f"## {layout.name}.csv", "", f"{layout.about}{needed}", ""]
    lines += ["| column | must be filled | what it holds | example |", "|---|---|---|---|"]
    for column in layout.columns:
        example = f"`{column.example}`" if column.example else ""
        lines.append(f"| `{column.name}` | {'yes' if column.filled else ''} | {column.about} | {example} |")
    return "\n".join(lines) + "\n"


def _reasons() -> str:
    lines = ["## Why a row is refused", "", "| reason | what it means |", "|---|---|"]
    lines += [f"| {reason.value} | {reason.explanation} |" for reason in Refusal]
    lines += ["", "## Why a row is left on purpose", "", "| reason | what it means |", "|---|---|"]
    lines += [f"| {reason.value} | {reason.explanation} |" for reason in Left]
    lines += ["", "## Why a cell says nothing while its row stays", "", "| reason | what it means |", "|---|---|"]
    lines += [f"| {reason.value} | {reason.explanation} |" for reason in Cell]
    lines += ["", "## Why a reading is kept but not used", "", "| reason | what it means |", "|---|---|"]
    lines += [f"| {reason.value} | {reason.explanation} |" for reason in Held]
    return "\n".join(lines) + "\n"
