"""The audit file shows when a line of it was altered, moved or taken out, and grows by whole lines only."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

from casefinding import audit
from casefinding.errors import RecordsError, WriteError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "deeper" / "audit.jsonl"
    for number in range(4):
        audit.append(made, {"kind": "test", "number": number, "words": "naïve – ü"})
    return made


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines(keepends=True)


def refused_at(file: Path, number: int) -> None:
    before = file.read_bytes()
    with pytest.raises(RecordsError) as refusal:
        audit.entries(file)
    assert refusal.value.where == f"{file}:{number}"
    with pytest.raises(RecordsError):
        audit.append(file, {"kind": "more"})
    assert file.read_bytes() == before


def test_every_line_says_who_when_with_what_and_follows_the_one_before(file):
    found = audit.entries(file)
    assert [one["number"] for one in found] == [0, 1, 2, 3]
    assert found[0]["before"] == audit.FIRST
    for one in found:
        assert one["by"]
        assert one["version"]
        assert dt.datetime.fromisoformat(one["at"]).tzinfo is dt.UTC
    digest = audit.append(file, {"kind": "last"})
    audit.append(file, {"kind": "after"})
    assert audit.entries(file)[-1]["before"] == digest


def test_a_file_that_is_not_there_has_no_lines_and_only_its_owner_may_read_a_new_one(file, tmp_path):
    assert audit.entries(tmp_path / "none.jsonl") == []
    assert not (tmp_path / "none.jsonl").exists()
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_that_was_altered_is_found(file, number):
    kept = lines(file)
    kept[number] = kept[number].replace('"kind": "test"', '"kind": "tesT"')
    file.write_text("".join(kept), encoding="utf-8")
    refused_at(file, number + 2)  # the next line does not follow it any more


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_that_was_taken_out_is_found(file, number):
    kept = lines(file)
    del kept[number]
    file.write_text("".join(kept), encoding="utf-8")
    refused_at(file, number + 1)


def test_lines_that_changed_places_are_found(file):
    kept = lines(file)
    kept[1], kept[2] = kept[2], kept[1]
    file.write_text("".join(kept), encoding="utf-8")
    refused_at(file, 2)


def test_a_space_is_an_alteration_too(file):
    kept = lines(file)
    kept[1] = kept[1].replace("{", "{ ", 1)
    file.write_text("".join(kept), encoding="utf-8")
    refused_at(file, 3)


@pytest.mark.parametrize("more", ["{not json\n", "[]\n", "\n", '{"kind": "made up"}\n', "\x00\x00"])
def test_what_was_written_in_by_hand_is_found(file, more):
    with open(file, "a", encoding="utf-8") as out:
        out.write(more)
    refused_at(file, 5)


def test_a_torn_line_is_found_and_not_built_upon(file):
    file.write_bytes(file.read_bytes()[:-3])
    refused_at(file, 4)


@pytest.mark.parametrize("bytes_there", [1, 40, -2, -1])
@pytest.mark.parametrize("earlier", [0, 4])
def test_a_line_that_a_killed_program_never_finished_is_no_line_and_is_cleared_away(tmp_path, earlier, bytes_there):
    file = tmp_path / "killed.jsonl"
    for number in range(earlier):
        audit.append(file, {"number": number})
    whole = b'{"at": "2026-11-01T10:00:00+00:00", "before": "0", "by": "\xc3\xa9", "kind": "never finished"}\n'
    with open(file, "ab") as out:
        out.write(whole[:bytes_there])
    assert len(audit.entries(file)) == earlier
    audit.append(file, {"kind": "after"})
    found = audit.entries(file)
    assert len(found) == earlier + 1
    assert found[-1]["bytes of an unfinished line taken away"] == len(whole[:bytes_there])


def test_whoever_reads_while_another_adds_sees_nothing_wrong(file, monkeypatch):
    real, added = audit._content, []

    def meanwhile(path: Path) -> bytes:
        if not added:  # after the digest beside it was read, before the lines are
            added.append(True)
            audit.append(path, {"kind": "meanwhile"})
        return real(path)

    monkeypatch.setattr(audit, "_content", meanwhile)
    assert len(audit.entries(file)) == 5


def test_an_audit_file_that_cannot_be_read_is_said_so_in_one_line(tmp_path):
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(RecordsError, match="cannot be read"):
        audit.entries(tmp_path / "audit.jsonl")


def test_a_last_line_that_was_altered_is_found_though_no_line_follows_it(file):
    kept = lines(file)
    kept[-1] = kept[-1].replace('"kind": "test"', '"kind": "tesT"')
    file.write_text("".join(kept), encoding="utf-8")
    refused_at(file, 4)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_last_lines_that_are_gone_are_missed(file, left):
    file.write_text("".join(lines(file)[:left]), encoding="utf-8")
    refused_at(file, max(1, left))


def test_a_file_that_is_lost_is_missed_and_not_begun_anew(file):
    file.unlink()
    with pytest.raises(RecordsError):
        audit.entries(file)
    with pytest.raises(RecordsError):
        audit.append(file, {"kind": "more"})
    assert not file.exists()


def test_a_line_whose_digest_could_not_be_kept_beside_it_counts(file, monkeypatch):
    def full(path: Path, text: str) -> None:
        raise WriteError("cannot write: no space left on device", where=str(path))

    monkeypatch.setattr(audit, "write_text", full)
    audit.append(file, {"kind": "more"})
    monkeypatch.undo()
    assert len(audit.entries(file)) == 5
    audit.append(file, {"kind": "another"})
    assert len(audit.entries(file)) == 6


def test_a_file_from_before_the_digest_was_kept_is_read_as_ever(file):
    file.with_name(file.name + audit.LAST).unlink()
    assert len(audit.entries(file)) == 4
    audit.append(file, {"kind": "more"})
    assert file.with_name(file.name + audit.LAST).exists()


def test_a_clock_that_went_back_is_written_down(file, monkeypatch):
    class Earlier(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return dt.datetime(2020, 1, 1, tzinfo=tz)

    monkeypatch.setattr(audit.dt, "datetime", Earlier)
    audit.append(file, {"kind": "early"})
    monkeypatch.undo()
    audit.append(file, {"kind": "late"})
    found = audit.entries(file)
    assert [one.get("clock went back", False) for one in found] == [False] * 4 + [True, False]


def test_of_a_line_that_does_not_fit_on_the_disk_nothing_stays(file, monkeypatch):
    before = file.read_bytes()
    real = os.write
    calls = []

    def full(handle: int, content: bytes) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(28, "No space left on device", "audit.jsonl")
        return real(handle, bytes(content)[:10])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(WriteError):
        audit.append(file, {"kind": "too long"})
    monkeypatch.undo()
    assert file.read_bytes() == before
    audit.append(file, {"kind": "fits"})
    assert len(audit.entries(file)) == 5


def test_programs_that_write_at_once_wait_for_each_other(tmp_path):
    pytest.importorskip("fcntl", reason="this system has no file locks")
    file = tmp_path / "audit.jsonl"
    script = (
        "import sys; from pathlib import Path; from casefinding import audit\n"
        "for number in range(15): audit.append(Path(sys.argv[1]), {'number': number})"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(file)]) for _ in range(3)]
    assert [one.wait() for one in running] == [0, 0, 0]
    assert len(audit.entries(file)) == 45


def test_whoever_takes_out_the_last_line_and_mends_what_is_beside_it_is_caught_by_the_digest_kept_elsewhere(file):
    digest = audit.append(file, {"kind": "last"})
    file.write_text("".join(lines(file)[:-1]), encoding="utf-8")
    file.with_name(file.name + audit.LAST).unlink()
    assert len(audit.entries(file)) == 4
    audit.append(file, {"kind": "another"})
    audit.append(file, {"kind": "after"})
    assert digest not in {one["before"] for one in audit.entries(file)}
