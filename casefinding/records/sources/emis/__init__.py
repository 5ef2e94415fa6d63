"""EMIS Web's bulk extract as CSV, versions 5 and 8: full and delta files; columns by name, whichever are there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from casefinding.records.engine import Engine, lit
from casefinding.records.extract import Extract, match_columns
from casefinding.records.reasons import Left

if TYPE_CHECKING:
    from casefinding.records.sources.emis.files import File

_OF = ("PatientGuid", "OrganisationGuid", "ProcessingId")
_ENTRY = (*_OF, "EffectiveDate", "EffectiveDatePrecision", "EnteredDate", "IsConfidential", "Deleted")

NEEDED = {
    "Admin_Organisation": ("OrganisationGuid", "OrganisationName", "ODSCode", "ProcessingId"),
    "Admin_Patient": (
        *_OF, "Sex", "DateOfBirth", "DateOfDeath", "DateOfRegistration", "NhsNumber", "PatientTypeDescription",
        "DummyType", "DateofDeactivation", "Deleted", "SpineSensitive", "IsConfidential",
    ),
    "CareRecord_Observation": ("ObservationGuid", *_ENTRY, "CodeId", "Value", "NumericUnit"),
    "Coding_ClinicalCode": ("CodeId", "Term", "SnomedCTConceptId"),
}  # fmt: skip
"""Tables that every extract must hold, and the columns that their headers must name."""
READ = {
    "Admin_PatientHistory": (*_OF, "HistoryDate", "StatusDescription"),
    "CareRecord_Consultation": ("ConsultationGuid", *_ENTRY, "ConsultationSourceCodeId"),
    "Coding_DrugCode": ("CodeId", "Term", "DmdProductCodeId"),
    "Prescribing_IssueRecord": ("IssueRecordGuid", *_ENTRY, "CodeId"),
    "Prescribing_DrugRecord": ("DrugRecordGuid", *_ENTRY, "CodeId"),
}
"""Tables that are read if they are there; the last only if there are no issues."""
MAYBE = {
    "Admin_Organisation": ("CDB", "ParentOrganisationGuid", "CCGOrganisationGuid", "OrganisationType"),
    "Admin_Patient": ("Lsoa", "ImdDecile", "ImdVintage"),
    "Admin_PatientHistory": ("HistoryTime", "Deleted"),
    "CareRecord_Consultation": ("ConsultationSourceTerm",),
    "CareRecord_Observation": ("ConsultationGuid", "ObservationType", "ParentObservationGuid"),
    "Coding_ClinicalCode": ("ReadTermId", "NationalCode", "NationalCodeCategory", "EmisCodeCategoryDescription"),
}
"""Columns that some versions lack; those of Admin_Patient are written by `casefinding pseudonymise`."""
NAMES = {
    "Admin_Organisation": "emis_organisation", "Admin_Patient": "emis_patient", "Admin_PatientHistory": "emis_history",
    "CareRecord_Observation": "emis_observation", "CareRecord_Consultation": "emis_consultation",
    "Coding_ClinicalCode": "emis_clinical", "Coding_DrugCode": "emis_drug", "Prescribing_IssueRecord": "emis_issue",
    "Prescribing_DrugRecord": "emis_medication",
}  # fmt: skip
KEYS = {
    "Admin_Organisation": ("OrganisationGuid",), "Admin_Patient": ("PatientGuid", "OrganisationGuid"),
    "CareRecord_Observation": ("ObservationGuid", "OrganisationGuid"),
    "CareRecord_Consultation": ("ConsultationGuid", "OrganisationGuid"),
    "Prescribing_IssueRecord": ("IssueRecordGuid", "OrganisationGuid"),
    "Prescribing_DrugRecord": ("DrugRecordGuid", "OrganisationGuid"),
}  # fmt: skip
"""What a row is known by, of the tables whose rows may come again."""
LEFT = {
    "CareRecord_Problem": Left.SAID_AGAIN, "CareRecord_ObservationReferral": Left.SAID_AGAIN,
    "CareRecord_Diary": Left.NOT_ASKED, "Prescribing_DrugRecord": Left.NOT_ASKED,
    "Admin_Location": Left.DICTIONARY, "Admin_OrganisationLocation": Left.DICTIONARY,
    "Admin_UserInRole": Left.DICTIONARY, "Agreements_SharingOrganisation": Left.DICTIONARY,
}  # fmt: skip
"""Tables that are counted and left: a problem or a referral is said by the observation that it extends."""

NOTES = (
    "Only patients of type Regular count as registered; others (temporary, private, visitors, services) are left, with "
    "everything about people who are registered at no practice of the extract. A patient whom EMIS has marked deleted "
    "is out of scope, with all entries.",
    "A patient marked sensitive, an entry marked confidential and the observations of a confidential consultation are "
    "left, unless the practice itself brings the extract in.",
    "Earlier registrations at the same practice come from Admin_PatientHistory; EMIS keeps it only as far as the "
    "agreement reaches. Who left longer ago than that is not in the extract.",
    "EMIS has no column for less than or more than: such a result is a plain number, unless the value itself says so.",
    "Issues are the events of medicines; permissions to prescribe (Prescribing_DrugRecord), planned entries "
    "(CareRecord_Diary) and appointments are left. Free text is never read.",
    "A consultation is an event of its own; one whose source only EMIS knows is coded by its words, and an unfinished "
    "one counts too. Where its contact is also coded as an observation under another code, both count.",
    "The extract is taken to reach to the day in the latest of its files' names.",
)


def find(path: Path, *, at_practice: bool = False) -> Extract:
    """Look at the files of an EMIS extract in a folder and the folders in it: full and delta files, in any order.

    `at_practice`: rows marked confidential or sensitive come in too.
    Raises RecordsError for a missing table or column, a name that is not EMIS's, an empty or broken file.
    """
    from casefinding.records.sources.emis.files import day_of_stamp, find_files, late_notes, missing

    files = find_files(path, (*NEEDED, *READ, *LEFT))
    wanted = {**NEEDED, **READ}
    there: dict[str, dict[int, File]] = {}
    for number, file in enumerate(files):
        there.setdefault(file.table, {})[number] = file
        match_columns(file.part, wanted.get(file.table, ()), MAYBE.get(file.table, ()))
    for table in NEEDED:
        if table not in there:
            raise missing(path, table)
    issues = next((name for name in ("Prescribing_IssueRecord", "Prescribing_DrugRecord") if name in there), "")
    if issues and "Coding_DrugCode" not in there:
        raise missing(path, "Coding_DrugCode", f", by which {issues} is understood")
    through = day_of_stamp(files)
    notes = [
        *NOTES,
        *late_notes({table: list(mine.values()) for table, mine in there.items() if table in wanted}, through),
    ]
    if "Admin_PatientHistory" not in there:
        notes.append("Without Admin_PatientHistory earlier registrations are known only from earlier files.")
    if issues != "Prescribing_IssueRecord":
        notes.append(
            "Without Prescribing_IssueRecord each permission to prescribe counts as one issue, on the day it was given."
            if issues
            else "There are no tables of medicines in this extract."
        )
    if "CareRecord_Consultation" not in there:
        notes.append("Without CareRecord_Consultation no consultation is known.")
    strange = sorted(set(there) - set(wanted) - set(LEFT))
    if strange:
        notes.append(f"In this extract and not read: {', '.join(strange)}.")
    read = {table: mine for table, mine in there.items() if table in wanted and table != "Prescribing_DrugRecord"}
    if issues == "Prescribing_DrugRecord":
        read[issues] = there[issues]

    def tables(engine: Engine) -> Mapping[str, str]:
        from casefinding.records.sources.emis import codes, entries, people
        from casefinding.records.sources.emis.latest import see, settle

        for macro in entries.MACROS:
            engine.run(macro)
        left = [_left(engine, table, mine) for table, mine in there.items() if table not in read]
        for table, mine in read.items():
            columns = (*wanted[table], *MAYBE.get(table, ()))
            see(engine, NAMES[table], mine, wanted[table], MAYBE.get(table, ()))
            if table in KEYS:
                left.append(settle(engine, NAMES[table], mine, columns, KEYS[table]))
            elif table.startswith("Coding_"):
                left.append(_dictionary(NAMES[table], mine))
        used = ["SELECT CodeId FROM emis_observation_now"]
        if "CareRecord_Consultation" in read:
            used.append("SELECT ConsultationSourceCodeId FROM emis_consultation_now")
        codes.install_clinical(engine, read["Coding_ClinicalCode"], used)
        if issues:
            codes.install_drugs(engine, read["Coding_DrugCode"], [f"SELECT CodeId FROM {NAMES[issues]}_now"])
        left += people.install(engine, at_practice=at_practice, history="Admin_PatientHistory" in read)
        left += entries.install(
            engine,
            at_practice=at_practice,
            consultations="CareRecord_Consultation" in read,
            issues=NAMES[issues] if issues else "",
        )
        native = {
            "practice": people.PRACTICE,
            "person": people.PERSON,
            "registration": people.REGISTRATION,
            "event": "SELECT * FROM emis_entry",
            "left": " UNION ALL ".join(left),
        }
        return {**native, "refused": people.REFUSED} if "Admin_PatientHistory" in read else native

    def told(engine: Engine) -> list[str]:
        from casefinding.records.sources.emis.entries import notes

        dated = ("CareRecord_Observation", "CareRecord_Consultation", issues)
        return notes(engine, tuple(NAMES[table] for table in dated if table in read))

    return Extract(
        kind="emis",
        parts=tuple(file.part for file in files),
        tables=tables,
        data_through=through,
        notes=tuple(notes),
        told=told,
    )


def _left(engine: Engine, table: str, files: Mapping[int, File]) -> str:
    """SELECT of (reason, file, row) for the rows of a table that is not read."""
    reason = lit(LEFT.get(table, Left.DICTIONARY if table.startswith("Coding_") else Left.NOT_ASKED))
    reads = (engine.read(file.part, [("first", file.part.columns[0])], number) for number, file in files.items())
    return " UNION ALL ".join(f"SELECT {reason} AS reason, file, row FROM ({sql})" for sql in reads)


def _dictionary(name: str, files: Mapping[int, File]) -> str:
    """SELECT of (reason, file, row) for the rows of a dictionary: the latest file replaces those before."""
    latest = max(file.place for file in files.values())
    last = ", ".join(str(number) for number, file in files.items() if file.place == latest)
    return f"""SELECT CASE WHEN file IN ({last}) THEN {lit(Left.DICTIONARY)} ELSE {lit(Left.REPLACED)} END AS reason,
        file, row FROM {name}_all"""
