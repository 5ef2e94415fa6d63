"""`casefinding pseudonymise`: where identifiers are allowed, an extract in, the same extract out without its people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from casefinding import audit
from casefinding.definitions.flow import read_flow
from casefinding.errors import ConfigError, RecordsError, UsageError
from casefinding.files import canonical_json, check_replaceable, new_folder, write_text
from casefinding.job.progress import Stages
from casefinding.records.pseudonyms import fhir, files_in
from casefinding.records.pseudonyms.common import read_rows
from casefinding.records.pseudonyms.digests import read_salt
from casefinding.records.pseudonyms.keys import Key, make_key, read_key
from casefinding.records.pseudonyms.lookup import check_lookups, write_lookups
from casefinding.records.pseudonyms.opt_outs import NATIONAL, NOT_CHECKED, TYPE_1, Decisions, not_allowed, opted_out
from casefinding.records.pseudonyms.opted_out import read_decisions
from casefinding.records.pseudonyms.places import Places, read_places
from casefinding.records.pseudonyms.rewrite import Rewritten, rewrite
from casefinding.records.pseudonyms.survey import Survey, read_people
from casefinding.records.reasons import Left

KINDS = ("emis", "systmone", "native", "omop", "fhir")
SECONDARY, DIRECT = "secondary", "direct-care"
AUDIT = "pseudonymise-audit.jsonl"


@dataclass(frozen=True)
class Asked:
    """What the command was asked; `flow` empty: what the config says, else secondary use."""

    kind: str
    out: Path
    lookups: Path
    key_file: Path | None = None
    key_env: str | None = None
    postcodes: Path | None = None
    deprivation: Path | None = None
    vintage: str = ""
    flow: str = ""
    config: Path | None = None
    national_allowed: Path | None = None
    national_opted_out: Path | None = None
    salt_file: Path | None = None
    audit: Path | None = None
    keep_small_area: bool = False

    @property
    def national(self) -> Path | None:
        """The list of the national data opt-out, of whichever kind."""
        return self.national_allowed or self.national_opted_out


@dataclass
class _Extract:
    """An extract of any kind: how its people are read, how each file is written, and what was not looked at."""

    read: Callable[[Survey, Callable[[str], None]], Decisions]
    files: list[tuple[str, Callable[[Path, Survey, Places], Rewritten]]]
    left: Counter[str]
    check: Callable[[], None]


def new_key(file: Path) -> None:
    """`--make-key`: a new random key in a new private file; only its fingerprint is said."""
    made = make_key(file)
    print(f"key: {file} (32 random bytes as hex, mode 600), fingerprint {made.fingerprint}")
    print("keep a copy where only the practice can reach it: without it the same pseudonyms can never be made again")


def pseudonymise(extract: Path, asked: Asked, *, quiet: bool = False) -> dict[str, Any]:
    """Write the extract without identifiers, the practices' lookups, and an audit line: all of them or none.

    Gives the manifest. Raises a CasefindingError, and writes nothing, for anything that is not right; no message, no
    log and no file but the lookups holds an NHS number, a name, a date of birth or the key.
    """
    if asked.kind not in KINDS:
        raise UsageError("no such kind of extract", where="--from", hint=f"choose one of {', '.join(KINDS)}")
    key = read_key(asked.key_file, asked.key_env)
    salt = read_salt(asked.salt_file) if asked.salt_file is not None else None
    removes = _removes(asked)
    audit_file = _check_places(extract, asked)
    check_lookups(asked.lookups, key.fingerprint)
    stages = Stages(quiet=quiet)
    whole = _fhir(extract) if asked.kind == "fhir" else _tables(extract, asked.kind)
    survey = Survey(asked.kind, key, removes=removes)
    with stages.stage("Read who is in the extract"):
        decisions = whole.read(survey, lambda name: None)
        if removes:
            survey.type_1 = decisions.out(survey.person)
            survey.stay_confidential()
            numbers = (patient.number for patient in survey.patients.values() if patient.number)
            if asked.national_allowed is not None:
                survey.national, survey.only_checked = not_allowed(asked.national_allowed, numbers), True
            elif asked.national_opted_out is not None:
                survey.national = opted_out(asked.national_opted_out, numbers)
        survey.count()
    with stages.stage("Look up the homes"):
        homes = {patient.postcode for patient in survey.patients.values() if patient.postcode}
        places = read_places(asked.postcodes, asked.deprivation, asked.vintage, homes)
        places = places if asked.keep_small_area else places.without_areas()
    with new_folder(asked.out) as folder:
        done: dict[str, Rewritten] = {}
        with stages.stage("Write the extract") as tick:
            for number, (name, write) in enumerate(whole.files):
                tick(number, len(whole.files))
                done[name] = write(folder / name, survey, places)
        whole.check()
        manifest = _manifest(asked, survey, places, done, whole.left)
        with new_folder(asked.lookups) as lookups:
            practices = write_lookups(survey, lookups, salt)
        write_text(folder / "manifest.json", canonical_json(manifest))
        # Before the folder takes its place: without a line there is nothing.
        audit.append(audit_file, _entry(asked, manifest, practices))
    _say(asked, key, survey, places, done, whole.left, practices, audit_file)
    return manifest


def _tables(extract: Path, kind: str) -> _Extract:
    folder = files_in.look(kind, extract)

    def read(survey: Survey, tick: Callable[[str], None]) -> Decisions:
        read_people(survey, folder, tick)
        read_rows(survey, folder, tick)
        return read_decisions(folder, tick) if survey.removes else Decisions()

    def writes(source: files_in.Source):
        return lambda target, survey, places: rewrite(source, target, survey, places)

    left = Counter(name or "other files" for name in folder.left)
    left.update(source.table.name for source in folder.looked_at)
    return _Extract(read, [(one.name, writes(one)) for one in folder.sources], left, folder.check_unchanged)


def _fhir(extract: Path) -> _Extract:
    files, others = fhir.find(extract)
    before = fhir.marks(files)

    def check() -> None:
        if fhir.marks(files) != before:
            raise RecordsError("a file changed while it was read", hint="wait until the extract has arrived whole")

    def writes(path: Path, name: str):
        return lambda target, survey, places: fhir.rewrite(path, name, target, survey, places)

    return _Extract(
        lambda survey, tick: fhir.read_people(survey, files, tick),
        [(name, writes(path, name)) for path, name in files],
        Counter({"other files": others} if others else {}),
        check,
    )


def _removes(asked: Asked) -> bool:
    """Whether opt-outs keep people at home, after what the command and the config say about the flow."""
    flow = None
    if asked.config is not None:
        flow = read_flow(asked.config)
        if flow is None:
            raise ConfigError(
                "the config does not say which opt-outs its flow needs",
                where=str(asked.config),
                hint="add: flow: {purpose: secondary use, national data opt-out: needed}, or not needed",
            )
    if asked.flow not in ("", SECONDARY, DIRECT):
        raise UsageError("no such flow", where="--flow", hint=f"{SECONDARY} or {DIRECT}")
    purpose = {"secondary use": SECONDARY, "direct care": DIRECT}[flow.purpose] if flow is not None else ""
    if purpose and asked.flow and asked.flow != purpose:
        raise UsageError("the command and the config name different flows", where="--flow", hint="leave --flow out")
    direct = (asked.flow or purpose or SECONDARY) == DIRECT
    if asked.national_allowed is not None and asked.national_opted_out is not None:
        raise UsageError("two lists of the national data opt-out", where="--national-allowed", hint="give one of them")
    if direct and asked.national is not None:
        raise UsageError(
            "no opt-out applies to direct care",
            where="--national-allowed" if asked.national_allowed is not None else "--national-opted-out",
            hint="leave it out, or --flow secondary",
        )
    if flow is not None and flow.national_data_opt_out == "needed" and asked.national is None:
        raise UsageError(
            "the config's flow needs the national data opt-outs",
            where=str(asked.config),
            hint="name the file that the national service returned, with --national-allowed",
        )
    return not direct


def _check_places(extract: Path, asked: Asked) -> Path:
    """Refuse (UsageError) folders that lie in each other, or that would take a file with them; where the audit goes."""
    given, out, lookups = (path.resolve() for path in (extract, asked.out, asked.lookups))
    audit_file = (asked.audit or asked.lookups.absolute().parent / AUDIT).resolve()
    for what, one, other in (
        ("the output and the extract", out, given),
        ("the lookups and the extract", lookups, given),
        ("the lookups and the output", lookups, out),
    ):
        if one == other or one in other.parents or other in one.parents:
            raise UsageError(f"{what} lie in each other", where=str(one), hint="name a new folder outside of it")
    private = {
        "--key-file": asked.key_file, "--linkage-salt-file": asked.salt_file, "--audit": audit_file,
        "--postcodes": asked.postcodes, "--deprivation": asked.deprivation, "--config": asked.config,
        "--national-allowed": asked.national_allowed, "--national-opted-out": asked.national_opted_out,
    }  # fmt: skip
    for option, path in private.items():
        if path is not None and {out, lookups} & {path.resolve(), *path.resolve().parents}:
            raise UsageError(
                "the file lies in a folder that is written anew", where=option, hint="move it out of there"
            )
    for folder in (asked.out, asked.lookups):
        check_replaceable(folder)
    return audit_file


def _manifest(
    asked: Asked, survey: Survey, places: Places, done: dict[str, Rewritten], left: Counter[str]
) -> dict[str, Any]:
    """What was done, in counts; nothing in it is a patient's. Raises RecordsError if rows do not balance."""
    for name, one in done.items():
        if one.rows_in != one.rows_out + sum(one.removed.values()):
            raise RecordsError("rows in are not rows out and removed", where=name, hint="please report this")
    removed: Counter[str] = Counter()
    for one in done.values():
        removed.update(one.removed)
    return {
        "what": "pseudonymised",
        "kind": asked.kind,
        "flow": SECONDARY if survey.removes else DIRECT,
        "opt-outs applied": [
            *([TYPE_1] if survey.removes else []), *([NATIONAL] if asked.national is not None else []),
        ],
        "national data opt-out": _national(asked),
        "key fingerprint": survey.key.fingerprint,
        "people": {name: number for name, number in sorted(survey.people.items()) if number},
        "rows in": sum(one.rows_in for one in done.values()),
        "rows out": sum(one.rows_out for one in done.values()),
        "rows removed": dict(sorted(removed.items())),
        "files": {name: one.for_manifest() for name, one in sorted(done.items())},
        "files left": dict(sorted(left.items())),
        "deprivation vintage": places.vintage,
        "boundaries of": places.census,
        "small areas kept": asked.keep_small_area,
        "homes": {
            "postcodes": places.asked, "with a small area": places.with_area, "with a decile": places.with_decile,
        },
    }  # fmt: skip


def _national(asked: Asked) -> dict[str, str] | str:
    """Which list of the national data opt-out was applied, and when; or that none was."""
    if asked.national is None:
        return "not applied"
    listed = "those who may be used" if asked.national_allowed is not None else "those who opted out"
    return {"list": listed, "sha-256": sha256(asked.national.read_bytes()).hexdigest(), "applied on": str(date.today())}


def _entry(asked: Asked, manifest: dict[str, Any], practices: dict[str, int]) -> dict[str, Any]:
    names = ("what", "kind", "flow", "opt-outs applied", "national data opt-out", "key fingerprint", "people",
             "rows in", "rows out", "rows removed", "deprivation vintage")  # fmt: skip
    return {
        **{name: manifest[name] for name in names},
        "files": len(manifest["files"]), "practices": sorted(practices), "folder": asked.out.name,
        "lookups": asked.lookups.name, "linkage digest": asked.salt_file is not None,
    }  # fmt: skip


def _say(
    asked: Asked, key: Key, survey: Survey, places: Places, done: dict[str, Rewritten], left: Counter[str],
    practices: dict[str, int], audit_file: Path,
) -> None:  # fmt: skip
    people = survey.people
    rows = sum(one.rows_in for one in done.values())
    out = sum(one.rows_out for one in done.values())
    print(f"key: {key.size} bytes, read as {key.form}, fingerprint {key.fingerprint}")
    print(f"{people['in the output']:,} of {people['people']:,} people, {out:,} of {rows:,} rows in {len(done)} files")
    for what in ("without an NHS number", "with a number that is no NHS number"):
        if people[what]:
            print(f"  {people[what]:,} people {what}: known by the vendor's own id, in one practice only")
    if survey.removes:
        print(f"  {people[TYPE_1]:,} people with a Type 1 opt-out stay here")
        said = f"{people[NATIONAL]:,} people with a national data opt-out stay here"
        print(f"  {said}" if asked.national is not None else "  national data opt-outs: not applied")
        for reason in (NOT_CHECKED, Left.CONFIDENTIAL.value):
            if people[reason]:
                print(f"  {people[reason]:,} people stay here ({reason})")
    else:
        print("  direct care: no opt-out applies")
    lost = sum(one.removed["not in the table of people"] for one in done.values())
    if lost:
        print(
            f"  {lost:,} rows about somebody whom the extract does not hold stay here: "
            "give full and delta files together"
        )
    emptied: Counter[str] = Counter()
    for one in done.values():
        emptied.update({f"{one.table}.{column}": number for column, number in one.cells.items()})
    for column, number in sorted(emptied.items()):
        print(f"  {number:,} cells of {column} were not of the form of their column, and are not copied")
    rare: Counter[str] = Counter()
    for one in done.values():
        rare.update({f"{one.table}.{column}": number for column, number in one.rare.items()})
    for column, number in sorted(rare.items()):
        print(f"  {number:,} cells of {column} are text of fewer than 8 people, and are not copied")
    for line in places.said():
        print(f"  {line}")
    if left:
        print(f"  left here: {', '.join(f'{name} ({number})' for name, number in sorted(left.items()))}")
    print(f"extract: {asked.out}\nlookups: {asked.lookups}  ({len(practices)} practices; hold NHS numbers)")
    print(f"audit:   {audit_file}\n{_closing(asked, survey)}")


def _closing(asked: Asked, survey: Survey) -> str:
    """What was applied and what was not; whether the folder may leave is for an agreement to say."""
    if survey.removes:
        national = "not applied"
        if asked.national is not None:
            national = f"applied, by the list of {_national(asked)['list']}"  # pyright: ignore[reportArgumentType]
        said = f"Type 1 opt-out: applied. National data opt-out: {national}."
    else:
        said = "Direct care: no opt-out applied, and confidential records are in it."
    return f"{said} This folder may leave the practice only under an agreement that says so. The lookups may never."
