"""Published figures and construction constants that the simulated population is held to.

Source of every table is in the comment above it; [V] read in a published source, [M] not verified, [D] constructed.
Ages are the eight bands of the expected-prevalence priors, 16-24 to 85 and over.
"""

from __future__ import annotations

import numpy as np

BANDS: tuple[tuple[int, int], ...] = (
    (16, 25), (25, 35), (35, 45), (45, 55), (55, 65), (65, 75), (75, 85), (85, 130)
)  # fmt: skip
BAND_LABELS = ("16-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75-84", "85+")
NODES = np.array([20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 89.5])
"""Ages at which the curves of the bands are pinned: near the middle of each band."""

CONDITIONS = ("hypertension", "atrial_fibrillation", "copd")

# True prevalence, per cent, by band: female, male [D: constructed to satisfy HSE 2021, PHE, Nacul and Stone anchors].
TRUE_PERCENT: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "hypertension": ((3, 6, 12, 27, 42, 54, 65, 68), (5, 9, 18, 35, 50, 58, 63, 66)),
    "atrial_fibrillation": (
        (0.02, 0.05, 0.15, 0.6, 1.8, 5.4, 12, 19),
        (0.03, 0.08, 0.3, 1.1, 3.2, 8.2, 16, 22),
    ),
    "copd": ((0, 0.1, 0.8, 3.0, 6.0, 8.5, 9.5, 8.0), (0, 0.1, 1.0, 3.5, 7.5, 11.5, 12.5, 11.0)),
}
# Coded prevalence, per cent, sexes together, by band [D: constructed to satisfy OpenSAFELY FY21/22, QOF 2.1 / 1.9%].
CODED_PERCENT: dict[str, tuple[float, ...]] = {
    "hypertension": (0.1, 1.0, 4.0, 12, 25, 40, 56, 64),
    "atrial_fibrillation": (0.02, 0.05, 0.15, 0.6, 1.9, 5.5, 12, 17.5),
    "copd": (0, 0.02, 0.2, 1.2, 3.3, 6.5, 8.5, 8.5),
}

# Share of all ages by band, the first under 16 [M: England 2021-like; 81.2% are 16 and over].
AGE_SHARE = np.array([18.8, 10.6, 13.5, 13.0, 13.3, 12.4, 9.9, 6.1, 2.4]) / 100
# Women's share by the same bands [M].
WOMEN_SHARE = np.array([0.49, 0.49, 0.50, 0.50, 0.50, 0.51, 0.52, 0.55, 0.63])
# Share of a band that has died, or has left, within the ten years of the records [M, thinned: the demo is a live list].
DIED_SHARE = np.array([0.001, 0.002, 0.003, 0.005, 0.012, 0.03, 0.07, 0.16, 0.32])
LEFT_SHARE = np.array([0.04, 0.09, 0.10, 0.06, 0.04, 0.03, 0.025, 0.03, 0.04])

# Log odds by characteristic, age and sex adjusted [V direction, M magnitude: specification 4.2 multipliers].
HTN_ODDS = {
    "black": 0.55, "asian": 0.15, "deprivation": 0.03, "bmi": 0.07, "diabetes": 0.5, "ckd": 0.4,
    "family_history": 0.35, "gestational": 0.7, "sleep_apnoea": 0.4,
}  # fmt: skip
AF_ODDS = {
    "black": -0.7, "asian": -0.85, "deprivation": 0.006, "ever_smoker": 0.18, "bmi": 0.035, "hypertension": 0.35,
    "heart_failure": 1.3, "ihd": 0.35, "hyperthyroid": 0.8, "sleep_apnoea": 0.4, "height": 0.02,
}  # fmt: skip
# Ever v never smokers 6.7 (men), 9.6 (women) [V Kotz 2014]; most v least deprived 1.9 to 2.5, smoking included [V].
COPD_ODDS = {
    "black": -0.5, "asian": -0.7, "deprivation": 0.045, "ex": 1.9, "current": 2.3, "pack_years": 0.015,
    "asthma": 0.8, "woman_ever_smoker": 0.3,
}  # fmt: skip

# Deaths a year beyond those of people of the same age, among the ill [M]: makes onset among the living more recent, so
# that incidence carries both the rise of prevalence with age and the replacement of those who died.
EXCESS_DEATHS = {"hypertension": 0.0, "atrial_fibrillation": 0.05, "copd": 0.03}
# Log odds of the illness in those who died within the ten years [M].
DIED_LOG_ODDS = {"hypertension": 0.1, "atrial_fibrillation": 1.5, "copd": 1.2}

# Current smokers 23.8% in the most, 6.8% in the least deprived tenth [V ONS 2021]; men 13, women 10 [M 2023].
SMOKING_NOW = 0.118
SMOKING_DEPRIVATION = 0.15  # log odds a decile

# Usual untreated systolic pressure: 140 mmHg where the liability of hypertension crosses its age's threshold, and
# this many mmHg a unit of log odds: gives NDNS means (men 19-34 127, 65+ 140; women 113, 141) to within 4 mmHg [D].
SYSTOLIC_PER_LOGIT = 7.0
# Within-person SD between visits 8-12 mmHg; 20-60% of readings end in 0, by practice [M].
WITHIN_PERSON_SD = (8.0, 12.0)

# Coded contacts a year with a clinician by band (under 16 first) [M, shape of consultation rates]: female, male.
CONTACTS = (
    np.array([0.5, 1.7, 2.0, 2.0, 2.1, 2.4, 3.0, 4.0, 4.4]),
    np.array([0.5, 0.8, 0.9, 1.2, 1.6, 2.1, 2.9, 4.0, 4.2]),
)
# Chance that a face-to-face contact includes a blood pressure, by band (under 16 first): set so that 12-month and
# 5-year recording come near 35% at 40-49 rising to 70% at 70+ [M], and BP002: 73% at 40-49, 94% at 70-79 [V].
BP_AT_CONTACT = np.array([0.01, 0.18, 0.24, 0.28, 0.33, 0.38, 0.43, 0.47, 0.47])

# Chance that an occasion which calls for action is acted on, by band: found by `calibrate.py` so that coded
# prevalence meets CODED_PERCENT. These stand for awareness, thresholds and backlog, not for a published figure.
ACTION = {
    "hypertension": np.array([0.04, 0.158, 0.161, 0.155, 0.145, 0.157, 0.33, 0.122]),
    "atrial_fibrillation": np.array([1.4, 1.4, 1.4, 0.64, 1.25, 1.42, 2.2, 1.2]),
    "copd": np.array([0.164, 0.164, 0.164, 0.162, 0.19, 0.32, 0.297, 3.0]),
}

# Relative hazard of being found in the years before the records begin: makes up for what `diagnosis.before` leaves out
# (repeated visits, other ways in), set so that codes entered a year do not jump where the ten years begin.
BEFORE = {"hypertension": 1.3, "atrial_fibrillation": 1.35, "copd": 1.0}


def band_of(age: np.ndarray) -> np.ndarray:
    """Band by age in years: 0 is under 16, 1 is 16-24 ... 8 is 85 and over (int8)."""
    return np.searchsorted([low for low, _ in BANDS], age, side="right").astype(np.int8)
