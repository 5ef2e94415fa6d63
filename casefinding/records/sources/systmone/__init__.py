"""TPP SystmOne's extract for reporting (SR*.csv, versions 87 to 93): columns by name, whichever of them are there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from casefinding.records.engine import Engine, lit
from casefinding.records.extract import Extract, match_columns, missing_table
from casefinding.records.reasons import Left

NEEDED = {
    "SRPatient": ("RowIdentifier", "NHSNumber", "DateBirth", "DateDeath", "Gender"),
    "SRPatientRegistration": ("RowIdentifier", "DateRegistration", "DateDeRegistration", "IDPatient"),
    "SROrganisation": ("RowIdentifier", "Name", "ID"),
    "SRCode": ("RowIdentifier", "DateEventRecorded", "DateEvent", "CTV3Code", "NumericValue", "IDPatient"),
}
"""Tables that every extract must hold, and the columns that their headers must name."""
READ = {
    "SRPrimaryCareMedication": ("RowIdentifier", "DateEventRecorded", "DateEvent", "NameOfMedication", "IDPatient"),
    "SREvent": ("RowIdentifier", "DateEventRecorded", "DateEvent", "IDPatient"),
    "SRProblem": ("RowIdentifier", "DateEventRecorded", "DateEvent", "CTV3Code", "IDPatient"),
    "SRCtv3ToSnomed": ("RowIdentifier", "Ctv3Code", "SnomedCode"),
    "SRConfiguredListOption": ("RowIdentifier", "ConfiguredListOption"),
    "SRMedicationReadCodeDetails": ("RowIdentifier", "IDMultiLexProduct", "DrugReadCode"),
}
"""Tables that are read if they are there."""
MAYBE = {
    "SRPatient": ("TestPatient", "Lsoa", "ImdDecile", "ImdVintage"),
    "SRPatientRegistration": ("RegistrationStatus", "IDOrganisation", "IDOrganisationRegisteredAt"),
    "SROrganisation": ("MadeObsolete",),
    "SRCode": (
        "CTV3Text", "SNOMEDCode", "SNOMEDText", "NumericComparator", "IsNumeric", "NumericUnit", "IDOrganisation",
    ),
    "SRPrimaryCareMedication": ("IDMultiLexProduct", "IDMultiLexDMD", "DateMedicationStart", "IDOrganisation"),
    "SREvent": ("ContactEventLocation", "ContactMethod", "ClinicalEvent", "IDOrganisation"),
    "SRProblem": ("IDCode", "IDOrganisation"),
}  # fmt: skip
"""Columns that some versions lack; the last three of SRPatient are written by `casefinding pseudonymise`."""
DICTIONARIES = frozenset(
    {
        "SRCtv3ToSnomed", "SRConfiguredListOption", "SRMedicationReadCodeDetails", "SRCtv3", "SRCtv3Hierarchy",
        "SRCtv3ToVersion2", "SRMapping", "SRMappingGroup", "SRManifest", "SROrganisationBranch", "SRStaffMember",
        "SRStaffMemberProfile", "SRStaffMemberProfileRole", "SRTemplate", "SRQuestionnaire", "SRCcg", "SRTrust",
    }
)  # fmt: skip
"""Tables that say what codes, places and staff are called."""

NOTES = (
    "SystmOne marks no row as confidential or sensitive in this extract: what the practice may not share must be left "
    "out when the extract is drawn.",
    "Only registrations of status GMS or standard count, where they are held; private patients, visitors, people who "
    "have applied and registrations elsewhere are left, with everything about people who have no other.",
    "Each row of SRPrimaryCareMedication is one event, also medicines recorded as given by a hospital, a dentist or "
    "somebody else: they say what is taken. Permissions to repeat (SRRepeatTemplate) are no issues and are left.",
    "A medicine without dm+d id has the code of its product or its name; what is found by substance does not find it.",
    "A contact is a clinical event (SREvent) that was no letter or message, also if it was left unfinished; of those "
    "on a day on which contacts are coded as well, only what goes beyond the coded ones is taken.",
    "Entries in tables of their own that are not read (immunisations, referrals, letters, appointments) are left.",
)


def find(path: Path, *, at_practice: bool = False) -> Extract:
    """Look at the files of one or more deliveries in a folder; nothing in this layout is marked confidential, so that
    `at_practice` changes nothing.

    Raises RecordsError for a missing table or column, an empty or broken file, a table that is twice in one delivery.
    """
    from casefinding.records.sources.systmone.deliveries import find_files

    found = find_files(path, (*NEEDED, *READ, *DICTIONARIES))
    there: dict[str, list[int]] = {}
    for number, file in enumerate(found.files):
        there.setdefault(file.table, []).append(number)
        match_columns(file.part, {**NEEDED, **READ}.get(file.table, ()), MAYBE.get(file.table, ()))
    for table in NEEDED:
        if table not in there:
            raise missing_table(path, table)

    def tables(engine: Engine) -> Mapping[str, str]:
        from casefinding.records.sources.systmone import entries, people
        from casefinding.records.sources.systmone.latest import settle

        for macro in entries.MACROS:
            engine.run(macro)
        left: list[str] = []
        for table, numbers in there.items():
            if table in NEEDED or table in READ:
                files = [(number, found.files[number]) for number in numbers]
                columns = (*{**NEEDED, **READ}[table], *MAYBE.get(table, ()))
                gone = settle(engine, table.lower(), files, columns)
                left += gone if table not in DICTIONARIES else []
            if table in DICTIONARIES or not (table in NEEDED or table in READ):
                reason = Left.DICTIONARY if table in DICTIONARIES else Left.NOT_ASKED
                for number in numbers:
                    part = found.files[number].part
                    # A table that was settled is read with the same columns again: nothing is staged twice.
                    source = f"{table.lower()}_all" if table in READ else None
                    rows = f"SELECT file, row FROM {source} WHERE file = {number}" if source else (
                        engine.read(part, [("first", part.columns[0])], number)
                    )  # fmt: skip
                    left.append(f"SELECT {lit(reason)} AS reason, file, row FROM ({rows})")
        left += people.install(engine)
        left += entries.install(engine, set(there))
        people.install_ethnicity(engine)
        return {
            "practice": people.PRACTICE,
            "person": people.PERSON,
            "registration": people.REGISTRATION,
            "event": "SELECT * FROM s1_entry",
            "left": " UNION ALL ".join(left),
        }

    return Extract(
        kind="systmone",
        parts=tuple(file.part for file in found.files),
        tables=tables,
        data_through=found.data_through,
        notes=(*NOTES, *found.notes),
    )
