"""Every code that the simulator writes: identifiers are facts of SNOMED CT and dm+d, the labels are ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One code: our key, its system and identifier, the term written beside it, and the unit of its value."""

    key: str
    system: str
    id: str
    term: str
    unit: str = ""


_SNOMED = """
contact_problem|185347001|Encounter for problem
contact_symptom|185345009|Encounter for symptom
contact_seen|308335008|Patient encounter
contact_follow_up|390906007|Follow-up encounter
contact_telephone|448337001|Telephone or video consultation
examination|162673000|General examination of patient
health_check|523221000000100|NHS Health Check completed
sbp|271649006|Systolic blood pressure|mmHg
dbp|271650006|Diastolic blood pressure|mmHg
sbp_other|72313002|Systolic arterial pressure|mmHg
dbp_other|1091811000000102|Diastolic arterial pressure|mmHg
sbp_home|413606001|Average home systolic blood pressure|mmHg
dbp_home|413605002|Average home diastolic blood pressure|mmHg
sbp_abpm|314446007|Average daytime systolic blood pressure|mmHg
dbp_abpm|314461008|Average daytime diastolic blood pressure|mmHg
abpm_done|164783007|Ambulatory blood pressure recording
home_bp_done|413153004|Blood pressure recorded by patient at home
bp_raised|163027005|Blood pressure reading raised on examination
bp_declined|413123006|Blood pressure procedure refused
htn_referral|183856001|Referral to hypertension clinic
htn_plan|736286003|Hypertension clinical management plan
htn_max_therapy|407567007|On maximal tolerated antihypertensive therapy
white_coat|697930002|White coat hypertension
htn|38341003|Hypertension
htn_essential|59621000|Essential hypertension
htn_benign|1201005|Benign essential hypertension
htn_systolic|56218007|Systolic hypertension
htn_resolved|162659009|Hypertension resolved
htn_dissent|716771000000106|Informed dissent from hypertension indicators
af|49436004|Atrial fibrillation
af_paroxysmal|282825002|Paroxysmal atrial fibrillation
af_persistent|440059007|Persistent atrial fibrillation
af_permanent|440028005|Permanent atrial fibrillation
af_flutter|5370000|Atrial flutter
af_resolved|196371000000102|Atrial fibrillation resolved
af_review|248411000000105|Atrial fibrillation annual review
af_monitoring|134377004|Atrial fibrillation monitoring
copd|13645005|Chronic obstructive lung disease
copd_mild|313296004|Mild chronic obstructive pulmonary disease
copd_moderate|313297008|Moderate chronic obstructive pulmonary disease
copd_severe|313299006|Severe chronic obstructive pulmonary disease
copd_emphysema|87433001|Pulmonary emphysema
copd_resolved|941201000000103|Chronic obstructive pulmonary disease resolved
copd_review|394703002|Chronic obstructive pulmonary disease annual review
copd_monitoring|390891009|Chronic obstructive pulmonary disease monitoring
pulse|78564009|Pulse rate|/min
pulse_regular|271636001|Pulse regular
pulse_irregular|61086009|Pulse irregular
pulse_irregularly_irregular|271637005|Pulse irregularly irregular
palpitations|80313002|Palpitations
syncope|271594007|Syncope
dizziness|69096003|Dizziness
ecg|268400002|12 lead electrocardiogram
ecg_ambulatory|252417001|24 hour electrocardiogram
ecg_af|164889003|Electrocardiogram shows atrial fibrillation
ecg_sinus|426783006|Electrocardiogram shows sinus rhythm
ecg_abnormal|102594003|Electrocardiogram abnormal
breathless|267036007|Breathlessness
breathless_exertion|60845006|Breathlessness on exertion
cough|49727002|Cough
cough_chronic|68154008|Chronic cough
cough_productive|28743005|Productive cough
sputum|45710003|Sputum
wheeze|56018004|Wheezing
haemoptysis|66857006|Haemoptysis
lrti|50417007|Lower respiratory tract infection
bronchitis|10509002|Acute bronchitis
mrc1|391120009|MRC breathlessness scale grade 1
mrc2|391123006|MRC breathlessness scale grade 2
mrc3|391124000|MRC breathlessness scale grade 3
mrc4|391125004|MRC breathlessness scale grade 4
mrc5|391126003|MRC breathlessness scale grade 5
spirometry|127783003|Spirometry
spirometry_post|767906009|Spirometry after bronchodilator
spirometry_referral|415261001|Referral for spirometry
fev1_fvc|251944000|FEV1/FVC ratio
fev1_fvc_post|407603001|FEV1/FVC ratio after bronchodilator
fev1|59328004|FEV1|L
fev1_percent|313223002|FEV1 as a percentage of predicted|%
spo2|431314004|Peripheral oxygen saturation|%
bmi|60621009|Body mass index|kg/m2
weight|27113001|Body weight|kg
height|50373000|Body height|cm
smoker|77176002|Smoker
smoker_moderate|160604004|Moderate cigarette smoker
smoker_heavy|160605003|Heavy cigarette smoker
ex_smoker|8517006|Ex-smoker
never_smoked|266919005|Never smoked
non_smoker|160618006|Current non-smoker
pack_years|401201003|Cigarette pack-years
alcohol|160573003|Alcohol intake
creatinine|1000731000000107|Serum creatinine level|umol/L
egfr|1011481000000105|Estimated GFR (CKD-EPI)|mL/min/1.73m2
sodium|1000661000000107|Serum sodium level|mmol/L
haemoglobin|1022431000000105|Haemoglobin estimation|g/L
cholesterol|1005671000000105|Serum cholesterol level|mmol/L
hdl|1005681000000107|Serum HDL cholesterol level|mmol/L
hba1c|999791000000106|HbA1c level (IFCC)|mmol/mol
hba1c_percent|1019431000000105|HbA1c level (DCCT aligned)|%
tsh|1022791000000101|Serum TSH level|mU/L
acr|1023491000000104|Urine albumin:creatinine ratio|mg/mmol
diabetes|44054006|Type 2 diabetes mellitus
ndh|700449008|Non-diabetic hyperglycaemia
ckd3|433144002|Chronic kidney disease stage 3
heart_failure|84114007|Heart failure
ihd|53741008|Coronary heart disease
mi|22298006|Myocardial infarction
stroke|230690007|Stroke
tia|266257000|Transient ischaemic attack
pad|399957001|Peripheral arterial disease
asthma|195967001|Asthma
hypothyroid|40930008|Hypothyroidism
hyperthyroid|34486009|Hyperthyroidism
sleep_apnoea|78275009|Obstructive sleep apnoea
dementia|15662003|Senile dementia
smi|13746004|Bipolar disorder
learning_disability|110359009|Intellectual disability
housebound|160689007|Housebound
care_home|394923006|Lives in a residential home
palliative|103735009|Palliative care
bronchiectasis|12295008|Bronchiectasis
lung_cancer|363358000|Malignant tumour of lung
homeless|32911000|Homeless
interpreter|315594003|Interpreter needed
lvh|55827005|Left ventricular hypertrophy
gestational_htn|48194001|Pregnancy-induced hypertension
gestational_htn_history|709881001|History of gestational hypertension
fh_htn|160357008|Family history of hypertension
fh_stroke|275104002|Family history of stroke
pregnant|77386006|Pregnant
"""

_DMD = """
ramipril_2|318901006|Ramipril 2.5mg capsules
ramipril_5|318902004|Ramipril 5mg capsules
lisinopril|318859000|Lisinopril 10mg tablets
losartan|318956006|Losartan 50mg tablets
candesartan|318979007|Candesartan 8mg tablets
amlodipine_5|319283006|Amlodipine 5mg tablets
amlodipine_10|319284000|Amlodipine 10mg tablets
felodipine|319287007|Felodipine 5mg modified-release tablets
bisoprolol_2|318605000|Bisoprolol 2.5mg tablets
bisoprolol_5|318590006|Bisoprolol 5mg tablets
propranolol|318353009|Propranolol 40mg tablets
doxazosin|318783003|Doxazosin 4mg tablets
spironolactone|42216511000001100|Spironolactone 25mg tablets
furosemide|317972000|Furosemide 40mg tablets
apixaban|703908001|Apixaban 5mg tablets
edoxaban|29903411000001101|Edoxaban 60mg tablets
rivaroxaban|19842211000001107|Rivaroxaban 20mg tablets
warfarin|319734006|Warfarin 3mg tablets
digoxin|317896006|Digoxin 125microgram tablets
amiodarone|318187007|Amiodarone 200mg tablets
flecainide|318276009|Flecainide 50mg tablets
atorvastatin|320030001|Atorvastatin 20mg tablets
simvastatin|320000009|Simvastatin 40mg tablets
salbutamol|35936511000001108|Salbutamol 100micrograms/dose inhaler
tiotropium|9478911000001107|Tiotropium bromide 18microgram inhalation powder capsules
umeclidinium|27890611000001109|Umeclidinium bromide 65micrograms/dose dry powder inhaler
umeclidinium_vilanterol|24645511000001105|Umeclidinium bromide 65micrograms/dose / Vilanterol 22micrograms/dose \
dry powder inhaler
beclometasone|42292311000001106|Beclometasone 100micrograms/dose inhaler
beclometasone_formoterol|12911011000001100|Beclometasone 100micrograms/dose / Formoterol 6micrograms/dose inhaler \
CFC free
prednisolone|42087311000001104|Prednisolone 5mg tablets
amoxicillin|39732411000001106|Amoxicillin 500mg capsules
doxycycline|41948311000001104|Doxycycline 100mg capsules
clarithromycin|41946511000001109|Clarithromycin 500mg tablets
carbocisteine|320935009|Carbocisteine 375mg capsules
theophylline|35917711000001108|Theophylline 200mg modified-release tablets
naproxen|329807003|Naproxen 500mg tablets
levothyroxine|39697911000001101|Levothyroxine sodium 100microgram tablets
carbimazole|325329000|Carbimazole 5mg tablets
"""


def _read(text: str, system: str) -> list[Entry]:
    rows = [line.split("|") for line in text.strip().splitlines()]
    return [Entry(row[0], system, row[1], row[2], row[3] if len(row) > 3 else "") for row in rows]


_PLANTED_ONLY = """
ratio_abnormal|314472003|FEV1/FVC below 70%
sbp_home_told|1162737008|Home systolic blood pressure reported by patient|mmHg
qrisk|1085871000000105|QRISK3 cardiovascular disease risk score|%
"""

CODES: tuple[Entry, ...] = (*_read(_SNOMED, "snomed"), *_read(_DMD, "dmd"), *_read(_PLANTED_ONLY, "snomed"))
C: dict[str, int] = {entry.key: position for position, entry in enumerate(CODES)}
"""Position in CODES by key; events carry positions until they are written."""

MEASURED: frozenset[int] = frozenset(position for position, entry in enumerate(CODES) if entry.unit) | {
    C[key] for key in ("fev1_fvc", "fev1_fvc_post", "pack_years", "alcohol")
}
"""Codes that carry a value."""
DRUGS: frozenset[int] = frozenset(position for position, entry in enumerate(CODES) if entry.system == "dmd")
