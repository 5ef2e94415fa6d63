"""How far people came: each counted once, no stage larger than the one before, nothing published that is small."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefinding.recall.loop.funnel import ENDINGS, GROUPINGS, STAGES, Records, awaited, funnel, never_coded
from casefinding.recall.loop.ledger import LISTED, OUTCOME, OUTCOMES

OCTOBER, NOVEMBER, DECEMBER = dt.date(2026, 10, 1), dt.date(2026, 11, 1), dt.date(2026, 12, 1)


def listed(*people, list_id="oct", day=OCTOBER, wave=1, condition="thirst", lane="invite", **more):
    rows = [
        {
            "list_id": list_id, "index_day": day, "practice": "Y99001", "pseudonym": name, "condition": condition,
            "label": condition.capitalize(), "line_lane": lane, "lane": lane, "rules": "", "test": "", "visit": "",
            "wave": wave if lane == "invite" else 0, "place": 1, "chance": 0.2, "sex": "female",
            "age_band": "45 to 54", "ethnicity": "asian", "deprivation": "Core20", **more,
        }
        for name in people
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=LISTED)


def told(*said, list_id="oct", condition="thirst"):
    """(person, outcome, day) each."""
    rows = [
        {"list_id": list_id, "practice": "Y99001", "pseudonym": name, "condition": condition, "outcome": outcome,
         "on": on, "file": "a", "file_sha256": "0", "row": 1}
        for name, outcome, on in said
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=OUTCOME)


def records(register=(), treated=(), condition="thirst", day=DECEMBER):
    register = register if isinstance(register, dict) else dict.fromkeys(register)
    return Records(day, {condition: register}, {condition: set(treated)})


def stages(*given, grouping="all", group="Everybody"):
    (found,) = [one for one in funnel(*given) if (one.grouping, one.group) == (grouping, group)]
    return found


DAY = dt.date(2026, 10, 14)


def test_everybody_is_counted_as_far_as_they_came():
    lists = listed(*"abcdefghij")
    said = told(
        ("b", "Invited", DAY), ("c", "Did not attend", DAY), ("d", "Seen – result awaited", DAY),
        ("e", "Seen – not diagnosed", DAY), ("f", "Seen – diagnosed", DAY), ("g", "Seen – diagnosed", DAY),
        ("h", "Seen – diagnosed", DAY), ("i", "Declined", DAY), ("j", "Already known", DAY),
    )  # fmt: skip
    found = stages(lists, said, records("ghj", "h"))
    assert dict(found.stages) == {
        "listed": 10, "invited": 8, "attended": 5, "tested": 4, "confirmed": 3, "coded": 2, "treated": 1,
    }  # fmt: skip
    assert found.endings == {
        "confirmed": 3, "not confirmed": 1, "result awaited": 1, "declined": 1, "already known": 1,
        "not appropriate": 0, "did not attend": 1, "no answer": 1, "nothing returned": 1,
    }  # fmt: skip
    assert found.returned == 9
    assert found.known_already == pytest.approx(1 / 9)
    assert found.coded_anyhow == 1


def test_without_records_nothing_is_said_of_the_register():
    found = stages(listed("a"), told(("a", "Seen – diagnosed", DAY)))
    assert found.stages["confirmed"] == 1
    assert found.stages["coded"] is found.stages["treated"] is found.coded_anyhow is None


def test_lanes_that_invite_nobody_count_those_acted_on():
    lists = pa.concat_tables([listed("a", lane="act now"), listed("b", lane="invite")])
    said = told(("a", "Not appropriate", DAY), ("b", "Not appropriate", DAY))
    assert stages(lists, said, grouping="lane", group="act now").stages["invited"] == 1
    assert stages(lists, said, grouping="lane", group="invite").stages["invited"] == 0


def test_a_person_listed_again_counts_once_but_in_each_wave():
    lists = pa.concat_tables([listed("a", "b"), listed("a", list_id="nov", day=NOVEMBER, wave=2)])
    said = pa.concat_tables(
        [told(("a", "Invited", DAY)), told(("a", "Seen – diagnosed", dt.date(2026, 11, 9)), list_id="nov")]
    )
    assert stages(lists, said).stages["listed"] == 2
    assert stages(lists, said).stages["confirmed"] == 1
    first, second = (stages(lists, said, grouping="wave", group=number).stages for number in "12")
    assert (first["listed"], first["invited"], first["confirmed"]) == (2, 1, 0)
    assert (second["listed"], second["confirmed"]) == (1, 1)


def test_two_conditions_of_one_person_are_two():
    lists = pa.concat_tables([listed("a"), listed("a", condition="hunger")])
    said = pa.concat_tables([told(("a", "Seen – diagnosed", DAY)), told(("a", "Declined", DAY), condition="hunger")])
    assert stages(lists, said).stages["listed"] == 2
    assert stages(lists, said, grouping="condition", group="hunger").stages["confirmed"] == 0


def test_the_last_verdict_counts():
    later = dt.date(2026, 11, 9)
    lists = listed("a", "b", "c")
    said = told(
        ("a", "Seen – diagnosed", DAY), ("a", "Seen – not diagnosed", later),
        ("b", "Seen – not diagnosed", DAY), ("b", "Seen – diagnosed", later),
        ("c", "Seen – diagnosed", DAY), ("c", "Already known", later),
    )  # fmt: skip
    assert stages(lists, said).stages["confirmed"] == 2
    assert never_coded(lists, said, records())["pseudonym"].to_pylist() == ["c", "b"]


def test_a_result_that_was_awaited_is_told_by_the_register():
    lists, said = listed("a", "b", "c"), told(*((name, "Seen – result awaited", DAY) for name in "abc"))
    since = {"a": None, "b": dt.date(2026, 10, 20), "c": dt.date(2026, 10, 3)}
    assert stages(lists, said, records(since)).stages["coded"] == 2


def test_what_happened_on_or_after_the_index_day_of_the_records_is_not_yet_known():
    lists = pa.concat_tables([listed("a"), listed("b", list_id="dec", day=DECEMBER)])
    said = told(("a", "Seen – diagnosed", DECEMBER))
    assert stages(lists, said, records()).stages == {**dict.fromkeys(STAGES, 0), "listed": 1}
    assert never_coded(lists, said, records()).num_rows == 0


def test_confirmed_never_coded_goes_back_to_the_practice_the_oldest_first():
    lists = listed("a", "b", "c", "d")
    said = told(
        ("a", "Seen – diagnosed", dt.date(2026, 11, 20)), ("b", "Seen – diagnosed", DAY),
        ("c", "Seen – diagnosed", DAY), ("d", "Seen – not diagnosed", DAY),
    )  # fmt: skip
    found = never_coded(lists, said, records("c")).to_pylist()
    assert [(row["pseudonym"], row["label"], row["days"], row["list_id"]) for row in found] == [
        ("b", "Thirst", 48, "oct"), ("a", "Thirst", 11, "oct"),
    ]  # fmt: skip
    moved = never_coded(lists, said, records("c"), registered={"b": "Y99002"}).to_pylist()
    assert [(row["pseudonym"], row["practice"]) for row in moved] == [("b", "Y99002")]  # a has left


def test_a_result_that_is_still_awaited_is_forgotten_by_nobody():
    lists = listed("a", "b", "c", "d", "e")
    later = dt.date(2026, 11, 20)
    said = told(
        ("a", "Invited", DAY), ("a", "Seen – result awaited", later), ("b", "Seen – result awaited", DAY),
        ("b", "Seen – not diagnosed", later), ("c", "Seen – result awaited", DAY),
        ("d", "Seen – result awaited", DAY), ("d", "Seen – result awaited", later), ("e", "Invited", DAY),
    )  # fmt: skip
    found = awaited(lists, said, records("c")).to_pylist()
    assert [(row["pseudonym"], row["seen_on"]) for row in found] == [("d", DAY), ("a", later)]
    assert awaited(lists, said, records("c"), registered={"a": "Y99001"}).to_pylist() == found[1:]


def test_what_is_published_is_rounded_and_a_share_of_few_is_not_told():
    people = [f"p{number}" for number in range(103)]
    lists = listed(*people)
    said = told(
        *((name, "Already known", DAY) for name in people[:40]), *((name, "Declined", DAY) for name in people[40:60])
    )
    found = stages(lists, said).published()
    assert (found["listed"], found["already known"], found["declined"], found["did not attend"]) == (105, 40, 20, 0)
    assert found["share already known"] == 0.67
    few = stages(
        lists,
        told(
            *((name, "Already known", DAY) for name in people[:3]), *((name, "Declined", DAY) for name in people[40:60])
        ),
    )
    assert few.published()["already known"] is None
    assert few.published()["share already known"] is None


EVENTS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"), st.sampled_from(OUTCOMES), st.dates(OCTOBER, dt.date(2026, 12, 5)),
        st.sampled_from(["oct", "nov", "gone"]),
    ),
    max_size=25,
)  # fmt: skip


@given(
    EVENTS, st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")),
    st.lists(st.sampled_from(["invite", "act now"]), min_size=6, max_size=6), st.randoms(),
)  # fmt: skip
def test_no_stage_is_larger_than_the_one_before_and_the_parts_add_up(events, coded, treated, lane, order):
    october = pa.concat_tables(
        [listed(name, lane=one, practice=f"Y{one[:3]}") for name, one in zip("abcdef", lane, strict=True)]
    )
    november = listed(*"abc", list_id="nov", day=NOVEMBER, wave=2)
    said = pa.concat_tables([told(event[:3], list_id=event[3]) for event in events] or [told()])
    shuffled = list(range(said.num_rows))
    order.shuffle(shuffled)
    given = (pa.concat_tables([october, november]), said.take(pa.array(shuffled, pa.int64())), records(coded, treated))
    found = funnel(*given)
    everybody = found[0]
    assert everybody.stages["listed"] == 6
    for one in found:
        counts = list(one.stages.values())
        assert counts == sorted(counts, reverse=True)
        assert sum(one.endings.values()) == one.stages["listed"]
        assert one.endings["confirmed"] == one.stages["confirmed"]
        assert set(one.endings) == set(ENDINGS)
    for grouping in GROUPINGS:
        if grouping != "wave":
            parts = [one for one in found if one.grouping == grouping]
            for stage in STAGES:
                assert sum(one.stages[stage] for one in parts) == everybody.stages[stage]
    missing = never_coded(*given)
    assert everybody.stages["confirmed"] - everybody.stages["coded"] == missing.num_rows
    assert funnel(given[0], said, given[2]) == found
