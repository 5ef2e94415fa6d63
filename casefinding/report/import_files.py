"""Import files: CSV that a clinical or messaging system reads, in profiles that a practice can write itself."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefinding.definitions.find import definitions_folder
from casefinding.definitions.strict import Parsed, parse_file
from casefinding.errors import ConfigError, RecordsError
from casefinding.nhs_number import holds_one
from casefinding.recall.identity.lookup import Lookup, Patient
from casefinding.recall.identity.practice_list import BY_CHANCE, Listed
from casefinding.recall.text_table import is_formula, some

HOLDS = ("nhs_number", "date_of_birth", "emis_number", "telecom_number", "name")
"""What a column of an import file can hold."""
DATES = {"DD/MM/YYYY": "%d/%m/%Y", "YYYY-MM-DD": "%Y-%m-%d"}
AUDIENCES = ("anybody", "messages")
_KEYS = {"about", "for", "source", "at most", "dates", "columns"}
_COLUMN_KEYS = {"header", "holds", "if missing"}


@dataclass(frozen=True)
class Column:
    header: str
    holds: str
    needed: bool


@dataclass(frozen=True)
class Profile:
    """One kind of import file; `at_most`: patients in one file, 0 for no limit; `dates`: a format of strftime."""

    name: str
    about: str
    messages: bool
    columns: tuple[Column, ...]
    at_most: int
    dates: str


@dataclass(frozen=True)
class Text:
    """What one message can be about: a visit ("" where none is said) and which invitation to it (0: not said).

    `said`: whether the list names visits at all.
    """

    visit: str = ""
    wave: int = 0
    said: bool = False

    @property
    def short(self) -> str:
        """For a file's name: small letters, digits and dashes, at most 40 of them; empty where the list says nothing.

        >>> Text("Lung function visit", 2, True).short, Text("", 1, True).short, Text().short
        ('lung-function-visit_invitation-2', 'no-visit-named_invitation-1', '')
        """
        letters = unicodedata.normalize("NFKD", self.visit).encode("ascii", "ignore").decode().lower()
        visit = re.sub("[^a-z0-9]+", "-", letters).strip("-")[:40].strip("-") or ("visit" if self.visit else "")
        visit = visit or ("no-visit-named" if self.said else "")
        return "_".join(part for part in (visit, f"invitation-{self.wave}" if self.wave else "") if part)

    def __str__(self) -> str:
        visit = self.visit or ("no visit named" if self.said else "")
        return ", ".join(part for part in (visit, f"invitation {self.wave}" if self.wave else "") if part)


def shipped_profiles() -> dict[str, Profile]:
    """The profiles that come with casefinding."""
    return read_profiles(definitions_folder() / "configs" / "import-files" / "profiles.yaml")


def read_profiles(path: Path) -> dict[str, Profile]:
    """Profiles of a file by name; ConfigError says in which line the first mistake is."""
    parsed = parse_file(path)
    if parsed.problems:
        first = parsed.problems[0]
        raise ConfigError(first.what, where=first.where, hint=first.hint)
    profiles = parsed.value.get("profiles") if isinstance(parsed.value, dict) else None
    if not isinstance(profiles, dict) or not profiles or set(parsed.value) != {"profiles"}:
        raise _wrong(parsed, (), "it needs one key, 'profiles', with a profile under each name")
    return {str(name): _profile(parsed, str(name), found) for name, found in profiles.items()}


def _wrong(parsed: Parsed, path: tuple[Any, ...], what: str) -> ConfigError:
    return ConfigError(what, where=parsed.where(path), hint="see docs/how-to/reidentify.md")


def _profile(parsed: Parsed, name: str, found: Any) -> Profile:
    at: tuple[Any, ...] = ("profiles", name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise _wrong(parsed, at, "the name of a profile has small letters, digits and dashes only")
    _known(parsed, at, found, _KEYS)
    audience = found.get("for", "messages")
    if audience not in AUDIENCES:
        raise _wrong(parsed, (*at, "for"), f"'for' is one of: {', '.join(AUDIENCES)}")
    most = found.get("at most", 0)
    if not isinstance(most, int) or most < 0 or ("at most" in found and most == 0):
        raise _wrong(parsed, (*at, "at most"), "'at most' is a number of patients, 1 or more")
    dates = found.get("dates", "DD/MM/YYYY")
    if dates not in DATES:
        raise _wrong(parsed, (*at, "dates"), f"'dates' is one of: {', '.join(DATES)}")
    listed = found.get("columns")
    if not isinstance(listed, list) or not listed:
        raise _wrong(parsed, at, "a profile needs 'columns'")
    columns = tuple(_column(parsed, (*at, "columns", number), one) for number, one in enumerate(listed))
    headers = [column.header.lower() for column in columns]
    if len(set(headers)) < len(headers):
        raise _wrong(parsed, (*at, "columns"), "two columns have one header")
    return Profile(name, str(found.get("about", "")), audience == "messages", columns, most, DATES[dates])


def _column(parsed: Parsed, at: tuple[Any, ...], found: Any) -> Column:
    _known(parsed, at, found, _COLUMN_KEYS)
    header, holds, missing = found.get("header"), found.get("holds"), found.get("if missing")
    if not isinstance(header, str) or not header.strip() or is_formula(header) or not header.isprintable():
        raise _wrong(parsed, at, "a column needs a 'header', a text that is no formula")
    if holds not in HOLDS:
        raise _wrong(parsed, at, f"a column 'holds' one of: {', '.join(HOLDS)}")
    if missing not in (None, "leave out"):
        raise _wrong(parsed, at, "'if missing' can only be: leave out")
    return Column(header, holds, missing is None)


def _known(parsed: Parsed, at: tuple[Any, ...], found: Any, keys: set[str]) -> None:
    if not isinstance(found, dict):
        raise _wrong(parsed, at, "a mapping is needed here")
    for key in found:
        if key not in keys:
            raise _wrong(parsed, (*at, key), f"there is no key '{key}' here; there are: {', '.join(sorted(keys))}")


def whom(profile: Profile, people: Sequence[Listed], lanes: Sequence[str]) -> list[Listed]:
    """Who goes into a profile's file, in the order of the list.

    For messages: people of the sheets by chance whose row has no outcome yet, so nobody who must be reached differently
    and nobody who declined or was invited already. For anybody: the sheets asked for.
    """
    if profile.messages:
        return [one for one in people if one.sheet in BY_CHANCE and not one.outcome]
    return [one for one in people if one.sheet in lanes]


def import_files(profile: Profile, people: Sequence[Listed], lookup: Lookup, name: str, where: str) -> dict[str, bytes]:
    """The files of one profile by name: one for each text to be sent, in parts of at most `profile.at_most` people.

    None if there is nobody. See `by_text` for what calls for a text of its own. RecordsError, with row numbers of the
    lookup, where somebody lacks what a column needs.
    """
    columns = [column for column in profile.columns if column.needed or column.holds in lookup.columns]
    texts = {text: _known_to(lookup, invited) for text, invited in by_text(profile, people).items()}
    patients = _known_to(lookup, people)
    for column in columns:
        lacking = [patient.row for patient in patients if not _cell(column, patient, profile)]
        if column.needed and column.holds not in lookup.columns:
            raise RecordsError(f"profile {profile.name} needs the column '{column.holds}'", where=where)
        if column.needed and lacking:
            raise RecordsError(
                f"profile {profile.name} needs '{column.holds}' for everybody, and {len(lacking):,} have none",
                where=f"{where}, {some(lacking)}",
                hint="fill it in, or leave the profile out",
            )
    files: dict[str, bytes] = {}
    for text, invited in texts.items():
        parts = list(_parts(invited, profile.at_most))
        names = _file_names(name, profile.name, text.short, len(parts))
        again = 2
        while any(file in files for file in names):  # two visits whose labels are alike in letters and digits
            names = _file_names(name, profile.name, f"{text.short}_{again}", len(parts))
            again += 1
        files |= {file: _csv(columns, part, profile) for file, part in zip(names, parts, strict=True)}
    return files


def by_text(profile: Profile, people: Sequence[Listed]) -> dict[Text, list[Listed]]:
    """People by the text that they can be sent, each once: for messages by visit and invitation, else all together.

    A list that says neither (an older one) gives one text. RecordsError with the place of a row whose visit is no label
    of a visit: it would go into a file's name.
    """
    found: dict[Text, list[Listed]] = {}
    said = profile.messages and any(one.visit for one in people)
    for one in people:
        if profile.messages and (len(one.visit) > 120 or not one.visit.isprintable() or holds_one(one.visit)):
            raise RecordsError(
                "what a row says of the visit is not a visit's name",
                where=one.place,
                hint="use the list as it was received",
            )
        text = Text(one.visit, one.wave, said) if profile.messages else Text()
        found.setdefault(text, []).append(one)
    return dict(sorted(found.items(), key=lambda entry: (not entry[0].visit, entry[0].visit, entry[0].wave)))


def _known_to(lookup: Lookup, people: Sequence[Listed]) -> list[Patient]:
    return [patient for one in people if (patient := lookup.known(one.pseudonym)) is not None]


def _parts(patients: Sequence[Patient], at_most: int) -> Iterator[Sequence[Patient]]:
    step = at_most or max(1, len(patients))
    for first in range(0, len(patients), step):
        yield patients[first : first + step]


def _file_names(name: str, profile: str, text: str, parts: int) -> list[str]:
    kind = ("" if profile == "plain" else f"-{profile}") + (f"_{text}" if text else "")
    numbers = [f"-{number}-of-{parts}" for number in range(1, parts + 1)] if parts > 1 else [""]
    return [f"{name}-import{kind}{number}.csv" for number in numbers[:parts]]


def _csv(columns: Sequence[Column], patients: Sequence[Patient], profile: Profile) -> bytes:
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow([column.header for column in columns])
    for patient in patients:
        out.writerow([_cell(column, patient, profile) for column in columns])
    return buffer.getvalue().encode("utf-8")


def _cell(column: Column, patient: Patient, profile: Profile) -> str:
    if column.holds == "date_of_birth":
        return patient.date_of_birth.strftime(profile.dates) if patient.date_of_birth else ""
    return str(getattr(patient, column.holds))


def choose(names: Sequence[str], own: Path | None) -> list[Profile]:
    """The profiles asked for by name, from a file of one's own before those shipped; ConfigError for an unknown one."""
    known: Mapping[str, Profile] = {**shipped_profiles(), **(read_profiles(own) if own else {})}
    for name in names:
        if name not in known:
            raise ConfigError(
                "there is no such profile", where=f"--profile {name[:40]}", hint=f"choose from: {', '.join(known)}"
            )
    return [known[name] for name in dict.fromkeys(names)]
