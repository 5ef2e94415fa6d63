"""What a record says reaches the practice's own lists and nothing else: no log, no model, no page of the network.

Canaries are planted into the extract: strange pseudonyms, terms and values that could come from nowhere else.
"""

import contextlib
import datetime as dt
import gzip
import importlib
import io
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Run, call, config_text

pytestmark = pytest.mark.xdist_group("whole job")
INDEX = dt.date(2026, 10, 1)
NAME = "pcanarybird"
STRANGER = "pcanarylost"
TERM = "Zebediah Quillfeather"
VALUES = ("137.731", "299.137", "one hundred and thirty-seven")
SYSTOLIC, DIASTOLIC = "271649006", "271650006"


def plant(extract: Path) -> None:
    """Canaries who are learnt from, listed, refused, held; and rows with nothing right about them."""

    def ago(days: int) -> str:
        return (INDEX - dt.timedelta(days=days)).isoformat()

    def person(name: str, birth: str = "1960-04") -> dict[str, str]:
        return {"person": name, "birth_month": birth, "sex": "female", "ethnicity": "White British", "imd_decile": "4"}

    def event(name: str, days: int, value: str, code: str = SYSTOLIC, **other: str) -> dict[str, str]:
        row = {"person": name, "happened_on": ago(days), "recorded_on": ago(days), "system": "snomed", "code": code}
        return {**row, "term": TERM, "value": value, "unit": "mm[Hg]", **other}

    flock = [f"{NAME}{number}" for number in range(30)]  # enough to stand alone in a leaf of a tree
    events = [event(name, days, "137.731") for name in flock for days in (20, 500, 900)]
    events += [event(name, days, "299.137") for name in flock[:15] for days in (10, 600)]
    events += [event(name, 10, "118.137", DIASTOLIC) for name in flock[:15]]
    events += [
        event(flock[0], 40, VALUES[2]),
        event(flock[0], 41, "137.731", unit=TERM),
        event(flock[0], 42, "137.731", happened_on=TERM),
        event(flock[0], 43, "137.731", code=TERM),
        event(flock[0], 44, "137.731", system=TERM),
        event(STRANGER, 50, "137.731"),
    ]
    tables = {
        "person": [*map(person, flock), {**person(f"{NAME}x"), "sex": TERM}, person(f"{NAME}y", birth=TERM)],
        "registration": [
            *({"person": name, "practice": "Y99001", "started_on": ago(4000)} for name in flock),
            {"person": flock[1], "practice": "Y99001", "started_on": TERM},
        ],
        "event": events,
        "contact": [{"person": flock[2], "condition": TERM, "kind": "invited", "on": ago(100)}],
    }
    for table, rows in tables.items():
        names = pq.read_schema(next((extract / table).glob("*.parquet"))).names
        text = pa.schema([(name, pa.string()) for name in names])
        pq.write_table(pa.Table.from_pylist(rows, schema=text), extract / table / "part-canaries.parquet")


@contextlib.contextmanager
def everything_printed(to: Path) -> Iterator[None]:
    """Standard output and error by their numbers, so that libraries written in C are heard too."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = os.dup(1), os.dup(2)
    with open(to, "wb") as heard:
        os.dup2(heard.fileno(), 1)
        os.dup2(heard.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, old in enumerate(before, start=1):
                os.dup2(old, number)
                os.close(old)


@pytest.fixture(scope="module")
def extract(tiny: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("canaries") / "extract"
    for path in tiny.rglob("*.parquet"):
        link = folder / path.relative_to(tiny)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    plant(folder)
    return folder


@pytest.fixture(scope="module")
def run(extract: Path, quick: Path, registry: str, tmp_path_factory) -> Run:
    """A run that learns from the canaries and lists them; `heard` and `temporary` lie in its folder."""
    folder = tmp_path_factory.mktemp("aviary")
    config = folder / "aviary.yaml"
    config.write_text(config_text("hypertension", path=extract), encoding="utf-8")
    (folder / "temporary").mkdir()
    with everything_printed(folder / "heard"):
        said = call(
            folder, "run", "--config", config, "--definitions", quick, "--out", folder / "out",
            MLFLOW_TRACKING_URI=registry, TMPDIR=str(folder / "temporary"),
        )  # fmt: skip
    assert said.code == 0, said.err
    return Run(folder, said, config, folder / "out")


def texts(path: Path) -> Iterator[bytes]:
    """The bytes of a file as they lie there, and what they are once unpacked."""
    content = path.read_bytes()
    yield content
    if path.suffix in (".xlsx", ".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            yield from (packed.read(name) for name in packed.namelist())
    elif path.suffix == ".gz":
        yield gzip.decompress(content)
    elif path.suffix == ".parquet":
        table = pq.read_table(io.BytesIO(content))
        for column in table.columns:
            yield "\n".join(map(str, column.to_pylist())).encode()


def holding(folder: Path, *words: str) -> list[str]:
    """The files under a folder that hold any of some words."""
    wanted = [word.encode() for word in words]
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and any(word in text for text in texts(path) for word in wanted)
    )


def test_the_watch_sees_the_canaries_where_they_were_planted(extract: Path, run: Run):
    planted = {f"{table}/part-canaries.parquet" for table in ("person", "registration", "event", "contact")}
    assert set(holding(extract, NAME, TERM)) == planted
    assert holding(extract, VALUES[0]) == ["event/part-canaries.parquet"]
    assert len([path for path in holding(run.out, NAME) if path.endswith(".xlsx")]) == 1


def test_canaries_were_learnt_from_and_listed(run: Run):
    assert (run.out / "models" / "hypertension" / "MANIFEST.json").is_file()
    assert len([row for row in run.lists() if row["pseudonym"].startswith(NAME)]) >= 15
    counts = run.store.counts()
    assert {"impossible date", "person not in the person table"} <= set(counts["refused"])
    assert {"unknown sex", "value is not a plain number"} <= set(counts["held_cells"])


def test_no_canary_and_nobody_is_printed(run: Run):
    heard = (run.folder / "heard").read_text(encoding="utf-8", errors="replace") + run.said.out + run.said.err
    assert "High blood pressure: learn" in heard
    for word in (NAME, STRANGER, TERM, *VALUES):
        assert word not in heard
    assert not set(re.findall(r"p[a-z0-9]{10,}", heard)) & set(run.store.people_table()["pseudonym"].to_pylist())


def test_pseudonyms_are_in_the_practices_folders_the_lists_and_the_scores_alone(run: Run):
    everybody = set(run.store.people_table()["pseudonym"].to_pylist())
    assert len(everybody) > 4000
    for path in run.out.rglob("*"):
        if path.is_file() and "practices" not in path.parts and path.name not in ("lists.parquet", "scores.parquet"):
            found = {word.decode() for text in texts(path) for word in re.findall(rb"p[a-z0-9]{10,}", text)}
            assert not found & everybody, path.name
    assert holding(run.out, NAME) == [
        "lists.parquet",
        *sorted(path.relative_to(run.out).as_posix() for path in (run.out / "practices/practice_Y99001").iterdir()),
        "scores.parquet",
    ]


def test_a_list_holds_the_people_of_its_own_practice_alone(run: Run):
    registrations = pq.read_table(run.folder / "out-records" / "store" / _generation(run) / "registration.parquet")
    people = run.store.people_table()["pseudonym"].to_pylist()
    homes: dict[str, set[str]] = {}
    for row in registrations.to_pylist():
        homes.setdefault(row["practice"], set()).add(people[row["person"]])
    for folder in (run.out / "practices").iterdir():
        others = set(people) - homes[folder.name.removeprefix("practice_")]
        for path in folder.iterdir():
            found = {word.decode() for text in texts(path) for word in re.findall(rb"p[a-z0-9]{10,}", text)}
            assert not found & others, path.name


def _generation(run: Run) -> str:
    return (run.records / "store" / "CURRENT").read_text(encoding="ascii").strip()


def test_terms_and_refused_cells_reach_no_output_at_all(run: Run):
    assert holding(run.out, TERM, VALUES[2], STRANGER) == []


def test_values_reach_no_page_of_the_network_and_no_model(run: Run):
    assert [path for path in holding(run.out, *VALUES) if not path.startswith("practices/practice_Y99001/")] == []


def test_mlflow_holds_no_canary_and_no_pseudonym(run: Run, registry: str):
    folder = Path(registry.removeprefix("sqlite:///")).parent
    assert holding(folder, "hypertension")  # there is something to look at
    assert holding(folder, NAME, STRANGER, TERM, *VALUES) == []
    everybody = set(run.store.people_table()["pseudonym"].to_pylist())
    for path in folder.rglob("*"):
        if path.is_file():
            found = {word.decode() for text in texts(path) for word in re.findall(rb"p[a-z0-9]{10,}", text)}
            assert not found & everybody, path.name


def test_the_quarantine_says_where_and_why_and_never_what(run: Run):
    place = run.records / "store" / _generation(run)
    assert holding(place, VALUES[2], STRANGER) == []
    assert "quarantine.parquet" not in holding(place, NAME, TERM)


def test_nothing_is_left_in_temporary_folders(run: Run):
    assert list((run.folder / "temporary").iterdir()) == []
    assert {path.name for path in run.folder.iterdir()} == {"aviary.yaml", "temporary", "heard", "out", "out-records"}


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("casefinding.records.sources", "ingest", ValueError),
        ("casefinding.job.asking", "outcomes", KeyError),
        ("casefinding.job.asking", "build_matrix", ValueError),
        ("casefinding.learn.fit", "train", TypeError),
        ("casefinding.job.scoring", "flag", KeyError),
        ("casefinding.job.scoring", "lines", ValueError),
        ("casefinding.job.writing", "write_practice", UnicodeError),
        ("casefinding.job.writing", "write_manifest", RuntimeError),
    ],
)
def test_an_exception_in_any_stage_shows_no_value(casefinding, hamlet, tmp_path, monkeypatch, module, name, kind):
    def fault(*_: object, **__: object) -> None:
        try:
            raise RuntimeError(f"{NAME} {VALUES[0]}")
        except RuntimeError as cause:
            raise kind(f"{TERM} of {NAME}: {VALUES[0]}") from cause

    (tmp_path / "config.yaml").write_text(config_text("hypertension", path=hamlet), encoding="utf-8")
    monkeypatch.setattr(importlib.import_module(module), name, fault)
    line = casefinding("run", "--config", "config.yaml", "--out", "out").refused(
        1, f"unexpected {kind.__name__}", "Hint"
    )
    for word in (NAME, TERM, VALUES[0]):
        assert word not in line
    assert not (tmp_path / "out").exists()
