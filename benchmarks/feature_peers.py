"""The same features by other means. Each gives {feature: float64 array by person}, for the features it can say.

Left to the kernel alone: `courses`, `lower of last two` and `same day`, which look from one event to the next; SQL and
data frames need further passes for them, and would only be slower.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
from feature_data import CODES_A_SIGNAL, INDEX_DAY, MEASURED, SIGNALS

from casefinding.definitions.shapes import Definitions, Feature

YEAR = 365.25
LIMITS = {"low": 50, "high": 300, "filter": 150}


def sayable(definitions: Definitions) -> list[Feature]:
    """The features that one pass of conditional aggregation can say."""
    left = ("courses", "lower of last two")
    return [one for one in definitions.features.values() if one.ask not in left and one.same_day is None]


def _parts(feature: Feature) -> tuple[int, bool, dt.date | None, bool]:
    """Signal number, whether filtered on a high value, first day of the window, whether it reads a value."""
    assert feature.of is not None
    since = None if feature.within == "ever" else feature.within.before(INDEX_DAY)
    by_value = feature.ask in ("latest", "earliest", "highest", "lowest", "mean", "spread", "trend")
    return int(feature.of[1:4]), feature.of.endswith("high"), since, by_value


def in_duckdb(folder: Path, definitions: Definitions, people: int, threads: int) -> dict[str, np.ndarray]:
    """Conditional aggregation in one query.

    Aggregating by person and signal first and pivoting then took as long, and three times the memory.
    """
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads={threads}")
    con.execute(f"create table code as select range::int code, (range // {CODES_A_SIGNAL})::smallint s "
                f"from range({SIGNALS * CODES_A_SIGNAL})")  # fmt: skip
    index = f"date '{INDEX_DAY}'"
    measured = f"s % 3 = 0 and s // 3 < {MEASURED}"
    asked = ", ".join(f"{_sql(feature, index)} as {feature.name}" for feature in sayable(definitions))
    table = con.sql(
        f"""with raw as (
            select person, day, s, {measured} as m,
                case when unit = 2 and value < 13.35 then round(round(value::double, 1) * 7.50062, 4)
                    when unit = 2 then round(round(value::double, 1) * 7.50062, 3)
                    else round(value::double, 1) end as x
            from read_parquet('{folder}/events/*.parquet') join code using (code)
            where day < {index} and recorded_day < {index}),
        e as (select person, day, s, case when m and x between {LIMITS["low"]} and {LIMITS["high"]} then x end as v,
            (day - date '1970-01-01')::double d from raw)
        select person, {asked} from e group by person"""
    ).to_arrow_table()
    columns = {name: table[name] for name in table.column_names[1:]}
    return _by_person(table["person"].to_numpy(), columns, definitions, people)


def _sql(feature: Feature, index: str) -> str:
    signal, high, since, by_value = _parts(feature)
    where = f"s = {signal}"
    where += f" and v >= {LIMITS['filter']}" if high else " and v is not null" if by_value else ""
    where += f" and day >= date '{since}'" if since else ""
    # "case when" runs three to six times faster in DuckDB than the same with "filter (where ...)"
    v, d = f"case when {where} then v end", f"case when {where} then d end"
    return {
        "ever": f"(count({d}) > 0)::double",
        "count": f"count({d})",
        "days with": f"count(distinct {d})",
        "latest": f"arg_max({v}, d * 1000 + v)",
        "earliest": f"arg_min({v}, d * 1000 + v)",
        "highest": f"max({v})",
        "lowest": f"min({v})",
        "mean": f"avg({v})",
        "spread": f"stddev_samp({v})",
        "trend": f"regr_slope({v}, d) * {YEAR}",
        "days since latest": f"({index} - date '1970-01-01') - max({d})",
        "days since first": f"({index} - date '1970-01-01') - min({d})",
        "days from first to latest": f"max({d}) - min({d})",
    }[feature.ask]


def in_polars(folder: Path, definitions: Definitions, people: int, threads: int) -> dict[str, np.ndarray]:
    """One lazy query of filtered expressions; aggregating by person and signal first took longer.

    Threads are set by POLARS_MAX_THREADS, before the import.
    """
    import polars as pl

    signal = (pl.col("code") // CODES_A_SIGNAL).cast(pl.Int16)
    raw = pl.col("value").cast(pl.Float64).round(1)
    other = pl.when(raw < 13.35).then((raw * 7.50062).round(4)).otherwise((raw * 7.50062).round(3))  # six digits
    converted = pl.when(pl.col("unit") == 2).then(other).otherwise(raw)
    measured = (pl.col("s") % 3 == 0) & (pl.col("s") // 3 < MEASURED)
    usable = measured & pl.col("x").is_between(LIMITS["low"], LIMITS["high"])
    events = (
        pl.scan_parquet(f"{folder}/events/*.parquet")
        .filter(
            (pl.col("day") < INDEX_DAY)
            & (pl.col("recorded_day") < INDEX_DAY)
            & (pl.col("code") < SIGNALS * CODES_A_SIGNAL)
        )
        .select("person", pl.col("day").cast(pl.Int32).alias("d"), signal.alias("s"), converted.alias("x"))
        .with_columns(pl.when(usable).then(pl.col("x")).alias("v"))
        .with_columns((pl.col("d") * 1000 + pl.col("v")).alias("key"))
    )
    asked = [_expression(pl, feature).alias(feature.name) for feature in sayable(definitions)]
    table = events.group_by("person").agg(asked).collect(engine="streaming")
    columns = {name: table[name].cast(pl.Float64).to_arrow() for name in table.columns[1:]}
    return _by_person(table["person"].to_numpy(), columns, definitions, people)


def _expression(pl, feature: Feature):
    signal, high, since, by_value = _parts(feature)
    where = pl.col("s") == signal
    if high:
        where &= pl.col("v") >= LIMITS["filter"]
    elif by_value:
        where &= pl.col("v").is_not_null()
    if since:
        where &= pl.col("d") >= (since - dt.date(1970, 1, 1)).days
    d, v, key = (pl.col(name).filter(where) for name in ("d", "v", "key"))
    index = (INDEX_DAY - dt.date(1970, 1, 1)).days
    if feature.ask == "trend":
        t = (d - 10_000).cast(pl.Float64)
        slope = (t.len() * (t * v).sum() - t.sum() * v.sum()) / (t.len() * (t * t).sum() - t.sum() ** 2)
        return slope * YEAR
    return {
        "ever": lambda: where.sum() > 0,
        "count": lambda: where.sum(),
        "days with": lambda: d.n_unique(),
        "latest": lambda: v.get(key.arg_max(), null_on_oob=True),
        "earliest": lambda: v.get(key.arg_min(), null_on_oob=True),
        "highest": lambda: v.max(),
        "lowest": lambda: v.min(),
        "mean": lambda: v.mean(),
        "spread": lambda: v.std(),
        "days since latest": lambda: index - d.max(),
        "days since first": lambda: index - d.min(),
        "days from first to latest": lambda: d.max() - d.min(),
    }[feature.ask]()


def in_pandas(folder: Path, definitions: Definitions, people: int, threads: int) -> dict[str, np.ndarray]:
    """A frame a signal, then one group-by a feature: what an analyst would write who cares for speed."""
    import pandas as pd
    import pyarrow.parquet as pq

    names = ["person", "day", "recorded_day", "code", "value", "unit"]
    events = pq.read_table(f"{folder}/events", columns=names, partitioning=None).to_pandas(date_as_object=False)
    index = np.datetime64(INDEX_DAY)
    known = (events["day"] < index) & (events["recorded_day"] < index) & (events["code"] < SIGNALS * CODES_A_SIGNAL)
    events = events.loc[known]
    signal = events["code"] // CODES_A_SIGNAL
    x = events["value"].astype("float64").round(1)
    x = x.where(events["unit"] != 2, (x * 7.50062).round(4).where(x < 13.35, (x * 7.50062).round(3)))
    usable = (signal % 3 == 0) & (signal // 3 < MEASURED) & x.between(LIMITS["low"], LIMITS["high"])
    days = events["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    frame = pd.DataFrame({"person": events["person"].to_numpy(), "d": days, "v": x.where(usable).to_numpy()})
    by_signal = dict(list(frame.groupby(signal.to_numpy(), sort=False)))
    found = {}
    for feature in sayable(definitions):
        number, high, since, by_value = _parts(feature)
        part = by_signal[number]
        if high:
            part = part[part["v"] >= LIMITS["filter"]]
        elif by_value:
            part = part[part["v"].notna()]
        if since:
            part = part[part["d"] >= (since - dt.date(1970, 1, 1)).days]
        said = _grouped(feature.ask, part)
        empty = 0.0 if feature.ask in ("ever", "count", "days with") else np.nan
        found[feature.name] = said.reindex(range(people)).fillna(empty).to_numpy(np.float64)
    return found


def _grouped(ask: str, part):
    index = (INDEX_DAY - dt.date(1970, 1, 1)).days
    if ask in ("latest", "earliest"):
        ordered = part.sort_values(["person", "d", "v"]).groupby("person", sort=False)["v"]
        return ordered.last() if ask == "latest" else ordered.first()
    groups = part.groupby("person", sort=False)
    if ask == "trend":
        t = (part["d"] - 10_000).astype("float64")
        sums = part.assign(t=t, tt=t * t, tv=t * part["v"]).groupby("person", sort=False)[["t", "tt", "tv", "v"]].sum()
        n, below = groups.size(), None
        below = n * sums["tt"] - sums["t"] ** 2
        return ((n * sums["tv"] - sums["t"] * sums["v"]) / below.where(below > 0)) * YEAR
    one: dict[str, Callable] = {
        "ever": lambda: groups.size().clip(upper=1),
        "count": groups.size,
        "days with": lambda: groups["d"].nunique(),
        "highest": lambda: groups["v"].max(),
        "lowest": lambda: groups["v"].min(),
        "mean": lambda: groups["v"].mean(),
        "spread": lambda: groups["v"].std(),
        "days since latest": lambda: index - groups["d"].max(),
        "days since first": lambda: index - groups["d"].min(),
        "days from first to latest": lambda: groups["d"].max() - groups["d"].min(),
    }
    return one[ask]()


def _by_person(person: np.ndarray, columns: dict, definitions: Definitions, people: int) -> dict[str, np.ndarray]:
    found = {}
    for name, column in columns.items():
        none = 0.0 if definitions.features[name].ask in ("ever", "count", "days with") else np.nan
        values = np.full(people, none)
        said = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
        values[person] = np.where(np.isnan(said), none, said)
        found[name] = values
    return found


PEERS = {"duckdb": in_duckdb, "polars": in_polars, "pandas": in_pandas}
