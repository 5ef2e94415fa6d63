"""The ledger keeps every list and every outcome, each once, and refuses to work on what was changed by hand."""

import datetime as dt
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casefinding import audit
from casefinding.errors import RecordsError, WriteError
from casefinding.recall.loop import ledger as ledger_room
from casefinding.recall.loop.ledger import CONTACT_KIND, LISTED, OUTCOME, OUTCOMES, Ledger
from casefinding.records.tables import CONTACT, CONTACT_KINDS

AUGUST, SEPTEMBER, OCTOBER = (dt.date(2026, month, 1) for month in (8, 9, 10))


def a_list(list_id: str, day: dt.date, *people: str, practice: str = "A") -> pa.Table:
    blank = {name: None for name in LISTED.names}
    return pa.Table.from_pylist(
        [
            blank
            | {"list_id": list_id, "index_day": day, "practice": practice, "pseudonym": one, "condition": "thirst"}
            for one in people
        ],
        schema=LISTED,
    )


def came_back(*found: tuple[str, str, dt.date], list_id: str = "one", file: str = "a.xlsx") -> pa.Table:
    """OUTCOME from (pseudonym, outcome, day)."""
    return pa.Table.from_pylist(
        [
            {"list_id": list_id, "practice": "A", "pseudonym": who, "condition": "thirst", "outcome": outcome, "on": on,
             "file": file, "file_sha256": "0", "row": row}
            for row, (who, outcome, on) in enumerate(found, start=2)
        ],
        schema=OUTCOME,
    )  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger")


def names(table: pa.Table | None) -> list[str]:
    assert table is not None
    return table["pseudonym"].to_pylist()


def test_a_ledger_that_is_not_there_yet_is_empty_and_looking_makes_nothing(ledger):
    assert ledger.lists().num_rows == ledger.outcomes().num_rows == 0
    assert ledger.previous(OCTOBER) is None
    assert not ledger.path.exists()


def test_the_previous_list_is_the_latest_before_the_day_of_each_practice(ledger):
    ledger.record_list(a_list("one", AUGUST, "p1"))
    ledger.record_list(a_list("two", SEPTEMBER, "p2"))
    ledger.record_list(a_list("three", OCTOBER, "p3"))
    ledger.record_list(a_list("four", AUGUST, "q1", practice="B"))
    assert names(ledger.previous(OCTOBER)) == ["p2", "q1"]
    assert names(ledger.previous(SEPTEMBER)) == ["p1", "q1"]
    assert ledger.previous(AUGUST) is None
    assert names(ledger.lists()) == ["p1", "p2", "p3", "q1"]


def test_of_two_lists_of_one_day_the_later_made_is_the_previous_and_both_are_kept(ledger):
    ledger.record_list(a_list("two", SEPTEMBER, "p2"))
    ledger.record_list(a_list("one", SEPTEMBER, "p1"))
    assert names(ledger.previous(OCTOBER)) == ["p1"]
    assert ledger.lists().num_rows == 2


def test_the_same_list_twice_is_remembered_once(ledger):
    for _ in range(3):
        ledger.record_list(a_list("one", SEPTEMBER, "p1", "p2"))
    assert names(Ledger.open(ledger.path).lists()) == ["p1", "p2"]
    assert len(audit.entries(ledger.path / "ledger.jsonl")) == 1


def test_a_list_with_the_id_of_another_takes_nothing_away_from_it(ledger):
    ledger.record_list(a_list("one", SEPTEMBER, "p1"))
    ledger.record_list(a_list("one", SEPTEMBER, "p2"))
    ledger.record_list(a_list("one", SEPTEMBER, "p1"))
    ledger.record_list(a_list("one-2", SEPTEMBER, "p3"))
    assert names(Ledger.open(ledger.path).lists()) == ["p1", "p2", "p3"]


def test_an_empty_list_is_not_remembered(ledger):
    ledger.record_list(LISTED.empty_table())
    assert not ledger.path.exists()


def test_the_same_outcome_twice_counts_once_whatever_file_it_came_in(ledger):
    seen = ("p1", "Seen – diagnosed", SEPTEMBER)
    assert ledger.record_outcomes(came_back(seen, seen)) == 1
    assert ledger.record_outcomes(came_back(seen, file="a copy.xlsx")) == 0
    assert ledger.record_outcomes(came_back(seen, ("p2", "Declined", AUGUST))) == 1
    found = Ledger.open(ledger.path).outcomes()
    assert [(one["pseudonym"], one["file"]) for one in found.to_pylist()] == [("p2", "a.xlsx"), ("p1", "a.xlsx")]


def test_a_correction_is_a_further_outcome(ledger):
    ledger.record_outcomes(came_back(("p1", "Declined", SEPTEMBER)))
    assert ledger.record_outcomes(came_back(("p1", "Seen – diagnosed", SEPTEMBER))) == 1
    assert ledger.outcomes().num_rows == 2


@pytest.mark.parametrize("wrong", [("p1", "Perhaps", SEPTEMBER), ("p1", "Declined", None)])
def test_an_outcome_without_a_day_or_of_no_kind_is_refused_and_none_is_kept(ledger, wrong):
    with pytest.raises(RecordsError):
        ledger.record_outcomes(came_back(("p2", "Declined", SEPTEMBER), wrong))
    assert ledger.outcomes().num_rows == 0


# -------------------- as contacts

PEOPLE = pa.table({"person": pa.array([4, 5], pa.int64()), "pseudonym": ["p1", "p2"]})


def contacts(ledger, before=OCTOBER) -> list[tuple]:
    found = ledger.contacts(PEOPLE, before)
    assert found.schema == CONTACT
    return [tuple(one.values()) for one in found.to_pylist()]


def test_every_outcome_is_a_contact_that_there_is():
    assert set(CONTACT_KIND) == set(OUTCOMES)
    assert set(CONTACT_KIND.values()) <= set(CONTACT_KINDS)


def test_outcomes_before_the_day_of_people_in_the_records_become_contacts(ledger):
    ledger.record_outcomes(
        came_back(("p1", "Declined", AUGUST), ("p2", "Seen – result awaited", OCTOBER), ("p9", "Declined", AUGUST))
    )
    assert contacts(ledger) == [(4, "thirst", "declined", AUGUST)]
    assert contacts(ledger, AUGUST) == []


def test_not_attending_is_no_second_invitation(ledger):
    ledger.record_outcomes(came_back(("p1", "Invited", AUGUST), ("p1", "Did not attend", dt.date(2026, 8, 20))))
    assert contacts(ledger) == [(4, "thirst", "invited", AUGUST)]
    ledger.record_outcomes(came_back(("p1", "Did not attend", SEPTEMBER), list_id="two"))
    assert contacts(ledger)[1:] == [(4, "thirst", "invited", SEPTEMBER)]  # all that is known of the second list


# -------------------- altered, lost, interrupted


def filled(ledger) -> Ledger:
    ledger.record_list(a_list("one", AUGUST, "p1"))
    ledger.record_outcomes(came_back(("p1", "Invited", AUGUST)))
    ledger.record_outcomes(came_back(("p1", "Declined", SEPTEMBER)))
    return ledger


def parquets(ledger) -> list[Path]:
    return sorted(ledger.path.rglob("*.parquet"))


def test_a_list_that_could_not_be_remembered_is_told_as_that(ledger, monkeypatch):
    def full(path, content):
        raise WriteError("cannot write: no space left on device")

    monkeypatch.setattr(ledger_room, "write_bytes", full)
    with pytest.raises(WriteError, match="the ledger does not know them") as problem:
        ledger.record_list(a_list("one", AUGUST, "ann"))
    assert "run the same command again" in problem.value.hint
    monkeypatch.undo()
    ledger.record_list(a_list("one", AUGUST, "ann"))
    assert names(Ledger.open(ledger.path).lists()) == ["ann"]


def test_a_file_is_no_ledger(tmp_path):
    (tmp_path / "ledger").write_text("not a folder", encoding="utf-8")
    with pytest.raises(RecordsError, match="is a file"):
        Ledger.open(tmp_path / "ledger")


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_file_that_was_altered_or_is_lost_is_refused(ledger, which):
    victim = parquets(filled(ledger))[which]
    whole = victim.read_bytes()
    table = pq.read_table(victim)
    pq.write_table(pa.concat_tables([table, table]), victim)
    with pytest.raises(RecordsError, match="altered since it was recorded, or is lost"):
        Ledger.open(ledger.path)
    victim.unlink()
    with pytest.raises(RecordsError, match="altered since it was recorded, or is lost"):
        Ledger.open(ledger.path)
    victim.write_bytes(whole)
    assert Ledger.open(ledger.path).outcomes().num_rows == 2


def test_nothing_is_recorded_on_top_of_an_altered_audit_file(ledger):
    file = filled(ledger).path / "ledger.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(lines[0] + lines[2])
    with pytest.raises(RecordsError, match="altered, or a line of it is lost"):
        ledger.record_list(a_list("two", SEPTEMBER, "p2"))
    with pytest.raises(RecordsError, match=r"ledger\.jsonl:2"):
        Ledger.open(ledger.path)


def test_a_ledger_whose_last_line_or_whole_audit_is_gone_is_refused_and_not_read_as_empty(ledger):
    audit_file = filled(ledger).path / "ledger.jsonl"
    kept = audit_file.read_text(encoding="utf-8").splitlines(keepends=True)
    audit_file.write_text("".join(kept[:-1]), encoding="utf-8")
    with pytest.raises(RecordsError, match=r"ledger\.jsonl"):
        Ledger.open(ledger.path)
    audit_file.unlink()
    with pytest.raises(RecordsError, match=r"ledger\.jsonl"):
        Ledger.open(ledger.path)


def test_a_run_killed_between_the_file_and_its_line_is_made_good_by_the_next(ledger):
    filled(ledger)
    before = {path: path.read_bytes() for path in ledger.path.glob("ledger.jsonl*")}
    ledger.record_list(a_list("two", SEPTEMBER, "p2"))
    ledger.record_outcomes(came_back(("p2", "Declined", SEPTEMBER)))
    for path, content in before.items():  # as if both had been killed before their line
        path.write_bytes(content)
    again = Ledger.open(ledger.path)
    assert again.lists().num_rows == 1
    assert again.outcomes().num_rows == 2
    again.record_list(a_list("two", SEPTEMBER, "p2"))
    assert again.record_outcomes(came_back(("p2", "Declined", SEPTEMBER))) == 1
    assert names(Ledger.open(ledger.path).lists()) == ["p1", "p2"]
    assert Ledger.open(ledger.path).outcomes().num_rows == 3


def test_no_file_is_ever_written_over(ledger):
    kept = {path: path.read_bytes() for path in parquets(filled(ledger))}
    ledger.record_list(a_list("one", AUGUST, "p7"))
    ledger.record_outcomes(came_back(("p7", "Invited", AUGUST)))
    assert len(parquets(ledger)) == len(kept) + 2
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_the_digest_tells_what_a_run_can_know(ledger):
    filled(ledger)
    known = ledger.digest(SEPTEMBER)
    ledger.record_list(a_list("two", SEPTEMBER, "p2"))  # the run's own list does not change what it knew
    ledger.record_outcomes(came_back(("p2", "Invited", SEPTEMBER)))
    assert ledger.digest(SEPTEMBER) == known
    ledger.record_outcomes(came_back(("p2", "Invited", AUGUST)))
    assert ledger.digest(SEPTEMBER) != known


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["p1", "p2"]), st.sampled_from(OUTCOMES), st.dates(AUGUST, SEPTEMBER)), max_size=6
        ),
        max_size=4,
    )
)
def test_outcomes_sent_in_any_number_of_files_are_each_there_once(tmp_path, files):
    shutil.rmtree(tmp_path / "many", ignore_errors=True)
    ledger = Ledger.open(tmp_path / "many")
    new = sum(ledger.record_outcomes(came_back(*found)) for found in files)
    sent = {row for found in files for row in found}
    kept = Ledger.open(tmp_path / "many").outcomes()
    columns = [kept[name].to_pylist() for name in ("pseudonym", "outcome", "on")]
    assert sorted(zip(*columns, strict=True)) == sorted(sent)
    assert new == len(sent)
    assert kept["on"].to_pylist() == sorted(kept["on"].to_pylist())
