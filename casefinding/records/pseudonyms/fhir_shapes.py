"""The allow-list of FHIR: for every type of resource the elements that go out, and as what; all others are left out.

Elements as in STU3 (GP Connect, CareConnect) and R4 (UK Core).
"""

from __future__ import annotations

from typing import Any

from casefinding.records.pseudonyms.treatments import Treatment as T

Shape = dict[str, Any]
"""Element -> what becomes of it: a Treatment, a shape of its own, or one of the words below; lists of it alike."""

URI, STATUS, TYPE, CODED = "uri", "status", "type", "coded"
REFERENCE, OWN_ID, EXTENSIONS = "reference", "id", "extensions"
CODING: Shape = {"system": URI, "code": CODED, "display": T.TERM}
CONCEPT: Shape = {"coding": CODING, "text": T.WORD}
QUANTITY: Shape = {"value": T.NUMBER, "comparator": T.NUMBER, "unit": T.UNIT, "system": URI, "code": T.UNIT}
PERIOD: Shape = {"start": T.DAY, "end": T.DAY}
STATE = (STATUS, CONCEPT)
"""A status is one word in STU3 and a concept in R4."""
_ANY: Shape = {
    "resourceType": TYPE,
    "id": OWN_ID,
    "meta": {"lastUpdated": T.DAY, "security": {"system": URI, "code": CODED}},
}
_ABOUT: Shape = {
    **_ANY, "status": STATUS, "subject": REFERENCE, "patient": REFERENCE, "context": REFERENCE, "encounter": REFERENCE,
    "category": CONCEPT, "code": CONCEPT, "extension": EXTENSIONS,
}  # fmt: skip
_VALUE: Shape = {
    "valueQuantity": QUANTITY, "valueCodeableConcept": CONCEPT, "valueInteger": T.NUMBER, "valueString": T.NUMBER,
    "valueBoolean": T.FLAG, "valueDateTime": T.DAY, "dataAbsentReason": CONCEPT, "interpretation": CONCEPT,
    "referenceRange": {"low": QUANTITY, "high": QUANTITY},
}  # fmt: skip
_MEDICATION: Shape = {
    **_ABOUT, "intent": STATUS, "medicationReference": REFERENCE, "medicationCodeableConcept": CONCEPT,
    "basedOn": REFERENCE, "authoredOn": T.DAY, "effectiveDateTime": T.DAY, "effectivePeriod": PERIOD,
    "dateAsserted": T.DAY, "taken": STATUS, "doNotPerform": T.FLAG,
    "dispenseRequest": {"validityPeriod": PERIOD, "quantity": QUANTITY, "expectedSupplyDuration": QUANTITY,
                        "numberOfRepeatsAllowed": T.NUMBER},
}  # fmt: skip

ALLOWED: dict[str, Shape] = {
    "Patient": {
        **_ANY, "active": T.FLAG, "gender": STATUS, "birthDate": T.MONTH, "deceasedDateTime": T.DAY,
        "deceasedBoolean": T.FLAG, "generalPractitioner": REFERENCE, "managingOrganization": REFERENCE,
        "extension": EXTENSIONS,
    },
    "Organization": {**_ANY, "active": T.FLAG, "name": T.TERM},
    "Medication": {**_ANY, "code": CONCEPT},
    "Observation": {
        **_ABOUT, **_VALUE, "effectiveDateTime": T.DAY, "effectivePeriod": PERIOD, "effectiveInstant": T.DAY,
        "issued": T.DAY, "component": {"code": CONCEPT, **_VALUE}, "related": {"type": STATUS, "target": REFERENCE},
        "hasMember": REFERENCE, "derivedFrom": REFERENCE,
    },
    "Condition": {
        **_ABOUT, "clinicalStatus": STATE, "verificationStatus": STATE, "severity": CONCEPT, "onsetDateTime": T.DAY,
        "onsetPeriod": PERIOD, "abatementDateTime": T.DAY, "abatementPeriod": PERIOD, "assertedDate": T.DAY,
        "recordedDate": T.DAY,
    },
    "Procedure": {
        **_ABOUT, "notDone": T.FLAG, "performedDateTime": T.DAY, "performedPeriod": PERIOD,
        "occurrenceDateTime": T.DAY, "occurrencePeriod": PERIOD, "recorded": T.DAY,
    },
    "Immunization": {
        **_ABOUT, "notGiven": T.FLAG, "vaccineCode": CONCEPT, "date": T.DAY, "occurrenceDateTime": T.DAY,
        "recorded": T.DAY, "primarySource": T.FLAG,
    },
    "Encounter": {**_ABOUT, "class": CODING, "type": CONCEPT, "period": PERIOD, "serviceProvider": REFERENCE},
    "EpisodeOfCare": {**_ABOUT, "type": CONCEPT, "period": PERIOD, "managingOrganization": REFERENCE},
    "MedicationRequest": _MEDICATION,
    "MedicationStatement": _MEDICATION,
}  # fmt: skip
"""Type of resource -> its elements. A type that is not here stays at home; so do narrative, notes and free text."""

EXTENSION: Shape = {
    "url": URI, "valuePeriod": PERIOD, "valueCodeableConcept": CONCEPT, "valueDateTime": T.DAY, "valueCode": STATUS,
    "valueBoolean": T.FLAG, "valueReference": REFERENCE,
}  # fmt: skip
EXTENSION_NAMES = (
    "registrationdetails", "registrationperiod", "registrationtype", "registrationstatus", "ethniccategory",
    "prescriptiontype", "lastissuedate", "prescribingagency", "problemsignificance",
)  # fmt: skip
"""Letters that the end of an extension's address must hold for it to go out."""
NO_PERSON = ("Organization", "Medication")
TO_PRACTITIONER = ("Practitioner", "PractitionerRole", "RelatedPerson", "Person")
"""Types that are people other than the patient: references to them are left out."""
LSOA, DECILE, VINTAGE = "urn:casefinding:lsoa", "urn:casefinding:imd-decile", "urn:casefinding:imd-vintage"
"""Extensions of a Patient for what is kept of the address (valueString)."""
