"""Made-up records in the shape of a practice's: for measuring speed, not for learning anything from them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from casefinding.definitions.shapes import Code, CodeList, Conversion, Definitions, Feature, Signal
from casefinding.definitions.words import Span
from casefinding.records.generation import Generation
from casefinding.records.store import Store

INDEX_DAY = dt.date(2026, 1, 1)
SIGNALS, MEASURED, CODES_A_SIGNAL, OTHER_CODES = 120, 40, 8, 1500
"""Signals, how many of them carry a value, codes of each, and codes that no signal asks for."""
EVENTS_A_PERSON = 250
YEARS = 12

_PLAIN = (
    ("ever", None),
    ("count", "1 year"),
    ("days with", "2 years"),
    ("days since latest", None),
    ("days since first", None),
    ("count", "5 years"),
    ("days from first to latest", None),
    ("ever", "5 years"),
)
_READING = (
    ("latest", "5 years"),
    ("highest", "3 years"),
    ("lowest", "3 years"),
    ("mean", "5 years"),
    ("spread", "5 years"),
    ("trend", None),
    ("count", "2 years"),
    ("earliest", None),
    ("lower of last two", "5 years"),
    ("days since latest", None),
)


def definitions(features: int = 200) -> Definitions:
    """Signals of three kinds (with values, a value filter on the same codes, without values) and so many features."""
    lists, signals, asked = {}, {}, {}
    for number in range(SIGNALS):
        name = f"s{number:03d}"
        codes = tuple(Code(system="emis", id=f"{name}-{at}", label=name) for at in range(CODES_A_SIGNAL))
        lists[name] = CodeList(name=name, source="made up", release="1", reviewed_by="nobody", codes=codes)
        signals[name] = Signal(name=name, label=name, codes=(name,))
        if number % 3 == 0 and number // 3 < MEASURED:
            value = {"unit": "mmHg", "plausible": (50, 300), "units": {"kPa": Conversion(times=7.50062)}}
            signals[name] = Signal(name=name, label=name, codes=(name,), **value)
            high = f"{name}_high"
            signals[high] = Signal(name=high, label=high, codes=(name,), at_least=150, **value)
    at = 0
    while len(asked) < features:
        name = f"s{at % SIGNALS:03d}"
        turn = at // SIGNALS * 3 + at % SIGNALS // 3
        measured = signals[name].unit is not None
        word, within = (_READING if measured else _PLAIN)[turn % (len(_READING) if measured else len(_PLAIN))]
        of = f"{name}_high" if word == "count" and measured else name
        more = {}
        if measured and turn % 11 == 0 and word in ("latest", "mean", "lower of last two"):
            more["same_day"] = "lowest"
        if word == "days with" and turn % 5 == 0:
            word, more = "courses", {"gap": Span(days=14)}
        feature = Feature(name=f"f{at:03d}", label=word, ask=word, of=of, within=within or "ever", **more)
        asked[feature.name] = feature
        at += 1
    return Definitions(codelists=lists, signals=signals, features=asked)


def make_store(folder: Path, people: int, people_a_shard: int) -> Store:
    """Write a store of so many people, in the very format that an ingest writes."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = [(f"s{signal:03d}-{at}") for signal in range(SIGNALS) for at in range(CODES_A_SIGNAL)]
    ids += [f"other-{at}" for at in range(OTHER_CODES)]
    shards = -(-people // people_a_shard)
    with Generation(folder) as generation:
        for shard in range(shards):
            first, stop = shard * people_a_shard, min(people, (shard + 1) * people_a_shard)
            generation.write(f"events/shard-{shard:04d}.parquet", _events(first, stop))
        codes = {"code": pa.array(range(len(ids)), pa.int32()), "system": ["emis"] * len(ids), "id": ids}
        generation.write("code.parquet", pa.table({**codes, "term": [""] * len(ids)}))
        units = {"unit": pa.array([0, 1, 2], pa.int16()), "text": ["", "mmHg", "kPa"]}
        generation.write("unit.parquet", pa.table(units))
        about = {"kind": "benchmark", "data_from": str(INDEX_DAY.replace(year=INDEX_DAY.year - YEARS))}
        about |= {"data_through": str(INDEX_DAY), "people": people, "shard_people": people_a_shard, "shards": shards}
        return generation.publish(about)


def base_of(people: int) -> pa.Table:
    """Everyone, asked on one day."""
    days = pa.array(np.full(people, np.datetime64(INDEX_DAY, "D").astype(np.int32)), pa.int32()).cast(pa.date32())
    return pa.table({"person": pa.array(np.arange(people), pa.int64()), "index_day": days})


def _events(first: int, stop: int) -> pa.Table:
    """The events of a range of people: a few codes make up most of them, as in practice."""
    rng = np.random.default_rng([20261101, first])
    number = np.maximum(1, rng.gamma(1.5, EVENTS_A_PERSON / 1.5, stop - first)).astype(np.int64)
    rows = int(number.sum())
    asked = SIGNALS * CODES_A_SIGNAL
    of_signal = np.repeat(1 / (1 + np.arange(SIGNALS) % 60) ** 0.8, CODES_A_SIGNAL)
    of_code = np.tile(0.5 ** np.arange(CODES_A_SIGNAL), SIGNALS)
    weight = np.concatenate([of_signal * of_code, np.zeros(OTHER_CODES)])
    weight[asked:] = weight.sum() * 0.25 / 0.75 / OTHER_CODES  # a quarter of events is of no interest
    code = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(rows)).astype(np.int32)
    last = np.datetime64(INDEX_DAY, "D").astype(np.int32)
    day = (last - YEARS * 365.25 * rng.random(rows) ** 1.3 + 40).astype(np.int32)
    day = np.minimum(day, last + 30)
    late = np.where(rng.random(rows) < 0.1, rng.integers(0, 60, rows), 0)
    signal = code // CODES_A_SIGNAL
    measured = (code < asked) & (signal % 3 == 0) & (signal // 3 < MEASURED)
    in_kpa = measured & (rng.random(rows) < 0.02)
    value = np.where(measured, np.round(rng.normal(135, 18, rows)), np.nan)
    value = np.where(in_kpa, np.round(value / 7.50062, 1), value).astype(np.float32)
    unit = np.where(in_kpa, 2, np.where(measured & (rng.random(rows) < 0.9), 1, 0)).astype(np.int16)
    person = np.repeat(np.arange(first, stop), number)
    order = np.lexsort((unit, value, code, day + late, day, person))
    days = pa.array(day[order], pa.int32()).cast(pa.date32())
    recorded = pa.array((day + late)[order].astype(np.int32), pa.int32()).cast(pa.date32())
    return pa.table(
        {
            "person": pa.array(person[order], pa.int64()),
            "day": days,
            "recorded_day": recorded,
            "code": pa.array(code[order], pa.int32()),
            "value": pa.array(value[order], pa.float32(), mask=np.isnan(value[order])),
            "unit": pa.array(unit[order], pa.int16()),
            "comparator": pa.array(np.zeros(rows, np.int8)),
        }
    )
