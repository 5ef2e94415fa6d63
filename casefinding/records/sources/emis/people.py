"""Practices, people and registrations of an EMIS Web extract."""

from __future__ import annotations

from casefinding.records.engine import Engine, lit
from casefinding.records.reasons import Left, Refusal

REGISTERED = ("regular",)
"""PatientTypeDescription of registered patients. Others are known to be: temporary, private, immediately necessary,
emergency, walk-in patient, community registered, pre registration, out of hours, other, and services such as maternity
or minor surgery (the values are facts from endeavourhealth/Transforms, PatientTransformer)."""
BEGINS = ("notification of registration", "medical record sent by", "record received", "correctly registered")
"""How a status of Admin_PatientHistory begins that says that somebody is registered. Statuses before (patient has
presented, forms) and within a registration (left practice but still registered, short stay) change nothing."""
ENDS = (
    "death", "dead", "died", "removal", "mental hospital", "embarkation", "adopted child", "services", "deduct",
    "registration cancelled", "registration expired", "service dependant", "other reason", "returned undelivered",
    "correspondence states", "practice advise", "internal transfer",
)  # fmt: skip
"""How a status begins that ends a registration (both: endeavourhealth/Transforms, RegistrationStatusTransformer)."""
STAYS = ("internal transfer - address change", "internal transfer within partnership")
"""Transfers within the practice, which end nothing."""


def install(engine: Engine, *, at_practice: bool, history: bool) -> list[str]:
    """Make `emis_organisation`, `emis_patient` and `emis_stay`; needs the `_now` views of their tables.

    `emis_patient`: guid and org (of PatientGuid and OrganisationGuid) -> person (pseudonym), birth, and fate, the
    reason to leave all rows about them, or NULL; `counts`: whether they are registered there. `history`: whether
    `emis_history_all` is there.
    Returns SELECTs of (reason, file, row) for the rows left.
    """
    words = ", ".join(map(lit, (*REGISTERED, "")))
    sensitive = "false" if at_practice else "emis_yes(SpineSensitive)"
    confidential = "false" if at_practice else "emis_yes(IsConfidential)"
    engine.run(
        f"""CREATE TABLE emis_patient AS
        WITH every AS (
            SELECT PatientGuid AS guid, OrganisationGuid AS org, file, row,
                emis_person(NhsNumber, PatientGuid, OrganisationGuid) AS person, month_of(DateOfBirth) AS birth,
                day_of(DateOfRegistration) AS started, {sensitive} AS sensitive,
                coalesce(lower(PatientTypeDescription), '') IN ({words}) AS regular,
                CASE WHEN emis_yes(DummyType) OR coalesce(lower(PatientTypeDescription) = 'dummy', false)
                    THEN {lit(Left.TEST_PATIENT)} WHEN {confidential} THEN {lit(Left.CONFIDENTIAL)} END AS own
            FROM emis_patient_now),
        said AS (SELECT *, CASE WHEN own IS NULL
                AND bool_or(sensitive) OVER (PARTITION BY coalesce(person, file || '/' || row))
                THEN {lit(Left.CONFIDENTIAL)} ELSE own END AS fate_said FROM every)
        SELECT guid, org, person, birth, started, fate_said IS NULL AND regular AS counts, file, row,
            CASE WHEN fate_said IS NULL AND NOT coalesce(bool_or(fate_said IS NULL AND regular)
                OVER (PARTITION BY coalesce(person, file || '/' || row)), false)
            THEN {lit(Left.NOT_REGISTERED)} ELSE fate_said END AS fate FROM said
        UNION ALL SELECT DISTINCT PatientGuid, OrganisationGuid, PatientGuid, NULL::DATE, NULL::DATE, false,
            NULL::INTEGER, NULL::BIGINT, {lit(Left.DELETED)}
        FROM emis_patient_all JOIN emis_patient_gone USING (file, row)
        ANTI JOIN emis_patient_now AS n ON n.PatientGuid = emis_patient_all.PatientGuid
            AND n.OrganisationGuid IS NOT DISTINCT FROM emis_patient_all.OrganisationGuid
        WHERE emis_patient_all.PatientGuid IS NOT NULL"""
    )
    _organisations(engine)
    _people(engine)
    left = [
        f"""SELECT CASE WHEN nth > 1 THEN {lit(Left.SAID_AGAIN)} ELSE {lit(Left.NOBODY)} END AS reason, file, row
            FROM emis_organisation WHERE nth > 1 OR NOT used""",
        f"""SELECT coalesce(fate, {lit(Left.NOT_REGISTERED)}), file, row FROM emis_patient
            WHERE (fate IS NOT NULL OR NOT counts) AND file IS NOT NULL""",
    ]
    if history:
        _stays_of_history(engine)
        left.append("SELECT reason, file, row FROM emis_history_said WHERE reason IS NOT NULL")
    else:
        _stays_of_earlier_states(engine)
    return left


def _organisations(engine: Engine) -> None:
    """One row for each code: the network and the place are organisations too, by which the practice is found."""
    engine.run(
        r"""CREATE TABLE emis_organisation AS
        WITH used AS (SELECT DISTINCT org FROM emis_patient WHERE counts AND fate IS NULL),
        named AS (SELECT OrganisationGuid AS guid, any_value(OrganisationName) AS name,
                regexp_matches(lower(any_value(OrganisationType)), 'primary care network|\bpcn\b') AS network
            FROM emis_organisation_now WHERE OrganisationGuid IS NOT NULL GROUP BY guid),
        told AS (
            SELECT o.OrganisationGuid AS guid, coalesce(o.ODSCode, 'EMIS' || o.CDB) AS practice,
                o.OrganisationName AS name, CASE WHEN parent.network THEN parent.name END AS pcn, area.name AS place,
                o.OrganisationGuid IS NOT NULL AND o.OrganisationGuid IN (FROM used) AS used, o.file, o.row
            FROM emis_organisation_now AS o LEFT JOIN named AS parent ON parent.guid = o.ParentOrganisationGuid
            LEFT JOIN named AS area ON area.guid = o.CCGOrganisationGuid AND NOT coalesce(area.network, false))
        SELECT *, CASE WHEN used THEN row_number() OVER (PARTITION BY used, coalesce(practice, guid)
            ORDER BY name, pcn, place, guid, file, row) ELSE 1 END AS nth FROM told"""
    )


def _people(engine: Engine) -> None:
    """Make `emis_one`: one row a patient who counts; `nth` = 1 speaks for all that agree on the month of birth.

    A person has a row at each practice: the current one knows best, and what it does not say another may. Rows that
    disagree on the month of birth are different people, and the store refuses them.
    """
    engine.run(
        """CREATE TABLE emis_one AS
        WITH ranked AS (SELECT n.*, p.person, coalesce(p.birth::VARCHAR, DateOfBirth, '') AS month,
                coalesce(p.person, p.file || '/' || p.row) AS who
            FROM emis_patient_now AS n JOIN emis_patient AS p ON p.file = n.file AND p.row = n.row
            WHERE p.counts AND p.fate IS NULL),
        ordered AS (SELECT *, row_number() OVER (PARTITION BY who, month ORDER BY DateofDeactivation IS NOT NULL,
                day_of(DateOfRegistration) DESC NULLS LAST, PatientGuid, OrganisationGuid, file, row) AS nth
            FROM ranked)
        SELECT person, DateOfBirth AS born, nth, file, row,
            arg_min(Sex, (lower(Sex) IN ('i', 'u'), nth)) FILTER (Sex IS NOT NULL) OVER every AS sex,
            arg_min(DateOfDeath, (day_of(DateOfDeath) IS NULL, nth)) FILTER (DateOfDeath IS NOT NULL)
                OVER every AS died_on,
            arg_min(ImdDecile, nth) FILTER (ImdDecile IS NOT NULL) OVER every AS imd_decile,
            arg_min(coalesce(ImdVintage, ''), nth) FILTER (ImdDecile IS NOT NULL) OVER every AS imd_vintage,
            arg_min(Lsoa, nth) FILTER (Lsoa IS NOT NULL) OVER every AS lsoa
        FROM ordered WINDOW every AS (PARTITION BY who, month)"""
    )


def _stays_of_history(engine: Engine) -> None:
    """Make `emis_stay`: registrations before the one that Admin_Patient holds; and `emis_history_said`.

    A stay goes from a status that begins one to the next that ends it, or to the day on which the latest began.
    """

    def begins(words: tuple[str, ...]) -> str:
        return " OR ".join(f"starts_with(status, {lit(word)})" for word in words)

    engine.run(
        f"""CREATE TABLE emis_history AS
        WITH said AS (
            SELECT PatientGuid AS guid, OrganisationGuid AS org, HistoryDate AS said, day_of(HistoryDate) AS day,
                coalesce(HistoryTime, '') AS time, try_cast(ProcessingId AS BIGINT) AS id,
                coalesce(lower(StatusDescription), '') AS status, emis_yes(Deleted) AS deleted, file, row
            FROM emis_history_all)
        SELECT said.*, p.person, p.fate, p.counts, p.started, p.guid IS NULL AS unknown,
            CASE WHEN {begins(STAYS)} THEN 0 WHEN {begins(BEGINS)} THEN 1 WHEN {begins(ENDS)} THEN -1 ELSE 0 END
                AS sign,
            row_number() OVER (PARTITION BY said.guid, said.org, said, time, status ORDER BY deleted DESC,
                said.id DESC NULLS LAST, said.file, said.row) AS nth
        FROM said LEFT JOIN emis_patient AS p ON p.guid = said.guid AND p.org = said.org"""
    )
    engine.run(
        """CREATE TABLE emis_stay AS
        WITH told AS (SELECT *, lag(sign) OVER moments AS before FROM emis_history WHERE nth = 1 AND NOT deleted
                AND sign <> 0 AND day IS NOT NULL AND counts AND fate IS NULL
            WINDOW moments AS (PARTITION BY guid, org ORDER BY day, time, id NULLS FIRST, sign, status)),
        turns AS (SELECT *, lead(day) OVER (PARTITION BY guid, org ORDER BY day, time, id NULLS FIRST, sign, status)
                AS next FROM told WHERE sign IS DISTINCT FROM before)
        SELECT person, org, said AS started_on, least(coalesce(next, started), coalesce(started, next))::VARCHAR
            AS ended_on, file, row
        FROM turns WHERE sign = 1 AND (started IS NULL OR day < started)"""
    )
    engine.run(
        f"""CREATE TABLE emis_history_said AS
        SELECT CASE WHEN deleted THEN {lit(Left.DELETED)} WHEN unknown THEN NULL WHEN nth > 1 THEN {lit(Left.REPLACED)}
            WHEN fate IS NOT NULL THEN fate WHEN NOT counts THEN {lit(Left.NOT_REGISTERED)}
            WHEN sign <> 0 AND day IS NULL THEN NULL ELSE {lit(Left.SAID_AGAIN)} END AS reason,
            CASE WHEN unknown THEN {lit(Refusal.UNKNOWN_PERSON)} ELSE {lit(Refusal.IMPOSSIBLE_DATE)} END AS refusal,
            CASE WHEN unknown THEN 'PatientGuid' ELSE 'HistoryDate' END AS "column", org, file, row
        FROM emis_history ANTI JOIN emis_stay USING (file, row)"""
    )


def _stays_of_earlier_states(engine: Engine) -> None:
    """Make `emis_stay` where there is no history: what earlier files said of a registration that has ended since."""
    words = ", ".join(map(lit, (*REGISTERED, "")))
    engine.run(
        f"""CREATE TABLE emis_stay AS
        SELECT p.person, p.org, a.DateOfRegistration AS started_on, a.DateofDeactivation AS ended_on, a.file, a.row
        FROM emis_patient_all AS a JOIN emis_patient_gone AS g ON g.file = a.file AND g.row = a.row
        JOIN emis_patient AS p ON p.guid = a.PatientGuid AND p.org = a.OrganisationGuid
        WHERE g.reason = {lit(Left.REPLACED)} AND p.counts AND p.fate IS NULL AND NOT emis_yes(a.Deleted)
            AND day_of(a.DateOfRegistration) < p.started
            AND day_of(a.DateofDeactivation) BETWEEN day_of(a.DateOfRegistration) AND p.started
            AND coalesce(lower(a.PatientTypeDescription), '') IN ({words})
        QUALIFY row_number() OVER (PARTITION BY p.guid, p.org, day_of(a.DateOfRegistration)
            ORDER BY day_of(a.DateofDeactivation) DESC, a.file, a.row) = 1"""
    )


PRACTICE = "SELECT practice, name, pcn, place, file, row FROM emis_organisation WHERE used AND nth = 1"

PERSON = """SELECT o.person, o.born AS birth_month, o.sex, e.ethnicity, o.imd_decile, o.imd_vintage, o.died_on, o.lsoa,
        o.file, o.row
    FROM emis_one AS o LEFT JOIN emis_ethnicity AS e ON e.person = o.person WHERE o.nth = 1"""

REGISTRATION = """SELECT s.person, coalesce(o.practice, s.org) AS practice, s.started_on, s.ended_on, s.file, s.row
    FROM (SELECT p.person, p.org, n.DateOfRegistration AS started_on, n.DateofDeactivation AS ended_on, n.file, n.row
          FROM emis_patient_now AS n JOIN emis_patient AS p ON p.file = n.file AND p.row = n.row
          WHERE p.counts AND p.fate IS NULL
          UNION ALL SELECT person, org, started_on, ended_on, file, row FROM emis_stay) AS s
    LEFT JOIN emis_organisation AS o ON o.guid = s.org"""

REFUSED = """SELECT h.refusal AS reason, h."column", coalesce(o.practice, '') AS practice, h.file, h.row
    FROM emis_history_said AS h LEFT JOIN emis_organisation AS o ON o.guid = h.org WHERE h.reason IS NULL"""
