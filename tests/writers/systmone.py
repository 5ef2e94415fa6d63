"""A native extract as a TPP SystmOne extract (SR*.csv, version 93 or 87), in its real layout. For tests only.

Where the native rows go:
* a person is a row of SRPatient; each registration a row of SRPatientRegistration; the home an SRPatientAddressHistory;
* an entry is a row of SRCode: SNOMEDCode and CTV3Code, or (a quarter of the rows; all of version 87, which has no
  SNOMED columns) CTV3Code alone, which SRCtv3ToSnomed resolves. Numbers are split: NumericComparator ">" NumericValue
  "90"; a third of the plain values have the comparator "=". CTV3 codes are made up ("Zy" and three characters of which
  neighbours differ only by case, as CTV3 does), but those of ethnicity are real;
* an issue of a drug is a row of SRPrimaryCareMedication, IDMultiLexDMD its dm+d id; repeats have an SRRepeatTemplate;
* a contact code is an SREvent to which the entries of that day belong. `contacts` says where its code goes: "coded"
  (the default) an SRCode of that event, which keeps the code; ContactMethod stays empty; "method" ContactMethod alone
  (face to face or telephone, an id of SRConfiguredListOption), which loses which of the five codes it was; "both";
* ethnicity is an SRCode of one of the 16+1 concepts of the 2001 census (ethnicity.py), on the day of the first entry,
  so that no entry is older than the native ones;
* a diagnosis also has an SRProblem. SRManifest.csv says from when to when the files reach.

Facts followed (endeavourhealth/Transforms): Cp1252; "dd MMM yyyy HH:mm:ss", days alone "dd MMM yyyy", SRPatient
"dd MMM yyyy HH:mm"; RemovedData 1 or 0, other booleans TRUE or FALSE; IDPatient is the RowIdentifier of SRPatient;
organisations are named by their ODS code; SROrganisation.ID is it. Deltas are folders of the same file names, named by
the time (yyyyMMdd_HHmm); the later folder wins, and within a file the later row.

Version 87 is written without the columns of layouts.NOT_IN_87: nothing can be removed, so that its deltas only change.

What this layout cannot say (the differences to the native rows):
* contacts of earlier lists (`contact`); events of loinc, rxnorm and emis; network and place of a practice;
* an ethnicity in words that are no category is left out, and the 16+1 category stands for its wording;
* `data_through` stands only in SRManifest.csv and in the names of the folders of deltas;
* of a code system that nobody knows, only the code survives, as a CTV3Code;
* confidential entries: there is no flag, they are not sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.writers.csvs import select, write_csv
from tests.writers.layouts import MANIFEST, OURS, SYSTMONE
from tests.writers.population import (
    PROBLEMS,
    TELEPHONE,
    Written,
    batch_of,
    population,
    times_of,
    with_history,
)

_NO_SUCH = "('loinc', 'rxnorm', 'emis')"
_FACE, _CALL = 7_000_001, 7_000_002  # rows of SRConfiguredListOption
_FIRST_EPISODE = 6_000_001  # a row of SRMapping
Spec = tuple[str, Mapping[str, str]]


@dataclass(frozen=True)
class _Draw:
    """What every table's rows depend on."""

    version: int
    pseudonymised: bool
    contacts: str
    times: tuple[dt.date, ...]


def write_systmone(
    native: Path,
    out: Path,
    *,
    version: int = 93,
    deltas: bool = False,
    pseudonymised: bool = True,
    seed: int = 0,
    contacts: str = "coded",
    others: bool = True,
) -> Written:
    """Write the extract into `out`; gives the rows of each file and the native rows that could not be said.

    `deltas`: three folders inside `out`, one full and two of changes, as in `write_emis`; otherwise the files lie flat.
    `others`: three test patients (TestPatient) whom the native rows do not know.
    Raises KeyError for a version or a kind of `contacts` that is not there.
    """
    tables = SYSTMONE[version]
    if contacts not in ("coded", "method", "both"):
        raise KeyError(contacts)
    removes = "RemovedData" in tables["SRCode"]
    added = (*(("test",) if others else ()), *(("ghost",) if deltas and removes else ()))
    con, through = population(native, seed, added=added)
    times = times_of(through, deltas)
    draw = _Draw(version, pseudonymised, contacts, times)
    _macros(con)
    _narrow(con, draw, deltas, removes)
    rows: dict[str, int] = {}
    folders = [out / f"{day:%Y%m%d}_2330" if deltas else out for day in times]
    for table, header in tables.items():
        source, cells = _TABLES[table](draw)
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM ({source}) ORDER BY batch, version, id, salt")
        if table == "SRPatient" and pseudonymised:
            header = (*header, *OURS)
        known = {name.lower() for name in header}
        cells = {name: sql for name, sql in cells.items() if name.lower() in known}
        for batch, folder in enumerate(folders):
            path = folder / f"{table}.csv"
            sql = select(header, cells, f"{table} WHERE batch = {batch}")
            rows[path.relative_to(out).as_posix()] = write_csv(con, sql, path, "cp1252")
        con.execute(f"DROP TABLE {table}")
    start = dt.date(1900, 1, 1)
    for batch, (folder, day) in enumerate(zip(folders, times, strict=True)):
        _manifest(folder, list(tables), batch > 0, start, day)
        start = day
    not_said = {
        "contact": _count(con, "contact"),
        "event": _count(con, f"event WHERE system IN {_NO_SUCH}"),
        "ethnicity": _count(con, "person LEFT JOIN ethnic ON text = lower(ethnicity) "
                                 "WHERE ethnicity IS NOT NULL AND letter IS NULL"),
    }  # fmt: skip
    con.close()
    return Written(out, rows, not_said)


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    return con.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0]


def _manifest(folder: Path, tables: list[str], delta: bool, start: dt.date, end: dt.date) -> None:
    lines = [",".join(MANIFEST)]
    for table in tables:
        dictionary = table in ("SRCtv3", "SRCtv3ToSnomed", "SRMapping", "SRConfiguredListOption")
        flags = f"{str(delta).upper()},{str(dictionary).upper()}"
        lines.append(f"{table},{flags},{start:%d %b %Y} 00:00:00,{end:%d %b %Y} 23:30:00")
    (folder / "SRManifest.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode("cp1252"))


def _macros(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        r"""CREATE MACRO is_day(x) AS regexp_full_match(x, '[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}');
        CREATE MACRO on_day(x) AS CASE WHEN is_day(x) THEN right(x, 2) || ' ' ||
            substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * substr(x, 6, 2)::INTEGER - 2, 3) || ' ' || left(x, 4)
            ELSE x END;
        CREATE MACRO at_time(x, n) AS on_day(x) || CASE WHEN NOT is_day(x) THEN '' WHEN n % 5 = 0 THEN ' 00:00:00'
            ELSE format(' {:02d}:{:02d}:{:02d}', 8 + n % 10, n % 60, n % 59) END;
        CREATE MACRO yes(x) AS CASE WHEN x THEN 'TRUE' ELSE 'FALSE' END;
        CREATE MACRO letter_of(n) AS substr('aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ0123456789',
            (1 + n % 62)::INTEGER, 1);
        CREATE MACRO ctv3_of(n) AS 'Zy' || letter_of(n // 3844) || letter_of(n // 62) || letter_of(n);
        CREATE MACRO salted(id, salt) AS id + CASE salt WHEN 'added' THEN 700000000000000
            WHEN 'never' THEN 800000000000000 ELSE 0 END;
        CREATE MACRO patient_id(seq, person) AS coalesce(1000000 + seq, 90000000 + hash(person) % 1000000)"""
    )


def _narrow(con: duckdb.DuckDBPyConnection, draw: _Draw, deltas: bool, removes: bool) -> None:
    """Make entry_told, meeting_told and issue_told: all that the wide rows of the clinical tables are made of."""
    con.execute(
        f"""CREATE TABLE owner AS SELECT person, min(seq) AS owner FROM person GROUP BY person;
        CREATE TABLE placed AS SELECT record.*, owner, number, {batch_of("entered_on", draw.times)} AS batch
        FROM record LEFT JOIN owner USING (person) LEFT JOIN code ON code.drug = record.drug
            AND code.code = record.code AND code.system IS NOT DISTINCT FROM record.system
            AND code.term IS NOT DISTINCT FROM record.term
        WHERE record.system IS NULL OR record.system NOT IN {_NO_SUCH} ORDER BY seq;
        CREATE TABLE meeting AS FROM placed WHERE contact;
        CREATE TABLE day_of_contact AS SELECT person, practice, happened_on, min(seq) AS meeting
            FROM meeting GROUP BY ALL;
        CREATE TABLE entry AS
        SELECT seq, seq * 10 + 1 AS id, person, owner, practice, happened_on, recorded_on, batch, value, unit, term,
            CASE WHEN system = 'snomed' THEN code END AS snomed,
            CASE WHEN system = 'snomed' THEN ctv3_of(number) ELSE code END AS ctv3, code IN {PROBLEMS} AS problem
        FROM placed WHERE NOT drug AND ({draw.contacts != "method"} OR NOT contact)
        UNION ALL BY NAME
        SELECT 20000000000 + row AS seq, 600000000000 + row AS id, person, owner, practice,
            spoken_on AS happened_on, spoken_on AS recorded_on, {batch_of("spoken_on", draw.times)} AS batch,
            ethnic.term, snomed, ctv3, false AS problem
        FROM (SELECT *, seq AS owner,
                row_number() OVER (PARTITION BY seq ORDER BY practice) AS place FROM patient) AS p
            JOIN spoken USING (person) JOIN ethnic ON text = lower(ethnicity) WHERE place = 1;
        CREATE TABLE issue AS SELECT *, count(*) OVER same AS issues, min(seq) OVER same AS template
            FROM placed WHERE drug WINDOW same AS (PARTITION BY person, practice, code)"""
    )
    shift = "coalesce(try_cast(happened_on AS DATE) - 40, DATE '2001-02-03')::VARCHAR AS happened_on"
    with_history(con, "entry", "coalesce(value || '1', value) AS value, " + shift, deltas, removes)
    with_history(con, "meeting", shift, deltas, removes)
    with_history(con, "issue", shift, deltas, removes)


def _told(source: str) -> str:
    """Half of the removals carry nothing but their ids (`bare`), the other half the whole row."""
    return f"SELECT *, deleted AND seq % 2 = 0 AS bare FROM {source}"


def _plain(sql: str) -> str:
    """Rows without a history of their own, in the first batch."""
    return f"SELECT *, 0 AS batch, 1 AS version, '' AS salt, false AS deleted FROM ({sql})"


def _cells(head: Mapping[str, str], rest: Mapping[str, str]) -> dict[str, str]:
    """`head` is in every row; a bare removal has no more."""
    return {**head, **{name: f"CASE WHEN NOT bare THEN {cell} END" for name, cell in rest.items()}}


_HEAD = {"IDOrganisationVisibleTo": "practice", "RemovedData": "CASE WHEN deleted THEN '1' ELSE '0' END"}
_WHEN = {
    "DateEventRecorded": "at_time(recorded_on, seq + 3)", "DateEvent": "at_time(happened_on, seq)",
    "IDProfileEnteredBy": "5000001 + seq % 3", "IDDoneBy": "5100001 + seq % 3", "IDOrganisationDoneAt": "practice",
    "IDPatient": "patient_id(owner, person)", "IDOrganisation": "practice", "IDOrganisationRegisteredAt": "practice",
}  # fmt: skip


def _staff(draw: _Draw) -> dict[str, str]:
    return {} if draw.pseudonymised else {"TextualEventDoneBy": "'Dr O’Doctor' || (seq % 3)"}


def _codes(draw: _Draw) -> Spec:
    source = _told(
        """(SELECT e.*, meeting FROM entry_told AS e LEFT JOIN day_of_contact AS d ON d.person = e.person
            AND d.practice = e.practice AND d.happened_on = e.happened_on AND e.seq < 20000000000)"""
    )
    alone = "seq % 4 = 0 AND ctv3 IS NOT NULL"
    text = "term" if draw.version == 87 else f"CASE WHEN {alone} OR snomed IS NULL THEN term " \
        "ELSE 'Pt’s ' || term || CASE WHEN seq % 50 = 1 THEN ' (€)' ELSE '' END END"  # fmt: skip
    rest = {
        **_WHEN, **_staff(draw), "CTV3Code": "ctv3", "CTV3Text": text,
        "SNOMEDCode": f"CASE WHEN {alone} THEN NULL ELSE snomed END",
        "SNOMEDText": f"CASE WHEN {alone} OR snomed IS NULL THEN NULL ELSE term END",
        "NumericComparator": "coalesce(nullif(regexp_extract(value, '^(<=|>=|<|>)', 1), ''), "
                             "CASE WHEN seq % 3 = 0 AND value IS NOT NULL THEN '=' END)",
        "IsNumeric": "yes(value IS NOT NULL)", "NumericValue": "ltrim(value, '<>= ')", "NumericUnit": "unit",
        "EpisodeType": f"CASE WHEN problem THEN {_FIRST_EPISODE} END",
        "IDEvent": "meeting * 10 + 4",
    }  # fmt: skip
    return source, _cells({"RowIdentifier": "salted(id, salt)", **_HEAD}, rest)


def _events(draw: _Draw) -> Spec:
    method = f"CASE WHEN code = '{TELEPHONE}' THEN {_CALL} ELSE {_FACE} END"
    rest = {
        **_WHEN, **_staff(draw), "ContactMethod": "NULL" if draw.contacts == "coded" else method,
        "EventIncomplete": "'FALSE'", "ClinicalEvent": "'TRUE'",
    }  # fmt: skip
    source = _told("(SELECT *, seq * 10 + 4 AS id FROM meeting_told)")
    return source, _cells({"RowIdentifier": "salted(id, salt)", **_HEAD}, rest)


def _medications(draw: _Draw) -> Spec:
    dose = "NULL" if draw.pseudonymised else "'1 – 2 daily, at the patient’s choice'"
    rest = {
        **_WHEN, **_staff(draw), "IDMultiLexProduct": "30000 + number", "IDMultiLexPack": "40000 + number",
        "IDMultiLexDMD": "code", "NameOfMedication": "term", "DateMedicationStart": "at_time(happened_on, 0)",
        "MedicationDosage": dose, "MedicationQuantity": "'28 tablet'", "IsRepeatMedication": "yes(issues > 1)",
        "IsOtherMedication": "'FALSE'", "IsDentalMedication": "'FALSE'", "IsHospitalMedication": "'FALSE'",
        "IDRepeatTemplate": "CASE WHEN issues > 1 THEN template * 10 + 6 END",
    }  # fmt: skip
    source = _told("(SELECT *, seq * 10 + 5 AS id FROM issue_told)")
    return source, _cells({"RowIdentifier": "salted(id, salt)", **_HEAD}, rest)


def _templates(draw: _Draw) -> Spec:
    source = """SELECT *, seq * 10 + 6 AS id, 1 AS version, '' AS salt, false AS deleted, false AS bare
        FROM issue WHERE seq = template AND issues > 1"""
    rest = {
        **_WHEN, "IDMultiLexProduct": "30000 + number", "IDMultiLexPack": "40000 + number", "IDMultiLexDMD": "code",
        "NameOfMedication": "term", "DateMedicationTemplateStart": "at_time(happened_on, 0)", "MaxIssues": "issues",
        "MedicationQuantity": "'28 tablet'", "CourseLengthPerIssue": "'28'",
    }  # fmt: skip
    return source, _cells({"RowIdentifier": "id", **_HEAD}, rest)


def _problems(draw: _Draw) -> Spec:
    source = "SELECT * REPLACE (id + 1 AS id), id AS of, false AS bare FROM entry_told " \
        "WHERE problem AND version = 1 AND salt = '' AND NOT deleted"  # fmt: skip
    rest = {**_WHEN, "CTV3Code": "ctv3", "IDCode": "of"}
    return source, _cells({"RowIdentifier": "id", **_HEAD}, rest)


def _states(draw: _Draw, table: str, key: str, begin: str, days: tuple[str, ...], wrong: str) -> str:
    """What was known of each row at each batch, wherever it differs from the batch before; `wrong` of the first."""
    states = []
    for batch, day in enumerate(draw.times):
        last = day == draw.times[-1]
        hidden = "" if last else "REPLACE (" + ", ".join(
            f"CASE WHEN is_day({name}) AND {name} > '{day}' THEN NULL ELSE {name} END AS {name}" for name in days
        ) + ")"  # fmt: skip
        spoilt = f"{wrong} AND {batch == 0 and not last}"
        first = batch_of(begin, draw.times)
        states.append(f"SELECT * {hidden}, {batch} AS batch, {spoilt} AS wrong, {first} AS b FROM {table}")
    told = f"({', '.join(days)}, wrong)"
    return f"""SELECT *, 1 AS version, '' AS salt, false AS deleted, false AS bare FROM (
            SELECT *, lag({told}) OVER (PARTITION BY {key} ORDER BY batch) AS before FROM ({" UNION ALL ".join(states)})
            WHERE batch >= b) WHERE before IS NULL OR before IS DISTINCT FROM {told}"""


_PATIENT = """(SELECT * EXCLUDE (started_on), min(started_on) OVER (PARTITION BY person) AS began, 1000000 + seq AS id,
    row_number() OVER (PARTITION BY seq ORDER BY started_on DESC NULLS LAST, practice) AS place FROM patient)"""


def _patients(draw: _Draw) -> Spec:
    table = f"(FROM {_PATIENT} WHERE place = 1)"
    source = _states(draw, table, "id", "began", ("died_on",), "hash(seq) % 50 = 0")
    if len(draw.times) > 1:
        source = f"""{source} UNION ALL BY NAME SELECT *, 2 AS batch, 2 AS version, '' AS salt, true AS deleted,
            true AS bare, false AS wrong FROM {table} WHERE mark = 'ghost'"""
    number = "person" if draw.pseudonymised else "nhs"
    day = "'01'" if draw.pseudonymised else "lpad((1 + num % 28)::VARCHAR, 2, '0')"
    named = {} if draw.pseudonymised else {
        "Title": "CASE sex_letter WHEN 'M' THEN 'Mr' ELSE 'Ms' END",
        "FirstName": "'Given' || lpad(num::VARCHAR, 4, '0')",
        "MiddleNames": "CASE WHEN num % 3 = 0 THEN 'Middle' END",
        "Surname": "CASE WHEN num % 17 = 0 THEN 'O’' ELSE '' END || 'Surname' || lpad(num::VARCHAR, 4, '0')",
        "PreviousSurname": "CASE WHEN num % 23 = 0 THEN 'Née' END", "BirthPlace": "'Saltmarsh'",
        "EmailAddress": "'person' || num || '@example.org'", "SSRef": "'SS' || num",
    }  # fmt: skip
    ours = {"Lsoa": "lsoa", "ImdDecile": "imd_decile", "ImdVintage": "imd_vintage"} if draw.pseudonymised else {}
    rest = {
        "NHSNumber": f"CASE WHEN mark <> 'test' THEN {number} END",
        "DateBirth": f"on_day((CASE WHEN wrong THEN '1901-01' ELSE month END) || '-' || {day}) || ' 00:00'",
        "DateDeath": "on_day(died_on) || ' 00:00'", "Gender": "sex_letter", "SpeaksEnglish": "'Unknown'",
        "TestPatient": "yes(mark = 'test')", "SpineMatched": "'TRUE'", **named, **ours,
    }  # fmt: skip
    return source, _cells({"RowIdentifier": "id", **_HEAD}, rest)


def _registrations(draw: _Draw) -> Spec:
    table = "(SELECT r.*, owner, r.seq * 10 + 7 AS id FROM registration AS r JOIN owner USING (person))"
    source = _states(draw, table, "id", "started_on", ("ended_on",), "hash(seq) % 50 = 0")
    pharmacy = "NULL" if draw.pseudonymised else "'Müller’s Pharmacy'"
    rest = {
        "DateEventRecorded": "at_time(started_on, seq)", "IDProfileEnteredBy": "5000001 + seq % 3",
        "DateRegistration": "CASE WHEN wrong THEN '01 Feb 1999' ELSE on_day(started_on) END",
        "DateDeRegistration": "on_day(ended_on)", "RegistrationStatus": "'GMS'", "PreferredPharmacy": pharmacy,
        "IDPatient": "patient_id(owner, person)", "IDOrganisation": "practice",
        "IDOrganisationRegisteredAt": "practice",
    }  # fmt: skip
    return source, _cells({"RowIdentifier": "id", **_HEAD}, rest)


def _addresses(draw: _Draw) -> Spec:
    """The home, and for some the one before it."""
    homes = f"(FROM {_PATIENT} WHERE place = 1)"
    source = _plain(
        f"""SELECT * REPLACE (id * 10 + 8 AS id), id AS of, NULL AS until, began AS since, false AS bare FROM {homes}
        UNION ALL SELECT * REPLACE (id * 10 + 9 AS id, 'ZZ99 3VZ' AS postcode), id, began, '1990-01-01', false
        FROM {homes} WHERE num % 6 = 0 AND began IS NOT NULL"""
    )
    named = {} if draw.pseudonymised else {
        "NumberOfBuilding": "1 + num % 99", "NameOfRoad": "'Rue de l’Exemple, \"Saltmarsh\"'",
        "NameOfTown": "'Saltmarsh'",
        "NameOfCounty": "'Fictionshire'", "FullPostCode": "postcode",
    }  # fmt: skip
    rest = {
        "DateEventRecorded": "at_time(since, seq)", "DateEvent": "at_time(since, seq)", "DateTo": "on_day(until)",
        "AddressType": "'Home'", "IDPatient": "of", "IDOrganisation": "practice", **named,
    }  # fmt: skip
    return source, _cells({"RowIdentifier": "id", **_HEAD}, rest)


def _organisations(draw: _Draw) -> Spec:
    source = """SELECT seq, practice AS key, name FROM practice
        UNION ALL SELECT 900, 'X9X01', 'Hospital “General” – €'"""
    cells = {
        "RowIdentifier": "2000001 + seq", "Name": "name", "ID": "key", "MadeObsolete": "'FALSE'", "RemovedData": "'0'",
    }  # fmt: skip
    return _plain(f"SELECT *, seq AS id FROM ({source})"), cells


def _branches(draw: _Draw) -> Spec:
    cells = {
        "RowIdentifier": "2100001 + seq", "IDOrganisationVisibleTo": "practice", "ID": "2100001 + seq",
        "BranchName": "name || ' (branch)'", "BranchObsolete": "'FALSE'", "IDOrganisation": "practice",
        "RemovedData": "'0'",
    }  # fmt: skip
    return _plain("SELECT *, seq AS id FROM practice"), cells


_BOTH = """SELECT ctv3_of(number) AS ctv3, code AS snomed, term, number AS id FROM code
        WHERE NOT drug AND system = 'snomed'
    UNION ALL SELECT ctv3, snomed, any_value(term), 100000 + ascii(any_value(letter)) FROM ethnic GROUP BY ctv3, snomed
    UNION ALL SELECT 'Zz' || lpad(i::VARCHAR, 3, '0'), '138875005', 'Code that nobody’s used – €' || i, 200000 + i
        FROM range(40) AS r(i)"""


def _ctv3(draw: _Draw) -> Spec:
    cells = {
        "RowIdentifier": "3000000 + id", "IDOrganisationVisibleTo": "'Y99001'", "Ctv3Code": "ctv3", "Ctv3Text": "term",
        "RemovedData": "'0'",
    }  # fmt: skip
    return _plain(_BOTH), cells


def _ctv3_to_snomed(draw: _Draw) -> Spec:
    cells = {
        "RowIdentifier": "3500000 + id", "IDOrganisationVisibleTo": "'Y99001'", "Ctv3Code": "ctv3",
        "SnomedCode": "snomed",
        "RemovedData": "'0'",
    }  # fmt: skip
    return _plain(_BOTH), cells


def _mappings(draw: _Draw) -> Spec:
    values = f"({_FIRST_EPISODE}, 601, 'First'), ({_FIRST_EPISODE + 1}, 601, 'Ongoing'), (6000010, 602, 'Home')"
    source = f"SELECT * FROM (VALUES {values}) AS v(id, family, mapping)"
    return _plain(source), {"RowIdentifier": "id", "IdMappingGroup": "family", "Mapping": "mapping"}


def _options(draw: _Draw) -> Spec:
    source = f"SELECT * FROM (VALUES ({_FACE}, 'Face to face'), ({_CALL}, 'Telephone')) AS v(id, option)"
    cells = {
        "RowIdentifier": "id", "ConfiguredList": "'Contact Method'", "ConfiguredListOption": "option",
        "RemovedData": "'0'"
    }  # fmt: skip
    return _plain(source), cells


def _read_drugs(draw: _Draw) -> Spec:
    cells = {
        "RowIdentifier": "3900000 + id", "IDMultiLexProduct": "30000 + id",
        "DrugReadCode": "'zz' || lpad(id::VARCHAR, 3, '0')",
        "DrugReadCodeDesc": "term", "RemovedData": "'0'",
    }  # fmt: skip
    return _plain("SELECT term, number AS id FROM code WHERE drug AND system = 'dmd'"), cells


def _staff_members(draw: _Draw) -> Spec:
    named = {} if draw.pseudonymised else {"StaffName": "'Dr O’Doctor' || id", "StaffUserName": "'doctor' || id"}
    cells = {"RowIdentifier": "5100001 + id", "Obsolete": "'FALSE'", "RemovedData": "'0'", **named}
    return _plain("SELECT i AS id FROM range(3) AS r(i)"), cells


def _staff_profiles(draw: _Draw) -> Spec:
    cells = {
        "RowIdentifier": "5000001 + id", "StaffRole": "'Salaried General Practitioner'",
        "IDStaffMember": "5100001 + id",
        "IDOrganisation": "'Y99001'", "RemovedData": "'0'",
    }  # fmt: skip
    return _plain("SELECT i AS id FROM range(3) AS r(i)"), cells


_TABLES = {
    "SRPatient": _patients, "SRPatientRegistration": _registrations, "SRPatientAddressHistory": _addresses,
    "SRCode": _codes, "SREvent": _events, "SRPrimaryCareMedication": _medications, "SRRepeatTemplate": _templates,
    "SRProblem": _problems, "SROrganisation": _organisations, "SROrganisationBranch": _branches, "SRCtv3": _ctv3,
    "SRCtv3ToSnomed": _ctv3_to_snomed, "SRMapping": _mappings, "SRConfiguredListOption": _options,
    "SRMedicationReadCodeDetails": _read_drugs, "SRStaffMember": _staff_members,
    "SRStaffMemberProfile": _staff_profiles,
}  # fmt: skip
"""How the rows of each table are drawn: (SQL of narrow rows, cells)."""
