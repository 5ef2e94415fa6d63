"""A small set of definitions, as a clinician would write it, and a way to ask for one person's reasons."""

import datetime as dt

import numpy as np
import pytest

from casefinding.definitions.shapes import Definitions, Feature, Model, Signal
from casefinding.explain.reasons import reasons

INDEX_DAY = dt.date(2026, 11, 1)


def _signal(name, unit=None, decimals=0):
    return Signal(name=name, label=name, codes=(name,), unit=unit, decimals=decimals,
                  plausible=None if unit is None else (0, 5000))  # fmt: skip


def _feature(name, ask, of=None, say="", if_missing="", **others):
    return Feature(name=name, label=name, ask=ask, of=of, say=say, if_missing=if_missing, **others)


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    signals = [
        _signal("systolic", "mmHg"), _signal("bmi", "kg/m2", 1), _signal("pulse"), _signal("inhaler"),
        _signal("cough"), _signal("ratio", "ratio", 2), _signal("contact"), _signal("stroke"),
    ]  # fmt: skip
    features = [
        _feature("systolic_latest", "latest", "systolic", "Last systolic reading {value} mmHg ({when})",
                 "No blood pressure reading in the last 5 years", group="blood pressure"),
        _feature("systolic_highest", "highest", "systolic", "Highest systolic reading {value} mmHg ({when})",
                 "No blood pressure reading in the last 5 years", group="blood pressure"),
        _feature("systolic_count", "count", "systolic", "{value} raised readings in the last 2 years",
                 "No raised reading in the last 2 years", group="blood pressure"),
        _feature("bmi_latest", "latest", "bmi", "BMI {value} ({when})", "No BMI in the last 5 years"),
        _feature("bmi_trend", "trend", "bmi", "BMI changing by {value} a year", decimals=2),
        _feature("inhaler_count", "count", "inhaler", "{value} prescriptions of a reliever in the last year"),
        _feature("cough_ever", "ever", "cough", "Cough recorded ({when})", "No cough recorded"),
        _feature("ratio_latest", "latest", "ratio", "Ratio {value} ({when})", "No ratio on record"),
        _feature("contact_days", "days since latest", "contact", "Last contact {value} days ago ({when})",
                 "No contact on record"),
        _feature("stroke_ever", "ever", "stroke"),  # nobody wrote a sentence for it
        _feature("age", "age", say="Aged {value}"),
        _feature("sex", "sex", say="Male"),  # a fixed sentence, which would be wrong of women
        _feature("ethnicity", "ethnicity"),
        _feature("deprivation", "deprivation"),
    ]  # fmt: skip
    return Definitions(
        signals={signal.name: signal for signal in signals}, features={feature.name: feature for feature in features}
    )


@pytest.fixture(scope="session")
def model() -> Model:
    return Model.model_validate({
        "condition": "x", "label": "X", "about": "", "test": "t", "invite": "i", "chance_of": "c",
        "register": {"diagnosis": "stroke"},
        "outcome": {"diagnosis": "stroke", "gap": "90 days", "horizon": "12 months"},
        "features": ["systolic_latest"], "missing_notes": ["ratio_latest"],
    })  # fmt: skip


@pytest.fixture
def tell(definitions, model):
    """Ask for one person's reasons: feature -> (value, what it adds, day or None)."""

    def ask(record, base=-2.0, **others):
        names = list(record)
        values = np.array([[record[name][0] for name in names]], float)
        adds = np.array([[record[name][1] for name in names]], float)
        days = np.array([[np.datetime64(record[name][2]) if len(record[name]) > 2 else np.datetime64("NaT")
                          for name in names]], "datetime64[D]")  # fmt: skip
        given = {"model": model} | others
        return reasons(base + adds.sum(axis=1), adds, base, definitions, names, values, days, INDEX_DAY, **given)[0]

    return ask
