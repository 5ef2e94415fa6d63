"""Readings are judged by the signals they belong to, and stay in the store whatever the verdict."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from records_helpers import good

from casefinding.definitions.shapes import Code, CodeList, Conversion, Definitions, Guess, Signal
from casefinding.records.quality.held import HELD, assess
from casefinding.records.sources import ingest


def codelist(name: str, *ids: str) -> CodeList:
    codes = tuple(Code(system="snomed", id=code, label=name) for code in ids)
    return CodeList(name=name, source="test", release="test", reviewed_by="test", codes=codes)


PRESSURE = Signal(
    name="systolic", label="Systolic blood pressure", codes=("systolic",), unit="mmHg", plausible=(50, 300),
    warn=(70, 260), units={"kPa": Conversion(times=7.50062), "mm[Hg]": Conversion()},
    unitless=(Guess(at_least=5, below=35, times=7.50062),),
)  # fmt: skip
KNOWN = Definitions(
    codelists={"systolic": codelist("systolic", "271649006"), "ckd": codelist("ckd", "38341003")},
    signals={
        "systolic": PRESSURE,
        "systolic_raised": PRESSURE.model_copy(update={"name": "systolic_raised", "at_least": 140.0}),
        "systolic_odd": PRESSURE.model_copy(update={"name": "systolic_odd", "keep": "implausible"}),
        "ckd": Signal(name="ckd", label="Kidney disease", codes=("ckd",)),
        "unused": Signal(name="unused", label="Never recorded", codes=("none",)),
    },
).model_copy(update={})
KNOWN = KNOWN.model_copy(update={"codelists": {**KNOWN.codelists, "none": codelist("none", "49436004")}})

READINGS = {  # value, unit -> what becomes of it
    ("152", "mmHg"): "kept",
    ("18.7", "kPa"): "kept",
    ("18.7", " KPA "): "kept",
    ("18.7", ""): "kept",  # guessed from its size
    ("139", ""): "kept",
    ("50", "mmHg"): "warn",
    ("300", "mm [Hg]"): "warn",
    ("262", "mmHg"): "warn",
    ("49.9", "mmHg"): "value outside the plausible range",
    ("400", "mm[Hg]"): "value outside the plausible range",
    ("45", "kPa"): "value outside the plausible range",
    ("3", ""): "value outside the plausible range",
    ("150", "furlongs"): "unknown unit",
    ("", "mmHg"): "no value",
    ("", ""): "no value",
}


@pytest.fixture
def store(bring):
    rows = good()
    rows["event"] = [
        ["p1" if i % 2 else "p3", f"2022-01-{i + 1:02d}", "", "snomed", "271649006", "", value, unit]
        for i, (value, unit) in enumerate(READINGS)
    ]
    rows["event"].append(["p3", "2022-03-01", "", "snomed", "38341003", "", "", ""])
    rows["event"].append(["p3", "2022-03-01", "", "snomed", "60621009", "", "27", "kg/m2"])
    rows["event"].append(["p3", "2022-03-02", "", "snomed", "60621009", "", "high", "kg/m2"])
    rows["event"].append(["p3", "", "", "snomed", "60621009", "", "27", "kg/m2"])
    return bring(rows)


def test_every_reading_gets_its_verdict(store):
    quality = assess(store, KNOWN)
    expected = [
        {"person": 0 if i % 2 else 2, "day": dt.date(2022, 1, i + 1), "signal": "systolic", "reason": verdict}
        for i, verdict in enumerate(READINGS.values())
        if verdict not in ("kept", "warn")
    ]
    assert quality.held.schema.equals(HELD)
    assert quality.held.to_pylist() == sorted(expected, key=lambda row: (row["person"], row["day"]))
    assert quality.signals == [
        {"signal": "ckd", "label": "Kidney disease", "events": 1, "outside": 0, "unknown_unit": 0,
         "no_value": 0, "warn": 0},
        {"signal": "systolic", "label": "Systolic blood pressure", "events": 15, "outside": 4, "unknown_unit": 1,
         "no_value": 2, "warn": 3},
    ]  # fmt: skip


def test_nothing_is_removed_from_the_store(store):
    before = store.events(0)
    assess(store, KNOWN)
    store.verify()
    assert store.events(0).equals(before)
    assert before.num_rows == len(READINGS) + 3


def test_refusals_and_held_readings_are_counted_by_practice(store):
    quality = assess(store, KNOWN)
    assert quality.refused == {"missing value": 1}
    assert quality.by_practice == {"Y99001": {"missing value": 1}}
    by_person = {0: "Y99002", 2: "Y99001"}
    expected: dict[str, dict[str, int]] = {"Y99001": {"value is not a plain number": 1}}
    for row in quality.held.to_pylist():
        reasons = expected.setdefault(by_person[row["person"]], {})
        reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    expected["Y99001"]["value is not a plain number"] = 1
    assert quality.held_by_practice == expected


def test_events_that_no_signal_asks_about_are_counted(store):
    quality = assess(store, KNOWN)
    assert quality.unmatched_codes == 1
    assert quality.events == len(READINGS) + 3
    assert quality.unmatched_share == pytest.approx(2 / (len(READINGS) + 3))


def test_the_summary_is_json_without_people(store):
    text = json.dumps(assess(store, KNOWN).summary())
    assert "p1" not in text
    assert "2022-01" not in text


def test_shards_do_not_change_the_verdict(store, tmp_path):
    from records_helpers import write

    rows = good()
    one = assess(ingest("native", write(tmp_path / "e", rows), tmp_path / "a"), KNOWN)
    two = assess(ingest("native", tmp_path / "e", tmp_path / "b", shard_people=1), KNOWN)
    assert one.summary() == two.summary()
    assert one.held.equals(two.held)
    assert one.held.num_rows == 0  # the reading of 400 has a LOINC code, which no list here holds


def test_a_reading_is_held_exactly_where_the_features_do_not_see_it(bring):
    """The kernel of the features judges one reading at a time; both must say the same of odd numbers and odd units."""
    import math

    import numpy as np

    from casefinding.signals.values import reading, worth

    draw = np.random.default_rng(4)
    texts = ["", "mmHg", "kPa", "mm [Hg]", "cubits", "\u00a0"]
    edges = [50, 49.99999, 50.00001, 300, 300.0001, 299.9999, 6.66612, 6.66611, 39.9967, 39.9968, 5, 35, 4.99999]
    numbers = np.float32(np.concatenate([edges, draw.uniform(1, 400, 400), 10 ** draw.uniform(-8, 8, 200)]))
    rows = good()
    pairs = [(repr(float(number)), text) for number in numbers for text in texts]
    rows["event"] = [
        ["p3", str(dt.date(2000, 1, 1) + dt.timedelta(days=i)), "", "snomed", "271649006", "", *pair]
        for i, pair in enumerate(pairs)
    ]
    store = bring(rows)
    assert store.counts()["refused"] == {}
    events = store.events(0)
    how = reading([PRESSURE], store.units()["text"].to_pylist())
    unseen = {
        row["day"]
        for row in events.to_pylist()
        if math.isnan(worth(float(row["value"]), row["unit"], row["comparator"], 0, how))
    }
    assert set(assess(store, KNOWN).held["day"].to_pylist()) == unseen
    assert 0 < len(unseen) < events.num_rows
