"""`casefinding reidentify`: pseudonyms to NHS numbers, in the practice and nowhere else; and NHS numbers out again."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from casefinding import audit
from casefinding.errors import RecordsError, UsageError
from casefinding.files import check_replaceable, new_folder, write_bytes
from casefinding.nhs_number import holds_one
from casefinding.recall.identity.apart import check_apart
from casefinding.recall.identity.lookup import Lookup, read_lookup
from casefinding.recall.identity.practice_list import SHEETS, Listed, PracticeList, read_practice_list
from casefinding.recall.text_table import safe_cell, some

LANES = ("invite", "never measured")
"""Whose numbers the plain profile holds if nothing else is asked."""
AUDIT = "reidentify-audit.jsonl"


@dataclass(frozen=True)
class Asked:
    """What the command was asked; `audit` empty: beside the output."""

    profiles: Sequence[str] = ("plain",)
    lanes: Sequence[str] = LANES
    own_profiles: Path | None = None
    reason: str = ""
    leave_out_unknown: bool = False
    audit: Path | None = None


def reidentify(list_file: Path, lookup_file: Path, out: Path | None, asked: Asked) -> None:
    """Write the identified list and the import files of one practice into a new folder, an audit line first.

    Raises a CasefindingError, and writes nothing, for anything that is not right: see docs/how-to/reidentify.md. No
    message holds an NHS number, a name or a date of birth.
    """
    from casefinding.report.identified import STAMP, identified
    from casefinding.report.import_files import by_text, choose, import_files, whom

    out = (out or list_file.with_name(f"{list_file.stem}-identified")).absolute()
    audit_file = _prepared(out, asked, (("the list", list_file), ("the lookup", lookup_file)))
    profiles = choose(asked.profiles, asked.own_profiles)
    content, keys = _content(list_file), _content(lookup_file)
    received = read_practice_list(content, list_file.name)
    lookup = read_lookup(keys, lookup_file.name, received.practice)
    unknown = [one for one in received.people if lookup.known(one.pseudonym) is None]
    _check_known(received, unknown, asked.leave_out_unknown, lookup_file.name)
    _check_born(received, lookup, lookup_file.name)
    if any(profile.messages for profile in profiles) and not received.says_reach:
        raise RecordsError(
            "the list does not say who must be reached differently, so no file for messages can be made from it",
            where=list_file.name,
            hint="use the list as it was received, with the sheet 'Reach differently'",
        )
    here = (*received.people, *received.others)
    found = {one.pseudonym: patient for one in here if (patient := lookup.known(one.pseudonym)) is not None}
    name = received.stem
    files: dict[str, bytes] = {}
    empty: list[str] = []
    held: dict[str, int] = {}
    texts: dict[str, dict[str, int]] = {}
    for profile in profiles:
        chosen = [one for one in whom(profile, received.people, asked.lanes) if one.pseudonym in found]
        made = import_files(profile, chosen, lookup, name, lookup_file.name)
        files |= made
        held[profile.name] = len(chosen)
        invited = by_text(profile, chosen)
        texts[profile.name] = {str(text): len(those) for text, those in invited.items() if str(text)}
        if not made:
            empty.append(profile.name)
    ending = "csv" if received.table is not None else "xlsx"
    files[f"{name}-identified.{ending}"] = identified(received, {key: one.nhs_number for key, one in found.items()})
    files["READ-ME-FIRST.txt"] = _read_me(STAMP, received, held, texts).encode("utf-8")
    if unknown:
        files["not-found.csv"] = _not_found(unknown)
    entry = {
        "what": "reidentified",
        "practice": received.practice,
        "list": received.list_id,
        "list sha256": hashlib.sha256(content).hexdigest(),
        "lookup sha256": hashlib.sha256(keys).hexdigest(),
        "people": len(found),
        "not found": len(unknown),
        "pseudonyms": sorted(found),
        "profiles": held,
        "lanes": list(asked.lanes),
        "reason": asked.reason,
        "folder": out.name,
    }
    with new_folder(out) as folder:
        for file, text in files.items():
            write_bytes(folder / file, text)
        audit.append(audit_file, entry)  # before the folder takes its place: without a line there is nothing
    _say(received, found, unknown, held, texts, empty, out, audit_file)


def take_out(list_file: Path, out: Path | None, asked: Asked) -> None:
    """Write an identified list without its NHS numbers, for sending back: the outcomes stay, the numbers do not.

    By default outside the folder that holds NHS numbers, so that nobody sends its neighbour.
    """
    from casefinding.report.identified import without_numbers

    home = list_file.absolute().parent
    target = (out or (home.parent if home.name.endswith("-identified") else home)).absolute()
    audit_file = _prepared(None, asked, (("the list", list_file), ("the output", target)), beside=target)
    content = _content(list_file)
    received = read_practice_list(content, list_file.name, identified=True)
    cleaned = without_numbers(received, list_file.name)
    again = read_practice_list(cleaned, list_file.name)
    path = target / f"{received.stem}-to-send-back{'.csv' if received.table is not None else '.xlsx'}"
    if path.exists():
        raise UsageError("there is a file of that name already", where=str(path), hint="move it, or choose --out DIR")
    entry = {
        "what": "NHS numbers taken out",
        "practice": received.practice,
        "list": received.list_id,
        "list sha256": hashlib.sha256(content).hexdigest(),
        "people": len(again.people),
        "reason": asked.reason,
        "file": path.name,
    }
    audit.append(audit_file, entry)
    write_bytes(path, cleaned)
    filled = sum(1 for one in again.people if one.outcome)
    print(f"{len(again.people):,} people of {again.practice}, {filled:,} with an outcome; no NHS number in the file")
    print(f"send back: {path}")


def _prepared(out: Path | None, asked: Asked, files: tuple[tuple[str, Path], ...], beside: Path | None = None) -> Path:
    """Check what can be checked before anything is read; where the audit line goes."""
    home = out.parent if out is not None else beside
    assert home is not None
    audit_file = (asked.audit or home / AUDIT).absolute()
    places = [*files, ("the audit file", audit_file), ("the working folder", Path.cwd())]
    if out is not None:
        places.append(("the output", out))
        if out.is_dir() and any(out.iterdir()):
            raise UsageError(
                "the output folder is not empty; what was filled in there is not written over",
                where=str(out),
                hint="name a new folder with --out",
            )
        check_replaceable(out)
        if out in audit_file.parents or out == audit_file:
            raise UsageError("the audit file may not lie in the output folder", where=str(audit_file))
    check_apart(places)
    wrong = [lane for lane in asked.lanes if lane not in SHEETS.values()]
    if wrong:
        raise UsageError("there is no such lane", where="--lane", hint=f"choose from: {', '.join(SHEETS.values())}")
    if holds_one(asked.reason) or len(asked.reason) > 500 or not (asked.reason or "-").isprintable():
        raise UsageError(
            "the reason holds what looks like an NHS number, a line break, or more than 500 signs", where="--reason"
        )
    return audit_file


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError("there is no such file", where=str(path))
    try:
        return path.read_bytes()
    except OSError:
        raise RecordsError("the file cannot be read", where=str(path), hint="may you open it?") from None


def _check_known(received: PracticeList, unknown: Sequence[Listed], leave_out: bool, where: str) -> None:
    many = len(received.people)
    if unknown and len(unknown) == many:
        raise RecordsError(
            f"the lookup knows nobody on the list ({many:,} people)",
            where=where,
            hint=f"the list is for {received.practice}: is it that practice's lookup, made with the same key?",
        )
    if unknown and not leave_out:
        more = f" and {len(unknown) - 3:,} more" if len(unknown) > 3 else ""
        raise RecordsError(
            f"the lookup does not know {len(unknown):,} of the {many:,} people on the list, or not their NHS number",
            where=f"{where}; on the list: {', '.join(one.place for one in unknown[:3])}{more}",
            hint="make a new lookup, or go on without them with --leave-out-unknown; they are named in not-found.csv",
        )


def _check_born(received: PracticeList, lookup: Lookup, where: str) -> None:
    """Year of birth, where both say it: the one thing by which a number that is somebody else's shows."""
    other = [
        patient.row
        for one in received.people
        if (patient := lookup.known(one.pseudonym)) is not None
        and one.born is not None
        and patient.date_of_birth is not None
        and patient.date_of_birth.year != one.born
    ]
    if other:
        raise RecordsError(
            f"{len(other):,} people were born in another year by the lookup than by the list",
            where=f"{where}, {some(other)}",
            hint="a pseudonym may point to somebody else: make the lookup again",
        )


def _not_found(unknown: Sequence[Listed]) -> bytes:
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(["pseudonym", "stands at"])
    out.writerows([safe_cell(one.pseudonym), one.place] for one in unknown)
    return buffer.getvalue().encode("utf-8")


def _read_me(stamp: str, received: PracticeList, held: dict[str, int], texts: dict[str, dict[str, int]]) -> str:
    files = "".join(
        f"  {name}: {number:,} people\r\n"
        + "".join(f"    {text}: {many:,} people\r\n" for text, many in texts[name].items())
        for name, number in held.items()
    )
    return (
        f"{stamp}\r\n\r\nPractice {received.practice}, list {received.list_id}.\r\n\r\n"
        "The file ending in -identified is to work from. It may not leave the practice, and may not be sent back.\r\n"
        "To send outcomes back: casefinding reidentify THAT FILE --back, and send what it writes;\r\n"
        "or fill in the list as it was received (with pseudonyms) and send that.\r\n\r\n"
        f"Import files, by profile:\r\n{files}\r\n"
        "Each file for messages is for one visit and one invitation, where the list names them: a text for each.\r\n"
        "Before you send messages: take out everybody who has died, has left or has declined messages since the list "
        "was made.\r\nDelete this folder when the work is done.\r\n"
    )


def _say(received, found, unknown, held: dict[str, int], texts, empty: list[str], out: Path, audit_file: Path) -> None:
    """Tell how many people are in which file; `texts`: for each profile how many people for which visit."""
    many = sum(1 for one in received.people if one.pseudonym in found)
    print(f"{many:,} people of {received.practice} identified, list {received.list_id}")
    for name, number in held.items():
        print(f"{name}: {'nobody, so no file' if name in empty else f'{number:,} people'}")
        for text, those in texts[name].items():
            print(f"  {text}: {those:,} people")
    if unknown:
        print(f"{len(unknown):,} people are not in the lookup: not-found.csv")
    print(f"folder: {out}  (holds NHS numbers: stays in the practice)\naudit:  {audit_file}")
