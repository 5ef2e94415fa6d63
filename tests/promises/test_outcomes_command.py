"""`casefinding outcomes`: what came back is read, what was refused is said and kept, and no file stops another."""

import csv
import datetime as dt

import pytest

from casefinding.errors import WriteError
from casefinding.job.outcomes import read_outcomes
from casefinding.recall.loop.ledger import Ledger
from tests.promises.conftest import contents
from tests.recall import post

DAY = "14/10/2026"
TODAY = ("--today", "2026-11-22")
SOME = {
    "p1in1": ("Seen – diagnosed", None, DAY),
    "p1in2": ("Declined", None, "someday"),
    "p1in3": ("Asleep", None, DAY),
}


@pytest.fixture
def ledger(tmp_path):
    return post.ledger(tmp_path / "ledger")


def refused_rows(ledger):
    return [
        row for path in sorted((ledger.path / "refused").glob("*.csv"))
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    ]  # fmt: skip


def test_a_file_is_read_each_refused_row_with_its_reason_and_its_place(casefinding, tmp_path, ledger):
    post.sent_back(tmp_path / "marsh lane.xlsx", SOME)
    said = casefinding("outcomes", "read", "marsh lane.xlsx", "--ledger", "ledger", *TODAY)
    assert said.code == 0, said.err
    assert "marsh lane.xlsx: 1 row read, 1 outcome, 1 of them new; 17 not filled in; 2 refused" in said.out
    assert "refused, 1 row: the outcome is none of the drop-down" in said.out
    assert said.err == ""
    rows = refused_rows(ledger)
    assert [(row["file"], row["sheet"], row["row"]) for row in rows] == [
        ("marsh lane.xlsx", "Invite", "6"), ("marsh lane.xlsx", "Invite", "7"),
    ]  # fmt: skip
    assert "type day/month/year" in rows[0]["reason"]
    assert not any(name in str(rows) + said.out for name in ("p1in", "someday", "Asleep"))
    assert Ledger.open(ledger.path).outcomes()["pseudonym"].to_pylist() == ["p1in1"]


def test_reading_twice_changes_nothing_but_the_audit(casefinding, tmp_path, ledger):
    post.sent_back(tmp_path / "a.xlsx", SOME)
    casefinding("outcomes", "read", "a.xlsx", "--ledger", "ledger", *TODAY)
    before = contents(ledger.path)
    said = casefinding("outcomes", "read", "a.xlsx", "a.xlsx", "--ledger", "ledger", *TODAY)
    assert said.out.count("0 of them new") == 2
    after = contents(ledger.path)
    assert {name for name in after if after[name] != before.get(name)} == {"received.jsonl", "received.jsonl.last"}


def test_a_disk_that_is_full_is_told_with_the_file_that_was_reached_and_nothing_is_half_recorded(
    tmp_path, ledger, monkeypatch
):
    files = [post.sent_back(tmp_path / name, {who: ("Invited", None, DAY)}) for name, who in (
        ("a.xlsx", "p1in1"), ("b.xlsx", "p1in2"), ("c.xlsx", "p1in3"),
    )]  # fmt: skip
    real, left = Ledger.record_outcomes, [1]

    def full(self, found):
        if not left:
            raise WriteError("cannot write: no space left on device")
        left.pop()
        return real(self, found)

    monkeypatch.setattr(Ledger, "record_outcomes", full)
    today = dt.date(2026, 11, 22)
    done = read_outcomes(files, ledger.path, today=today)
    assert [one.new for one in done] == [1, 0]  # the first is told as read, the third was not tried
    assert str(done[1].problem).startswith("cannot write: no space left on device [b.xlsx]")
    assert "the 1 file after it" in str(done[1].problem)
    monkeypatch.undo()
    again = read_outcomes(files, ledger.path, today=today)
    assert [(one.rows, one.new > 0, one.problem) for one in again] == [
        (1, False, None),
        (1, True, None),
        (1, True, None),
    ]


def test_a_refused_file_stops_no_other_and_sets_the_exit_code(casefinding, tmp_path, ledger):
    post.sent_back(tmp_path / "good.xlsx", {"p1in1": ("Invited", None, DAY)})
    post.csv_sent_back(tmp_path / "also good.csv", {"p2in1": ("Invited", None, DAY)}, "Y99002")
    post.csv_sent_back(tmp_path / "named.csv", {"p1in3": ("Invited 999 000 0018", None, DAY)})
    said = casefinding("outcomes", "read", "good.xlsx", "named.csv", "also good.csv", "--ledger", "ledger", *TODAY)
    assert said.code == 12
    (line,) = said.err.splitlines()
    assert line.startswith("casefinding: holds what looks like an NHS number: this file must not leave the practice")
    assert "0018" not in said.err + said.out
    assert sorted(Ledger.open(ledger.path).outcomes()["pseudonym"].to_pylist()) == ["p1in1", "p2in1"]


@pytest.mark.parametrize("what", ["a list from elsewhere", "a lost column", "nothing of ours", "no list at all"])
def test_a_file_that_cannot_be_read_is_refused_in_one_line_and_leaves_the_ledger_as_it_was(
    casefinding, tmp_path, ledger, what
):
    path = post.csv_sent_back(tmp_path / "a.csv", SOME)
    words = {
        "a list from elsewhere": ("list ffffffff is not in the ledger", "--ledger"),
        "a lost column": ("column 'outcome_date' is missing",),
        "nothing of ours": ("a.csv",),
        "no list at all": ("the ledger holds no list", "--ledger"),
    }[what]
    text = path.read_text(encoding="utf-8")
    if what == "a list from elsewhere":
        path.write_text(text.replace("0123abcd", "ffffffff"), encoding="utf-8")
    elif what == "a lost column":
        path.write_text(text.replace("outcome_date", "when", 1), encoding="utf-8")
    elif what == "nothing of ours":
        path.write_bytes(b"\x00\x01\x02")
    before = contents(ledger.path)
    folder = "elsewhere" if what == "no list at all" else "ledger"
    casefinding("outcomes", "read", "a.csv", "--ledger", folder, *TODAY).refused(12, *words)
    assert contents(ledger.path) == before
    assert not (tmp_path / "elsewhere").exists()


def test_outcomes_without_a_day_can_be_given_one(casefinding, tmp_path, ledger):
    post.sent_back(tmp_path / "a.xlsx", {"p1in1": ("Invited", None, None)})
    assert "no date" in casefinding("outcomes", "read", "a.xlsx", "--ledger", "ledger", *TODAY).out
    assert len(refused_rows(ledger)) == 1
    said = casefinding("outcomes", "read", "a.xlsx", "--ledger", "ledger", "--undated", "2026-10-31", *TODAY)
    assert "1 of them new" in said.out
    assert refused_rows(ledger) == []  # what is right now is no longer among the refused
    assert Ledger.open(ledger.path).outcomes()["on"].to_pylist() == [dt.date(2026, 10, 31)]


def test_a_day_in_the_future_is_refused_and_today_can_be_said(casefinding, tmp_path, ledger):
    post.sent_back(tmp_path / "a.xlsx", {"p1in1": ("Invited", None, DAY)})
    said = casefinding("outcomes", "read", "a.xlsx", "--ledger", "ledger", "--today", "2026-10-13")
    assert "in the future" in said.out
    assert (
        "1 of them new" in casefinding("outcomes", "read", "a.xlsx", "--ledger", "ledger", "--today", "2026-10-14").out
    )


def test_show_tells_how_far_people_came(casefinding, tmp_path, ledger):
    post.sent_back(
        tmp_path / "a.xlsx", {"p1in1": ("Seen – diagnosed", None, DAY), "p1ac1": ("Already known", None, DAY)}
    )
    casefinding("outcomes", "read", "a.xlsx", "--ledger", "ledger", *TODAY)
    said = casefinding("outcomes", "show", "--ledger", "ledger")
    assert said.code == 0, said.err
    first = said.out.splitlines()[1].split()
    assert first == ["Everybody", "60", "2", "1", "1", "1", "–", "–", "1", "0", "0"]
    assert "Already known: 1 of 2 of whom an outcome came back (50%)" in said.out
    casefinding("outcomes", "show", "--ledger", "elsewhere").refused(12, "holds no list")
