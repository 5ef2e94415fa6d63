"""The allow-list: for every kind and table, the columns that go out, and as what; all others are emptied.

Sources of the columns: the public specifications that ../sources reads by. A table that is not here stays at home.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casefinding.records.layout import LAYOUTS
from casefinding.records.pseudonyms.treatments import Treatment as T


@dataclass(frozen=True)
class Table:
    """One table: its columns (lower case) with their treatment, and the columns that say whose a row is.

    `whose` is empty for dictionaries and organisations; its last column is the vendor's patient id.
    """

    name: str
    columns: Mapping[str, T]
    whose: tuple[str, ...] = ()


_ROWS = frozenset(
    [
        "consultationguid",
        "problemguid",
        "problemobservationguid",
        "observationguid",
        "parentobservationguid",
        "diaryguid",
        "parentproblemobservationguid",
        "issuerecordguid",
        "drugrecordguid",
        "rowidentifier",
        "idevent",
        "idreferralin",
        "idappointment",
        "idvisit",
        "idrepeattemplate",
        "idcode",
        "observation_period_id",
        "condition_occurrence_id",
        "visit_occurrence_id",
        "measurement_id",
        "measurement_event_id",
        "observation_id",
        "drug_exposure_id",
        "procedure_occurrence_id",
    ]
)
"""Ids of the rows of a patient, not of an organisation or a dictionary: they are digested, and still join."""


def _table(name: str, whose: str = "", **said: str) -> Table:
    columns = {column.lower(): T[treatment] for treatment, names in said.items() for column in names.split()}
    if whose:
        columns |= {name: T.ROW for name, one in columns.items() if one is T.ID and name in _ROWS}
        columns |= {name: T.COMMON for name, one in columns.items() if one is T.TERM}
    return Table(name, columns, tuple(whose.lower().split()))


_OWN = "OrganisationGuid PatientGuid"
_ENTRY = "OrganisationGuid ProcessingId ConsultationGuid ProblemGuid ProblemObservationGuid CodeId"
_ENTERED = "EffectiveDate EnteredDate"
_MARKS = "Deleted IsConfidential"

_EMIS = (
    _table(
        "Admin_Patient", _OWN, PATIENT="PatientGuid PersonGuid", NUMBER_OF_PATIENT="NhsNumber", MONTH="DateOfBirth",
        ID="OrganisationGuid ProcessingId", DAY="DateOfDeath DateOfRegistration DateOfDeactivation",
        WORD="Sex PatientTypeDescription DummyType", FLAG="Deleted SpineSensitive IsConfidential",
    ),
    _table(
        "Admin_PatientHistory", _OWN, PATIENT="PatientGuid", ID="OrganisationGuid ProcessingId", DAY="HistoryDate",
        WORD="StatusDescription", FLAG="Deleted",
    ),
    _table(
        "CareRecord_Consultation", _OWN, PATIENT="PatientGuid", ID=f"{_ENTRY} ConsultationSourceCodeId", DAY=_ENTERED,
        FLAG=f"Complete {_MARKS}",
        WORD="EffectiveDatePrecision ConsultationSourceTerm ConsultationType",
    ),
    _table(
        "CareRecord_Observation", _OWN, PATIENT="PatientGuid", ID=f"{_ENTRY} ObservationGuid ParentObservationGuid",
        DAY=_ENTERED, WORD="EffectiveDatePrecision ObservationType Episode Abnormal",
        NUMBER="Value NumericRangeLow NumericRangeHigh", UNIT="NumericUnit", FLAG=_MARKS,
    ),
    _table(
        "CareRecord_ObservationReferral", _OWN, PATIENT="PatientGuid", ID=f"{_ENTRY} ObservationGuid",
        WORD="ReferralUrgency ReferralServiceType ReferralMode", FLAG="Deleted",
    ),
    _table(
        "CareRecord_Problem", _OWN, PATIENT="PatientGuid",
        ID=f"{_ENTRY} ObservationGuid ParentProblemObservationGuid", DAY="EndDate LastReviewDate", FLAG=_MARKS,
        WORD="EndDatePrecision LastReviewDatePrecision ParentProblemRelationship ProblemStatusDescription "
        "SignificanceDescription", NUMBER="ExpectedDuration",
    ),
    _table(
        "CareRecord_Diary", _OWN, PATIENT="PatientGuid", ID=f"{_ENTRY} DiaryGuid", DAY=_ENTERED, 
        WORD="EffectiveDatePrecision", FLAG=f"IsActive IsComplete {_MARKS}",
    ),
    _table(
        "Prescribing_DrugRecord", _OWN, PATIENT="PatientGuid", ID=f"{_ENTRY} DrugRecordGuid", DAY=f"{_ENTERED} "
        "CancellationDate", WORD="EffectiveDatePrecision QuantityUnit PrescriptionType",
        NUMBER="Quantity NumberOfIssues NumberOfIssuesAuthorised", FLAG=f"IsActive {_MARKS}",
    ),
    _table(
        "Prescribing_IssueRecord", _OWN, PATIENT="PatientGuid", ID=f"{_ENTRY} IssueRecordGuid DrugRecordGuid",
        DAY=f"{_ENTERED} ReviewDate", WORD="EffectiveDatePrecision QuantityUnit",
        NUMBER="Quantity CourseDurationInDays EstimatedNhsCost", FLAG=_MARKS,
    ),
    _table(
        "Admin_Organisation", CODE="ODSCode", DAY="OpenDate CloseDate", TERM="OrganisationName",
        WORD="OrganisationType",
        ID="OrganisationGuid CDB ParentOrganisationGuid CCGOrganisationGuid MainLocationGuid ProcessingId",
    ),
    _table(
        "Admin_OrganisationLocation", ID="OrganisationGuid LocationGuid ProcessingId", FLAG="IsMainLocation Deleted",
    ),
    _table("Agreements_SharingOrganisation", ID="OrganisationGuid", DAY="LastModifiedDate",
           FLAG="IsActivated Disabled Deleted"),
    _table(
        "Coding_ClinicalCode", ID="CodeId ParentCodeId ProcessingId",
        CODE="ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode",
        TERM="Term NationalCodeCategory NationalDescription EmisCodeCategoryDescription",
    ),
    _table("Coding_DrugCode", ID="CodeId ProcessingId", CODE="DmdProductCodeId BNFChapterRef", TERM="Term"),
)  # fmt: skip

_ROW = (
    "RowIdentifier IDOrganisationVisibleTo IDOrganisation IDOrganisationRegisteredAt IDOrganisationDoneAt IDEvent "
    "IDReferralIn"
)
_DONE = "DateEventRecorded DateEvent"
_PACK = "IDMultiLexProduct IDMultiLexPack IDMultiLexDMD"

_SYSTMONE = (
    _table(
        "SRPatient", "RowIdentifier", PATIENT="RowIdentifier", NUMBER_OF_PATIENT="NHSNumber", MONTH="DateBirth",
        ID="IDOrganisationVisibleTo", DAY="DateDeath", WORD="Gender SpeaksEnglish", FLAG="TestPatient RemovedData",
    ),
    _table(
        "SRPatientRegistration", "IDPatient", PATIENT="IDPatient", ID=_ROW, WORD="RegistrationStatus",
        DAY="DateEventRecorded DateRegistration DateDeRegistration", FLAG="RemovedData",
    ),
    _table(
        "SRCode", "IDPatient", PATIENT="IDPatient", ID=f"{_ROW} IDAppointment IDVisit IDTemplate IDQuestionnaire",
        DAY=_DONE, CODE="CTV3Code SNOMEDCode", NUMBER="NumericComparator NumericValue", UNIT="NumericUnit",
        WORD="EpisodeType", FLAG="IsNumeric RemovedData",
    ),
    _table(
        "SREvent", "IDPatient", PATIENT="IDPatient", ID=f"{_ROW} IDBranch", DAY=_DONE,
        WORD="ContactEventLocation ContactMethod", FLAG="EventIncomplete ClinicalEvent RemovedData",
    ),
    _table(
        "SRPrimaryCareMedication", "IDPatient", PATIENT="IDPatient", ID=f"{_ROW} {_PACK} IDRepeatTemplate",
        DAY=f"{_DONE} DateMedicationStart DateMedicationEnd", TERM="NameOfMedication", WORD="MedicationQuantity",
        FLAG="IsSupervised IsRepeatMedication IsOtherMedication IsDentalMedication IsHospitalMedication RemovedData",
    ),
    _table(
        "SRRepeatTemplate", "IDPatient", PATIENT="IDPatient", ID=f"{_ROW} {_PACK}", TERM="NameOfMedication",
        DAY=f"{_DONE} DateMedicationTemplateStart DateMedicationTemplateEnd DateMedicationTemplateReview",
        WORD="MedicationQuantity DrugStatus", NUMBER="MaxIssues CourseLengthPerIssue", FLAG="RemovedData",
    ),
    _table(
        "SRProblem", "IDPatient", PATIENT="IDPatient", ID=f"{_ROW} IDCode", DAY=f"{_DONE} DateEnd",
        CODE="CTV3Code SNOMEDCode", WORD="Severity", FLAG="RemovedData",
    ),
    _table("SROrganisation", ID="RowIdentifier ID IDTrust IDCcg", TERM="Name", FLAG="MadeObsolete RemovedData"),
    _table(
        "SROrganisationBranch", ID="RowIdentifier ID IDOrganisation IDOrganisationVisibleTo",
        FLAG="BranchObsolete RemovedData",
    ),
    _table("SRCtv3", ID="RowIdentifier IDOrganisationVisibleTo", CODE="Ctv3Code", TERM="Ctv3Text", FLAG="RemovedData"),
    _table(
        "SRCtv3ToSnomed", ID="RowIdentifier IDOrganisationVisibleTo", CODE="Ctv3Code SnomedCode", FLAG="RemovedData",
    ),
    _table("SRManifest", TERM="FileName", FLAG="IsDelta IsReference", DAY="DateExtractFrom DateExtractTo"),
    _table("SRMapping", ID="RowIdentifier IdMappingGroup", TERM="Mapping", FLAG="RemovedData"),
    _table(
        "SRConfiguredListOption", ID="RowIdentifier", TERM="ConfiguredList ConfiguredListOption", FLAG="RemovedData",
    ),
    _table(
        "SRMedicationReadCodeDetails", ID="RowIdentifier IDMultiLexProduct", CODE="DrugReadCode",
        TERM="DrugReadCodeDesc", FLAG="RemovedData",
    ),
)  # fmt: skip

_SAYS = {
    "birth_month": T.MONTH, "sex": T.WORD, "ethnicity": T.WORD, "imd_decile": T.NUMBER, "imd_vintage": T.YEAR,
    "died_on": T.DAY, "practice": T.CODE, "started_on": T.DAY, "ended_on": T.DAY, "happened_on": T.DAY,
    "recorded_on": T.DAY, "system": T.SYSTEM, "code": T.CODE, "term": T.TERM, "value": T.NUMBER, "unit": T.UNIT,
    "condition": T.NAME, "kind": T.WORD, "on": T.DAY, "data_through": T.DAY, "name": T.TERM, "pcn": T.TERM,
    "place": T.TERM, "person": T.NUMBER_OF_PATIENT,
}  # fmt: skip


def _native() -> tuple[Table, ...]:
    """The native layout: `person` is the pseudonym itself, in every table."""
    tables = []
    for layout in LAYOUTS:
        columns = {name: _SAYS[name] for name in layout.names if name in _SAYS}
        if "person" in columns and "term" in columns:
            columns["term"] = T.COMMON
        tables.append(Table(layout.name, columns, ("person",) if "person" in columns else ()))
    return tuple(tables)


_WHOSE = "person_id"
_OMOP = (
    _table(
        "person", _WHOSE, PATIENT="person_id", NUMBER_OF_PATIENT="person_source_value",
        ID="gender_concept_id race_concept_id ethnicity_concept_id care_site_id gender_source_concept_id "
        "race_source_concept_id ethnicity_source_concept_id", YEAR="year_of_birth month_of_birth",
        MONTH="birth_datetime", WORD="gender_source_value race_source_value ethnicity_source_value",
    ),
    _table(
        "observation_period", _WHOSE, PATIENT="person_id", ID="observation_period_id period_type_concept_id",
        DAY="observation_period_start_date observation_period_end_date",
    ),
    _table(
        "condition_occurrence", _WHOSE, PATIENT="person_id", CODE="condition_source_value",
        ID="condition_occurrence_id condition_concept_id condition_type_concept_id condition_status_concept_id "
        "visit_occurrence_id condition_source_concept_id",
        DAY="condition_start_date condition_start_datetime condition_end_date condition_end_datetime",
    ),
    _table(
        "measurement", _WHOSE, PATIENT="person_id", CODE="measurement_source_value", UNIT="unit_source_value",
        ID="measurement_id measurement_concept_id measurement_type_concept_id operator_concept_id value_as_concept_id "
        "unit_concept_id visit_occurrence_id measurement_source_concept_id unit_source_concept_id measurement_event_id",
        DAY="measurement_date measurement_datetime", NUMBER="value_as_number range_low range_high",
    ),
    _table(
        "observation", _WHOSE, PATIENT="person_id", CODE="observation_source_value", UNIT="unit_source_value",
        ID="observation_id observation_concept_id observation_type_concept_id value_as_concept_id unit_concept_id "
        "qualifier_concept_id visit_occurrence_id observation_source_concept_id",
        DAY="observation_date observation_datetime", NUMBER="value_as_number",
    ),
    _table(
        "drug_exposure", _WHOSE, PATIENT="person_id", TERM="drug_source_value",
        ID="drug_exposure_id drug_concept_id drug_type_concept_id visit_occurrence_id drug_source_concept_id "
        "route_concept_id", NUMBER="quantity refills days_supply",
        DAY="drug_exposure_start_date drug_exposure_start_datetime drug_exposure_end_date drug_exposure_end_datetime",
    ),
    _table(
        "procedure_occurrence", _WHOSE, PATIENT="person_id", CODE="procedure_source_value",
        ID="procedure_occurrence_id procedure_concept_id procedure_type_concept_id visit_occurrence_id "
        "procedure_source_concept_id", DAY="procedure_date procedure_datetime",
    ),
    _table(
        "visit_occurrence", _WHOSE, PATIENT="person_id", CODE="visit_source_value",
        ID="visit_occurrence_id visit_concept_id visit_type_concept_id care_site_id visit_source_concept_id",
        DAY="visit_start_date visit_start_datetime visit_end_date visit_end_datetime",
    ),
    _table("death", _WHOSE, PATIENT="person_id", DAY="death_date death_datetime", ID="death_type_concept_id"),
    _table("care_site", ID="care_site_id place_of_service_concept_id", TERM="care_site_name",
           CODE="care_site_source_value"),
    _table("cdm_source", DAY="source_release_date cdm_release_date", TERM="cdm_version vocabulary_version"),
    _table(
        "concept", ID="concept_id", TERM="concept_name concept_class_id domain_id vocabulary_id",
        NAME="standard_concept invalid_reason", CODE="concept_code", DAY="valid_start_date valid_end_date",
    ),
    _table(
        "concept_relationship", ID="concept_id_1 concept_id_2", TERM="relationship_id", NAME="invalid_reason",
        DAY="valid_start_date valid_end_date",
    ),
)  # fmt: skip

ALLOWED: dict[str, dict[str, Table]] = {
    kind: {table.name.lower(): table for table in tables}
    for kind, tables in {"emis": _EMIS, "systmone": _SYSTMONE, "native": _native(), "omop": _OMOP}.items()
}
"""kind -> table (lower case) -> what goes out of it."""
PEOPLE = {"emis": "admin_patient", "systmone": "srpatient", "native": "person", "omop": "person"}
"""The table of a kind that has one row a person."""
ADDED = {
    "emis": ("Lsoa", "ImdDecile", "ImdVintage"),
    "systmone": ("Lsoa", "ImdDecile", "ImdVintage"),
    "native": ("lsoa", "imd_decile", "imd_vintage"),
    "omop": ("lsoa", "imd_decile", "imd_vintage"),
}
"""Columns that the table of the people has at its end: small area (if kept), deprivation decile and its vintage."""
ENCODING = {"emis": "utf-8", "systmone": "cp1252", "native": "utf-8", "omop": "utf-8"}


def columns_table() -> str:
    """What goes out of each table, as the Markdown table of docs/how-to/pseudonymise.md; names in lower case."""
    lines = ["| layout | table | columns that go out |", "|---|---|---|"]
    for kind, tables in ALLOWED.items():
        for table in tables.values():
            names = [*sorted(table.columns), *(ADDED[kind] if table.name.lower() == PEOPLE[kind] else ())]
            lines.append(f"| {kind} | {table.name} | {', '.join(dict.fromkeys(name.lower() for name in names))} |")
    return "\n".join(lines)
