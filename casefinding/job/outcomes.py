"""The way back: files that practices return are read into the ledger, and the ledger says how far people came."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casefinding.errors import CasefindingError, RecordsError, WriteError
from casefinding.files import write_text
from casefinding.recall.loop.funnel import Funnel, funnel
from casefinding.recall.loop.ledger import Ledger
from casefinding.recall.loop.outcomes import Checked, Lists, check_outcomes
from casefinding.recall.loop.received import note_received, standing
from casefinding.recall.loop.returned import Issued, Returned, read_returned
from casefinding.recall.text_table import safe_cell

REFUSED_COLUMNS = ("file", "sheet", "row", "reason")


@dataclass(frozen=True)
class FileRead:
    """What became of one file: rows taken, blank and refused, outcomes and how many were new; or its problem."""

    file: str
    rows: int = 0
    blank: int = 0
    outcomes: int = 0
    new: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)  # why rows were refused -> how many
    refused: Path | None = None  # where each of them stands
    problem: CasefindingError | None = None

    def lines(self) -> Iterator[str]:
        """What a person is told about a file that was read: one line, and one more a reason."""
        if self.problem is not None:
            return
        many = sum(self.reasons.values())
        outcomes = f"{_many(self.outcomes, 'outcome')}, {self.new:,} of them new"
        yield (
            f"{self.file}: {_many(self.rows, 'row')} read, {outcomes}; "
            f"{self.blank:,} not filled in; {many:,} refused" + (f", see {self.refused}" if many else "")
        )
        for reason, number in sorted(self.reasons.items(), key=lambda entry: (-entry[1], entry[0])):
            yield f"  refused, {_many(number, 'row')}: {reason}"


def read_outcomes(
    files: Sequence[Path], folder: Path, *, today: dt.date, undated: dt.date | None = None
) -> list[FileRead]:
    """Read files that came back into the ledger of a folder, each by itself: a file that is refused stops no other.

    Of each file, either every row that is right is recorded or, if the file itself is refused, none. Refused rows stand
    in FOLDER/refused/, one CSV a file. Reading a file again changes nothing. `today`: later days are refused;
    `undated`: the day of outcomes without one. Where the ledger cannot be written, the rest of the files
    is left unread. Raises RecordsError if the ledger holds no list.
    """
    ledger = Ledger.open(folder)
    listed = ledger.lists()
    if not listed.num_rows:
        raise RecordsError(
            "the ledger holds no list, so no outcome can belong to one",
            where=str(folder),
            hint="name the ledger of the run that issued the lists: --ledger",
        )
    issued, lists = Issued.of(listed), Lists(listed)
    done = []
    for path in files:
        try:
            returned = read_returned(path, issued)
        except RecordsError as problem:
            done.append(FileRead(path.name, problem=problem))
            continue
        try:
            done.append(_record(ledger, returned, check_outcomes(returned, lists, today, undated)))
        except WriteError as problem:  # the next file would fail as well; what was read before it is told, and kept
            rest = len(files) - len(done) - 1
            unread = f" and the {_many(rest, 'file')} after it" if rest else ""
            hint = f"read this file{unread} again when that is mended; nothing is counted twice"
            done.append(
                FileRead(path.name, problem=WriteError(problem.what, where=problem.where or path.name, hint=hint))
            )
            break
    return done


def funnel_so_far(folder: Path) -> list[Funnel]:
    """The funnel of everything that came back, exact: for the network's own eyes. RecordsError without any list.

    Without records nothing is known of the register, so "coded" and "treated" are None; the next run tells them.
    """
    ledger = Ledger.open(folder)
    lists = ledger.lists()
    if not lists.num_rows:
        raise RecordsError("the ledger holds no list", where=str(folder), hint="run with --ledger first")
    return funnel(lists, standing(ledger))


def funnel_lines(
    found: Sequence[Funnel], groupings: Sequence[str] = ("all", "practice", "condition", "lane")
) -> Iterator[str]:
    """The funnel as a table of text, a block a grouping."""
    stages = list(found[0].stages) if found else []
    names = [*stages, "already known", "declined", "no answer"]
    for grouping in groupings:
        rows = [one for one in found if one.grouping == grouping]
        width = max([len(one.group) for one in rows] + [24])
        yield f"{'' if grouping == 'all' else grouping.replace('_', ' '):<{width}}  {'  '.join(names)}"
        for one in rows:
            counts = [*one.stages.values(), *(one.endings[name] for name in names[len(stages) :])]
            shown = (
                f"{'–' if count is None else format(count, ','):>{len(name)}}"
                for name, count in zip(names, counts, strict=True)
            )
            yield f"{one.group:<{width}}  {'  '.join(shown)}"
        yield ""
    if found and found[0].known_already is not None:
        everybody = found[0]
        yield (
            f"Already known: {everybody.endings['already known']:,} of {everybody.returned:,} of whom an outcome came "
            f"back ({everybody.known_already:.0%})"
        )
    yield "People and conditions, exact: for the network's own use. Coded and treated are told by the next run."


def _record(ledger: Ledger, returned: Returned, checked: Checked) -> FileRead:
    name = f"{re.sub(r'[^A-Za-z0-9._-]', '_', returned.file)[:100]}-{returned.sha256[:8]}.csv"
    path = ledger.path / "refused" / name
    if checked.refused or path.exists():
        write_text(path, _as_csv(returned.file, checked))
    new = ledger.record_outcomes(checked.outcomes)
    done = FileRead(
        file=returned.file,
        rows=checked.rows,
        blank=checked.blank,
        outcomes=checked.outcomes.num_rows,
        new=new,
        reasons=Counter(re.sub(r"\brow \d+( of '.*')?", "another row", one.reason) for one in checked.refused),
        refused=path if checked.refused else None,
    )
    note_received(
        ledger,
        {
            "kind": "file read", "file": returned.file, "sha256": returned.sha256, "rows": done.rows, "new": new,
            "refused": len(checked.refused), "blank": done.blank,
        },
        checked.outcomes,
    )  # fmt: skip
    return done


def _as_csv(file: str, checked: Checked) -> str:
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(REFUSED_COLUMNS)
    for one in checked.refused:
        out.writerow([safe_cell(file), safe_cell(one.sheet), one.row, one.reason])
    return buffer.getvalue()


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
