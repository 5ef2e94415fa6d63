"""A run that is killed or stopped leaves what was there before, whole; the next run is none the worse for it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import call, config_text, contents

pytestmark = pytest.mark.xdist_group("whole job")
KILLED = """\
import os, signal, sys
import casefinding.job.scoring, casefinding.job.writing as writing, casefinding.learn.fit  # before the forks
from casefinding.cli import main
from casefinding.job.progress import Stages

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_after(name, say=Stages.say):
    def line(self, text):
        say(self, text)
        if name in text:
            dies()
    return line

def second_practice(*words, write=writing.write_practice, seen=[]):
    seen.append(1)
    return write(*words) if len(seen) == 1 else dies()

TIMES = {
    "bring in": lambda: setattr(Stages, "say", dies_after("Bring in the records")),
    "practice": lambda: setattr(writing, "write_practice", second_practice),
    "manifest": lambda: setattr(writing, "write_manifest", dies),
}
for moment in sys.argv[1:]:
    when, out = moment.split("/")
    child = os.fork()
    if child == 0:
        TIMES[when]()
        sys.argv = ["casefinding", "run", "--config", "other.yaml", "--out", out]
        main()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(moment, -os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.fixture(scope="module")
def stood(hamlet: Path, tmp_path_factory) -> tuple[Path, dict[str, bytes]]:
    """A folder with a config and the output of a run that ended well."""
    folder = tmp_path_factory.mktemp("stood")
    config = config_text("atrial_fibrillation, copd", path=hamlet)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    said = call(folder, "run", "--config", "config.yaml", "--out", "out")
    assert said.code == 0, said.err
    (folder / "other.yaml").write_text(
        config.replace("electrocardiogram: 10", "electrocardiogram: 3"), encoding="utf-8"
    )
    return folder, contents(folder / "out")


@pytest.fixture
def folder(stood: tuple[Path, dict[str, bytes]], tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(stood[0], tmp_path / "stood"))


def test_killed_at_any_stage_the_output_is_the_old_one_or_none_and_the_next_run_is_as_the_first(
    stood, folder, environment, casefinding
):
    moments = ["bring in/out", "practice/out", "manifest/out", "practice/first"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *moments], cwd=folder, capture_output=True, text=True, env=environment
    )
    assert done.stdout.splitlines() == [f"{moment} {int(signal.SIGKILL)}" for moment in moments], done.stderr
    assert contents(folder / "out") == stood[1]
    assert not (folder / "first").exists()
    for out in ("out", "first"):
        said = casefinding("run", "--config", "config.yaml", "--out", out, folder=folder)
        assert said.code == 0, said.err
        assert contents(folder / out) == stood[1]
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml", "other.yaml", "out", "out-records", "first", "first-records"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("casefinding.records.sources", "ingest"),
        ("casefinding.job.asking", "build_matrix"),
        ("casefinding.job.scoring", "flag"),
        ("casefinding.job.writing", "write_practice"),
        ("casefinding.job.writing", "write_manifest"),
    ],
    ids=["bring in", "learn", "score", "practice", "manifest"],
)
def test_control_c_ends_in_one_line_and_nothing_half_written(
    stood, folder, casefinding, monkeypatch, request, module, name
):
    import importlib

    def pressed(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)  # the signal comes between two instructions: give it one

    # A session in the background of a script ignores Ctrl-C, and so would all that is started in it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    monkeypatch.setattr(importlib.import_module(module), name, pressed)
    casefinding("run", "--config", "other.yaml", "--out", "out", folder=folder).refused(130, "stopped")
    assert contents(folder / "out") == stood[1]
    assert {path.name for path in folder.iterdir()} == {"config.yaml", "other.yaml", "out", "out-records"}
