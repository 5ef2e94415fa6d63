"""What was written in the record: observations, consultations and issues of medicines, as events."""

from __future__ import annotations

from casefinding.records import ethnic_codes
from casefinding.records.engine import Engine, lit
from casefinding.records.reasons import Left
from casefinding.records.sources.panels import HEADERS
from casefinding.records.sources.systmone.entries import CONTACTS

MACROS = (
    "CREATE MACRO emis_hash(a) AS hash(a), (a, b) AS hash(a, b)",
    "CREATE MACRO emis_yes(x) AS coalesce(lower(x) IN ('1', 'true', 'yes', 'y', 't'), false)",
    r"""CREATE MACRO emis_person(number, guid, org) AS coalesce(
        CASE WHEN regexp_full_match(number, '[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}')
            THEN regexp_replace(number, '[ -]', '', 'g') ELSE number END, guid || '@' || org)""",
    # The day is U: not known; Y, YM: of the year or month alone, the first of which EMIS writes.
    """CREATE MACRO emis_day(date, precise, entered, birth) AS CASE
        WHEN upper(precise) = 'U' THEN coalesce(entered, date)
        WHEN upper(precise) IN ('Y', 'YM') AND day_of(date) < birth AND year(day_of(date)) = year(birth)
        THEN birth::VARCHAR ELSE date END""",
)

# In this order, of the words in which EMIS names where or how a consultation was.
_CONTACT = r"""CASE
    WHEN words LIKE '%video%' THEN '448337001'
    WHEN words LIKE '%phone%' THEN '386472008'
    WHEN regexp_matches(words, 'admin|letter|mail|sms|text|fax|third party|did not attend|\bdna\b|failed|document|scan'
        '|result|report|record|note|prescri|repeat issue|data entry|gp2gp|summar') THEN NULL
    WHEN regexp_matches(words, 'visit|home|residen|domicil') THEN '439708006'
    WHEN regexp_matches(words, 'face|surgery|practice|clinic|health cent') THEN '185202000'
    ELSE '308335008' END"""

_PATIENT = "LEFT JOIN emis_patient AS p ON p.guid = e.PatientGuid AND p.org = e.OrganisationGuid"
_WHEN = """coalesce(p.person, e.PatientGuid) AS person,
    emis_day(EffectiveDate, EffectiveDatePrecision, EnteredDate, p.birth) AS happened_on, EnteredDate AS recorded_on"""
_EVENT = "person, happened_on, recorded_on, system, code, term, value, unit, file, row"


def install(engine: Engine, *, at_practice: bool, consultations: bool, issues: str) -> list[str]:
    """Make `emis_observation`, and `emis_consultation` and `emis_issue` if there are any; and `emis_entry`, the events.

    Each has person, fate (the reason to leave the row, or NULL) and the columns of an event. `issues`: the name of the
    table whose `_now` view holds issues, or "". A code that the dictionary lacks keeps an empty cell, which the store
    refuses. Returns SELECTs of (reason, file, row) for the rows left.
    """
    hidden = "false" if at_practice else "emis_yes(e.IsConfidential)"
    within = ""
    if consultations and not at_practice:
        engine.run(
            """CREATE TABLE emis_hidden AS SELECT DISTINCT ConsultationGuid AS guid, OrganisationGuid AS org
               FROM emis_consultation_now WHERE emis_yes(IsConfidential) AND ConsultationGuid IS NOT NULL"""
        )
        ((many,),) = engine.rows("SELECT count(*) FROM emis_hidden")
        within = (
            "LEFT JOIN emis_hidden AS h ON h.guid = e.ConsultationGuid AND h.org = e.OrganisationGuid" if many else ""
        )
    header, pair = "", ""
    if _headers(engine, at_practice):
        header = f"WHEN b.guid IS NOT NULL THEN {lit(Left.SAID_AGAIN)}"
        pair = "LEFT JOIN emis_header AS b ON b.guid = e.ObservationGuid AND b.org = e.OrganisationGuid"
    engine.run(
        f"""CREATE VIEW emis_observation AS
        SELECT {_WHEN}, coalesce(p.fate, CASE WHEN {hidden} {"OR h.guid IS NOT NULL" if within else ""}
                THEN {lit(Left.CONFIDENTIAL)} {header}
                WHEN lower(ObservationType) = 'family history' AND NOT c.family THEN {lit(Left.NOT_ASKED)} END) AS fate,
            coalesce(c.system, 'emis') AS system, c.code, c.term, Value AS value, NumericUnit AS unit,
            c.ethnic, e.file, e.row
        FROM emis_observation_now AS e {_PATIENT} LEFT JOIN emis_code AS c ON c.id = e.CodeId {within} {pair}"""
    )
    tables = ["emis_observation"]
    if consultations:
        _consultations(engine, hidden)
        tables.append("emis_consultation")
    if issues:
        engine.run(
            f"""CREATE VIEW emis_issue AS
            SELECT {_WHEN}, coalesce(p.fate, CASE WHEN {hidden} THEN {lit(Left.CONFIDENTIAL)} END) AS fate,
                coalesce(d.system, 'emis') AS system, d.code, d.term, NULL::VARCHAR AS value, NULL::VARCHAR AS unit,
                e.file, e.row
            FROM {issues}_now AS e {_PATIENT} LEFT JOIN emis_drug AS d ON d.id = e.CodeId"""
        )
        tables.append("emis_issue")
    engine.run(
        f"""CREATE TABLE emis_ethnicity AS
        SELECT person, arg_max(ethnic, (ethnic <> {lit(ethnic_codes.UNKNOWN)}, coalesce(happened_on, ''),
            coalesce(recorded_on, ''), ethnic)) AS ethnicity
        FROM emis_observation WHERE ethnic IS NOT NULL AND fate IS NULL GROUP BY person"""
    )
    entry = " UNION ALL ".join(f"SELECT {_EVENT} FROM {table} WHERE fate IS NULL" for table in tables)
    engine.run(f"CREATE VIEW emis_entry AS {entry}")
    return [f"SELECT fate AS reason, file, row FROM {table} WHERE fate IS NOT NULL" for table in tables]


def _headers(engine: Engine, at_practice: bool) -> int:
    """Make `emis_header`: headers without a value that have readings below them which come in; how many there are."""
    comes_in = "" if at_practice else "AND NOT emis_yes(o.IsConfidential)"
    ids = ", ".join(lit(code) for code in sorted(HEADERS))
    engine.run(
        f"""CREATE TABLE emis_header AS
        WITH head AS (SELECT o.ObservationGuid AS guid, o.OrganisationGuid AS org FROM emis_observation_now AS o
            WHERE o.Value IS NULL
            AND o.CodeId IN (SELECT id FROM emis_code WHERE system = 'snomed' AND code IN ({ids})))
        SELECT DISTINCT head.* FROM head SEMI JOIN emis_observation_now AS o
            ON o.ParentObservationGuid = head.guid AND o.OrganisationGuid = head.org AND o.Value IS NOT NULL
            {comes_in}"""
    )
    ((many,),) = engine.rows("SELECT count(*) FROM emis_header")
    return many


def _consultations(engine: Engine, hidden: str) -> None:
    """One event a consultation: its own code, unless only EMIS knows that; then what its words say of it.

    What was no contact by its words and has no code that others know keeps its code, or is left if it has none.
    """
    terms = " ".join(f"WHEN {lit(code)} THEN {lit(term)}" for code, term in CONTACTS.items())
    engine.run(
        f"""CREATE VIEW emis_consultation AS
        WITH said AS (
            SELECT {_WHEN}, p.fate AS fate_said, {hidden} AS hidden, e.ConsultationSourceCodeId AS id, c.system, c.code,
                c.term, c.own, lower(concat_ws(' ', e.ConsultationSourceTerm, c.term)) AS words, e.file, e.row
            FROM emis_consultation_now AS e {_PATIENT} LEFT JOIN emis_code AS c ON c.id = e.ConsultationSourceCodeId),
        told AS (SELECT *, CASE WHEN coalesce(own OR system <> 'snomed', true) THEN {_CONTACT} END AS contact FROM said)
        SELECT person, happened_on, recorded_on, coalesce(fate_said, CASE WHEN hidden THEN {lit(Left.CONFIDENTIAL)}
                WHEN contact IS NULL AND id IS NULL THEN {lit(Left.NOT_ASKED)} END) AS fate,
            CASE WHEN contact IS NULL THEN coalesce(system, 'emis') ELSE 'snomed' END AS system,
            coalesce(contact, code) AS code, CASE contact {terms} ELSE term END AS term, NULL::VARCHAR AS value,
            NULL::VARCHAR AS unit, file, row FROM told"""
    )


def notes(engine: Engine, tables: tuple[str, ...]) -> list[str]:
    """Sentences with counts, on entries whose day is not known to the day."""
    dated = " UNION ALL ".join(
        f"""SELECT count(*) FILTER (upper(EffectiveDatePrecision) IN ('Y', 'YM')),
                count(*) FILTER (upper(EffectiveDatePrecision) = 'U') FROM {table}_now"""
        for table in tables
    )
    ((vague, unknown),) = engine.rows(f"SELECT sum(a)::BIGINT, sum(b)::BIGINT FROM ({dated}) AS counted(a, b)")
    said = (
        (vague, "entries are dated by their year or month alone: they count from its first day, or from the month of "
                "birth if that is later in the same year."),
        (unknown, "entries say that their day is not known: the day of entry stands for it."),
    )  # fmt: skip
    return [f"{count:,} {what}" for count, what in said if count]
