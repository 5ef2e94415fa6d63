"""One small run of the whole job, made once and read by every test here; and a way to call the commands in process."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """\
network:
  name: Little Marsh Primary Care Network (fictional)
index day: 2026-10-01
conditions: [{conditions}]
records:
{records}
training: {{times: 3, every: 12 months, folds: 2, threads: {threads}}}
capacity:
  every practice:
    a month: {{blood pressure check: 20, electrocardiogram: 10, spirometry: 10}}
    never measured share: 0.2
bootstrap: 20
seed: 7
"""
ALL = "hypertension, atrial_fibrillation, copd"
GREETING = "casefinding: Little Marsh Primary Care Network (fictional), index day"
NO_NETWORK = """\
import os, socket

def refuse(real):
    def connect(self, address, *rest):
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and not (host == "localhost" or host == "::1" or host.startswith("127.")):
            with open(os.environ["NETWORK_LOG"], "a") as log:
                log.write(f"{address}\\n")
            raise OSError("this test has no network")
        return real(self, address, *rest)
    return connect

def lookup(host, *rest, real=socket.getaddrinfo, **more):
    if host not in (None, "", "localhost", "127.0.0.1", "::1", socket.gethostname()):
        with open(os.environ["NETWORK_LOG"], "a") as log:
            log.write(f"{host}\\n")
        raise socket.gaierror("this test has no network")
    return real(host, *rest, **more)

socket.socket.connect = refuse(socket.socket.connect)
socket.socket.connect_ex = refuse(socket.socket.connect_ex)
socket.getaddrinfo = lookup
"""


def config_text(
    conditions: str = ALL, *, people: int = 0, practices: int = 4, path: Path | None = None, kind: str = "native",
    threads: int = 2,
) -> str:  # fmt: skip
    """A small config: of simulated people, or of an extract at `path` (which `--records` replaces)."""
    if people:
        records = f"  simulate: {{people: {people}, practices: {practices}, seed: 7}}"
    else:
        records = f"  kind: {kind}\n  path: {path or 'extract'}"
    return CONFIG.format(conditions=conditions, records=records, threads=threads)


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    def refused(self, code: int, *words: str) -> str:
        """One line that says what, where and a hint, and nothing like a traceback; gives the line."""
        lines = [
            line for line in self.err.splitlines() if line.startswith("casefinding: ") and not line.startswith(GREETING)
        ]
        assert self.code == code, self.err
        assert len(lines) == 1, self.err
        assert self.err.rstrip().endswith(lines[0]), self.err
        assert "Traceback" not in self.err
        assert self.out == ""
        for word in words:
            assert word.lower() in lines[0].lower(), lines[0]
        return lines[0]


@contextlib.contextmanager
def standing(folder: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Another working directory and environment for a while."""
    before, here = dict(os.environ), Path.cwd()
    os.environ.update(env)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


def call(folder: Path, *words: str | Path, **env: str) -> Said:
    """A command by its own `main`, in this process: what it imports is paid for once."""
    from casefinding.cli import main

    out, err, given = io.StringIO(), io.StringIO(), sys.argv
    with standing(folder, env), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv = ["casefinding", *map(str, words)]
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        finally:
            sys.argv = given
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For processes of our own: this checkout, no network (attempts go to NETWORK_LOG), modules compiled once."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    if env.pop("PYTHONDONTWRITEBYTECODE", ""):
        env["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    binaries = str(Path(sys.executable).parent)
    return {
        **env, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "NETWORK_LOG": str(folder / "network.log"),
        "PATH": f"{binaries}{os.pathsep}{env.get('PATH', '')}", "COLUMNS": "200",
    }  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run that ended well."""

    folder: Path
    said: Said
    config: Path
    out: Path

    @property
    def records(self) -> Path:
        return self.out.with_name(f"{self.out.name}-records")

    @property
    def store(self):
        from casefinding.records.store import Store

        return Store.open(self.records / "store")

    @property
    def database(self) -> Path:
        return self.folder / "mlflow.db"

    def scores(self) -> pa.Table:
        return pq.read_table(self.out / "scores.parquet")

    def lists(self) -> list[dict[str, str]]:
        """Every practice's list, as its CSV says it."""
        return [
            row
            for path in sorted((self.out / "practices").rglob("*.csv"))
            for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        ]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Run:
    """9,000 people of four practices, through `python -m casefinding run` in an empty folder without a network."""
    folder = tmp_path_factory.mktemp("whole")
    config = folder / "small.yaml"
    config.write_text(config_text(people=9_000), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "casefinding", "run", "--config", "small.yaml", "--out", "out"],
        cwd=folder, capture_output=True, text=True,
        env={**environment, "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Run(folder, Said(done.returncode, done.stdout, done.stderr), config, folder / "out")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An MLflow database for what runs in this process."""
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


@pytest.fixture
def casefinding(tmp_path: Path, registry: str) -> Callable[..., Said]:
    """Call a command in process, in an empty folder."""

    def run(*words: str | Path, folder: Path = tmp_path, **env: str) -> Said:
        return call(folder, *words, **{"MLFLOW_TRACKING_URI": registry, **env})

    return run


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped definitions, with models that are content with few cases and grow few trees."""
    return quick_definitions(tmp_path_factory.mktemp("quick"))


def quick_definitions(folder: Path) -> Path:
    """Copy the shipped definitions and make their models quick to train."""
    for part in ("features", "models"):
        shutil.copytree(ROOT / part, folder / part)
    for path in (folder / "models").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.stem not in ("leave_outs", "open_questions", "quality", "segments", "treatment_gaps", "visits"):
            text = re.sub(r"^learner:.*\n(?:[ #].*\n)*", "", text, flags=re.MULTILINE)
            path.write_text(f"{text}\nlearner: {{trees: 30, fewest cases: 20}}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extract of 4,000 people of two practices, in Parquet; the truth lies elsewhere."""
    from casefinding.synthetic.simulate import simulate

    folder = tmp_path_factory.mktemp("tiny")
    simulate(4_000, 2, 7, folder / "extract", folder / "truth")
    return folder / "extract"


@pytest.fixture(scope="session")
def hamlet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extract of 200 people of two practices, in CSV, as a data manager would send it."""
    from casefinding.synthetic.simulate import simulate

    folder = tmp_path_factory.mktemp("hamlet")
    simulate(200, 2, 7, folder / "parquet", folder / "truth")
    (folder / "extract").mkdir()
    for table in ("person", "registration", "practice", "event", "contact", "extract"):
        single = folder / "parquet" / f"{table}.parquet"
        rows = pq.read_table(single if single.exists() else folder / "parquet" / table)
        plain = pa.table({name: rows[name].cast(pa.string()) for name in rows.column_names})
        pyarrow.csv.write_csv(plain, folder / "extract" / f"{table}.csv")
    return folder / "extract"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
