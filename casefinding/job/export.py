"""`casefinding export`: a store as a dataset of another community, with the labels and cohorts of our training."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casefinding import audit
from casefinding.errors import UsageError
from casefinding.files import new_folder, write_bytes
from casefinding.job.progress import Stages
from casefinding.records.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from casefinding.definitions.config import Config
    from casefinding.definitions.shapes import Definitions

LAYOUTS = ("meds",)
LABELS, COHORTS = "labels", "cohorts"


def export(
    store: Path,
    out: Path,
    *,
    layout: str = "meds",
    time: str = "recorded",
    config_file: Path | None = None,
    conditions: Sequence[str] = (),
    definitions: Path | None = None,
    with_pseudonyms: bool = False,
    purpose: str = "",
    quiet: bool = False,
) -> None:
    """Write a store as a MEDS dataset into the new folder `out`, whole or not at all.

    With a config also labels/CONDITION/ (MEDS label schema) and cohorts/CONDITION/ for each of `conditions`, by default
    those of the config. `with_pseudonyms`: the file OUT-pseudonyms.parquet beside it says whose subject_id is whose.
    Each export is a line of export-audit.jsonl beside `out`. UsageError where `out` is there already (an export
    replaces nothing), and for a store of direct care or of a practice without a `purpose`, as its people may have
    opted out of any other.
    """
    from casefinding.records.meds.write import pseudonyms, write_meds

    if layout not in LAYOUTS:
        raise UsageError(f"no such layout: '{layout}'", where="--to", hint=f"choose one of {', '.join(LAYOUTS)}")
    if conditions and config_file is None:
        raise UsageError(
            "labels need a config, which says the index day", where="--condition", hint="add --config FILE"
        )
    beside = out.absolute().with_name(f"{out.absolute().name}-pseudonyms.parquet")
    for path in (out, beside) if with_pseudonyms else (out,):
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise UsageError(
                "it is there already, and an export replaces nothing", where=str(path), hint="name another"
            )
    records = Store.open(store)
    if records.flow != "secondary use" and not purpose.strip():
        raise UsageError(
            f"the store was made for {records.flow}: people in it may have opted out of anything else",
            where=str(store),
            hint="say with --purpose why it may go out, or bring in an extract for a secondary use",
        )
    stages = Stages(quiet=quiet)
    asked_for = _asked_for(config_file, conditions, definitions, records) if config_file is not None else None
    with new_folder(out) as fresh:
        with stages.stage("Write the dataset") as tick:
            rows = write_meds(records, fresh, time=time, progress=tick)
        if asked_for is not None:
            config, known, names = asked_for
            for condition in names:
                _write_labels(condition, known, records, config, fresh, stages)
        if with_pseudonyms:
            write_bytes(beside, _parquet(pseudonyms(records)))
        audit.append(
            out.absolute().with_name("export-audit.jsonl"),
            {
                "what": f"exported to {layout}", "store": records.digest, "flow": records.flow, "purpose": purpose,
                "people": records.people, "rows": rows, "folder": out.name, "with pseudonyms": with_pseudonyms,
            },
        )  # fmt: skip
    print(f"{records.people:,} people, {rows:,} rows: {out}")
    if with_pseudonyms:
        print(f"pseudonyms: {beside}  (never send it along)")


def _asked_for(
    config_file: Path, conditions: Sequence[str], definitions: Path | None, store: Store
) -> tuple[Config, Definitions, list[str]]:
    """Config, definitions and conditions, checked before anything is written."""
    from casefinding.job.main import fits, read_all

    config, known = read_all(config_file, None, definitions, *conditions)
    fits(config, store, known)
    return config, known, list(dict.fromkeys(conditions or config.conditions))


def _write_labels(
    condition: str, known: Definitions, store: Store, config: Config, folder: Path, stages: Stages
) -> None:
    """The rows that training would learn from, a file a shard: the same names in labels/ and in cohorts/."""
    import numpy as np
    import pyarrow as pa

    from casefinding.job.asking import looking_ahead
    from casefinding.records.meds.write import shard_name, write_table

    asked = looking_ahead(condition, known, store, config, stages, {})
    cohort = _cohort(asked)
    outcome = cohort["outcome"].to_numpy(zero_copy_only=False).astype(str)
    told = np.isin(outcome, ["case", "control"]) & cohort["learned_from"].to_numpy(zero_copy_only=False)
    labels = pa.table(
        [*(cohort[name].filter(pa.array(told)) for name in ("subject_id", "prediction_time")), outcome[told] == "case"],
        schema=_label_schema(),
    )
    for shard in range(store.shards):
        people = store.shard_people(shard)
        for name, table in ((LABELS, labels), (COHORTS, cohort)):
            start, end = np.searchsorted(table["subject_id"].to_numpy(), [people.start, people.stop])
            if end > start:
                write_table(folder / name / condition / shard_name(shard), table.slice(start, end - start))


def _label_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("prediction_time", pa.timestamp("us"), nullable=False),
            pa.field("boolean_value", pa.bool_(), nullable=False),
        ]
    )


def _cohort(asked: Any) -> pa.Table:
    """Everybody at risk after the gap, as training sees them, by subject_id and prediction_time.

    prediction_time is the last microsecond before the index day: MEDS may use data up to and including it, and we use
    what was known before the index day.
    """
    import numpy as np
    import pyarrow as pa

    from casefinding.cohort.outcome import USED
    from casefinding.records.meds.rows import A_DAY, TIME

    outcome = asked.after["outcome"].to_numpy(zero_copy_only=False).astype(str)
    rows = np.flatnonzero(np.isin(outcome, USED))
    base, after = asked.base.take(pa.array(rows)), asked.after.take(pa.array(rows))
    index = base["index_day"].cast(pa.int32()).to_numpy().astype(np.int64)
    verified, chance = np.zeros(rows.size, dtype=bool), np.full(rows.size, np.nan)
    if asked.evidence is not None:
        verified, chance = asked.evidence.verified[rows], asked.evidence.chance[rows]
    return pa.table(
        {
            "subject_id": base["person"],
            "prediction_time": pa.array(index * A_DAY - 1).cast(TIME),
            "index_day": base["index_day"],
            "practice": base["practice"],
            "outcome": after["outcome"],  # case, control or censored
            "outcome_time": after["day"].cast(TIME),  # when the label was known; null where it was not
            "follow_days": after["follow_days"],
            "weight": after["weight"],  # inverse probability of censoring; 0 for the censored
            "learned_from": pa.array(asked.usable[rows]),  # False: left out of training by a rule of the model
            "verified": pa.array(verified),  # looked at within the horizon
            "chance": pa.array(chance, mask=np.isnan(chance)),  # that what was found is the condition
        }
    )


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()
