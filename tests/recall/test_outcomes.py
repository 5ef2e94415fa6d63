"""Each row is taken or refused by itself, with its reason; nothing that came back is lost or counted twice."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.job.outcomes import read_outcomes
from casefinding.recall.loop.ledger import OUTCOMES, Ledger
from casefinding.recall.loop.outcomes import Lists, check_outcomes
from casefinding.recall.loop.received import standing
from casefinding.recall.loop.returned import Issued, Returned, Row, read_returned
from tests.recall import post

LISTED = post.listed()
LISTS, KNOWN = Lists(LISTED), Issued.of(LISTED)
DAY = dt.date(2026, 10, 14)
SHA = "0" * 64


def row(pseudonym="p1in1", outcome="Invited", on=DAY, diagnosed="", number=5, **more):
    given = {"sheet": "Invite", "list_id": post.LIST_ID, "practice": "Y99001", "born_sex": "1960 female", **more}
    return Row(row=number, pseudonym=pseudonym, outcome=outcome, diagnosed=diagnosed, on=on, **given)


def check(*rows, undated=None):
    return check_outcomes(Returned("a.xlsx", SHA, tuple(rows)), LISTS, post.TODAY, undated)


def reason(*rows, **more):
    """Why the one row that is refused is refused."""
    (refused,) = check(*rows, **more).refused
    return refused.reason


def said(*rows, **more):
    """What is recorded: condition -> outcome, of rows that are all taken."""
    checked = check(*rows, **more)
    assert checked.refused == ()
    return {one["condition"]: one["outcome"] for one in checked.outcomes.to_pylist()}


@pytest.mark.parametrize("text", [
    "Seen – diagnosed", "seen - diagnosed", "SEEN — DIAGNOSED", "Seen diagnosed", "seen_–_diagnosed ",
    "Seen â€“ diagnosed", "Seen \ufffd diagnosed", "Seen\u2011diagnosed.",
])  # fmt: skip
def test_case_dashes_and_spaces_of_an_outcome_do_not_matter(text):
    assert said(row(outcome=text)) == {"thirst": "Seen – diagnosed"}


@pytest.mark.parametrize(
    "text", ["Diagnosed", "Seen", "Declined?", "not seen – diagnosed", "Invited / declined", "DNA", "x"]
)
def test_a_word_of_ones_own_is_refused_and_not_guessed(text):
    assert "drop-down" in reason(row(outcome=text))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row("p9nobody"), "never listed"),
        (row("p2in1"), "another practice"),
        (row(""), "no pseudonym"),
        (row(list_id=""), "which list"),
        (row(practice=""), "which list or practice"),
        (row(outcome=""), "without an outcome"),
        (row(outcome="", on="", diagnosed="Thirst"), "without an outcome"),
        (row(on=""), "no date"),
        (row(on=None), "no date"),
        (row(on="10/14/2026"), "cannot be told"),
        (row(on="31/11/2026"), "cannot be told"),
        (row(on="last Tuesday"), "cannot be told"),
        (row(on="14 Oct"), "cannot be told"),
        (row(on=46309.0), "is a number"),
        (row(on=dt.date(2026, 9, 30)), "before the list"),
        (row(on="14/10/2025"), "before the list"),
        (row(on=dt.date(2026, 11, 23)), "future"),
        (row(formula="outcome"), "formula stands in 'Outcome'"),
        (row("p1in0", "Seen – diagnosed"), "say which in 'Diagnosed with'"),
        (row("p1in0", "Already known"), "say which in 'Diagnosed with'"),
        (row("p1in0", "Seen – diagnosed", diagnosed="Gout"), "names what the row is not about"),
        (row("p1in1", "Seen – diagnosed", diagnosed="Hunger and want"), "names what the row is not about"),
        (row("p1in0", "Seen – diagnosed", diagnosed="Thirst and Gout"), "names what the row is not about"),
        (row(outcome="Seen – not diagnosed", diagnosed="Thirst"), "but the outcome is 'Seen – not diagnosed'"),
    ],
)
def test_a_row_that_cannot_be_believed_is_refused_with_its_reason_and_its_place(bad, why):
    checked = check(bad, row("p1in3", "Declined", number=9))
    (refused,) = checked.refused
    assert why in refused.reason
    assert (refused.sheet, refused.row) == ("Invite", 5)
    assert "p1in" not in refused.reason
    assert checked.rows == checked.outcomes.num_rows == 1  # the other row is taken all the same


def test_a_row_about_several_conditions_tells_of_each():
    assert said(row("p1in0", "Declined")) == {"thirst": "Declined", "hunger": "Declined"}
    assert said(row("p1in0", "Seen – diagnosed", diagnosed="hunger AND want")) == {
        "thirst": "Seen – not diagnosed", "hunger": "Seen – diagnosed",
    }  # fmt: skip
    assert said(row("p1in0", "Seen – diagnosed", diagnosed="Thirst and Hunger and want")) == dict.fromkeys(
        ("thirst", "hunger"), "Seen – diagnosed"
    )
    assert said(row("p1in0", "Already known", diagnosed="thirst")) == {"thirst": "Already known"}


def test_the_day_of_undated_outcomes_can_be_given_and_is_checked_like_any_other():
    checked = check(row(on=""), undated=dt.date(2026, 10, 31))
    assert checked.outcomes["on"].to_pylist() == [dt.date(2026, 10, 31)]
    assert "future" in reason(row(on=""), undated=dt.date(2026, 12, 31))
    assert check(row(), undated=dt.date(2026, 10, 31)).outcomes["on"].to_pylist() == [DAY]


def test_rows_nobody_filled_in_are_counted_and_nothing_else():
    checked = check(row(outcome="", on=""), row("p1in2", outcome="", on=None, number=6))
    assert (checked.rows, checked.blank, checked.refused) == (0, 2, ())


def test_a_row_that_stands_there_twice_counts_once():
    checked = check(row(), row(number=17, sheet="Mine"))
    assert checked.refused == ()
    assert len({tuple(one.items())[:6] for one in checked.outcomes.drop_columns(["row"]).to_pylist()}) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"outcome": "Declined"},  # the same day
        {"outcome": "Declined", "on": dt.date(2026, 10, 20)},  # two ends
        {"outcome": "Seen – not diagnosed", "on": dt.date(2026, 10, 20)},
    ],
)
def test_two_rows_that_contradict_each_other_are_both_refused_and_name_each_other(other):
    checked = check(row(outcome="Seen – diagnosed"), row(number=17, sheet="Act now", **other))
    assert [one.row for one in checked.refused] == [5, 17]
    assert "row 17 of 'Act now' says otherwise" in checked.refused[0].reason
    assert "row 5 of 'Invite' says otherwise" in checked.refused[1].reason
    assert checked.outcomes.num_rows == 0


def test_one_thing_after_the_other_is_no_contradiction():
    checked = check(row(), row(outcome="Seen – diagnosed", on=dt.date(2026, 10, 20), number=17))
    assert checked.refused == ()
    assert checked.outcomes["outcome"].to_pylist() == ["Invited", "Seen – diagnosed"]


def test_two_people_with_one_pseudonym_are_refused_even_if_only_one_is_filled_in():
    assert reason(row(), row(outcome="", on="", number=8, born_sex="1991 male")) == (
        "two people with one pseudonym: see row 8"
    )
    changed = [{**one, "sex": "male"} for one in LISTED.to_pylist() if one["pseudonym"] == "p1in1"]
    doubled = Lists(pa.concat_tables([LISTED, pa.Table.from_pylist(changed, schema=LISTED.schema)]))
    checked = check_outcomes(Returned("a", SHA, (row(),)), doubled, post.TODAY)
    assert checked.refused[0].reason == "two people bear this pseudonym on the list itself"


def test_a_list_that_was_issued_twice_under_one_id_is_no_two_people():
    again = [{**one, "place": 9} for one in LISTED.to_pylist()]
    both = Lists(pa.concat_tables([LISTED, pa.Table.from_pylist(again, schema=LISTED.schema)]))
    assert check_outcomes(Returned("a", SHA, (row(),)), both, post.TODAY).refused == ()


def test_a_formula_is_refused_whether_a_program_or_a_person_made_it_one(tmp_path):
    opened = post.book()
    post.fill(opened, {
        "p1in1": ('=HYPERLINK("http://example.org","Invited")', None, DAY),
        "p1in2": ("Invited", None, "=TODAY()"),
        "p1in3": ("Invited", None, DAY),
    })  # fmt: skip
    sheet = opened["Act now"]
    top, names = post.header(sheet)
    cell = sheet.cell(top + 1, names["Outcome"])
    cell.value, cell.data_type = "=1+1", "s"  # typed as text
    found = check_outcomes(read_returned(post.save(opened, tmp_path / "a.xlsx"), KNOWN), LISTS, post.TODAY)
    assert [one.reason.split(":")[0] for one in found.refused] == [
        "a formula stands in 'Outcome'", "a formula stands in 'Outcome'", "a formula stands in 'Outcome date'",
    ]  # fmt: skip
    assert found.outcomes["pseudonym"].to_pylist() == ["p1in3"]
    path = post.csv_sent_back(tmp_path / "a.csv", {"p1in1": ("Invited", None, "=TODAY()")})
    (refused,) = check_outcomes(read_returned(path, KNOWN), LISTS, post.TODAY).refused
    assert "formula stands in 'Outcome date'" in refused.reason


ROWS = st.builds(
    row,
    st.sampled_from(["p1in0", "p1in1", "p2in1", "p9", ""]),
    st.sampled_from([*OUTCOMES, "", "nonsense"]),
    st.sampled_from([DAY, dt.date(2026, 11, 1), dt.date(2020, 1, 1), "", "soon", 3.0]),
    st.sampled_from(["", "Thirst", "Hunger and want; thirst", "Gout"]),
    formula=st.sampled_from(["", "", "", "outcome"]),
)


@given(st.lists(ROWS, max_size=12))
def test_every_row_is_taken_or_refused_or_blank_and_never_two_of_them(rows):
    rows = [Row(**{**vars(one), "row": number}) for number, one in enumerate(rows, 4)]
    checked = check(*rows)
    assert checked.rows + checked.blank + len(checked.refused) == len(rows)
    refused = {one.row for one in checked.refused}
    assert len(refused) == len(checked.refused)
    assert not refused & set(checked.outcomes["row"].to_pylist())


@settings(max_examples=15, deadline=None)
@given(
    chosen=st.dictionaries(
        st.sampled_from(sorted(post.EVERYBODY)), st.sampled_from(["Invited", "Declined"]), max_size=9
    ),
    parts=st.integers(1, 3), order=st.randoms(),
)  # fmt: skip
def test_in_parts_in_any_order_and_twice_is_as_good_as_once(tmp_path_factory, chosen, parts, order):
    folder = tmp_path_factory.mktemp("parts")
    files, whole = [], []
    for practice in ("Y99001", "Y99002"):
        mine = {name: (what, None, DAY.isoformat()) for (where, name), what in chosen.items() if where == practice}
        whole.append(post.csv_sent_back(folder / f"{practice}.csv", mine, practice))
        for part in range(parts):
            some = {name: told for place, (name, told) in enumerate(mine.items()) if place % parts == part}
            files.append(post.csv_sent_back(folder / f"{practice}-{part}.csv", some, practice))
    files = [*files, *files]
    order.shuffle(files)
    post.ledger(folder / "parts")
    post.ledger(folder / "whole")
    read_outcomes(files, folder / "parts", today=post.TODAY)
    read_outcomes(whole, folder / "whole", today=post.TODAY)
    one, other = (Ledger.open(folder / name).outcomes() for name in ("parts", "whole"))
    kept = ["list_id", "practice", "pseudonym", "condition", "outcome", "on"]
    assert one.select(kept).equals(other.select(kept))
    assert one.num_rows == sum(len(post.EVERYBODY[key][1]) for key in chosen)


def test_a_later_file_adds_and_a_correction_of_the_same_day_counts_instead(tmp_path):
    post.ledger(tmp_path / "ledger")

    def send(name, outcome, on):
        path = post.csv_sent_back(tmp_path / name, {"p1in1": (outcome, None, on)})
        (done,) = read_outcomes([path], tmp_path / "ledger", today=post.TODAY)
        return done

    def counts():
        table = standing(Ledger.open(tmp_path / "ledger"))
        return list(zip(table["on"].to_pylist(), table["outcome"].to_pylist(), strict=True))

    invited, seen = dt.date(2026, 10, 5), dt.date(2026, 11, 3)
    assert send("october.csv", "Invited", "2026-10-05").new == 1
    assert send("november.csv", "Seen – diagnosed", "2026-11-03").new == 1
    assert counts() == [(invited, "Invited"), (seen, "Seen – diagnosed")]
    assert send("corrected.csv", "Seen – not diagnosed", "2026-11-03").new == 1
    assert counts() == [(invited, "Invited"), (seen, "Seen – not diagnosed")]
    assert Ledger.open(tmp_path / "ledger").outcomes().num_rows == 3  # what was corrected is still there
    assert send("november.csv", "Seen – diagnosed", "2026-11-03").new == 0  # an old file once more is no newer
    assert counts()[1] == (seen, "Seen – not diagnosed")
    assert send("after all.csv", "seen diagnosed", "3 Nov 2026").new == 0  # a correction taken back
    assert counts()[1] == (seen, "Seen – diagnosed")
    assert send("corrected.csv", "Seen – not diagnosed", "2026-11-03").new == 0
    assert counts()[1] == (seen, "Seen – diagnosed")
