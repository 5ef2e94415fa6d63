"""A native extract as an EMIS Web bulk extract (v8.2 or v5.4), in its real layout. For tests only.

Where the native rows go:
* a person is a row of Admin_Patient at each of their practices, with the latest stay there; the earlier stays at the
  same practice stand in Admin_PatientHistory alone (v8.2; v5.4 cannot say them);
* a contact code (Encounter for problem, ...) is a CareRecord_Consultation with that code as ConsultationSourceCodeId;
  entries of the same person, practice and day belong to it;
* an issue of a drug is a Prescribing_IssueRecord; each person's drug has one Prescribing_DrugRecord, which is no issue;
* anything else is a CareRecord_Observation. A pair of readings has a parent observation (75367002, no value), which
  the native rows do not have; diagnoses are also in CareRecord_Problem, referrals in CareRecord_ObservationReferral,
  with the observation's own GUID;
* ethnicity is an observation of one of the 16+1 concepts of the 2001 census (ethnicity.py), on the day of
  the first entry, so that no entry is older than the native ones;
* the network and the place are organisations: ParentOrganisationGuid and CCGOrganisationGuid.
Further rows that must not become events: CareRecord_Diary, users, two kinds of made-up patients (`others`).

Facts followed (NHSISL/Datasets, EMIS v8.2; endeavourhealth/Transforms): GUIDs in braces and capitals, unique only
together with OrganisationGuid (here the same GUID does stand for different rows of different practices); CodeIds are 16
digits long; ReadTermId is "^ESCT..." for codes born in SNOMED CT; NhsNumber is the pseudonym, or in an identifiable
extract a number of the range kept for tests; PatientTypeDescription "Regular"; booleans "true" and "false".
`Value` is a decimal in the specification, and there is no column for an operator: with `comparators` (the default) the
cell is ">90" as the laboratory sent it, so that nothing is lost; without, it is 90, as the specification has it.

What this layout cannot say (the differences to the native rows):
* contacts of earlier lists (`contact`); events of loinc and rxnorm; `data_through` (only the time in the files' names);
* an ethnicity in words that are no category is left out, and the 16+1 category stands for its wording;
* a person without a registration sits at the first practice without a date of registration;
* of a code system that nobody knows, only the code survives, as a ReadTermId.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.writers.csvs import select, write_csv
from tests.writers.ethnicity import CATEGORIES
from tests.writers.layouts import EMIS, OURS
from tests.writers.population import (
    DIASTOLIC,
    PANEL,
    PROBLEMS,
    REFERRALS,
    SYSTOLIC,
    Written,
    batch_of,
    population,
    times_of,
    with_history,
)

AGREEMENT = "8b7f2c1e-5d34-4c7a-9f60-2e1d0c9b8a77"
"""The sharing agreement in every file name."""
_PANEL, _ETHNIC = 900_000, 900_100  # numbers of codes that are not the population's own
_NO_SUCH = "('loinc', 'rxnorm')"


def write_emis(
    native: Path,
    out: Path,
    *,
    version: str = "8.2",
    deltas: bool = False,
    pseudonymised: bool = True,
    seed: int = 0,
    confidential_share: float = 0.0,
    comparators: bool = True,
    others: bool = True,
) -> Written:
    """Write the extract into `out`; gives the rows of each file and the native rows that could not be said.

    `deltas`: one full extract 180 days before the last day, and two deltas, with rows that were wrong, added wrongly,
    deleted in error, and deletions of rows that never came; the rows of a delta are in no order, ProcessingId is.
    Without `pseudonymised` names, addresses, telephones and free text are made up (range 07700 900000, postcodes ZZ99).
    `confidential_share`: so many of the clinical rows are marked. `others`: three test patients (DummyType) and two
    marked SpineSensitive, none of whom the native rows know.
    Raises KeyError for a version that is not there.
    """
    tables = EMIS[version]
    added = (*(("test", "sensitive") if others else ()), *(("ghost",) if deltas else ()))
    con, through = population(native, seed, added=added)
    times = times_of(through, deltas)
    _macros(con, comparators)
    _narrow(con, times, deltas, confidential_share)
    draw = _Draw(pseudonymised, through, times)
    rows: dict[str, int] = {}
    for number, (table, header) in enumerate(tables.items()):
        source, cells, full = _TABLES[table](draw)
        _number(con, table, source, number, full, len(times))
        if table == "Admin_Patient" and pseudonymised:
            header = (*header, *OURS)
        known = {name.lower() for name in header}
        cells = {name: sql for name, sql in cells.items() if name.lower() in known}
        if "ProcessingId" in header:  # Agreements_SharingOrganisation has none
            cells["ProcessingId"] = "pid"
        for batch, day in enumerate(times):
            path = out / _file_name(con, table, batch, day)
            order = " ORDER BY hash(pid)" if batch else ""
            source = f'"{table}" WHERE batch = {batch}{order}'
            rows[path.name] = write_csv(con, select(header, cells, source), path)
        con.execute(f'DROP TABLE "{table}"')
    not_said = {
        "contact": _count(con, "contact"),
        "event": _count(con, f"event WHERE system IN {_NO_SUCH}"),
        "ethnicity": _count(con, "patient LEFT JOIN ethnic ON text = lower(ethnicity) "
                                 "WHERE ethnicity IS NOT NULL AND letter IS NULL"),
    }  # fmt: skip
    con.close()
    return Written(out, rows, not_said)


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    return con.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0]


def _file_name(con: duckdb.DuckDBPyConnection, table: str, batch: int, day: dt.date) -> str:
    ((start, end),) = con.execute(f'SELECT min(pid), max(pid) FROM "{table}" WHERE batch = {batch}').fetchall()
    base = 1 + batch * 300_000_000
    return f"{start or base}-{end or base}_{table}_{day:%Y%m%d}233000_{AGREEMENT}.csv"


def _number(con: duckdb.DuckDBPyConnection, table: str, source: str, number: int, full: bool, batches: int) -> None:
    """Make `table`: its rows in order, with `pid`. A `full` table comes whole in every batch."""
    batch = f"(FROM range({batches}) AS b(batch))" if full else "(SELECT 0)"
    read = f"(SELECT s.*, b.batch::INTEGER AS batch FROM ({source}) AS s, {batch} AS b)" if full else f"({source})"
    con.execute(
        f"""CREATE TABLE "{table}" AS SELECT *, 1 + batch * 300000000 + {number} * 20000000 + row_number() OVER (
                PARTITION BY batch ORDER BY version, seq, salt) AS pid FROM {read} ORDER BY batch, pid"""
    )


def _macros(con: duckdb.DuckDBPyConnection, comparators: bool) -> None:
    con.execute(
        f"""CREATE MACRO guid(x) AS '{{' || upper(md5(x)::UUID::VARCHAR) || '}}';
        CREATE MACRO said(x) AS CASE WHEN x THEN 'true' ELSE 'false' END;
        CREATE MACRO clinical(n) AS (7000000 + n)::VARCHAR || '00000611' || (n % 10);
        CREATE MACRO medicine(n) AS (2000000 + n)::VARCHAR || '00003311' || (n % 10);
        CREATE MACRO clock(n) AS format('{{:02d}}:{{:02d}}:{{:02d}}', 8 + n % 10, n % 60, n % 59);
        CREATE MACRO organisation(x) AS guid('organisation-' || x);
        CREATE MACRO patient_guid(n, person) AS guid('patient-' || coalesce(n::VARCHAR, 'unknown-' || person));
        CREATE MACRO number_of(x) AS {"x" if comparators else "ltrim(x, '<>=≤≥ ')"}"""
    )


def _narrow(
    con: duckdb.DuckDBPyConnection, times: tuple[dt.date, ...], deltas: bool, confidential_share: float
) -> None:
    """Make consultation_told, observation_told, issue_told and drug_told: all that the wide rows are made of."""
    con.execute(
        f"""CREATE TABLE base AS SELECT practice, min(seq) AS base FROM record GROUP BY practice;
        CREATE TABLE placed AS SELECT record.*, seq - base AS o, number, {batch_of("entered_on", times)} AS batch,
            hash(seq, 'confidential') % 10000 < {confidential_share} * 10000 AS hidden
        FROM record JOIN base USING (practice) LEFT JOIN code ON code.drug = record.drug AND code.code = record.code
            AND code.system IS NOT DISTINCT FROM record.system AND code.term IS NOT DISTINCT FROM record.term
        WHERE record.system IS NULL OR record.system NOT IN {_NO_SUCH} ORDER BY seq;
        CREATE TABLE consultation AS FROM placed WHERE contact;
        CREATE TABLE day_of_contact AS SELECT person, practice, happened_on, min(o) AS consultation
            FROM consultation GROUP BY ALL"""
    )
    con.execute(
        f"""CREATE TABLE paired AS
        WITH half AS (SELECT seq, o, person, practice, happened_on, entered_on, code IN {SYSTOLIC} AS upper,
                row_number() OVER (PARTITION BY person, practice, happened_on, entered_on, code IN {SYSTOLIC}
                    ORDER BY seq) AS place
            FROM placed WHERE NOT drug AND code IN {SYSTOLIC + DIASTOLIC} AND person IS NOT NULL)
        SELECT one.seq AS one, two.seq AS two, one.o AS parent FROM half AS one JOIN half AS two
            USING (person, practice, happened_on, entered_on, place) WHERE one.upper AND NOT two.upper;
        CREATE TABLE observation AS
        SELECT placed.* EXCLUDE (number), number, 'observation' AS kind, parent,
            code IN {PROBLEMS} AS problem, code IN {REFERRALS} AS referral
        FROM placed LEFT JOIN (SELECT one AS seq, parent FROM paired UNION ALL SELECT two, parent FROM paired)
            USING (seq) WHERE NOT contact AND NOT drug
        UNION ALL BY NAME
        SELECT placed.* REPLACE (seq + 10000000000 AS seq, NULL AS value, NULL AS unit, {_PANEL} AS number),
            'pair' AS kind, NULL::BIGINT AS parent, false AS problem, false AS referral
        FROM placed JOIN paired ON placed.seq = paired.one
        UNION ALL BY NAME
        SELECT 20000000000 + row AS seq, person, spoken_on AS happened_on, spoken_on AS recorded_on, practice, n,
            patient.mark, row AS patient_row,
            {_ETHNIC} + ascii(letter) AS number, row AS o, 'ethnicity' AS kind, false AS problem, false AS referral,
            false AS hidden, {batch_of("spoken_on", times)} AS batch, false AS drug, false AS contact
        FROM patient JOIN spoken USING (person) JOIN ethnic ON ethnic.text = lower(ethnicity)"""
    )
    # The issues of a drug follow its record, which is there from the first of them on.
    con.execute(
        """CREATE TABLE issue AS SELECT *, min(o) OVER (PARTITION BY person, practice, code) AS record
            FROM placed WHERE drug;
        CREATE TABLE drug AS SELECT arg_min(issue, seq) AS first, min(seq) AS seq, max(happened_on) AS last,
            min(batch) AS batch, count(*) AS issues FROM issue GROUP BY person, practice, code"""
    )
    con.execute("CREATE TABLE drug_flat AS SELECT unnest(first), last, issues, batch AS b FROM drug")
    con.execute("CREATE TABLE medication AS SELECT * REPLACE (b AS batch) FROM drug_flat")
    shift = "coalesce(try_cast(happened_on AS DATE) - 40, DATE '2001-02-03')::VARCHAR AS happened_on"
    with_history(con, "observation", "coalesce(value || '1', value) AS value, " + shift, deltas)
    with_history(con, "consultation", shift, deltas)
    with_history(con, "issue", shift, deltas)
    with_history(con, "medication", shift, deltas)


@dataclass(frozen=True)
class _Draw:
    """What every table's rows depend on."""

    pseudonymised: bool
    through: dt.date
    times: tuple[dt.date, ...]


Spec = tuple[str, Mapping[str, str], bool]


def _kept(cell: str) -> str:
    """A cell that a bare deletion does not have."""
    return f"CASE WHEN NOT bare THEN {cell} END"


_WHERE = {"PatientGuid": "patient_guid(n, person)", "OrganisationGuid": "organisation(practice)"}
_WHEN = {
    "EffectiveDate": _kept("happened_on"),
    "EffectiveDatePrecision": _kept("'YMD'"),
    "EnteredDate": _kept("recorded_on"),
    "EnteredTime": _kept("clock(seq)"),
    "ClinicianUserInRoleGuid": _kept("guid('user-' || (1 + o % 3))"),
    "EnteredByUserInRoleGuid": _kept("guid('user-' || (1 + o % 2))"),
}
_FLAGS = {"Deleted": "said(deleted)", "IsConfidential": _kept("said(hidden)")}


def _told(source: str) -> str:
    """Half of the deletions carry nothing but their ids (`bare`), the other half the whole row."""
    return f"SELECT *, deleted AND seq % 2 = 0 AS bare FROM {source}"


def _plain(sql: str) -> str:
    """A source of rows without a history of their own."""
    return f"SELECT *, 1 AS version, '' AS salt FROM ({sql})"


def _of(kind: str, o: str = "o", salt: str = "salt") -> str:
    return f"guid('{kind}-' || {o} || {salt})"


def _observations(draw: _Draw) -> Spec:
    text = "'Seen with Surname' || patient_row || ', telephone 07700900' || lpad((o % 1000)::VARCHAR, 3, '0')"
    source = _told(
        "(SELECT t.*, consultation FROM observation_told AS t LEFT JOIN day_of_contact AS d ON d.person = t.person "
        "AND d.practice = t.practice AND d.happened_on = t.happened_on AND t.kind <> 'ethnicity')"
    )
    cells = {
        "ObservationGuid": _of("observation", "kind || o"), **_WHERE, **_WHEN,
        "ParentObservationGuid": _kept("guid('observation-pair' || parent)"),
        "CodeId": _kept("clinical(number)"),
        "ProblemGuid": _kept("CASE WHEN problem THEN guid('observation-observation' || o) END"),
        "AssociatedText": "NULL" if draw.pseudonymised else f"CASE WHEN NOT bare AND seq % 7 = 0 THEN {text} END",
        "ConsultationGuid": _kept("guid('consultation-' || consultation)"),
        "Value": _kept("number_of(value)"), "NumericUnit": _kept("unit"),
        "ObservationType": _kept(
            "CASE WHEN referral THEN 'Referral' WHEN value IS NULL THEN 'Observation' ELSE 'Value' END"
        ),
        "Abnormal": _kept("'false'"), "Episode": "CASE WHEN problem AND NOT bare THEN 'First' END",
        **_FLAGS,
    }  # fmt: skip
    return source, cells, False


def _consultations(draw: _Draw) -> Spec:
    cells = {
        "ConsultationGuid": _of("consultation"), **_WHERE, **_WHEN,
        "ConsultationSourceTerm": _kept("term"),
        "ConsultationSourceCodeId": _kept("clinical(number)"),
        "Complete": _kept("'true'"), "ConsultationType": _kept("'Consultation'"),
        **_FLAGS,
    }  # fmt: skip
    return _told("consultation_told"), cells, False


def _issues(draw: _Draw) -> Spec:
    words = "CASE WHEN NOT bare AND seq % 11 = 0 THEN 'Please ring 07700900123,\n\"soon\"' END"
    if draw.pseudonymised:
        words = "NULL"
    cells = {
        "IssueRecordGuid": _of("issue"), **_WHERE, **_WHEN,
        "DrugRecordGuid": _kept("guid('drug-' || record)"),
        "CodeId": _kept("medicine(number)"),
        "Dosage": "NULL" if draw.pseudonymised else _kept("'TAKE ONE DAILY'"),
        "Quantity": _kept("'28'"), "QuantityUnit": _kept("'tablet(s)'"),
        "CourseDurationInDays": _kept("'28'"),
        "EstimatedNhsCost": _kept("'1.23'"),
        "PatientMessage": words, "PharmacyText": words,
        "IsPrescribedAsContraceptive": "'false'", "IsPrivatelyPrescribed": "'false'", **_FLAGS,
    }  # fmt: skip
    return _told("issue_told"), cells, False


def _drugs(draw: _Draw) -> Spec:
    cells = {
        "DrugRecordGuid": _of("drug"), **_WHERE, **_WHEN, "CodeId": _kept("medicine(number)"),
        "Dosage": "NULL" if draw.pseudonymised else _kept("'TAKE ONE DAILY'"),
        "Quantity": _kept("'28'"), "QuantityUnit": _kept("'tablet(s)'"),
        "PrescriptionType": "CASE WHEN bare THEN NULL WHEN issues > 1 THEN 'Repeat' ELSE 'Acute' END",
        "IsActive": _kept("said(issues > 1)"),
        "NumberOfIssues": _kept("issues"),
        "NumberOfIssuesAuthorised": _kept("issues"), **_FLAGS,
    }  # fmt: skip
    return _told("medication_told"), cells, False


def _patients(draw: _Draw) -> Spec:
    """What was known of a patient at each batch, wherever it differs from the batch before."""
    begin = batch_of("started_on", draw.times)
    if len(draw.times) == 1:
        states = f"SELECT *, 0 AS batch, false AS wrong, {begin} AS begin FROM patient"
    else:
        known = "CASE WHEN regexp_full_match({0}, '.{{4}}-..-..') AND {0} > '{1}' THEN NULL ELSE {0} END AS {0}"
        states = " UNION ALL ".join(
            f"""SELECT * REPLACE ({known.format("ended_on", day)}, {known.format("died_on", day)}), {batch} AS batch,
                {batch} = 0 AND hash(row) % 50 = 0 AS wrong, {begin} AS begin FROM patient"""
            if day != draw.times[-1]
            else f"SELECT *, {batch} AS batch, false AS wrong, {begin} AS begin FROM patient"
            for batch, day in enumerate(draw.times)
        )
    source = f"""SELECT * EXCLUDE (seq), row AS seq, 1 AS version, '' AS salt, false AS deleted FROM (
            SELECT *, lag((ended_on, died_on, wrong)) OVER (PARTITION BY row ORDER BY batch) AS before FROM ({states})
            WHERE batch >= begin) WHERE before IS NULL OR before IS DISTINCT FROM (ended_on, died_on, wrong)
        UNION ALL BY NAME SELECT * EXCLUDE (seq), row AS seq, 2 AS version, '' AS salt, true AS deleted, 2 AS batch,
            false AS wrong FROM patient WHERE mark = 'ghost'"""
    named = {} if draw.pseudonymised else {
        "Title": "CASE sex_letter WHEN 'M' THEN 'Mr' ELSE 'Ms' END",
        "GivenName": "'Given' || lpad(num::VARCHAR, 4, '0')",
        "MiddleNames": "CASE WHEN num % 3 = 0 THEN 'Middle' END", "Surname": "'Surname' || lpad(num::VARCHAR, 4, '0')",
        "PatientNumber": "num + 1", "NumberAndStreet": "(1 + num % 99) || ' Example Street, \"The Mews\"'",
        "Town": "'Saltmarsh'", "County": "'Fictionshire'", "Postcode": "replace(postcode, ' ', '')",
        "EmailAddress": "'person' || num || '@example.org'",
        "HomePhone": "'01632960' || lpad((num % 1000)::VARCHAR, 3, '0')",
        "MobilePhone": "'07700900' || lpad((num % 1000)::VARCHAR, 3, '0')",
        "CarerName": "CASE WHEN num % 9 = 0 THEN 'Carer O’Example' END",
        "CarerRelation": "CASE WHEN num % 9 = 0 THEN 'Friend' END",
        "ContactComments": "CASE WHEN num % 13 = 0 THEN 'Ring Given' || num || ' after six' END",
    }  # fmt: skip
    ours = {"Lsoa": "lsoa", "ImdDecile": "imd_decile", "ImdVintage": "imd_vintage"} if draw.pseudonymised else {}
    day = "'01'" if draw.pseudonymised else "lpad((1 + num % 28)::VARCHAR, 2, '0')"
    number = "person" if draw.pseudonymised else "nhs"
    cells = {
        **_WHERE, "UsualGpUserInRoleGuid": "guid('user-1')", "Sex": "sex_letter",
        "DateOfBirth": f"(CASE WHEN wrong THEN '1901-01' ELSE month END) || '-' || {day}", "DateOfDeath": "died_on",
        "DateOfRegistration": "started_on", "NhsNumber": f"CASE WHEN mark <> 'test' THEN {number} END",
        "PatientTypeDescription": "'Regular'", "DummyType": "said(mark = 'test')",
        "PersonGuid": "guid('person-' || num)",
        "DateofDeactivation": "ended_on", "Deleted": "said(deleted)", "SpineSensitive": "said(mark = 'sensitive')",
        "IsConfidential": "'false'", **named, **ours,
    }  # fmt: skip
    return source, cells, False


def _history(draw: _Draw) -> Spec:
    seat = "registration JOIN (SELECT person, practice, n, row FROM patient WHERE k = 1) USING (person, practice)"
    died = (
        "LEFT JOIN (SELECT DISTINCT person, died_on FROM person) AS d ON d.person = r.person AND d.died_on = r.ended_on"
    )
    source = f"""SELECT r.person, r.practice, n, r.row * 10 AS seq, r.started_on AS day, 0 AS batch,
            'Notification of registration' AS status FROM (SELECT * FROM {seat}) AS r
        UNION ALL SELECT r.person, r.practice, n, r.row * 10 + 1, r.ended_on, 0,
            CASE WHEN d.person IS NULL THEN 'Deduction at patient''s request' ELSE 'Death' END
            FROM (SELECT * FROM {seat} WHERE ended_on IS NOT NULL) AS r {died}"""
    source = f"SELECT * REPLACE ({batch_of('day', draw.times)} AS batch) FROM ({source})"
    cells = {**_WHERE, "HistoryDate": "day", "HistoryTime": "clock(seq)", "StatusDescription": "status"}
    return _plain(source), cells, False


def _problems(draw: _Draw) -> Spec:
    source = _told("observation_told WHERE problem AND version > 0")
    cells = {
        "ObservationGuid": _of("observation", "kind || o"), **_WHERE, "Deleted": "said(deleted)",
        "ProblemStatusDescription": "'Active Problem'", "SignificanceDescription": "'Significant Problem'",
    }  # fmt: skip
    return source, cells, False


def _referrals(draw: _Draw) -> Spec:
    source = _told("observation_told WHERE referral AND version > 0 AND NOT deleted")
    cells = {
        "ObservationGuid": _of("observation", "kind || o"), **_WHERE,
        "ReferralTargetOrganisationGuid": "organisation('hospital')", "ReferralUrgency": "'Routine'",
        "ReferralServiceType": "'Outpatient'", "ReferralMode": "'Written'", "TransportRequired": "'false'",
    }  # fmt: skip
    return source, cells, False


def _diary(draw: _Draw) -> Spec:
    source = f"""SELECT person, practice, n, row AS seq, n AS o, 0 AS batch,
        '{draw.through + dt.timedelta(days=90)}' AS happened_on, '{draw.times[0]}' AS recorded_on, false AS bare,
        false AS hidden,        false AS deleted FROM patient WHERE n % 40 = 0 AND k = 1"""
    cells = {
        "DiaryGuid": "guid('diary-' || o)", **_WHERE, **_WHEN, "CodeId": "clinical(1)", "OriginalTerm": "'Recall'",
        "IsActive": "'true'", "IsComplete": "'false'", **_FLAGS,
    }  # fmt: skip
    return _plain(source), cells, False


def _organisations(draw: _Draw) -> Spec:
    source = """SELECT seq, practice AS key, name, practice AS ods, pcn, place, 'General Practice' AS type FROM practice
        UNION ALL SELECT 1000 + row_number() OVER (ORDER BY pcn), 'network-' || pcn, pcn, NULL, NULL, NULL,
            'Primary Care Network' FROM (SELECT DISTINCT pcn FROM practice WHERE pcn IS NOT NULL)
        UNION ALL SELECT 2000 + row_number() OVER (ORDER BY place), 'place-' || place, place, NULL, NULL, NULL, 'CCG'
            FROM (SELECT DISTINCT place FROM practice WHERE place IS NOT NULL)
        UNION ALL SELECT 3000, 'hospital', 'General Hospital (fictional)', 'X9X01', NULL, NULL, 'Hospital'"""
    cells = {
        "OrganisationGuid": "organisation(key)", "CDB": "50000 + seq", "OrganisationName": "name", "ODSCode": "ods",
        "ParentOrganisationGuid": "CASE WHEN pcn IS NOT NULL THEN organisation('network-' || pcn) END",
        "CCGOrganisationGuid": "CASE WHEN place IS NOT NULL THEN organisation('place-' || place) END",
        "OrganisationType": "type", "OpenDate": "'1948-07-05'", "MainLocationGuid": "guid('location-' || key)",
    }  # fmt: skip
    return _plain(f"SELECT *, 0 AS batch FROM ({source})"), cells, False


def _locations(draw: _Draw) -> Spec:
    cells = {
        "OrganisationGuid": "organisation(practice)", "LocationGuid": "guid('location-' || practice)",
        "IsMainLocation": "'true'", "Deleted": "'false'",
    }  # fmt: skip
    return _plain("SELECT seq, practice, 0 AS batch FROM practice"), cells, False


def _users(draw: _Draw) -> Spec:
    named = {} if draw.pseudonymised else {"Title": "'Dr'", "GivenName": "'Given'", "Surname": "'Doctor' || seq"}
    cells = {
        "UserInRoleGuid": "guid('user-' || i)", "OrganisationGuid": "organisation(practice)",
        "JobCategoryCode": "'R0260'",
        "JobCategoryName": "'General Medical Practitioner'", "ContractStartDate": "'2001-04-01'", **named,
    }  # fmt: skip
    source = "SELECT seq * 10 + i AS seq, practice, i, 0 AS batch FROM practice, range(1, 4) AS r(i)"
    return _plain(source), cells, False


def _agreements(draw: _Draw) -> Spec:
    cells = {
        "OrganisationGuid": "organisation(practice)", "IsActivated": "'true'", "LastModifiedDate": "'2016-01-01'",
        "Disabled": "'false'", "Deleted": "'false'",
    }  # fmt: skip
    return _plain("SELECT seq, practice, 0 AS batch FROM practice"), cells, False


def _clinical_codes(draw: _Draw) -> Spec:
    """The dictionary comes whole every time; in the full extract one code in ten had another concept."""
    own = ", ".join(
        f"({_ETHNIC + ord(letter)}, '{term}', '{snomed}', 'Ethnicity', '{letter}', '{text}')"
        for letter, snomed, _ctv3, term, text in CATEGORIES
    )
    source = f"""SELECT number AS seq, term, CASE WHEN system IN ('snomed', 'emis') THEN code END AS concept,
            CASE WHEN system IN ('snomed', 'emis') THEN '^ESCT' || (100000 + number) ELSE code END AS read,
            'Clinical' AS category, NULL AS national, NULL AS words
        FROM code WHERE NOT drug AND (system IS NULL OR system NOT IN {_NO_SUCH})
        UNION ALL SELECT {_PANEL}, '{PANEL[1]}', '{PANEL[0]}', '246..00', 'Biological Values', NULL, NULL
        UNION ALL SELECT n, term, concept, '9i' || national || '..00', category, national, words
            FROM (VALUES {own}) AS v(n, term, concept, category, national, words)
        UNION ALL SELECT 800000 + i, 'Code that nobody uses ' || i, (1777541000006100 + i)::VARCHAR, 'EMISNQ' || i,
            'Unset', NULL, NULL FROM range(50) AS r(i)"""
    wrong = f"{len(draw.times)} > 1 AND batch = 0 AND seq % 10 = 3"
    cells = {
        "CodeId": "clinical(seq)", "Term": "term", "ReadTermId": "read",
        "SnomedCTConceptId": f"CASE WHEN {wrong} THEN '138875005' ELSE concept END",
        "SnomedCTDescriptionId": "CASE WHEN concept IS NOT NULL THEN clinical(seq) END", "NationalCode": "national",
        "NationalCodeCategory": "CASE WHEN national IS NOT NULL THEN 'ETHNIC CATEGORY CODE' END",
        "NationalDescription": "words", "EmisCodeCategoryDescription": "category",
    }  # fmt: skip
    return _plain(source), cells, True


def _drug_codes(draw: _Draw) -> Spec:
    source = "SELECT number AS seq, term, code FROM code WHERE drug AND system = 'dmd'"
    cells = {"CodeId": "medicine(seq)", "Term": "term", "DmdProductCodeId": "code"}
    return _plain(source), cells, True


_TABLES = {
    "Admin_Organisation": _organisations, "Admin_OrganisationLocation": _locations, "Admin_Patient": _patients,
    "Admin_PatientHistory": _history, "Admin_UserInRole": _users, "Agreements_SharingOrganisation": _agreements,
    "CareRecord_Consultation": _consultations, "CareRecord_Diary": _diary, "CareRecord_Observation": _observations,
    "CareRecord_ObservationReferral": _referrals, "CareRecord_Problem": _problems,
    "Coding_ClinicalCode": _clinical_codes, "Coding_DrugCode": _drug_codes, "Prescribing_DrugRecord": _drugs,
    "Prescribing_IssueRecord": _issues,
}  # fmt: skip
"""How the rows of each table are drawn: (SQL of narrow rows, cells, whether it comes whole every time)."""
