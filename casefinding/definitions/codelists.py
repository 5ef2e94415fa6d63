"""Code lists: features/codelists/NAME.csv, and bringing lists in from OpenCodelists' layout."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from casefinding.definitions.codes import SYSTEMS, id_fault, verhoeff_ok
from casefinding.definitions.negation import denies
from casefinding.definitions.shapes import Code, CodeList
from casefinding.definitions.strict import Problem
from casefinding.errors import DefinitionError, UsageError
from casefinding.files import write_text

__all__ = ["import_codelist", "parse_codelist", "read_codelist", "verhoeff_ok"]

HEADER = ("id", "label", "system")
LARGEST_LIST = 20_000_000
"""Bytes; all of dm+d is smaller."""

_ABOUT = {"source": "source", "release": "release", "reviewed by": "reviewed_by"}
_MAY_STAND = {"absence means": "absence_means", "unverified": "unverified"}
_DMD_COLUMNS = frozenset({"dmd_id", "dmd_code", "vmp_id", "amp_id", "bnfdmdcode"})
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_ID_COLUMNS = ("code", "id", "snomedcode", "snomed_code", "snomedctcode", "conceptid", "concept_id", "sctid", "dmd_id",
               "dmd_code", "vmp_id", "amp_id", "bnfdmdcode")  # fmt: skip
_TERM_COLUMNS = ("term", "name", "description", "label", "nm", "preferred_term", "dmd_name", "display", "title")


def read_codelist(path: Path) -> CodeList:
    """Read one code list; DefinitionError names the first thing that is wrong and how many more there are."""
    codelist, problems = parse_codelist(path, path.name)
    if problems or codelist is None:
        raise first_of(problems)
    return codelist


def first_of(problems: list[Problem]) -> DefinitionError:
    """One error that names the first problem and says how many more there are."""
    first, more = problems[0], len(problems) - 1
    hint = first.hint + ("" if not more else f"{' ' if first.hint else ''}({more} more: run 'casefinding check')")
    return DefinitionError(first.what, where=first.where, hint=hint)


def parse_codelist(path: Path, name: str) -> tuple[CodeList | None, list[Problem]]:
    """Read one code list with everything that is wrong with it; the list is None if there is anything."""
    problems: list[Problem] = []

    def say(line: int, what: str, hint: str = "") -> None:
        problems.append(Problem(f"{name}:{line}", what, hint))

    if not _NAME.match(path.stem):
        say(1, f"{path.stem!r} cannot be the name of a code list", "lower-case letters, digits and underscores")
    text = _text(path, name, problems)
    if text is None:
        return None, problems
    lines = text.splitlines()
    about, start = _about(lines, say)
    rows = csv.reader(io.StringIO("\n".join(lines[start:])), strict=True)
    codes: list[Code] = []
    seen: dict[tuple[str, str], int] = {}
    denials: list[tuple[int, str]] = []
    try:
        header = next(rows, [])
        if tuple(header) != HEADER:
            say(start + 1, f"the header must be {','.join(HEADER)}", f"it is {','.join(header) or 'missing'}")
            return None, problems
        for row in rows:
            line = start + rows.line_num
            if not row:
                continue
            if len(row) != 3:
                say(line, f"has {len(row)} columns instead of 3", "a label with a comma in it needs quotes")
                continue
            code_id, label, system = row
            if system not in SYSTEMS:
                say(line, f"{system!r} is not a code system", f"one of {', '.join(SYSTEMS)}")
                continue
            fault = id_fault(system, code_id)
            if fault:
                say(line, f"id {code_id!r} {fault}", "take the id from its source again, as text")
            if not label.strip():
                say(line, f"id {code_id!r} has no label", "a few words of your own")
            first = seen.setdefault((system, code_id), line)
            if first != line:
                say(line, f"{system} {code_id} stands twice (first on line {first})", "keep one of them")
            codes.append(Code.model_construct(system=system, id=code_id, label=label))
            if denies(label):
                denials.append((line, label))
    except csv.Error as problem:
        say(start + rows.line_num, f"is not CSV: {problem}", "look for an unclosed quote")
    if denials and not about["absence_means"]:
        (line, label), more = denials[0], len(denials) - 1
        say(
            line,
            f"{label!r} says that something is not there" + (f" ({more} more like it)" if more else ""),
            "take it out, or say '# absence means: ...' above the header if that is what the list is for",
        )
    if not codes and not problems:
        say(start + 1, "holds no codes")
    if problems:
        return None, problems
    codelist = CodeList.model_construct(
        name=path.stem,
        source=about["source"],
        release=about["release"],
        reviewed_by=about["reviewed_by"],
        codes=tuple(codes),
        absence_means=about["absence_means"],
        unverified=about["unverified"],
    )
    return codelist, []


def _text(path: Path, name: str, problems: list[Problem]) -> str | None:
    try:
        if path.stat().st_size > LARGEST_LIST:
            problems.append(Problem(f"{name}:1", f"is larger than {LARGEST_LIST:,} bytes"))
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem(f"{name}:1", "is not UTF-8 text", "save it as CSV UTF-8"))
    except OSError as problem:
        problems.append(Problem(f"{name}:1", f"cannot be read: {(problem.strerror or 'unknown reason').lower()}"))
    return None


def _about(lines: list[str], say) -> tuple[dict[str, str], int]:
    about = dict.fromkeys(_MAY_STAND.values(), "")
    start = 0
    for start, text in enumerate(lines):
        if not text.startswith("#"):
            break
        key, _, value = text[1:].partition(":")
        known = {**_ABOUT, **_MAY_STAND}.get(key.strip())
        if known is None:
            continue  # a remark
        if about.get(known):
            say(start + 1, f"'# {key.strip()}:' stands twice")
        if known in _MAY_STAND.values() and not value.strip():
            say(start + 1, f"'# {key.strip()}:' says nothing", "a few words, or leave the line out")
        about[known] = value.strip()
    for key, known in _ABOUT.items():
        if not about.get(known):
            say(
                1, f"the line '# {key}: ...' is missing or empty", "source, release and reviewer stand above the header"
            )
            about[known] = ""
    return about, start


# --------------------------------------------------------------------------- OpenCodelists


def import_codelist(
    source: Path,
    name: str,
    *,
    folder: Path,
    system: str | None = None,
    origin: str = "",
    release: str = "",
    reviewed_by: str = "",
    replace: bool = False,
) -> Path:
    """Bring a list in OpenCodelists' CSV layout into `folder` (features/codelists) as NAME.csv; gives its path.

    The id column may be called code, id, snomedcode, dmd_id ..., the label column term, name, description ..., in any
    order and case. Lists whose ids a spreadsheet has ruined are refused whole (DefinitionError): how many, on which
    lines, and what happened to them. Rows that repeat an id are kept once. Without `system` a list whose id column
    speaks of dm+d is one of "dmd", and every other list one of "snomed".
    """
    if not _NAME.match(name):
        raise UsageError(
            f"{name!r} cannot be the name of a code list", hint="lower-case letters, digits and underscores"
        )
    if system is not None and system not in SYSTEMS:
        raise UsageError(f"{system!r} is not a code system", hint=f"one of {', '.join(SYSTEMS)}")
    target = folder / f"{name}.csv"
    if target.exists() and not replace:
        raise UsageError(
            f"there is a code list {name!r} already", where=str(target), hint="use --replace to replace it"
        )
    problems: list[Problem] = []
    text = _text(source, source.name, problems)
    if text is None:
        raise first_of(problems)
    kept: dict[str, str] = {}
    faults: dict[str, list[int]] = {}
    id_column, rows = _rows(text, source.name)
    if system is None:
        system = "dmd" if id_column in _DMD_COLUMNS else "snomed"
    for line, code_id, term in rows:
        fault = id_fault(system, code_id) if code_id.strip() else "is empty"
        if fault:
            faults.setdefault(fault, []).append(line)
        elif not term.strip():
            faults.setdefault("has no term", []).append(line)
        else:
            kept.setdefault(code_id, " ".join(term.split()))
    if faults:
        raise _refusal(faults, source.name, len(kept))
    if not kept:
        raise DefinitionError("holds no codes", where=source.name)
    write_text(target, _written(kept, system, origin or source.name, release, reviewed_by))
    return target


def _rows(text: str, name: str) -> tuple[str, Iterator[tuple[int, str, str]]]:
    """The name of the id column, and (line, id, term) of each row that is not empty."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().lower().replace(" ", "_") for cell in next(rows, [])]
    except csv.Error as problem:
        raise DefinitionError(f"is not CSV: {problem}", where=f"{name}:1") from problem
    places = []
    for what, known in (("a column of ids", _ID_COLUMNS), ("a column of terms", _TERM_COLUMNS)):
        found = [header.index(column) for column in known if column in header]
        if not found:
            has = ", ".join(header)[:200] or "nothing"
            hint = f"one of {', '.join(known)}; the header has {has}"
            raise DefinitionError(f"{what} is missing", where=f"{name}:1", hint=hint)
        places.append(found[0])
    return header[places[0]], _cells(rows, places[0], places[1], name)


def _cells(rows: Any, id_at: int, term_at: int, name: str) -> Iterator[tuple[int, str, str]]:
    needed = max(id_at, term_at) + 1
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                row = [*row, *[""] * (needed - len(row))]
                yield rows.line_num, row[id_at], row[term_at]
    except csv.Error as problem:
        raise DefinitionError(f"is not CSV: {problem}", where=f"{name}:{rows.line_num}") from problem


def _refusal(faults: dict[str, list[int]], name: str, good: int) -> DefinitionError:
    bad = sum(len(lines) for lines in faults.values())
    first = min(min(lines) for lines in faults.values())
    parts = []
    for fault, lines in sorted(faults.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = ", ".join(str(line) for line in lines[:8]) + (f" and {len(lines) - 8} more" if len(lines) > 8 else "")
        parts.append(f"{_counted(len(lines), fault)} ({'line' if len(lines) == 1 else 'lines'} {shown})")
    return DefinitionError(
        f"{bad} of {bad + good} rows cannot be used: {'; '.join(parts)}",
        where=f"{name}:{first}",
        hint="a spreadsheet keeps 15 digits only: download the list again and do not open it in one before importing",
    )


_PLURAL = {"is": "are", "has": "have", "was": "were", "carries": "carry"}


def _counted(number: int, fault: str) -> str:
    """ "1 id is empty", "2 ids are empty"."""
    if number == 1:
        return f"1 id {fault}"
    verb, _, rest = fault.partition(" ")
    return f"{number} ids {_PLURAL[verb]} {rest}"


def _written(kept: dict[str, str], system: str, origin: str, release: str, reviewed_by: str) -> str:
    out = io.StringIO()
    out.write(f"# source: {_one_line(origin)}\n")
    out.write(f"# release: {_one_line(release) or 'not stated'}\n")
    out.write(f"# reviewed by: {_one_line(reviewed_by) or 'not yet reviewed'}\n")
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(
        (code_id, label, system) for code_id, label in sorted(kept.items(), key=lambda item: (len(item[0]), item[0]))
    )
    return out.getvalue()


def _one_line(text: str) -> str:
    return " ".join(text.split())
