"""A simulated population, clean and with planted faults, as stores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casefinding.definitions.quality import QualityRules
from casefinding.definitions.read import read_definitions
from casefinding.records.quality.assessment import Assessment, assess_all
from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.synthetic.simulate import simulate

WEIGHT, GLUCOSE, CREATININE = "27113001", "999791000000106", "1000731000000107"
PRESSURES = ("271649006", "72313002")
ASIAN = ("Indian", "Pakistani", "Bangladeshi", "Other Asian")
NEW_CODE = "999881000000100"
"""A code of the United Kingdom's extension that no list holds."""


@pytest.fixture(scope="session")
def known():
    """The shipped definitions."""
    return read_definitions(None)


@pytest.fixture(scope="session")
def extract(tmp_path_factory) -> Path:
    """Six thousand people of four practices."""
    home = tmp_path_factory.mktemp("population")
    simulate(6000, 4, 11, home / "extract", home / "truth")
    return home / "extract"


class Tables:
    """An extract as data frames, with each event's practice, to be spoilt and written again."""

    def __init__(self, extract: Path) -> None:
        self.extract = extract
        self.event = _read(extract / "event")
        self.person = _read(extract / "person")
        self.registration = _read(extract / "registration")
        latest = self.registration.sort_values("started_on").groupby("person")["practice"].last()
        self.event["practice"] = self.event["person"].map(latest)

    def write(self, home: Path) -> Store:
        """Bring the tables in."""
        folder = home / "extract"
        folder.mkdir(parents=True)
        self.event.drop(columns="practice").to_parquet(folder / "event.parquet", index=False)
        self.person.to_parquet(folder / "person.parquet", index=False)
        self.registration.to_parquet(folder / "registration.parquet", index=False)
        for name in ("practice", "extract"):
            (folder / f"{name}.parquet").write_bytes((self.extract / f"{name}.parquet").read_bytes())
        return ingest("native", folder, home / "store", shard_people=2500)


def _read(folder: Path) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))], ignore_index=True)


@pytest.fixture
def tables(extract: Path) -> Tables:
    """Fresh tables to spoil."""
    return Tables(extract)


@pytest.fixture(scope="session")
def clean(extract: Path, known, tmp_path_factory) -> Assessment:
    """The population as it was simulated."""
    store = ingest("native", extract, tmp_path_factory.mktemp("clean") / "store", shard_people=2500)
    return assess_all(store, known, QualityRules())


@pytest.fixture(scope="session")
def planted(extract: Path, known, tmp_path_factory) -> Assessment:
    """One population with a fault of each kind, in practices of its own."""
    return assess_all(planted_store(extract, tmp_path_factory.mktemp("planted")), known, QualityRules())


def planted_store(extract: Path, home: Path) -> Store:
    """Y99001 stops, Y99002 changes a unit and sends none for another, Y99003 switches a code and has a gap, Y99004 is
    late; Asian people have hardly any blood pressure."""
    tables = Tables(extract)
    event, draw = tables.event, np.random.default_rng(5)
    happened = event["happened_on"]
    one, two, three, four = (event["practice"] == f"Y9900{number}" for number in range(1, 5))
    weight = two & (event["code"] == WEIGHT) & (happened >= "2025-03-01")
    event.loc[weight, "unit"] = "stone"
    event.loc[two & (event["code"] == CREATININE), "unit"] = None
    switched = three & (event["code"] == GLUCOSE) & (happened >= "2025-01-01")
    event.loc[switched, "code"] = NEW_CODE
    event.loc[switched, "term"] = "Local blood sugar"
    late = four & (draw.random(len(event)) < 0.4) & (happened < "2026-07-01") & (happened >= "2015-01-01")
    days = pd.to_datetime(happened[late]) + pd.Timedelta(days=45)
    event.loc[late, "recorded_on"] = days.dt.strftime("%Y-%m-%d")
    asian = set(tables.person.loc[tables.person["ethnicity"].isin(ASIAN), "person"])
    unmeasured = event["code"].isin(PRESSURES) & event["person"].isin(asian) & (draw.random(len(event)) < 0.9)
    gone = one & (happened > "2026-06-30")
    gone |= three & (happened >= "2025-05-05") & (happened <= "2025-05-16")
    tables.event = event[~(gone | unmeasured)]
    return tables.write(home)
