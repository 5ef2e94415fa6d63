"""What was written in the record: coded entries, problems, issues of medicines and contacts, as events."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from casefinding.records import ethnic_codes
from casefinding.records.engine import Engine, lit
from casefinding.records.reasons import Left

MACROS = (
    "CREATE MACRO is_yes(x) AS coalesce(lower(x) IN ('1', 'true', 'yes', 'y', 't'), false)",
    # Months are in English whatever the machine speaks; what is no such date stays as it was written. Pieces of text
    # are cut out by place: a regular expression would take three times as long, for two dates of every row.
    """CREATE MACRO s1_month(x) AS CASE WHEN strpos('janfebmaraprmayjunjulaugsepoctnovdec', lower(x)) % 3 = 1
        THEN substr('010203040506070809101112', (strpos('janfebmaraprmayjunjulaugsepoctnovdec', lower(x)) * 2 + 1) // 3,
            2) END""",
    """CREATE MACRO s1_day(x) AS CASE
        WHEN substr(x, 3, 1) = ' ' AND substr(x, 7, 1) = ' ' AND length(x) IN (11, 17, 20)
        THEN coalesce(substr(x, 8, 4) || '-' || s1_month(substr(x, 4, 3)) || '-' || substr(x, 1, 2), x)
        WHEN substr(x, 2, 1) = ' ' AND substr(x, 6, 1) = ' ' AND length(x) IN (10, 16, 19)
        THEN coalesce(substr(x, 7, 4) || '-' || s1_month(substr(x, 3, 3)) || '-0' || substr(x, 1, 1), x) ELSE x END""",
    # -1 and 0 stand for none.
    "CREATE MACRO s1_id(x) AS CASE WHEN regexp_full_match(x, '[1-9][0-9]{5,17}') THEN x END",
    """CREATE MACRO s1_number(sign, x) AS CASE WHEN is_number(x) AND isfinite(number_of(x))
        THEN CASE WHEN sign IN ('<', '<=', '>', '>=') AND comparator_of(x) = 0 THEN sign ELSE '' END || x END""",
)

CONTACTS = {
    "448337001": "Consultation by video",
    "386472008": "Telephone consultation",
    "439708006": "Visit at home",
    "185202000": "Seen at the surgery",
    "308335008": "Encounter",
}
"""SNOMED CT ids of the ways of contact, and what they are called here."""
SPOKEN_TO = (
    *CONTACTS, "185317003", "185347001", "185345009", "185349003", "390906007", "185389009", "281036007", "698314001",
    "162673000", "270427003", "424441002", "424619006", "169762003", "210098006", "86013001",
)  # fmt: skip
"""SNOMED CT ids of coded entries which say that somebody was seen or spoken to."""

# In this order; `how` is the method and `place` where it was, in words, both in small letters.
_CONTACT = """CASE
    WHEN how LIKE '%video%' THEN '448337001'
    WHEN how LIKE '%phone%' THEN '386472008'
    WHEN regexp_matches(how, 'e-?mail|letter|sms|text|fax|post|third party|did not attend|dna') THEN NULL
    WHEN place LIKE '%phone%' THEN '386472008'
    WHEN regexp_matches(how, 'visit|home') OR regexp_matches(place, 'home|residen|domicil') THEN '439708006'
    WHEN how LIKE '%face%' OR regexp_matches(place, 'surgery|practice|clinic|health centre') THEN '185202000'
    ELSE '308335008' END"""

CODED = (
    "SNOMEDCode",
    "SNOMEDText",
    "CTV3Text",
    """CASE WHEN coalesce(is_yes(IsNumeric), true) AND (IsNumeric IS NOT NULL OR NumericValue <> '0.0')
       THEN s1_number(NumericComparator, NumericValue) END""",
)
"""What a coded entry says, as SQL: its concept, the concept's term, the CTV3 code's term, its number."""


def install(engine: Engine, there: Collection[str]) -> list[str]:
    """Make `s1_entry`: coded entries, problems with no entry of their own, issues and contacts; and `s1_marked`.

    Needs `s1_patient` and the `_now` views of the tables that are `there`. An entry without a code keeps empty cells,
    which the store refuses.
    Returns SELECTs of (reason, file, row) for the rows left.
    """
    _install_map(engine, there)
    _mark(engine)
    said = [_coded("srcode", *CODED)]
    left: list[str] = []
    if "SRProblem" in there:
        _problems(engine)
        said.append(_coded("s1_problem", "NULL::VARCHAR", "NULL::VARCHAR", "NULL::VARCHAR", "NULL::VARCHAR"))
        left.append("SELECT reason, file, row FROM s1_problem_code WHERE reason IS NOT NULL")
    engine.run(f"CREATE VIEW s1_said AS {' UNION ALL '.join(said)}")
    tables = ["s1_said"]
    if "SRPrimaryCareMedication" in there:
        _issues(engine, there)
        tables.append("s1_issue")
    if "SREvent" in there:
        _contacts(engine, there)
        tables.append("s1_contact")
        left.append(
            f"""SELECT CASE WHEN asked THEN {lit(Left.SAID_AGAIN)} ELSE {lit(Left.NOT_ASKED)} END AS reason, file, row
                FROM s1_contact WHERE fate IS NULL AND (again OR NOT asked)"""
        )
    left += [f"SELECT fate AS reason, file, row FROM {table} WHERE fate IS NOT NULL" for table in tables]
    engine.run(f"CREATE VIEW s1_entry AS {' UNION ALL '.join(_event(table) for table in tables)}")
    return left


def _mark(engine: Engine) -> None:
    """Make `s1_marked`: the few coded entries that say an ethnicity (`name` is the group) or a contact (`name` is "").

    They are picked by their raw codes first, so that the rest of a large table is not worked out for them.
    """
    marks = [*ethnic_codes.rows(), *(("snomed", code, "") for code in SPOKEN_TO)]
    names = ("system", "code", "name")
    columns = {name: pa.array([mark[i] for mark in marks], pa.string()) for i, name in enumerate(names)}
    engine.take("s1_mark", pa.table(columns))
    engine.run(
        """CREATE VIEW s1_few_now AS FROM srcode_now WHERE SNOMEDCode IN (SELECT code FROM s1_mark) OR CTV3Code IN (
            SELECT code FROM s1_mark UNION SELECT ctv3 FROM s1_concept WHERE snomed IN (SELECT code FROM s1_mark))"""
    )
    engine.run(f"CREATE TABLE s1_marked AS FROM ({_coded('s1_few', *CODED)}) JOIN s1_mark USING (system, code)")


def _event(table: str) -> str:
    asked = "AND asked AND NOT again" if table == "s1_contact" else ""
    return f"""SELECT person, happened_on, recorded_on, system, code, term, value, unit, file, row FROM {table}
        WHERE fate IS NULL {asked}"""


def _install_map(engine: Engine, there: Collection[str]) -> None:
    """`s1_concept`: CTV3 code -> SNOMED CT id, by the extract's own dictionary. Upper and lower case differ in CTV3."""
    source = (
        "SELECT Ctv3Code, s1_id(SnomedCode) AS id FROM srctv3tosnomed_now WHERE Ctv3Code IS NOT NULL"
        if "SRCtv3ToSnomed" in there
        else "SELECT NULL::VARCHAR AS Ctv3Code, NULL::VARCHAR AS id WHERE false"
    )
    engine.run(
        f"""CREATE TABLE s1_concept AS SELECT Ctv3Code AS ctv3, arg_min(id, (length(id), id)) AS snomed
            FROM ({source}) WHERE id IS NOT NULL GROUP BY Ctv3Code"""
    )


def _coded(source: str, concept: str, concept_term: str, own_term: str, value: str) -> str:
    """SELECT of coded entries: SNOMED CT if the row holds it, else through the dictionary, else the CTV3 code."""
    number = "NULL::VARCHAR" if value == "NULL::VARCHAR" else "NumericUnit"
    return f"""SELECT coalesce(p.person, c.IDPatient) AS person, p.fate, s1_day(DateEvent) AS happened_on,
            s1_day(DateEventRecorded) AS recorded_on,
            CASE WHEN coalesce(s1_id({concept}), m.snomed) IS NOT NULL THEN 'snomed'
                WHEN CTV3Code IS NOT NULL THEN 'ctv3' END AS system,
            coalesce(s1_id({concept}), m.snomed, CTV3Code) AS code,
            CASE WHEN s1_id({concept}) IS NULL THEN {own_term} ELSE coalesce({concept_term}, {own_term}) END AS term,
            {value} AS value, {number} AS unit, c.file, c.row
        FROM {source}_now AS c LEFT JOIN s1_patient AS p ON p.id = c.IDPatient
        LEFT JOIN s1_concept AS m ON m.ctv3 = c.CTV3Code"""


def _problems(engine: Engine) -> None:
    """A problem says again the coded entry that it points to; only one whose entry never came is an event itself."""
    engine.run(
        f"""CREATE TABLE s1_problem_code AS
        WITH wanted AS (SELECT DISTINCT IDCode AS id FROM srproblem_now WHERE IDCode IS NOT NULL),
        found AS (SELECT RowIdentifier AS id, bool_or(g.row IS NULL) AS holds FROM srcode_all AS c
            SEMI JOIN wanted ON wanted.id = c.RowIdentifier
            LEFT JOIN srcode_gone AS g ON g.file = c.file AND g.row = c.row GROUP BY RowIdentifier)
        SELECT p.file, p.row, CASE WHEN holds THEN {lit(Left.SAID_AGAIN)}
            WHEN NOT holds THEN {lit(Left.DELETED)} END AS reason
        FROM srproblem_now AS p LEFT JOIN found ON found.id = p.IDCode"""
    )
    engine.run(
        """CREATE VIEW s1_problem_now AS SELECT p.* FROM srproblem_now AS p
           ANTI JOIN (SELECT file, row FROM s1_problem_code WHERE reason IS NOT NULL) AS again USING (file, row)"""
    )


def _issues(engine: Engine, there: Collection[str]) -> None:
    """One event an issue: dm+d, else the CTV3 code of the MultiLex product, else the product, else the name alone."""
    products = (
        """SELECT IDMultiLexProduct AS id, min(DrugReadCode) AS ctv3 FROM srmedicationreadcodedetails_now
           WHERE DrugReadCode IS NOT NULL GROUP BY IDMultiLexProduct"""
        if "SRMedicationReadCodeDetails" in there
        else "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS ctv3 WHERE false"
    )
    engine.run(f"CREATE TABLE s1_product AS {products}")
    engine.run(
        r"""CREATE VIEW s1_issue AS
        SELECT coalesce(p.person, i.IDPatient) AS person, p.fate,
            s1_day(coalesce(DateEvent, DateMedicationStart)) AS happened_on, s1_day(DateEventRecorded) AS recorded_on,
            CASE WHEN s1_id(IDMultiLexDMD) IS NOT NULL THEN 'dmd' WHEN m.ctv3 IS NOT NULL THEN 'ctv3'
                WHEN coalesce(product, NameOfMedication) IS NOT NULL THEN 'other' END AS system,
            coalesce(s1_id(IDMultiLexDMD), m.ctv3, 'MULTILEX//' || product,
                'SYSTMONE_NAME//' || regexp_replace(lower(NameOfMedication), '\s+', '_', 'g')) AS code,
            NameOfMedication AS term, NULL::VARCHAR AS value, NULL::VARCHAR AS unit, i.file, i.row
        FROM (SELECT *, CASE WHEN regexp_full_match(IDMultiLexProduct, '[1-9][0-9]*') THEN IDMultiLexProduct END
                AS product FROM srprimarycaremedication_now) AS i
        LEFT JOIN s1_patient AS p ON p.id = i.IDPatient LEFT JOIN s1_product AS m ON m.id = i.product"""
    )


def _contacts(engine: Engine, there: Collection[str]) -> None:
    """One event a clinical event (SREvent) in which somebody was spoken to: how and where, in the extract's own words.

    Many practices also code the contact. So as not to count it twice, of a person's contacts on one day as many are
    said again as entries of that day say so; those of which least is known come first.
    """
    options = (
        """SELECT RowIdentifier AS id, min(ConfiguredListOption) AS words FROM srconfiguredlistoption_now
           WHERE ConfiguredListOption IS NOT NULL GROUP BY RowIdentifier"""
        if "SRConfiguredListOption" in there
        else "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS words WHERE false"
    )
    engine.run(f"CREATE TABLE s1_option AS {options}")
    engine.run(
        """CREATE TABLE s1_spoken AS SELECT person, happened_on, count(*) AS times FROM s1_marked
            WHERE name = '' AND fate IS NULL GROUP BY ALL"""
    )
    terms = " ".join(f"WHEN {lit(code)} THEN {lit(term)}" for code, term in CONTACTS.items())
    engine.run(
        f"""CREATE TABLE s1_contact AS
        WITH said AS (SELECT coalesce(p.person, IDPatient) AS person, p.fate, s1_day(DateEvent) AS happened_on,
                s1_day(DateEventRecorded) AS recorded_on, ClinicalEvent, RowIdentifier AS id, file, row,
                lower(coalesce(how.words, ContactMethod, '')) AS how,
                lower(coalesce(place.words, ContactEventLocation, '')) AS place
            FROM srevent_now AS e LEFT JOIN s1_patient AS p ON p.id = e.IDPatient
            LEFT JOIN s1_option AS how ON how.id = e.ContactMethod
            LEFT JOIN s1_option AS place ON place.id = e.ContactEventLocation),
        told AS (SELECT *, {_CONTACT} AS code FROM said),
        asked AS (SELECT *, code IS NOT NULL AND (ClinicalEvent IS NULL OR is_yes(ClinicalEvent)) AS asked FROM told),
        nth AS (SELECT *, row_number() OVER (PARTITION BY person, happened_on, fate, asked
                ORDER BY code <> '308335008', recorded_on, code, length(id), id, file, row) AS nth FROM asked)
        SELECT n.person, fate, n.happened_on, recorded_on, 'snomed' AS system, code, CASE code {terms} END AS term,
            NULL::VARCHAR AS value, NULL::VARCHAR AS unit, file, row, asked,
            asked AND nth <= coalesce(times, 0) AS again
        FROM nth AS n LEFT JOIN s1_spoken AS s ON s.person = n.person AND s.happened_on = n.happened_on"""
    )
