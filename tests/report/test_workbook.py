"""What a practice works on: every person once, ready to print and to fill in, nothing that computes."""

import datetime as dt
import io
from collections import Counter
from dataclasses import replace

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.recall.choice.floors import Floor
from casefinding.recall.identity.practice_list import read_practice_list
from casefinding.recall.lines import BY_CHANCE, ORDER, URGENT, Item, Line
from casefinding.recall.loop.ledger import LISTED, OUTCOMES
from casefinding.recall.loop.returned import Issued, read_returned
from casefinding.report.shapes import SHEET_WORDS, Edition, PracticeLists
from casefinding.report.told import changed, floors_words
from casefinding.report.words import aged, ago, diagnosed_choices, to_do, why
from casefinding.report.workbook import COLUMNS, workbook
from casefinding.report.workbook_style import height
from tests.report.conftest import change

NAMES = [name for name, _ in COLUMNS]
BEHIND = ["Since last month", "Confirmed, never coded", "Result awaited"]


def opened(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content))


def people_of(sheet) -> list[dict[str, object]]:
    """The rows of a sheet of people by header."""
    names = [cell.value for cell in sheet[3]]
    rows = [dict(zip(names, [cell.value for cell in row], strict=True)) for row in sheet.iter_rows(min_row=4)]
    return [row for row in rows if row["No."] != "Nobody"]


@pytest.fixture
def book(full_lists, edition):
    return opened(workbook(full_lists, edition))


def test_it_has_a_cover_a_sheet_for_each_lane_and_what_came_of_last_month(lists, full_lists, edition, book):
    headings = [heading for heading, _ in SHEET_WORDS.values()]
    assert opened(workbook(lists, edition)).sheetnames == ["Cover", *headings, *BEHIND]
    assert book.sheetnames == ["Cover", *headings, *BEHIND, "Rules"]


def test_the_cover_says_what_it_is_whose_what_the_month_holds_and_how_it_goes_back(book):
    cover = {row[0].value: row[1].value for row in book["Cover"].iter_rows(max_col=2) if row[0].value}
    told = " ".join(f"{name} {text}" for name, text in cover.items())
    assert cover["List"] == "0123abcd"
    assert cover["Practice"] == "Marsh Lane Surgery (fictional) (Y99001)"
    assert cover["Who to ask"] == "the recall lead"
    for words in (
        "not a real-time alert", "drafts until a clinical safety officer", "30 September 2026", "Act now: 2",
        "Invite: 2", "Reach differently: 2", "20 of 20 taken. About 4 more would find 1 more person",
        "2 of 4 taken. More would find nobody else", "The floor costs 1 case.", "1 in 10 are held out.",
        "About 100 minutes of work, after 10 for the urgent lanes",
        "the 60 minutes stated are enough for the first 5 of 10", "6 of 75",
        "90 listed, 60 invited, 9 confirmed, 5 coded", "Was urgent last month, and is no longer: 1",
        "send it back", "column “Outcome”",
    ):  # fmt: skip
        assert words in told, words


def test_one_row_a_person_with_everything_they_need(lists, edition):
    (row,) = people_of(opened(workbook(lists, edition))["Invite"])
    assert row["Pseudonym"] == "p4in"
    assert row["Chance, if tested"] == "1 in 6"
    assert "152 mmHg (3 March 2026, 6 months ago)" in row["Why"]
    assert row["Please note"] == "Care home"
    assert row["Rules"] == "X-1"
    assert row["Scores in use"] == "• DRY, risk in 5 years: 10%\n• SIP: not given, no height on record"
    assert [row[name] for name in ("Outcome", "Diagnosed with", "Outcome date")] == [None] * 3


def test_columns_stand_in_their_order_and_one_that_would_be_empty_is_left_out(book, lists, edition):
    for name in SHEET_WORDS.values():
        names = [cell.value for cell in book[name[0]][3]]
        assert names == [column for column in NAMES if column in names]
    bare = replace(lists, lines=[replace(line, scores=()) for line in lists.lines])
    names = [cell.value for cell in opened(workbook(bare, edition))["Invite"][3]]
    assert "Scores in use" not in names
    assert "Group" not in names
    assert {"Pseudonym", "Outcome", "Diagnosed with", "Outcome date", "Rules"} <= set(names)
    assert {"Scores in use", "Invitation"} <= {cell.value for cell in book["Invite"][3]}
    assert "Group" in {cell.value for cell in book["Reach differently"][3]}


def test_no_cell_of_a_person_is_empty_but_those_to_fill_in(book):
    for heading, _ in SHEET_WORDS.values():
        for row in people_of(book[heading]):
            assert [name for name, value in row.items() if not value] == ["Outcome", "Diagnosed with", "Outcome date"]


def test_who_must_be_reached_differently_stands_there_with_the_group_unless_urgent_or_to_review(book):
    assert {row["Pseudonym"] for row in people_of(book["Reach differently"])} == {"r4in", "r5ne"}
    assert {row["Group"] for row in people_of(book["Reach differently"])} == {"Housebound"}
    (urgent,) = [row for row in people_of(book["Act now"]) if row["Pseudonym"] == "r0ac"]
    assert urgent["Please note"] == "Housebound: offer a visit"
    assert {row["Pseudonym"] for row in people_of(book["Invite"])} == {"p4in", "two"}


def test_a_group_that_no_note_speaks_of_is_named_in_the_note(lists, edition):
    line = replace(lists.lines[0], reach=("Homeless", "Needs an interpreter"), notes=("Interpreter: book one",))
    (row,) = people_of(opened(workbook(replace(lists, lines=[line]), edition))["Act now"])
    assert row["Please note"] == "Homeless\nInterpreter: book one"


def test_the_list_and_the_practice_stand_in_cells_of_their_own_above_every_sheet_of_people(book):
    for heading, _ in SHEET_WORDS.values():
        assert [cell.value for cell in book[heading][2][:4]] == ["List", "0123abcd", "Practice", "Y99001"]


def test_a_sheet_prints_on_a4_landscape_with_its_header_on_every_page(book):
    for name in book.sheetnames:
        sheet = book[name]
        assert (sheet.page_setup.orientation, str(sheet.page_setup.paperSize)) == ("landscape", "9")
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) in ((None, 0), (1, 0))
        assert "Page" in str(sheet.oddFooter.right.text)
        assert "Not a real-time alert" in str(sheet.oddFooter.left.text)
        if name != "Cover":
            assert sheet.print_title_rows == "$3:$3"
    for heading, _ in SHEET_WORDS.values():
        assert book[heading].freeze_panes == "C4"
        assert book[heading].auto_filter.ref.startswith("A3:")


def test_the_outcome_column_offers_the_outcomes_and_the_date_a_day_from_the_index_day_on(book):
    sheet = book["Act now"]
    place = {cell.value: cell.column_letter for cell in sheet[3]}
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    choices = rules[f"{place['Outcome']}4:{place['Outcome']}5"]
    assert choices.formula1.strip('"').split(",") == list(OUTCOMES)
    on = rules[f"{place['Outcome date']}4:{place['Outcome date']}5"]
    assert (on.type, on.operator) == ("date", "greaterThanOrEqual")


def test_diagnosed_with_offers_conditions_only_where_a_row_is_about_several(book):
    sheet = book["Invite"]
    place = {cell.value: cell.column_letter for cell in sheet[3]}
    row = next(row for row, one in enumerate(people_of(sheet), start=4) if one["Pseudonym"] == "two")
    offered = [rule for rule in sheet.data_validations.dataValidation if place["Diagnosed with"] in str(rule.sqref)]
    assert [str(rule.sqref) for rule in offered] == [f"{place['Diagnosed with']}{row}"]
    assert offered[0].formula1 == '"Thirst,Hunger,Thirst; Hunger"'


@pytest.mark.parametrize(
    ("labels", "offered"),
    [
        (["A"], 0),
        (["A", "B", "C"], 7),
        (["A, or so", "B"], 0),
        (["x" * 60, "y" * 60, "z" * 60], 3),
        (["x" * 250, "y" * 60], 0),
    ],
)
def test_choices_are_never_more_than_a_workbook_can_hold(lists, labels, offered):
    items = [replace(lists.lines[4].items[0], condition=label, label=label) for label in labels]
    choices = diagnosed_choices(replace(lists.lines[4], items=tuple(items)), {})
    assert len(choices) == offered
    assert len(",".join(choices)) <= 255


def test_the_rule_of_the_minutes_hides_nobody_and_is_drawn_where_they_end(book):
    sheet = book["Review the record"]
    assert len(people_of(sheet)) == 10
    thick = [row for row in range(4, 14) if sheet.cell(row, 2).border.bottom.style == "thick"]
    assert thick == [4 + 5 - 1]
    assert "enough for the first 5 of 10. Nobody is left out" in sheet["E2"].value


def test_since_last_month_tells_first_who_was_urgent_and_is_no_longer(book, lists, edition):
    column = [cell.value for cell in book["Since last month"]["A"]]
    assert column[3:] == ["Was urgent last month, and is no longer: 1", "gone", "New on the list: 1", "new",
                          "Moved: 1", "moved", "Left the list: 1", "left"]  # fmt: skip
    assert "First list: nothing to compare with." in [
        cell.value for cell in opened(workbook(lists, edition))["Since last month"]["A"]
    ]


def test_a_condition_that_is_no_longer_urgent_is_told_even_if_the_person_stays(full_lists):
    (calm,) = [one for one in full_lists.changes if one.pseudonym == "gone"]
    calm = replace(calm, pseudonym="stays", details=("Thirst: nothing asks for it",))
    blocks = dict(changed(replace(full_lists, no_longer_urgent=[calm])))
    assert blocks["Was urgent last month, and is no longer"] == [
        ("stays", "Thirst", "Act now", "Not on the list", "Died; Thirst: nothing asks for it.")
    ]
    assert [row[0] for row in blocks["Left the list"]] == ["gone", "left"]


def test_confirmed_and_never_coded_goes_back_to_the_practice(book, lists, edition):
    sheet = book["Confirmed, never coded"]
    assert [cell.value for cell in sheet[4]] == ["found", "Thirst", "6 August 2026", "aaaa0000", "Not on the list"]
    assert opened(workbook(lists, edition))["Confirmed, never coded"]["A4"].value == "Nobody"


def test_the_rules_named_on_the_list_are_explained_and_no_others(book):
    assert [row[0].value for row in book["Rules"].iter_rows(min_row=4)] == ["X-1"]


def test_what_another_rule_asks_for_is_told_where_a_line_says_to_act_as_for_it(full_lists):
    line = full_lists.lines[0]
    told = replace(line, items=(replace(line.items[0], do="Correct it, or act as for X-1."),))
    assert to_do(told, full_lists) == ["Correct it, or act as for X-1 (Invite for a water test)."]
    assert to_do(told, replace(full_lists, rules=())) == ["Correct it, or act as for X-1."]


def test_a_floor_that_cannot_be_met_is_named_and_its_price_is_beside_it():
    floor = Floor("N", "thirst", "ethnicity", "mixed", 90, 9.0, 0.1, 0.2, 1.8, 2.0, False)
    whole = replace(floor, grouping="core20", group="Core20", met=True)
    said = floors_words([floor, whole], {"Thirst": 1.6, "Hunger": 0.1}, 0.8)
    assert "at least 0.8 of" in said
    assert "For mixed it is as good as possible, for the rest it is met." in said
    assert said.endswith("It costs about 2 of Thirst that would otherwise be found.")
    assert floors_words([whole], {"Thirst": -0.2}, 0.8).endswith("This is met. It costs less than 1 case.")
    assert floors_words([], {}, 0.8) == ""


# ------------------------------------------------------------------------------------------------ ages of readings


def test_every_day_that_a_rule_names_has_its_age_in_every_lane(lists, edition):
    for line in lists.lines:
        said = "152 on 21 September 2026; 80 on 21 September 2026; last on 3 March 2024; 99 on 31 February 2026"
        told = replace(line, items=(replace(line.items[0], say=said),))
        assert why(told, edition.index_day)[0] == (
            "152 on 21 September 2026 (10 days ago); 80 on 21 September 2026; last on 3 March 2024 (2 years ago); "
            "99 on 31 February 2026 (6 months ago)"
        )  # the evidence is of 3 March 2026, which the words do not name


@given(st.dates(dt.date(1950, 1, 1), dt.date(2026, 9, 30)), st.text(max_size=30))
def test_an_age_is_added_and_nothing_else_is_changed(day, words):
    from casefinding.explain.wording import date_words

    now = dt.date(2026, 10, 1)
    text = f"{words.replace('(', '').replace(')', '')} on {date_words(day)}"
    assert aged(text, now).endswith(f"{text[-10:]} ({ago(day, now)})")
    assert aged(text, now).replace(f" ({ago(day, now)})", "").replace(f", {ago(day, now)}", "") == text


def test_what_a_line_gives_as_a_reason_does_not_speak_against_it(lists, edition):
    line = lists.lines[4]
    both = replace(line.items[0], against=("Aged 67", line.items[0].say, "Never smoked"))
    (row,) = people_of(opened(workbook(replace(lists, lines=[replace(line, items=(both,))]), edition))["Invite"])
    assert row["Against, and missing"] == "• Against: Never smoked\n• Missing: No weight"


# ---------------------------------------------------------------------------------------- everybody, once, and safe

GROUPS = st.lists(st.sampled_from(["Housebound", "Care home", "Homeless"]), unique=True, max_size=2)


@st.composite
def some_lists(draw):
    lines = []
    for number in range(draw(st.integers(0, 25))):
        lane = draw(st.sampled_from(ORDER))
        one = Item(
            "thirst", "Thirst", lane, draw(st.sampled_from(["X-1", None])), 2, False,
            draw(st.text(max_size=40)), draw(st.text(max_size=40)), "", None, None, "", "", number,
            wave=draw(st.integers(0, 3)), visit=draw(st.text(max_size=10)),
        )  # fmt: skip
        lines.append(
            Line(f"p{number}", "Y99001", 1960, "male", lane, (one,), reach=tuple(draw(GROUPS)),
                 notes=tuple(draw(st.lists(st.text(max_size=20), max_size=2))))
        )  # fmt: skip
    minutes = st.one_of(st.none(), st.floats(0, 500))
    return PracticeLists(
        "Y99001", "Name", 100, lines, {}, {}, {}, {},
        review_minutes_needed=draw(minutes), review_minutes_stated=draw(minutes),
    )  # fmt: skip


EDITION = Edition("N", "C", dt.date(2026, 10, 1), dt.date(2026, 9, 30), "0123abcd", "0", True)


@settings(max_examples=40, deadline=None)
@given(some_lists())
def test_every_line_stands_on_exactly_one_sheet_and_nobody_urgent_anywhere_but_in_their_lane(lists):
    book = opened(workbook(lists, EDITION))
    at = [(row["Pseudonym"], name) for name, (heading, _) in SHEET_WORDS.items() for row in people_of(book[heading])]
    assert Counter(name for name, _ in at) == Counter(line.pseudonym for line in lists.lines)
    where = dict(at)
    for line in lists.lines:
        if line.lane in URGENT or not (line.reach and line.lane in BY_CHANCE):
            assert where[line.pseudonym] == line.lane
        else:
            assert where[line.pseudonym] == "reach differently"


def test_the_same_lists_give_the_same_bytes(full_lists, edition):
    assert workbook(full_lists, edition) == workbook(full_lists, edition)


def test_no_text_is_ever_a_formula(evil_lists, edition):
    content = workbook(evil_lists, replace(edition, list_id="=1+1", network="@x", contact="+1"))
    book = opened(content)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not [cell for cell in cells if cell.hyperlink]
    assert not [cell for cell in cells if str(cell.value)[:1] in "=+-@\t\r\n＝＋－＠"]


def test_a_workbook_that_nobody_has_filled_in_can_be_read_back(full_lists, edition, tmp_path):
    file = tmp_path / "list.xlsx"
    file.write_bytes(workbook(full_lists, edition))
    rows = [
        {"list_id": "0123abcd", "practice": "Y99001", "pseudonym": line.pseudonym, "index_day": edition.index_day}
        for line in full_lists.lines
    ] + [{"list_id": "aaaa0000", "practice": "Y99001", "pseudonym": one.pseudonym} for one in full_lists.changes]
    issued = Issued.of(pa.Table.from_pylist([{**dict.fromkeys(LISTED.names), **row} for row in rows], schema=LISTED))
    back = read_returned(file, issued)
    assert Counter(row.pseudonym for row in back.rows) == Counter(line.pseudonym for line in full_lists.lines)
    assert {(row.list_id, row.practice, row.filled) for row in back.rows} == {("0123abcd", "Y99001", False)}


def test_a_workbook_can_be_read_where_patients_are_put_back(full_lists, edition):
    found = read_practice_list(workbook(full_lists, edition), "list.xlsx")
    assert (found.practice, found.list_id, found.index_day) == ("Y99001", "0123abcd", "2026-10-01")
    assert Counter(one.pseudonym for one in found.people) == Counter(line.pseudonym for line in full_lists.lines)
    assert {one.sheet for one in found.people if one.pseudonym in ("r4in", "r5ne")} == {"reach differently"}
    assert {one.pseudonym for one in found.others} == {"gone", "new", "moved", "left", "found"}


def test_a_row_is_high_enough_for_what_it_holds(book):
    for heading, _ in SHEET_WORDS.values():
        sheet = book[heading]
        for row in range(4, sheet.max_row + 1):
            texts = [cell.value for cell in sheet[row] if isinstance(cell.value, str)]
            lines = max((text.count("\n") + 1 for text in texts), default=1)
            assert sheet.row_dimensions[row].height is None or sheet.row_dimensions[row].height >= 10 * lines
    assert height("a" * 100, 10) > height("a" * 10, 10)


def test_whoever_was_answered_for_before_stands_last_with_what_was_sent_back(full_lists, edition):
    day = dt.date(2026, 9, 12)
    said = ("Seen – not diagnosed, 12 September 2026",)
    answered = change("review0", "review the record", "review the record", "", said=said, answered_on=day)
    coded = change("review1", "review the record", "review the record", "", said=("Seen – diagnosed, 1 May 2026",))
    urgent = change("p0ac", "act now", "act now", "", said=said, answered_on=day)
    lines = [
        replace(line, items=(replace(line.items[0], evidence_on=day),)) if line.pseudonym == "review0" else line
        for line in full_lists.lines
    ]
    told = replace(full_lists, lines=lines, changes=[answered, coded, urgent])
    assert [line.pseudonym for line in told.sheet("review the record")][-1] == "review0"
    assert told.sheet("act now") == full_lists.sheet("act now")  # urgent: never ranked by what was said
    newer = replace(told, changes=[replace(answered, answered_on=day - dt.timedelta(days=1))])
    assert [line.pseudonym for line in newer.sheet("review the record")][-1] == "review7"
    sheet = opened(workbook(told, edition))["Review the record"]
    assert any("Sent back before: Seen – diagnosed, 1 May 2026" in str(cell.value) for row in sheet for cell in row)


def test_whoever_is_reached_differently_is_said_to_stand_there(full_lists):
    moved = replace(full_lists, changes=[change("r4in", "", "invite", "has a place")])
    assert dict(changed(moved))["New on the list"][0][3] == "Reach differently"
