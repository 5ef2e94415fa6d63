"""From an extract to a store: check, number, sort, cut into shards, write, publish."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from casefinding.errors import RecordsError, UsageError
from casefinding.records import areas, cells, events, identifiers, people, tally
from casefinding.records.engine import Engine
from casefinding.records.extract import Extract
from casefinding.records.generation import Generation, locked
from casefinding.records.store import Store
from casefinding.records.tables import CONTACT, QUARANTINE

Progress = Callable[[int, int], None]
"""Called with how much is done, out of how much."""
DATES = {
    "person": {"birth_month": "birth_month_day", "died_on": "died_on_day"},
    "registration": {"started_on": "started_on_day", "ended_on": "ended_on_day"},
    "event": {"happened_on": "day", "recorded_on": "recorded_day"},
    "contact": {"on": "on_day"},
}
"""Columns that hold days, and where their parsed form stands."""
BEFORE_SHARDS = 4
"""Steps before the first shard is written, for the progress."""


def bring_in(
    extract: Extract,
    store: Path,
    *,
    shard_people: int,
    data_through: dt.date | None = None,
    area_files: Sequence[areas.AreaFile] = (),
    flow: str = identifiers.SECONDARY_USE,
    pseudonymised: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Store:
    """Bring an extract into a store, with what is known of the places of its people (`area_files`); whatever fails, the
    store is what it was before.

    `flow`: for what (identifiers.SECONDARY_USE ...); people who opted out of leaving the practice are looked for in a
    secondary use. `pseudonymised`: what the manifest of the extract says. The store keeps both.
    Raises RecordsError for an extract that cannot be read, holds identifiers or people who opted out, or of which
    nothing can be accepted; WriteError if it cannot be written.
    """
    if shard_people < 1:
        raise UsageError("a shard needs at least one person", hint="choose 'shard_people' of 100 or more")
    tell = progress or (lambda _done, _of: None)
    with locked(store) as work:
        engine = Engine((*extract.parts, *(file.part for file in area_files)), work)
        try:
            through = data_through or extract.data_through
            return _bring_in(
                extract,
                area_files,
                engine,
                store,
                shard_people,
                through,
                {"flow": flow, "pseudonymised": dict(pseudonymised or {})},
                tell,
            )
        finally:
            engine.close()


def _bring_in(
    extract: Extract,
    area_files: Sequence[areas.AreaFile],
    engine: Engine,
    store: Path,
    shard_people: int,
    through: dt.date | None,
    purpose: Mapping[str, Any],
    tell: Progress,
) -> Store:
    engine.run("BEGIN TRANSACTION")  # never committed: the work is thrown away, so none of it waits for the disk
    cells.install(engine)
    sources = dict(extract.tables(engine))
    _beside_the_tables(engine, sources)
    names = [name for name in ("practice", "person", "registration", "event", "contact") if name in sources]
    notes = [*extract.notes, *(extract.told(engine) if extract.told else ()), *areas.notes(area_files)]
    if through is None and extract.last_day is not None:
        ((found,),) = engine.rows(f"SELECT day_of(({extract.last_day(engine)}))")
        through = found
    if through is None:
        tally.refuse_wrong_format(engine, sources["event"], "event", ("happened_on", "recorded_on"))
        through = events.last_day(engine, sources["event"])
        notes.append(
            f"Nothing in the extract says how far it reaches: {through.isoformat()} is taken from the recorded dates."
        )
    identifiers.refuse_people_by_name(engine, extract.parts)
    identifiers.refuse_named(engine, extract.parts, sources)
    tell(1, BEFORE_SHARDS)
    people.check_people(engine, sources, through)
    _refuse_wrong_formats(engine, sources, "person", "registration")
    tell(2, BEFORE_SHARDS)
    event = areas.add_measures(engine, sources["event"], area_files, len(extract.parts), through)
    events.check_events(engine, event, through)
    identifiers.refuse_written(engine)
    if purpose["flow"] == identifiers.SECONDARY_USE:
        identifiers.refuse_opted_out(engine)
    if "contact" in sources:
        events.check_contacts(engine, sources["contact"], through)
    _refuse_wrong_formats(engine, sources, "event", "contact")
    person = people.person_table(engine)
    if not person.num_rows:
        raise _nobody_left(engine)
    tell(3, BEFORE_SHARDS)
    with Generation(store) as generation:
        generation.write("person.parquet", person)
        generation.write("registration.parquet", people.registration_table(engine))
        generation.write("practice.parquet", people.practice_table(engine))
        generation.write("code.parquet", events.code_table(engine))
        generation.write("unit.parquet", events.unit_table(engine))
        contacts = events.contact_table(engine) if "contact" in sources else CONTACT.empty_table()
        generation.write("contact.parquet", contacts)
        repeats: list[events.Repeats] = []
        first: dt.date | None = None
        shard_count = max(1, -(-person.num_rows // shard_people))
        for number, shard in events.shards(engine, person.num_rows, shard_people, repeats.append):
            generation.write(f"events/shard-{number:04d}.parquet", shard)
            if shard.num_rows:
                earliest = np.min(shard["day"].to_numpy()).item()
                first = earliest if first is None else min(first, earliest)
            tell(BEFORE_SHARDS + number, BEFORE_SHARDS + shard_count)
        if first is None:
            raise tally.nothing_left(engine, "event", "no event is left")
        tally.gather(engine, engine.parts, names, repeats)
        counts = tally.counts(engine, engine.parts, names, notes)
        for part in engine.parts:
            part.refuse_if_changed()
        generation.write_batches("quarantine.parquet", QUARANTINE, tally.quarantine(engine))
        return generation.publish(
            {
                "kind": extract.kind,
                **purpose,
                "data_from": first.isoformat(),
                "data_through": through.isoformat(),
                "people": person.num_rows,
                "shard_people": shard_people,
                "shards": shard_count,
                "counts": counts,
            }
        )


def _beside_the_tables(engine: Engine, sources: Mapping[str, str]) -> None:
    """Make `left_in` (reason, file, row) and `refused_in` (reason, column, practice, file, row) of what a source says
    of rows that are no rows of a table."""
    nothing = "NULL::INTEGER AS file, NULL::BIGINT AS row WHERE false"
    left = sources.get("left", f"SELECT NULL::VARCHAR AS reason, {nothing}")
    early = sources.get("refused", f'SELECT NULL::VARCHAR AS reason, NULL AS "column", NULL AS practice, {nothing}')
    engine.run(f"CREATE TABLE left_in AS SELECT reason, file, row FROM ({left})")
    engine.run(
        f"""CREATE TABLE refused_in AS SELECT reason, coalesce("column", '')::VARCHAR AS "column",
            coalesce(practice, '')::VARCHAR AS practice, file, row FROM ({early})"""
    )


def _refuse_wrong_formats(engine: Engine, sources: Mapping[str, str], *tables: str) -> None:
    """Look again, at some cost, only at columns of which not one day could be read."""
    for table in tables:
        for column, parsed in DATES[table].items() if table in sources else ():
            ((rows, days),) = engine.rows(f'SELECT count(*), count("{parsed}") FROM {table}_in')
            if rows and not days:
                tally.refuse_wrong_format(engine, sources[table], table, (column,))


def _nobody_left(engine: Engine) -> RecordsError:
    unknown = engine.rows(
        """SELECT practice FROM registration_in WHERE fault LIKE 'unknown practice|%'
           GROUP BY practice ORDER BY count(*) DESC, practice LIMIT 1"""
    )
    ((accepted,),) = engine.rows("SELECT count(*) FROM registration_in WHERE fault IS NULL")
    if unknown and not accepted:
        return RecordsError(
            f"no registration is at a practice of the practice table; the first unknown one is {unknown[0][0][:20]}",
            where="registration",
            hint="add the practice to the practice table, or mend its code",
        )
    return tally.nothing_left(engine, "person", "nobody is left")
