"""Practices, people and registrations of a SystmOne extract."""

from __future__ import annotations

from casefinding.records import ethnic_codes
from casefinding.records.engine import Engine, lit
from casefinding.records.reasons import Left

REGISTERED = ("gms", "standard")
"""Words of RegistrationStatus that make somebody a registered patient; several may stand there, between commas. Others
are known to be: private, applied, temporary resident ..., immediately necessary ..., emergency, walk-in patient,
maternity, contraception, minor surgery, child health surveillance, remotely registered, incomplete, other (the values
are facts from endeavourhealth/Transforms, SRPatientRegistrationTransformer)."""

# A registration that another organisation holds is seen here too; it counts where it is held.
_AT = """SELECT *, coalesce(IDOrganisation, IDOrganisationRegisteredAt, IDOrganisationVisibleTo) AS code,
    coalesce(IDOrganisation = IDOrganisationVisibleTo, true) AS here FROM srpatientregistration_now"""


def install(engine: Engine) -> list[str]:
    """Make `s1_organisation`, `s1_registration` and `s1_patient`; needs the `_now` views of their tables.

    `s1_patient`: id (IDPatient) -> person (pseudonym), and fate, the reason to leave all rows about them, or NULL.
    Returns SELECTs of (reason, file, row) for the rows left.
    """
    _organisations(engine)
    words = ", ".join(map(lit, REGISTERED))
    engine.run(
        f"""CREATE TABLE s1_registration AS
        SELECT r.IDPatient AS id, coalesce(o.code, r.code) AS practice, s1_day(r.DateRegistration) AS started_on,
            s1_day(r.DateDeRegistration) AS ended_on, r.file, r.row,
            here AND (RegistrationStatus IS NULL OR list_has_any(list_transform(
                string_split(lower(RegistrationStatus), ','), lambda word: trim(word)), [{words}])) AS counts
        FROM ({_AT}) AS r LEFT JOIN s1_organisation_id AS o ON o.id = r.code"""
    )
    engine.run(
        f"""CREATE TABLE s1_patient AS
        WITH every AS (SELECT RowIdentifier AS id, coalesce(NHSNumber, RowIdentifier) AS person,
                is_yes(TestPatient) AS test FROM srpatient_now WHERE RowIdentifier IS NOT NULL),
        at_all AS (SELECT person, bool_or(counts) AS counts FROM every JOIN s1_registration USING (id) GROUP BY person)
        SELECT id, person, CASE WHEN test THEN {lit(Left.TEST_PATIENT)}
            WHEN NOT counts THEN {lit(Left.NOT_REGISTERED)} END AS fate
        FROM every LEFT JOIN at_all USING (person)
        UNION ALL SELECT DISTINCT RowIdentifier, RowIdentifier, {lit(Left.DELETED)} FROM srpatient_all
            SEMI JOIN (FROM srpatient_gone WHERE reason = {lit(Left.DELETED)}) AS gone USING (file, row)
            WHERE RowIdentifier IS NOT NULL AND RowIdentifier NOT IN (SELECT id FROM every WHERE id IS NOT NULL)"""
    )
    _people(engine)
    return [
        f"""SELECT CASE WHEN nth > 1 THEN {lit(Left.SAID_AGAIN)} ELSE {lit(Left.NOBODY)} END AS reason, file, row
            FROM s1_organisation WHERE nth > 1 OR NOT used""",
        f"""SELECT coalesce(p.fate, {lit(Left.NOT_REGISTERED)}), r.file, r.row FROM s1_registration AS r
            LEFT JOIN s1_patient AS p USING (id) WHERE p.fate IS NOT NULL OR NOT counts""",
        f"SELECT coalesce(fate, {lit(Left.SAID_AGAIN)}), file, row FROM s1_person WHERE fate IS NOT NULL OR nth > 1",
    ]


def _organisations(engine: Engine) -> None:
    """One row for each code (ID is the ODS code, which other tables name); the one in use, if it is there twice."""
    engine.run(
        """CREATE TABLE s1_organisation_id AS
        SELECT id, any_value(code) AS code FROM (
            SELECT ID AS id, ID AS code FROM srorganisation_now WHERE ID IS NOT NULL GROUP BY ID
            UNION ALL SELECT RowIdentifier, min(ID) FROM srorganisation_now AS o WHERE ID IS NOT NULL
                AND RowIdentifier NOT IN (SELECT ID FROM srorganisation_now WHERE ID IS NOT NULL) GROUP BY RowIdentifier
        ) GROUP BY id"""
    )
    engine.run(
        f"""CREATE TABLE s1_organisation AS
        WITH used AS (SELECT DISTINCT coalesce(o.code, r.code) AS code
            FROM ({_AT} WHERE here) AS r LEFT JOIN s1_organisation_id AS o ON o.id = r.code)
        SELECT o.ID AS practice, o.Name AS name, coalesce(o.ID IN (FROM used), false) AS used, o.file, o.row,
            row_number() OVER (PARTITION BY coalesce(o.ID, o.file || '/' || o.row)
                ORDER BY is_yes(MadeObsolete), place DESC, Name, file, row) AS nth
        FROM srorganisation_now AS o"""
    )


def _people(engine: Engine) -> None:
    """Make `s1_person`: one row a patient; `nth` = 1 speaks for all of a pseudonym that agree on the month of birth.

    What one organisation does not know another may: each cell is the latest that says something. Rows that disagree
    on the month of birth are different people, and the store refuses them.
    """
    engine.run(
        """CREATE TABLE s1_person AS
        WITH said AS (SELECT n.*, coalesce(p.person, n.NHSNumber, n.RowIdentifier) AS person, p.fate,
                s1_day(DateBirth) AS born FROM srpatient_now AS n LEFT JOIN s1_patient AS p ON p.id = n.RowIdentifier),
        ranked AS (SELECT *, fate IS NOT NULL AS out, coalesce(person, file || '/' || row) AS who,
                coalesce(month_of(born)::VARCHAR, born, '') AS month FROM said),
        ordered AS (SELECT *, row_number() OVER (PARTITION BY who, month, out
                ORDER BY place DESC, length(RowIdentifier), RowIdentifier, file, row) AS nth FROM ranked)
        SELECT person, born, fate, nth, file, row,
            arg_min(Gender, (lower(Gender) IN ('i', 'u'), nth)) FILTER (Gender IS NOT NULL) OVER every AS sex,
            arg_min(s1_day(DateDeath), (day_of(s1_day(DateDeath)) IS NULL, nth)) FILTER (DateDeath IS NOT NULL)
                OVER every AS died_on,
            arg_min(ImdDecile, nth) FILTER (ImdDecile IS NOT NULL) OVER every AS imd_decile,
            arg_min(coalesce(ImdVintage, ''), nth) FILTER (ImdDecile IS NOT NULL) OVER every AS imd_vintage,
            arg_min(Lsoa, nth) FILTER (Lsoa IS NOT NULL) OVER every AS lsoa
        FROM ordered WINDOW every AS (PARTITION BY who, month, out)"""
    )


def install_ethnicity(engine: Engine) -> None:
    """Make `s1_ethnicity` (person, group) from `s1_marked`: the latest entry that says a group counts."""
    engine.run(
        f"""CREATE TABLE s1_ethnicity AS
        SELECT person, arg_max(name, (name <> {lit(ethnic_codes.UNKNOWN)}, coalesce(happened_on, ''),
            coalesce(recorded_on, ''), name)) AS ethnicity
        FROM s1_marked WHERE name <> '' AND fate IS NULL GROUP BY person"""
    )


PRACTICE = """SELECT practice, name, NULL::VARCHAR AS pcn, NULL::VARCHAR AS place, file, row
    FROM s1_organisation WHERE used AND nth = 1"""

PERSON = """SELECT p.person, p.born AS birth_month, p.sex, e.ethnicity, p.imd_decile, p.imd_vintage, p.died_on, p.lsoa,
        p.file, p.row
    FROM s1_person AS p LEFT JOIN s1_ethnicity AS e ON e.person = p.person WHERE p.fate IS NULL AND p.nth = 1"""

REGISTRATION = """SELECT coalesce(p.person, r.id) AS person, r.practice, r.started_on, r.ended_on, r.file, r.row
    FROM s1_registration AS r LEFT JOIN s1_patient AS p USING (id) WHERE counts AND p.fate IS NULL"""
