"""Measures of areas: what is known of the place where people live, or of their practice, becomes events of theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from casefinding.definitions.area_measures import AreaMeasure, AreaMeasures, name_of, read_area_measures
from casefinding.errors import RecordsError
from casefinding.records.engine import ENDINGS, Engine, Part, lit, quoted
from casefinding.records.extract import match_columns, read_all
from casefinding.records.reasons import Left, Refusal

BY = ("lsoa", "practice")
_AREA = {"lsoa": "[EWSN][0-9]{8}", "practice": ".+"}
"""What the code of an area looks like (for LSOA also the small areas of Scotland and Northern Ireland)."""


@dataclass(frozen=True)
class AreaFile:
    """One file of measures: by what its rows name areas, whether each row is one value, and what it declares."""

    part: Part
    by: str
    long: bool
    declared: AreaMeasures

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.by, "measure", "value") if self.long else (self.by, *self.declared.measures)

    def measures(self) -> list[tuple[str, AreaMeasure, dt.date]]:
        """(key, measure, day from which it was known) of each."""
        return [(key, one, one.published or self.declared.published or dt.date.max) for key, one in self._each()]

    def _each(self) -> Sequence[tuple[str, AreaMeasure]]:
        return list(self.declared.measures.items())


def look(paths: Sequence[str | Path]) -> tuple[AreaFile, ...]:
    """Look at files of area measures and at the declaration beside each (the same name, ending in .yaml).

    A file has a column `lsoa` or `practice` and one column a measure, or the columns `measure` and `value`.
    Raises RecordsError for a file or declaration that is missing or not valid, and for one vintage given twice.
    """
    found = tuple(_look(Path(path)) for path in paths)
    seen: dict[tuple[str, str, dt.date], str] = {}
    names = [file.part.name for file in found]
    for file in found:
        if names.count(file.part.name) > 1:
            raise RecordsError(
                "two files of area measures have this name", where=file.part.name, hint="rename one, and its .yaml"
            )
        for key, measure, published in file.measures():
            this = (file.by, name_of(key, measure), published)
            if this in seen:
                raise RecordsError(
                    f"{this[1]} as published on {published} is given by two files",
                    where=f"{seen[this]} and {file.part.name}",
                    hint="leave one, or correct the day of publication",
                )
            seen[this] = file.part.name
    return found


def _look(path: Path) -> AreaFile:
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None or not path.is_file():
        raise RecordsError(
            "no such file of area measures", where=str(path), hint=f"a file ending in {', '.join(ENDINGS)}"
        )
    declared = read_area_measures(path.with_name(f"{path.name[: -len(ending)]}.yaml"))
    part = Part.look(path.resolve(), f"areas/{path.name}")
    header = {column.strip().lower() for column in part.columns}
    by = [name for name in BY if name in header]
    if len(by) != 1:
        raise RecordsError(
            f"the header names {' and '.join(by) or 'neither lsoa nor practice'}",
            where=part.name,
            hint="name the column of areas 'lsoa', or that of practice codes 'practice', and no other column so",
        )
    file = AreaFile(part, by[0], {"measure", "value"} <= header, declared)
    match_columns(part, file.columns)
    return file


def notes(files: Sequence[AreaFile]) -> list[str]:
    """Sentences on where each measure comes from and how it was joined."""
    said = [
        f"Area measure {name_of(key, one)} ({one.label}{', ' + one.unit if one.unit else ''}): {one.vintage}, known "
        f"from {published}, by {file.by}. Source: {one.source or file.declared.source}."
        for file in files
        for key, one, published in file.measures()
    ]
    if said:
        said.append(
            "A measure counts from the day it was published, or from the month of birth or the start of registration "
            "if that is later. People are placed where they live now, as no earlier home is known; by practice, where "
            "they were registered on that day, else where they registered next."
        )
    return said


def add_measures(engine: Engine, event: str, files: Sequence[AreaFile], first: int, through: dt.date) -> str:
    """SQL for the event rows of `event` and, below them, one of each person, measure and vintage.

    To be called when people and registrations are checked; `first` is the position of the first file among the
    engine's parts. Rows that concern nobody are added to `left_in`, those that are faulty to `refused_in`.
    Raises RecordsError if nobody has an LSOA where one is needed, or two rows disagree about one area.
    """
    if not files:
        return event
    _measures(engine, files)
    _cells(engine, files, first, through)
    _refuse_contradictions(engine, files, first)
    homes = [_by_lsoa(engine, files)] if any(file.by == "lsoa" for file in files) else []
    homes += [_BY_PRACTICE] if any(file.by == "practice" for file in files) else []
    engine.run(f"CREATE TABLE area_event AS {' UNION ALL '.join(homes)}")
    engine.run(
        f"""INSERT INTO refused_in SELECT split_part(fault, '|', 1), split_part(fault, '|', 2), '', file, row
            FROM area_cell WHERE fault IS NOT NULL AND NOT starts_with(fault, {lit(Left.NOT_ASKED)})"""
    )
    engine.run(
        f"""INSERT INTO left_in SELECT DISTINCT CASE WHEN fault IS NULL THEN {lit(Left.NOBODY)}
            ELSE {lit(Left.NOT_ASKED)} END, file, row FROM area_cell AS c
            WHERE coalesce(fault, {lit(Left.NOT_ASKED)}) = {lit(Left.NOT_ASKED)}
            AND NOT EXISTS (SELECT 1 FROM area_event AS e WHERE e.file = c.file AND e.row = c.row)"""
    )
    return f"""SELECT * FROM ({event}) UNION ALL BY NAME
        SELECT e.person, e.day::VARCHAR AS happened_on, e.day::VARCHAR AS recorded_on, 'area' AS system, m.name AS code,
            m.label AS term, e.value, m.unit, e.file, e.row
        FROM area_event AS e JOIN area_measure AS m USING (number)"""


def _measures(engine: Engine, files: Sequence[AreaFile]) -> None:
    """Make `area_measure`: every measure of every file, numbered."""
    rows = [(place, key, one, published) for place, file in enumerate(files) for key, one, published in file.measures()]
    engine.take(
        "area_measure",
        pa.table(
            {
                "number": pa.array(range(len(rows)), pa.int32()),
                "place": pa.array([place for place, *_ in rows], pa.int32()),
                "key": pa.array([key.strip().lower() for _, key, *_ in rows], pa.string()),
                "name": pa.array([name_of(key, one) for _, key, one, _ in rows], pa.string()),
                "label": pa.array([one.label for *_, one, _ in rows], pa.string()),
                "unit": pa.array([one.unit or None for *_, one, _ in rows], pa.string()),
                "published": pa.array([published for *_, published in rows], pa.date32()),
            }
        ),
    )


def _cells(engine: Engine, files: Sequence[AreaFile], first: int, through: dt.date) -> None:
    """Make `area_cell`: one value of one area, with its fault (a refusal, or "not asked" for an undeclared measure)."""
    reads = []
    for place, file in enumerate(files):
        rows = read_all(engine, [file.part], file.columns, first + place)
        keys = list(file.declared.measures)
        if file.long:
            reads.append(
                f"""SELECT '{file.by}' AS "by", r.{file.by} AS area, m.number, m.published, r.value,
                    'value' AS "column", r.measure IS NULL AS nameless, m.number IS NULL AS undeclared,
                    r.file, r.row FROM ({rows}) AS r LEFT JOIN area_measure AS m
                    ON m.place = {place} AND m.key = lower(r.measure)"""
            )
            continue
        empty = " AND ".join(f"r.{quoted(key)} IS NULL" for key in keys)  # said once, of the first measure
        reads += [
            f"""SELECT '{file.by}' AS "by", r.{file.by} AS area, m.number, m.published, r.{quoted(key)} AS value,
                {lit(key)} AS "column", false AS nameless, false AS undeclared, r.file, r.row FROM ({rows}) AS r
                JOIN area_measure AS m ON m.place = {place} AND m.key = {lit(key.strip().lower())}
                WHERE r.{quoted(key)} IS NOT NULL OR ({key == keys[0]} AND {empty})"""
            for key in keys
        ]
    shapes = " ".join(f"WHEN '{by}' THEN regexp_full_match(area, '{shape}')" for by, shape in _AREA.items())
    engine.run(
        f"""CREATE TABLE area_cell AS
        WITH read AS (SELECT * REPLACE (CASE "by" WHEN 'lsoa' THEN upper(area) ELSE area END AS area)
            FROM ({" UNION ALL ".join(reads)}))
        SELECT *, CASE WHEN area IS NULL THEN '{Refusal.MISSING}|' || "by"
            WHEN NOT CASE "by" {shapes} END THEN '{Refusal.BAD_CODE}|' || "by"
            WHEN nameless THEN '{Refusal.MISSING}|measure' WHEN undeclared THEN {lit(Left.NOT_ASKED)}
            WHEN value IS NULL THEN '{Refusal.MISSING}|' || "column"
            WHEN NOT is_number(value) THEN '{Refusal.TEXT_IN_NUMBER}|' || "column"
            WHEN number_of(value) IS NULL OR NOT isfinite(number_of(value))
            THEN '{Refusal.NUMBER_TOO_LARGE}|' || "column"
            WHEN published > DATE '{through.isoformat()}' THEN '{Refusal.FUTURE}|' || "column"
            WHEN row_number() OVER (PARTITION BY "by", area, number, value ORDER BY file, row) > 1
            THEN '{Refusal.DUPLICATE}|' END AS fault
        FROM read"""
    )


def _refuse_contradictions(engine: Engine, files: Sequence[AreaFile], first: int) -> None:
    found = engine.rows(
        """SELECT file, row FROM area_cell WHERE fault IS NULL
           QUALIFY row_number() OVER (PARTITION BY "by", area, number ORDER BY file, row) > 1
           ORDER BY file, row LIMIT 1"""
    )
    if found:
        ((file, row),) = found
        raise RecordsError(
            f"row {row} gives another value for an area and measure that came before",
            where=files[file - first].part.name,
            hint="leave one of the rows; vintages go into files or columns of their own, each with its publication day",
        )


def _by_lsoa(engine: Engine, files: Sequence[AreaFile]) -> str:
    """SQL for the events by LSOA: of everybody who was not dead when the measure was published."""
    columns = {name.lower() for name, *_ in engine.rows("DESCRIBE person_in")}
    there = engine.rows("SELECT count(lsoa) FROM person_in") if "lsoa" in columns else [(0,)]
    if not there[0][0]:
        raise RecordsError(
            "nobody in the extract has an LSOA to join these measures with",
            where=next(file.part.name for file in files if file.by == "lsoa"),
            hint="pseudonymise with --postcodes and --keep-small-area, fill the column 'lsoa' of person, "
            "or give measures by practice",
        )
    return """SELECT p.person, c.number, c.value, greatest(c.published, known.birth, since.day) AS day, c.file, c.row
        FROM area_cell AS c
        JOIN person_in AS p ON c."by" = 'lsoa' AND upper(p.lsoa) = c.area AND p.fault IS NULL
        JOIN known ON known.person = p.person AND known.num IS NOT NULL
        JOIN (SELECT person, min(started_on_day) AS day FROM registration_in WHERE fault IS NULL GROUP BY person)
            AS since ON since.person = p.person
        WHERE c.fault IS NULL AND (known.died IS NULL OR known.died >= greatest(c.published, known.birth, since.day))"""


_BY_PRACTICE = """SELECT k.person, c.number, c.value, greatest(c.published, k.birth, k.start) AS day, c.file, c.row
    FROM (SELECT r.person, r.practice, m.number, known.birth, known.died, r.started_on_day AS start
        FROM registration_in AS r JOIN known ON known.person = r.person AND known.num IS NOT NULL
        JOIN (SELECT DISTINCT number, published FROM area_cell WHERE fault IS NULL AND "by" = 'practice') AS m
            ON r.ended_on_day IS NULL OR r.ended_on_day >= m.published
        WHERE r.fault IS NULL
        QUALIFY row_number() OVER (PARTITION BY r.person, m.number ORDER BY r.started_on_day > m.published,
            CASE WHEN r.started_on_day <= m.published THEN r.started_on_day END DESC, r.started_on_day, r.practice) = 1
    ) AS k
    JOIN area_cell AS c ON c."by" = 'practice' AND c.fault IS NULL AND c.area = k.practice AND c.number = k.number
    WHERE k.died IS NULL OR k.died >= greatest(c.published, k.birth, k.start)"""
