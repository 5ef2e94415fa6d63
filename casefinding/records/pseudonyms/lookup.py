"""The lookup that only the practice keeps: which pseudonym is which NHS number, one CSV a practice.

The columns are those that `casefinding reidentify --lookup` reads.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

from casefinding.errors import UsageError
from casefinding.files import canonical_json, write_text
from casefinding.records.pseudonyms.digests import for_linkage
from casefinding.records.pseudonyms.survey import Patient, Survey

HEADER = ("pseudonym", "nhs_number", "practice", "date_of_birth", "emis_number", "telecom_number")
LINKAGE = "linkage_digest"
KIND = "lookups of practices"
_PRACTICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")
_LOCAL = re.compile(r"[0-9A-Za-z]{1,20}")
NOWHERE = "unknown"
"""What a practice is called whose code the extract does not say."""


def check_lookups(folder: Path, fingerprint: str) -> None:
    """Refuse (UsageError) a folder that holds lookups of another key: lists made with that key need them still."""
    try:
        before = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(before, dict) and before.get("key fingerprint", fingerprint) != fingerprint:
        raise UsageError(
            "the folder holds lookups that were made with another key",
            where=str(folder),
            hint="lists made with that key need them: name a new folder with --lookups",
        )


def write_lookups(survey: Survey, folder: Path, salt: str | None) -> dict[str, int]:
    """Write lookup_PRACTICE.csv for every practice (mode 600) into a folder to fill; gives people by practice.

    Of several records of one person at one practice the latest counts. Whoever stays at home for an opt-out is in no
    lookup; whoever has no valid NHS number is there without one. `salt` adds the digest for linkage.
    """
    by_practice: dict[str, dict[str, Patient]] = {}
    for whose, patient in survey.patients.items():
        if survey.stays(whose):
            continue
        here = by_practice.setdefault(patient.practice if _PRACTICE.fullmatch(patient.practice) else NOWHERE, {})
        pseudonym = survey.pseudonym(whose)
        before = here.get(pseudonym)
        if before is None or before.order < patient.order:
            here[pseudonym] = patient
    header = [*HEADER, LINKAGE] if salt is not None else [*HEADER]
    for practice, here in sorted(by_practice.items()):
        buffer = io.StringIO()
        out = csv.writer(buffer, lineterminator="\r\n")
        out.writerow(header)
        for pseudonym, patient in sorted(here.items()):
            row = [pseudonym, patient.number, practice if practice != NOWHERE else "", _day(patient.born)]
            row += [
                patient.local if _LOCAL.fullmatch(patient.local) and survey.kind != "omop" else "",
                _telephone(patient.phone),
            ]
            if salt is not None:
                row.append(for_linkage(patient.number, salt) if patient.number else "")
            out.writerow(row)
        path = folder / f"lookup_{practice}.csv"
        write_text(path, buffer.getvalue())
        os.chmod(path, 0o600)
    counts = {practice: len(here) for practice, here in sorted(by_practice.items())}
    about = {"kind": KIND, "key fingerprint": survey.key.fingerprint, "people": counts}
    write_text(folder / "manifest.json", canonical_json(about))
    return counts


def _day(born: str) -> str:
    """A date as reidentify reads it (31/12/1960); empty where it is none that anybody living could have."""
    found = re.fullmatch(r"((?:189|19[0-9]|20[0-9])[0-9])-([0-9]{2})-([0-9]{2})", born)
    return f"{found.group(3)}/{found.group(2)}/{found.group(1)}" if found else ""


def _telephone(text: str) -> str:
    plain = re.sub(r"[\s().\-]+", "", text)
    return plain if re.fullmatch(r"\+?[0-9]{7,15}", plain) else ""
