"""The headers of the extracts, in their order: facts of the public specifications.

EMIS: source specification v8.2 (NHSISL/Datasets) and the CSV order of v5.4 (endeavourhealth/Transforms); SystmOne: the
SR*.csv of version 93 and of version 87 (both endeavourhealth/Transforms).
"""

from __future__ import annotations

_EMIS_8_2 = """
Admin_Organisation: OrganisationGuid CDB OrganisationName ODSCode ParentOrganisationGuid CCGOrganisationGuid
  OrganisationType OpenDate CloseDate MainLocationGuid ProcessingId
Admin_OrganisationLocation: OrganisationGuid LocationGuid IsMainLocation Deleted ProcessingId
Admin_Patient: PatientGuid OrganisationGuid UsualGpUserInRoleGuid Sex DateOfBirth DateOfDeath Title GivenName
  MiddleNames Surname DateOfRegistration NhsNumber PatientNumber PatientTypeDescription DummyType
  HouseNameFlatNumber NumberAndStreet Village Town County Postcode ResidentialInstituteCode NHSNumberStatus
  CarerName CarerRelation PersonGuid DateofDeactivation Deleted SpineSensitive IsConfidential EmailAddress HomePhone
  MobilePhone ExternalUsualGPGuid ExternalUsualGP ExternalUsualGPOrganisation ContactComments ProcessingId
Admin_PatientHistory: PatientGuid OrganisationGuid HistoryDate HistoryTime StatusDescription ProcessingId
Admin_UserInRole: UserInRoleGuid OrganisationGuid Title GivenName Surname JobCategoryCode JobCategoryName
  ContractStartDate ContractEndDate RegistrationNumber ProcessingId
CareRecord_Consultation: ConsultationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision
  EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid AppointmentSlotGuid ConsultationSourceTerm
  ConsultationSourceCodeId Complete ConsultationType Deleted IsConfidential ProcessingId
CareRecord_Diary: DiaryGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate
  EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid CodeId OriginalTerm DurationTerm
  LocationTypeDescription Deleted IsConfidential IsActive IsComplete ConsultationGuid ProcessingId
CareRecord_Observation: ObservationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision
  EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid ParentObservationGuid CodeId ProblemGuid
  ConsultationGuid Value NumericUnit ObservationType NumericRangeLow NumericRangeHigh DocumentGuid Qualifiers
  Abnormal AbnormalReason Episode Deleted IsConfidential ProcessingId
CareRecord_ObservationReferral: ObservationGuid PatientGuid OrganisationGuid ReferralTargetOrganisationGuid
  ReferralUrgency ReferralServiceType ReferralMode ReferralUBRN TransportRequired ProcessingId
CareRecord_Problem: ObservationGuid PatientGuid OrganisationGuid ParentProblemObservationGuid Deleted EndDate
  EndDatePrecision ExpectedDuration LastReviewDate LastReviewDatePrecision LastReviewUserInRoleGuid
  ParentProblemRelationship ProblemStatusDescription SignificanceDescription ProcessingId
Coding_ClinicalCode: CodeId Term ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode
  NationalCodeCategory NationalDescription EmisCodeCategoryDescription ParentCodeID ProcessingId
Coding_DrugCode: CodeId Term DmdProductCodeId BNFChapterRef ProcessingId
Prescribing_DrugRecord: DrugRecordGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate
  EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid CodeId Dosage Quantity QuantityUnit
  ProblemObservationGuid PrescriptionType IsActive CancellationDate NumberOfIssues NumberOfIssuesAuthorised
  IsConfidential Deleted ProcessingId
Prescribing_IssueRecord: IssueRecordGuid PatientGuid OrganisationGuid DrugRecordGuid EffectiveDate
  EffectiveDatePrecision EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid CodeId Dosage
  Quantity QuantityUnit ProblemObservationGuid CourseDurationInDays EstimatedNhsCost IsConfidential EmisCode
  PatientMessage ScriptPharmacyStamp Compliance AverageCompliance IsPrescribedAsContraceptive IsPrivatelyPrescribed
  PharmacyMessage PharmacyText ConsultationGuid ReviewDate Deleted ProcessingId
"""

_EMIS_5_4 = """
Admin_Patient: PatientGuid OrganisationGuid UsualGpUserInRoleGuid Sex DateOfBirth DateOfDeath Title GivenName
  MiddleNames Surname DateOfRegistration NhsNumber PatientNumber PatientTypeDescription DummyType
  HouseNameFlatNumber NumberAndStreet Village Town County Postcode ResidentialInstituteCode NHSNumberStatus
  CarerName CarerRelation PersonGuid DateOfDeactivation Deleted SpineSensitive IsConfidential EmailAddress HomePhone
  MobilePhone ExternalUsualGPGuid ExternalUsualGP ExternalUsualGPOrganisation ProcessingId
CareRecord_Observation: ObservationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision
  EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid ParentObservationGuid CodeId ProblemGuid
  AssociatedText ConsultationGuid Value NumericUnit ObservationType NumericRangeLow NumericRangeHigh DocumentGuid
  Deleted IsConfidential ProcessingId
CareRecord_Consultation: ConsultationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision
  EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid AppointmentSlotGuid ConsultationSourceTerm
  ConsultationSourceCodeId Complete Deleted IsConfidential ProcessingId
CareRecord_Problem: ObservationGuid PatientGuid OrganisationGuid ParentProblemObservationGuid Deleted Comment
  EndDate EndDatePrecision ExpectedDuration LastReviewDate LastReviewDatePrecision LastReviewUserInRoleGuid
  ParentProblemRelationship ProblemStatusDescription SignificanceDescription ProcessingId
Coding_ClinicalCode: CodeId Term ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode
  NationalCodeCategory NationalDescription EmisCodeCategoryDescription ProcessingId ParentCodeId
Coding_DrugCode: CodeId Term DmdProductCodeId ProcessingId
Prescribing_DrugRecord: DrugRecordGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate
  EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid CodeId Dosage Quantity QuantityUnit
  ProblemObservationGuid PrescriptionType IsActive CancellationDate NumberOfIssues NumberOfIssuesAuthorised
  IsConfidential Deleted ProcessingId
Prescribing_IssueRecord: IssueRecordGuid PatientGuid OrganisationGuid DrugRecordGuid EffectiveDate
  EffectiveDatePrecision EnteredDate EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid CodeId Dosage
  Quantity QuantityUnit ProblemObservationGuid CourseDurationInDays EstimatedNhsCost IsConfidential Deleted
  ProcessingId
Admin_Organisation: OrganisationGuid CDB OrganisationName ODSCode ParentOrganisationGuid CCGOrganisationGuid
  OrganisationType OpenDate CloseDate MainLocationGuid ProcessingId
Admin_UserInRole: UserInRoleGuid OrganisationGuid Title GivenName Surname JobCategoryCode JobCategoryName
  ContractStartDate ContractEndDate ProcessingId
Agreements_SharingOrganisation: OrganisationGuid IsActivated LastModifiedDate Disabled Deleted
"""

_SYSTMONE_93 = """
SRPatient: RowIdentifier IDOrganisationVisibleTo Title FirstName MiddleNames Surname PreviousSurname NHSNumber
  DateBirth DateDeath BirthPlace Gender SpeaksEnglish EmailAddress TestPatient SSRef SpineMatched RemovedData
SRPatientRegistration: RowIdentifier IDOrganisationVisibleTo DateEventRecorded IDProfileEnteredBy DateRegistration
  DateDeRegistration RegistrationStatus PreferredPharmacy IDPatient IDOrganisation IDOrganisationRegisteredAt
  RemovedData
SRPatientAddressHistory: RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy
  IDDoneBy TextualEventDoneBy IDOrganisationDoneAt NameOfBuilding NumberOfBuilding NameOfRoad NameOfLocality
  NameOfTown NameOfCounty FullPostCode DateTo AddressType IDEvent IDPatient IDOrganisation CcgOfResidence
  RemovedData
SRCode: RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy
  TextualEventDoneBy IDOrganisationDoneAt CTV3Code CTV3Text SNOMEDCode SNOMEDText NumericComparator IsNumeric
  NumericValue NumericUnit EpisodeType IDTemplate IDQuestionnaire IDEvent IDPatient IDReferralIn IDAppointment
  IDVisit IDOrganisation IDOrganisationRegisteredAt RemovedData
SREvent: RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy
  IDStaffMemberProfileRole TextualEventDoneBy IDOrganisationDoneAt IDAuthorisedBy IDProfileAuthorisedBy
  ContactEventLocation ContactMethod EventIncomplete ClinicalEvent IDReferralIn IDPatient IDOrganisation IDTeam
  IDBranch IDOrganisationRegisteredAt RemovedData
SRPrimaryCareMedication: RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy
  IDDoneBy TextualEventDoneBy IDOrganisationDoneAt IDMultiLexProduct IDMultiLexPack IDMultiLexDMD NameOfMedication
  DateMedicationStart DateMedicationEnd MedicationDosage MedicationQuantity IsSupervised SupervisedDose
  UnsupervisedDose IsRepeatMedication IsOtherMedication IsDentalMedication IsHospitalMedication IDRepeatTemplate
  IDReferralIn IDEvent IDPatient IDOrganisation IDOrganisationRegisteredAt RemovedData
SRRepeatTemplate: RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy
  TextualEventDoneBy IDOrganisationDoneAt IDMultiLexProduct IDMultiLexPack IDMultiLexDMD NameOfMedication
  DateMedicationTemplateStart DateMedicationTemplateEnd DateMedicationTemplateReview MedicationDosage
  MedicationQuantity MaxIssues CourseLengthPerIssue DrugStatus IDReferralIn IDEvent IDPatient IDOrganisation
  IDOrganisationRegisteredAt RemovedData
SRProblem: RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy
  TextualEventDoneBy IDOrganisationDoneAt CTV3Code DateEnd Severity IDCode IDEvent IDPatient IDReferralIn
  IDOrganisation IDOrganisationRegisteredAt
SROrganisation: RowIdentifier Name ID HouseName HouseNumber NameOfRoad NameOfLocality NameOfTown NameOfCounty
  FullPostCode Telephone SecondaryTelephone Fax MadeObsolete IDTrust IDCcg RemovedData
SROrganisationBranch: RowIdentifier IDOrganisationVisibleTo ID BranchName HouseName HouseNumber RoadName Locality
  Town County PostCode BranchObsolete IDOrganisation RemovedData
SRCtv3: RowIdentifier IDOrganisationVisibleTo Ctv3Code Ctv3Text RemovedData
SRCtv3ToSnomed: RowIdentifier IDOrganisationVisibleTo Ctv3Code SnomedCode RemovedData
SRMapping: RowIdentifier IdMappingGroup Mapping
SRConfiguredListOption: RowIdentifier ConfiguredList ConfiguredListOption CDSCode CAMHSCode MHSDSCode RemovedData
SRMedicationReadCodeDetails: RowIdentifier IDMultiLexProduct DrugReadCode DrugReadCodeDesc RemovedData
SRStaffMember: RowIdentifier StaffName StaffUserName NationalIdType IDNational IDSmartCard Obsolete RemovedData
SRStaffMemberProfile: RowIdentifier DateProfileCreated IdProfileCreatedBy IDStaffMemberProfileRole StaffRole
  DateEmploymentStart DateEmploymentEnd PPAID GPLocalCode IDStaffMember IDOrganisation GmpID RemovedData
"""


def _read(text: str) -> dict[str, tuple[str, ...]]:
    tables: dict[str, tuple[str, ...]] = {}
    name = ""
    for word in text.split():
        if word.endswith(":"):
            name = word.removesuffix(":")
            tables[name] = ()
        else:
            tables[name] = (*tables[name], word)
    return tables


EMIS = {"8.2": _read(_EMIS_8_2), "5.4": _read(_EMIS_5_4)}
"""Version -> table -> columns."""
NOT_IN_87 = frozenset({"RemovedData", "SNOMEDCode", "SNOMEDText", "IDQuestionnaire"})
"""Columns that version 87 is written without: deletions cannot be said, and codes are CTV3 alone."""
_SYSTMONE = _read(_SYSTMONE_93)
SYSTMONE = {
    93: _SYSTMONE,
    87: {table: tuple(name for name in names if name not in NOT_IN_87) for table, names in _SYSTMONE.items()},
}
"""Version -> table -> columns."""
MANIFEST = ("FileName", "IsDelta", "IsReference", "DateExtractFrom", "DateExtractTo")
"""Header of SRManifest.csv, which lies beside the tables and is none of them."""
OURS = ("Lsoa", "ImdDecile", "ImdVintage")
"""Columns that `casefinding pseudonymise` adds to the file of the patients."""
