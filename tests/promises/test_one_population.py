"""One population through every layout gives the same features, byte for byte, but for what a layout cannot carry.

OMOP has no day of entry, and FHIR none for drugs and encounters: there the same population without those days is what
comes out, to the byte. So this loss, which lets backdated entries look known from the start, is the only one.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from casefinding.cohort.eligible import registered
from casefinding.definitions.read import read_definitions
from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.signals.matrix import build_matrix
from casefinding.synthetic.codes import CODES
from casefinding.synthetic.simulate import simulate
from tests.writers.emis import write_emis
from tests.writers.fhir import write_fhir
from tests.writers.meds import write_meds
from tests.writers.omop import write_omop
from tests.writers.systmone import write_systmone

INDEX_DAY, THROUGH = dt.date(2026, 6, 1), dt.date(2026, 9, 30)
DEFINITIONS = read_definitions()

EXACT = ("emis", "systmone")
"""Kinds that can say everything that the native layout says, faults included."""
CONTACTS = {entry.id for entry in CODES if entry.key.startswith("contact_")}

WRITERS: dict[str, tuple[str, str, Callable[[Path, Path], object]]] = {
    # what: the kind, which days of entry are lost, the writer
    "EMIS 8.2": ("emis", "none", partial(write_emis, version="8.2")),
    "EMIS 5.4": ("emis", "none", partial(write_emis, version="5.4")),
    "EMIS 8.2 in deltas": ("emis", "none", partial(write_emis, version="8.2", deltas=True)),
    "SystmOne 93": ("systmone", "none", partial(write_systmone, version=93)),
    "SystmOne 87": ("systmone", "none", partial(write_systmone, version=87)),
    "SystmOne 93 in deltas": ("systmone", "none", partial(write_systmone, version=93, deltas=True)),
    "OMOP, CSV": ("omop", "all", partial(write_omop, form="csv")),
    "OMOP, Parquet": ("omop", "all", partial(write_omop, form="parquet")),
    "FHIR, ndjson": ("fhir", "of drugs and encounters", partial(write_fhir, form="ndjson")),
    "FHIR, GP Connect": ("fhir", "of drugs and encounters", partial(write_fhir, form="gpconnect")),
    "MEDS": ("meds", "none", write_meds),
}


@pytest.fixture(scope="module")
def native(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("population")
    simulate(900, 3, 20261122, folder / "extract", folder / "truth")
    return folder / "extract"


def features(store: Store) -> tuple[list[str], pa.Table]:
    """Everybody registered on the index day by pseudonym, and every feature of theirs."""
    base = registered(store, INDEX_DAY)
    names = store.people_table()["pseudonym"].take(base["person"].combine_chunks()).to_pylist()
    return names, build_matrix(store, DEFINITIONS, sorted(DEFINITIONS.features), base)


@pytest.fixture(scope="module")
def plain(native, tmp_path_factory) -> dict[str, tuple[list[str], pa.Table]]:
    """The features through the native layout, with some days of entry left out."""
    found = {}
    for lost in ("none", "all", "of drugs and encounters"):
        here = tmp_path_factory.mktemp("plain")
        shutil.copytree(native, here / "extract")
        for path in (here / "extract" / "event").iterdir() if lost != "none" else ():
            table = pq.read_table(path)
            system, code = (table[name].combine_chunks().cast(pa.string()) for name in ("system", "code"))
            gone = pc.fill_null(
                pc.or_kleene(pc.equal(system, "dmd"), pc.is_in(code, pa.array(sorted(CONTACTS)))), False
            )
            whole = pa.array([True] * table.num_rows) if lost == "all" else gone
            days = pc.if_else(
                whole, pa.scalar(None, pa.string()), table["recorded_on"].combine_chunks().cast(pa.string())
            )
            place = table.column_names.index("recorded_on")
            pq.write_table(table.set_column(place, "recorded_on", days), path)
        found[lost] = features(ingest("native", here / "extract", here / "store"))
    return found


@pytest.mark.parametrize("layout", WRITERS)
def test_one_population_gives_the_same_features(layout, native, plain, tmp_path):
    kind, lost, write = WRITERS[layout]
    written = write(native, tmp_path / "extract")
    people, matrix = features(ingest(kind, tmp_path / "extract", tmp_path / "store", data_through=THROUGH))
    if kind == "meds":  # it has numbers for pseudonyms
        names = {str(number): name for name, number in written.items()}
        people = [names[str(int(number.lstrip("s")))] for number in people]
    expected_people, expected = plain[lost]
    if kind in EXACT:
        assert people == expected_people
    # A layout that cannot say a planted fault (a practice that no table holds, a day that is none) lets the row in.
    planted = pq.read_table(native.with_name("truth") / "planted.parquet").to_pylist()
    faulty = {row["pseudonym"] for row in planted if row["kind"] == "fault" and kind not in EXACT}
    assert set(people) ^ set(expected_people) <= faulty
    same = [name for name in expected_people if name not in faulty]
    assert len(same) > 850
    mine = matrix.take([people.index(name) for name in same])
    theirs = expected.take([expected_people.index(name) for name in same])
    for name in expected.column_names[2:]:
        assert mine[name].to_numpy().tobytes() == theirs[name].to_numpy().tobytes(), name


def test_the_days_of_entry_matter_so_that_their_loss_is_seen(plain):
    whole, without = plain["none"][1], plain["all"][1]
    assert any(
        whole[name].to_numpy().tobytes() != without[name].to_numpy().tobytes() for name in whole.column_names[2:]
    )
