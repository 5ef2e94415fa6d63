"""Every failure a user can cause: one line, an exit code by kind, nothing half-written."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from casefinding.errors import WriteError
from casefinding.files import new_folder, write_text

ROOT = Path(__file__).parents[2]


def casefinding(*words: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "casefinding", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
    )  # fmt: skip


def said_once(done: subprocess.CompletedProcess, code: int, *words: str) -> None:
    """One line on standard error, no traceback, the exit code of its kind."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("casefinding:")]
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in lines[-1], done.stderr


def test_help_names_every_command():
    done = casefinding("--help")
    assert done.returncode == 0
    for command in (
        "run",
        "train",
        "simulate",
        "ingest",
        "quality",
        "template",
        "check",
        "schema",
        "codelists",
        "segment",
        "first",
    ):
        assert command in done.stdout


def test_version():
    assert casefinding("--version").stdout.startswith("casefinding ")


def test_check_validates_every_definition_and_runs_every_example():
    done = casefinding("check")
    assert done.returncode == 0, done.stderr
    assert "all well" in done.stdout


def test_check_says_file_line_and_hint(tmp_path):
    import shutil

    for folder in ("features", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    file = tmp_path / "features" / "person.yaml"
    file.write_text(file.read_text().replace("ask: age", "ask: agee", 1))
    done = casefinding("check", "--definitions", tmp_path)
    assert done.returncode == 10
    assert "person.yaml:" in done.stderr
    assert "age" in done.stderr


def test_an_unknown_config_is_refused(tmp_path):
    said_once(casefinding("run", "--config", tmp_path / "no.yaml", "--out", tmp_path / "out"), 11, "no.yaml")
    assert not (tmp_path / "out").exists()


def test_records_that_are_not_there_are_refused(tmp_path):
    done = casefinding(
        "run", "--config", "configs/demo.yaml", "--records", tmp_path / "none", "--out", tmp_path / "out"
    )
    said_once(done, 2, "no such folder")
    assert not (tmp_path / "out").exists()


def test_a_config_that_names_an_unknown_model_is_refused(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text((ROOT / "configs/demo.yaml").read_text().replace("[hypertension,", "[hypertnsion,"))
    done = casefinding("run", "--config", config, "--out", tmp_path / "out")
    said_once(done, 11, "hypertnsion", "Hint")


@pytest.mark.parametrize("broken", ["no", "12:30", "0123"])
def test_yaml_guesses_in_a_config_are_refused(tmp_path, broken):
    config = tmp_path / "c.yaml"
    config.write_text((ROOT / "configs/demo.yaml").read_text().replace("seed: 20261101", f"seed: {broken}"))
    assert casefinding("run", "--config", config, "--out", tmp_path / "out").returncode == 11


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "page.html"
    write_text(target, "before")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="no space left"):
        write_text(target, "after")
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out"
    with new_folder(target) as fresh:
        write_text(fresh / "manifest.json", "first")

    def stopped() -> None:
        with new_folder(target) as fresh:
            write_text(fresh / "manifest.json", "second")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert (target / "manifest.json").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_survives_a_kill_between_its_two_renames(tmp_path):
    target = tmp_path / "out"
    with new_folder(target) as fresh:
        write_text(fresh / "manifest.json", "first")
    os.rename(target, tmp_path / ".out.before")  # what a kill between the renames leaves
    with pytest.raises(RuntimeError), new_folder(target):
        raise RuntimeError
    assert (target / "manifest.json").read_text() == "first"
