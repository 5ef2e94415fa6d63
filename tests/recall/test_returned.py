"""Whatever people and programs do to a workbook on its way, what was filled in is read; what cannot be is refused."""

import datetime as dt
import random
import shutil
import subprocess
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Border, Side

from casefinding.errors import RecordsError
from casefinding.recall.loop.ledger import OUTCOMES
from casefinding.recall.loop.opened import looks_identified
from casefinding.recall.loop.outcomes import Lists, check_outcomes
from casefinding.recall.loop.returned import Issued, read_returned
from casefinding.recall.loop.written_days import written_day
from casefinding.report.practice import table
from casefinding.report.workbook import workbook
from casefinding.synthetic.returns import Return, fill_csv, fill_workbook
from tests.recall import post

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
DAY = dt.date(2026, 10, 14)
LISTED = post.listed()
KNOWN = Issued.of(LISTED)
ANSWERS = {
    "p1ac0": ("Already known", "Thirst", dt.date(2026, 10, 2)),
    "p1re1": ("Seen – diagnosed", None, dt.date(2026, 10, 14)),
    "p1in0": ("Seen – diagnosed", "Thirst; Hunger and want", "14 October 2026"),
    "p1in1": ("Did not attend", None, dt.datetime(2026, 10, 20, 9, 30)),
    "p1in2": ("Seen – diagnosed", "Hunger and want", "3/11/2026"),
    "p1ne3": ("Seen – result awaited", None, "2026-11-05"),
}
COLUMNS = ("list_id", "practice", "pseudonym", "condition", "outcome", "on")
MINE = [pseudonym for practice, pseudonym in post.EVERYBODY if practice == "Y99001"]


def read(path):
    """What a file says, as a set of rows of OUTCOME without where they stood; nothing of it may be refused."""
    checked = check_outcomes(read_returned(path, KNOWN), Lists(LISTED), post.TODAY)
    assert checked.refused == ()
    found = [tuple(row[name] for name in COLUMNS) for row in checked.outcomes.to_pylist()]
    assert len(set(found)) == len(found)
    return set(found)


def refused(path, *words):
    """The file is refused as a whole, in one line that holds these words."""
    with pytest.raises(RecordsError) as problem:
        read_returned(path, KNOWN)
    assert problem.value.hint
    for word in words:
        assert word in str(problem.value), str(problem.value)
    return str(problem.value)


def mixed(opened, rng, *, titles=True):
    """The same workbook with its columns, rows and sheets in another order, sheets renamed, columns and notes added."""
    for sheet in post.lanes(opened):
        top, _ = post.header(sheet)
        for merged in list(sheet.merged_cells.ranges):
            sheet.unmerge_cells(str(merged))
        sheet.data_validations.dataValidation = []
        sheet.auto_filter.ref = None
        block = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=top)]
        for place, row in enumerate(block):
            row += ["My notes" if not place else "rang twice", None, "=1+1" if place else "Sum"]
        order = rng.sample(range(len(block[0])), len(block[0]))
        rows = [block[0], *rng.sample(block[1:], len(block) - 1)]
        sheet.delete_rows(top, sheet.max_row)
        for down, row in enumerate(rows):
            for along, place in enumerate(order):
                sheet.cell(top + down, 1 + along).value = row[place]
        for row in range(top + 1, sheet.max_row + 1):
            sheet.row_dimensions[row].hidden = rng.random() < 0.3  # filtered away
        if titles:
            sheet.title = f"Blatt {rng.random()}"[:30]
    opened._sheets = rng.sample(opened._sheets, len(opened._sheets))
    opened.create_sheet("Rota")["A1"] = "Pseudonym of who is on leave"
    return opened


def test_a_filled_workbook_says_what_was_filled_in(tmp_path):
    found = read(post.sent_back(tmp_path / "a.xlsx", ANSWERS))
    assert ("0123abcd", "Y99001", "p1in2", "hunger", "Seen – diagnosed", dt.date(2026, 11, 3)) in found
    assert ("0123abcd", "Y99001", "p1in2", "thirst", "Seen – not diagnosed", dt.date(2026, 11, 3)) in found
    assert ("0123abcd", "Y99001", "p1in1", "thirst", "Did not attend", dt.date(2026, 10, 20)) in found
    assert len({row[2] for row in found}) == len(ANSWERS)
    assert len(found) == 8  # of one person known to have one condition, nothing is said of the other


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(",", "utf-8"), (",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-8-sig"), (",", "cp1252")],
)
def test_the_csv_says_the_same_however_a_spreadsheet_saved_it(tmp_path, delimiter, encoding):
    answers = {
        name: (outcome, named, on.strftime("%d/%m/%Y") if isinstance(on, dt.date) else on)
        for name, (outcome, named, on) in ANSWERS.items()
    }
    found = read(post.csv_sent_back(tmp_path / "a.csv", answers, delimiter=delimiter, encoding=encoding))
    assert found == read(post.sent_back(tmp_path / "a.xlsx", ANSWERS))


@settings(max_examples=20, deadline=None)
@given(
    chosen=st.dictionaries(
        st.sampled_from(MINE), st.tuples(st.sampled_from(OUTCOMES), st.integers(0, 52)), max_size=12
    ),
    style=st.sampled_from(("cell", "%d/%m/%Y", "%Y-%m-%d", "%d %B %Y", "%a %d %b %Y", "%d.%m.%y")),
    seed=st.integers(0, 2**32),
)
def test_whatever_is_filled_in_is_read_back_exactly_in_any_order_of_rows_columns_and_sheets(
    tmp_path_factory, chosen, style, seed
):
    folder = tmp_path_factory.mktemp("random")
    rng = random.Random(seed)
    answers, wanted = {}, set()
    for pseudonym, (outcome, after) in chosen.items():
        _, conditions = post.EVERYBODY["Y99001", pseudonym]
        on = post.INDEX_DAY + dt.timedelta(days=after)
        said = {condition: outcome for condition in conditions}
        named = None
        if outcome in ("Seen – diagnosed", "Already known") and (len(conditions) > 1 or rng.random() < 0.5):
            those = rng.sample(conditions, rng.randint(1, len(conditions)))
            named = rng.choice(("; ", " / ", ", ")).join(post.LABELS[one] for one in those)
            rest = {} if outcome == "Already known" else dict.fromkeys(conditions, "Seen – not diagnosed")
            said = {**rest, **dict.fromkeys(those, outcome)}
        answers[pseudonym] = (outcome, named, on if style == "cell" else on.strftime(style))
        wanted |= {("0123abcd", "Y99001", pseudonym, name, what, on) for name, what in said.items()}
    opened = post.book()
    post.fill(opened, answers)
    assert read(post.save(mixed(opened, rng), folder / "mixed.xlsx")) == wanted


@pytest.mark.skipif(OFFICE is None, reason="no LibreOffice on this machine (.ci/run installs it)")
@pytest.mark.parametrize("moved", [False, True])
def test_saved_again_by_libreoffice_nothing_is_lost(tmp_path, moved):
    opened = post.book()
    post.fill(opened, {**ANSWERS, "p1in3": ('=HYPERLINK("http://example.org","Invited")', None, dt.date(2026, 10, 14))})
    if moved:
        opened = mixed(opened, random.Random(7))
    before = post.save(opened, tmp_path / "filled.xlsx")
    again = tmp_path / "again"
    done = subprocess.run(
        [OFFICE, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx", "--outdir",
         again, before], capture_output=True, text=True,
    )  # fmt: skip
    assert (again / before.name).is_file(), done.stderr
    assert (again / before.name).read_bytes() != before.read_bytes()
    one, other = (read_returned(path, KNOWN) for path in (before, again / before.name))
    assert [{**vars(row), "on": str(row.on)} for row in other.rows] == [
        {**vars(row), "on": str(row.on)} for row in one.rows
    ]
    said, again = (check_outcomes(found, Lists(LISTED), post.TODAY) for found in (one, other))
    assert again.refused == said.refused
    assert len(again.refused) == 1  # the formula is still one, and still refused
    assert again.outcomes.select(COLUMNS).equals(said.outcomes.select(COLUMNS))
    assert again.outcomes.num_rows == 8


def test_what_made_up_practices_send_back_is_read_the_same_from_workbook_and_csv(tmp_path):
    answers = [
        Return(post.LIST_ID, "Y99001", name, outcome, tuple((named or "").split("; ")) if named else (), DAY)
        for name, (outcome, named, _) in ANSWERS.items()
    ]
    answers.append(Return("ffffffff", "Y99001", "p1in3", "Invited", (), DAY))  # of another list: not theirs
    (tmp_path / "a.xlsx").write_bytes(fill_workbook(workbook(*post.issued()), answers))
    (tmp_path / "a.csv").write_bytes(fill_csv(table(*post.issued()), answers).encode())
    assert read(tmp_path / "a.xlsx") == read(tmp_path / "a.csv")
    assert len(read(tmp_path / "a.csv")) == 8


def test_a_border_drawn_down_to_the_last_row_is_no_matter(tmp_path):
    opened = post.book()
    post.fill(opened, ANSWERS)
    post.lanes(opened)[0].cell(1_048_576, 16_384).border = Border(left=Side("thin"))
    assert read(post.save(opened, tmp_path / "a.xlsx")) == read(post.sent_back(tmp_path / "b.xlsx", ANSWERS))


def test_a_sheet_that_lost_its_cover_and_its_second_row_still_says_what_it_is(tmp_path):
    opened = post.book()
    post.fill(opened, ANSWERS)
    del opened["Cover"]
    for sheet in post.lanes(opened):
        for merged in list(sheet.merged_cells.ranges):
            sheet.unmerge_cells(str(merged))
        sheet.delete_rows(1, 2)  # what is left is the header of the page
    assert read(post.save(opened, tmp_path / "a.xlsx")) == read(post.sent_back(tmp_path / "b.xlsx", ANSWERS))


@pytest.mark.parametrize("name", ["Pseudonym", "Outcome", "Outcome date"])
@pytest.mark.parametrize("where", range(5))
def test_a_deleted_column_is_named_with_its_sheet_and_nothing_is_read(tmp_path, name, where):
    opened = post.book()
    post.fill(opened, ANSWERS)
    sheet = post.lanes(opened)[where]
    _, names = post.header(sheet)
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    sheet.delete_cols(names[name])
    refused(post.save(opened, tmp_path / "a.xlsx"), f"'{name}' is missing", f"a.xlsx, {sheet.title}")


@pytest.mark.parametrize("name", ["list_id", "practice", "pseudonym", "outcome", "outcome_date"])
def test_a_deleted_column_of_a_csv_is_named(tmp_path, name):
    path = post.csv_sent_back(tmp_path / "a.csv", {})
    path.write_text(path.read_text().replace(name, "mine", 1))
    refused(path, f"'{name}' is missing")


def test_a_deleted_header_row_is_noticed(tmp_path):
    opened = post.book()
    post.fill(opened, ANSWERS)
    sheet = next(sheet for sheet in post.lanes(opened) if sheet.title == "Invite")
    sheet.delete_rows(3)
    refused(post.save(opened, tmp_path / "a.xlsx"), "headers is missing", "Invite")


def test_a_second_column_of_one_name_is_refused(tmp_path):
    opened = post.book()
    sheet = post.lanes(opened)[0]
    top, _ = post.header(sheet)
    sheet.cell(top, sheet.max_column + 1).value = "OUTCOME "
    refused(post.save(opened, tmp_path / "a.xlsx"), "stands there twice", sheet.title)


NUMBER = "9990000018"


def in_a_column_of_its_own(opened):
    sheet = post.lanes(opened)[1]
    sheet.cell(4, sheet.max_column + 1).value = "999 000 0018"


def as_a_number(opened):
    post.lanes(opened)[1].cell(4, 40).value = int(NUMBER)


def in_a_sentence(opened):
    opened["Cover"]["D9"] = "See patient 999-000-0018, who rang"


def on_a_hidden_sheet(opened):
    sheet = opened.create_sheet("Lookup")
    sheet.sheet_state = "veryHidden"
    sheet["C70"] = "999\u00a0000\u00a00018"


def in_a_comment(opened):
    post.lanes(opened)[0]["B4"].comment = Comment(f"is {NUMBER}", "me")


def in_a_formula(opened):
    post.lanes(opened)[0]["Z4"] = f'="{NUMBER}"'


@pytest.mark.parametrize(
    "put", [in_a_column_of_its_own, as_a_number, in_a_sentence, on_a_hidden_sheet, in_a_comment, in_a_formula]
)
def test_an_nhs_number_anywhere_stops_the_whole_file_and_is_not_repeated(tmp_path, put):
    opened = post.book()
    post.fill(opened, ANSWERS)
    put(opened)
    said = refused(post.save(opened, tmp_path / "a.xlsx"), "must not leave the practice")
    assert "0018" not in said


def test_an_nhs_number_in_a_csv_stops_it_too(tmp_path):
    path = post.csv_sent_back(tmp_path / "a.csv", {"p1in1": ("Invited 999 000 0018", None, "14/10/2026")})
    refused(path, "must not leave the practice")


@given(st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1)), st.times())
def test_no_day_with_an_hour_is_taken_for_an_nhs_number(day, hour):
    assert not looks_identified(f"{day} {hour}")
    assert not looks_identified(f"{day.strftime('%d-%m-%Y')} {hour}")


def test_a_list_that_is_not_in_the_ledger_is_refused_with_what_to_do(tmp_path):
    path = post.sent_back(tmp_path / "a.xlsx", ANSWERS)
    with pytest.raises(RecordsError, match=r"list 0123abcd is not in the ledger.*--ledger"):
        read_returned(path, Issued.of(post.listed("ffffffff")))
    path = post.csv_sent_back(tmp_path / "a.csv", ANSWERS)
    with pytest.raises(RecordsError, match="list 0123abcd is not in the ledger"):
        read_returned(path, Issued.of(post.listed("ffffffff")))


@pytest.mark.parametrize("send", [post.sent_back, post.csv_sent_back])
def test_a_practice_that_the_list_was_not_made_for_is_refused(tmp_path, send):
    path = send(tmp_path / "a", ANSWERS)
    other = Issued({"0123abcd": frozenset({"Y99002"})}, frozenset())
    with pytest.raises(RecordsError, match="no practice that list 0123abcd was made for"):
        read_returned(path, other)


def test_what_is_no_list_is_refused_each_with_its_hint(tmp_path):
    def file(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    with zipfile.ZipFile(tmp_path / "a.ods", "w") as package:
        package.writestr("content.xml", "<x/>")
    refused(tmp_path / "a.ods", "not a workbook", ".xlsx")
    refused(file("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600), "password", "save it as .xlsx")
    refused(
        file("cut.xlsx", post.sent_back(tmp_path / "a.xlsx", {}).read_bytes()[:3000]), "cannot be read as a workbook"
    )
    refused(file("a.pdf", b"%PDF-1.7\x00\xff\x01"), "a.pdf")
    refused(file("empty.csv", b""), "empty")
    refused(file("shopping.csv", b"milk,bread\r\n1,2\r\n"), "columns are missing")
    other = openpyxl.Workbook()
    other.active["A1"] = "Rota"
    refused(post.save(other, tmp_path / "rota.xlsx"), "no sheet has the columns")
    refused(tmp_path / "nothing.xlsx", "no such file")
    refused(tmp_path, "is a folder", "name the files in it")
    refused(file("page.xls", b"<html><table><tr><td>1,2</td></tr></table></html>"), "a web page", "save it as CSV")
    refused(file("head.csv", b"list_id,practice\r\n"), "header and no rows", "is it the right file")


def test_a_workbook_that_unpacks_to_more_than_a_list_could_hold_is_refused_before_it_is_unpacked(tmp_path):
    bomb = post.sent_back(tmp_path / "bomb.xlsx", ANSWERS)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/more.xml", b"\0" * 70_000_000)
    assert bomb.stat().st_size < 1_000_000
    refused(bomb, "too large", "is it the right file")


def test_an_entity_in_a_workbook_is_not_followed(tmp_path):
    good, bad = post.sent_back(tmp_path / "a.xlsx", ANSWERS), tmp_path / "bad.xlsx"
    (tmp_path / "secret").write_text("SECRET")
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet2.xml"):
                start = content.index(b"<worksheet")
                entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'.encode()
                content = entity + content[start:].replace(b"Act now", b"&e;", 1)
            target.writestr(name, content)
    try:
        found = str(read_returned(bad, KNOWN))
    except RecordsError as problem:
        found = str(problem)
    assert "SECRET" not in found


@given(st.dates(dt.date(2000, 1, 1), dt.date(2079, 12, 31)))
def test_every_honest_way_of_writing_a_day_is_read_as_that_day(day):
    for style in (
        "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%Y/%m/%d", "%d %B %Y", "%d-%b-%Y", "%d %b %y",
        "%A %d %B %Y", "%a, %d %b %Y", "%B %d, %Y", "%Y-%m-%dT00:00:00", "%d/%m/%Y 00:00",
    ):  # fmt: skip
        assert written_day(day.strftime(style)) == day, style
    for style in ("%d %B", "%B %Y", "%d/%m", "%Y", "%Y%m%d", "%j %Y"):
        assert written_day(day.strftime(style)) is None, style
    if day.day > 12:
        assert written_day(day.strftime("%m/%d/%Y")) is None


@given(st.text(max_size=20))
def test_no_text_is_too_odd_to_be_refused_as_a_day(text):
    assert written_day(text) is None or isinstance(written_day(text), dt.date)
