"""Pseudonyms become NHS numbers by the practice's own lookup: the right ones, nobody else's, or nothing at all."""

import csv
import datetime as dt
import io
import re

import nhs_number as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding import nhs_number
from casefinding.errors import ConfigError, RecordsError, UsageError
from casefinding.recall.identity.apart import MARKS, check_apart
from casefinding.recall.identity.lookup import read_lookup
from casefinding.recall.identity.practice_list import SHEETS, Listed, read_practice_list
from casefinding.recall.text_table import FORMULA, read_text_table, safe_cell
from casefinding.report.identified import NOT_FOUND, STAMP, identified, without_numbers
from casefinding.report.import_files import by_text, import_files, read_profiles, shipped_profiles, whom
from casefinding.report.shapes import SHEET_WORDS
from casefinding.synthetic.lookups import kept_numbers

NUMBERS = [str(number) for number in kept_numbers(7)[:2_000]]
PRACTICE = "Y99001"


def lookup_bytes(rows, header="pseudonym,nhs_number", end="\r\n") -> bytes:
    return (end.join([header, *(",".join(row) for row in rows)]) + end).encode()


def looked_up(rows, header="pseudonym,nhs_number"):
    return read_lookup(lookup_bytes(rows, header), "lookup.csv", PRACTICE)


def list_bytes(people, *, practice=PRACTICE, extra=()) -> bytes:
    """A list as CSV; people are (pseudonym, lane, reach, outcome)."""
    header = ["list_id", "index_day", "practice", "lane", "reach", "pseudonym", "born", "do", "outcome", "outcome_date"]
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow([*header, *extra])
    for pseudonym, lane, reach, outcome in people:
        out.writerow(
            ["0123abcd", "2026-10-01", practice, lane, reach, safe_cell(pseudonym), "1960", "Invite", outcome, ""]
            + ["x" for _ in extra]
        )
    return buffer.getvalue().encode()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


# ------------------------------------------------------------------------------------------------- NHS numbers


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_the_check_digit_agrees_with_an_independent_library(digits):
    right = str(oracle.calculate_checksum(digits[:9])) == digits[9]  # not its ranges: these change
    assert nhs_number.valid(digits) == (right and len(set(digits)) > 1)


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_a_tenth_digit_is_found_exactly_where_the_library_finds_one(nine):
    tenth = nhs_number.check_digit(nine)
    assert tenth == (str(found) if (found := oracle.calculate_checksum(nine)) < 10 else None)


@given(st.sampled_from(NUMBERS), st.sampled_from(["{}", " {} ", "a{}b", "ring {}, please"]))
def test_a_number_is_found_in_a_text_however_it_is_written(digits, around):
    for text in (digits, nhs_number.shown(digits), nhs_number.shown(digits).replace(" ", "-")):
        assert nhs_number.holds_one(around.format(text))
        assert nhs_number.digits_of(text) == digits


def test_days_telephones_and_longer_numbers_are_no_nhs_numbers():
    for text in ("2026-10-01", "07700 900123", "01375 390000", f"1{NUMBERS[0]}", "0123abcd", ""):
        assert not nhs_number.holds_one(text)


@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2030, 1, 1)))
def test_no_date_cell_of_a_spreadsheet_is_taken_for_an_nhs_number(moment):
    """Filled in on 5 October 2026, a list could otherwise not be sent back: its digits pass the check."""
    assert not nhs_number.holds_one(str(moment))
    assert not nhs_number.holds_one(str(moment.date()))
    assert not nhs_number.holds_one(f"{moment.date()} 00:00:00")
    assert nhs_number.holds_one(f"{moment.date()} 00:00:00 999 000 0018")


def test_made_up_numbers_are_in_the_range_kept_for_tests_and_nobodys_twice():
    numbers = kept_numbers(3)
    assert len(set(numbers.tolist())) == len(numbers) > 900_000
    assert numbers.min() >= 9_990_000_000
    assert numbers.max() <= 9_999_999_999
    assert all(oracle.is_valid(str(number)) for number in numbers[:500])
    assert kept_numbers(3)[:5].tolist() == numbers[:5].tolist() != kept_numbers(4)[:5].tolist()


# ------------------------------------------------------------------------------------------------- the lookup


def test_header_names_may_be_written_with_spaces_capitals_or_underscores_and_other_columns_are_not_read():
    found = looked_up(
        [("p1", nhs_number.shown(NUMBERS[0]), "y99001", "03/04/1960", "=1+1")],
        "Pseudonym,NHS Number,PRACTICE,Date of Birth,whatever",
    )
    assert found.known("p1").nhs_number == NUMBERS[0]
    assert found.known("p1").date_of_birth == dt.date(1960, 4, 3)
    assert found.known("p2") is None


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffpseudonym,nhs_number\r\np1,{}\r\n".encode(),
        b"pseudonym;nhs_number;name\np1;{};Zo\xeb\n",
        b"pseudonym\tnhs_number\n\np1\t{}\n\n",
        b'pseudonym,nhs_number\r"p1","{}"\r',
    ],
)
def test_a_lookup_may_come_in_the_forms_that_people_save(content):
    content = content.replace(b"{}", NUMBERS[0].encode())
    assert read_lookup(content, "lookup.csv", PRACTICE).known("p1").nhs_number == NUMBERS[0]


A, B = NUMBERS[0], NUMBERS[1]
WRONG = A[:9] + str((int(A[9]) + 1) % 10)
REFUSED = {
    "two people with one NHS number": (b"pseudonym,nhs_number\np1,%b\np2,%b\n" % (A.encode(), A.encode())),
    "twice with different NHS numbers": (b"pseudonym,nhs_number\np1,%b\np1,%b\n" % (A.encode(), B.encode())),
    "different details": (b"pseudonym,nhs_number,name\np1,%b,Ann\np1,%b,Eve\n" % (A.encode(), A.encode())),
    "check digit": f"pseudonym,nhs_number\np1,{WRONG}\n".encode(),
    "9.99E+09": b"pseudonym,nhs_number\np1,9.99E+09\n",
    "decimal": f"pseudonym,nhs_number\np1,{A}.0\n".encode(),
    "leading zero": f"pseudonym,nhs_number\np1,{A[:9]}\n".encode(),
    "has ten": f"pseudonym,nhs_number\np1,{A}0\n".encode(),
    "something else than digits": b"pseudonym,nhs_number\np1,not known\n",
    "another practice": f"pseudonym,nhs_number,practice\np1,{A},{PRACTICE}\np2,{B},Y99002\n".encode(),
    "column 'nhs_number' is missing": b"pseudonym,number\np1,1\n",
    "one name": f"pseudonym,nhs_number,NHS Number\np1,{A},{A}\n".encode(),
    "2 cells, the header 3": f"pseudonym,nhs_number,name\np1,{A}\n".encode(),
    "quotes": f'pseudonym,nhs_number\np1,"{A}\n'.encode(),
    "no pseudonym": f"pseudonym,nhs_number\n,{A}\n".encode(),
    "a formula": f'pseudonym,nhs_number\np1,"=""{A}"""\n'.encode(),
    "date of birth": f"pseudonym,nhs_number,date_of_birth\np1,{A},31/02/1960\n".encode(),
    "emis_number": f"pseudonym,nhs_number,emis_number\np1,{A},12;3\n".encode(),
    "telecom_number": f"pseudonym,nhs_number,telecom_number\np1,{A},+44=1\n".encode(),
    "header and no rows": b"pseudonym,nhs_number\n",
    "empty": b"\r\n  \r\n",
    "UTF-16": "pseudonym,nhs_number\np1,1\n".encode("utf-16"),
    "workbook": b"PK\x03\x04 and so on",
    "not text": b"\x00\x01\x02\x9d\xff pseudonym",
    "not text that": b"pseudonym,nhs_number\np1,\x81\x8d\x8f\n",
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_lookup_that_is_not_right_is_refused_whole_and_nothing_of_it_is_repeated(words):
    with pytest.raises(RecordsError) as refused:
        read_lookup(REFUSED[words], "lookup.csv", PRACTICE)
    said = str(refused.value)
    assert words in said
    assert not nhs_number.holds_one(said)
    assert A[:9] not in said
    assert "Ann" not in said
    assert "\n" not in said
    assert refused.value.__cause__ is None


def test_people_without_an_nhs_number_are_not_known_and_two_of_them_are_not_one():
    found = looked_up([("p1", ""), ("p2", ""), ("p3", "-"), ("p4", A)])
    assert [found.known(name) is not None for name in ("p1", "p2", "p3", "p4")] == [False, False, False, True]


EVIL = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0-x", "＝1+1", '"=1+1"',
    "=cmd|' /C calc'!A0", '=HYPERLINK("http://example.org","x")', "<script>alert(1)</script>", "Ann\u202eeve",
    "javascript:alert(1)", "a" * 101, "Ann\x07",
)  # fmt: skip


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("column", ["name", "emis_number", "telecom_number", "date_of_birth", "nhs_number"])
def test_nothing_that_a_spreadsheet_or_a_browser_could_run_comes_through_a_lookup(text, column):
    buffer = io.StringIO()
    others = {"nhs_number": A, column: text}
    csv.writer(buffer).writerows([["pseudonym", *others], ["p1", *others.values()]])
    patient, said = None, ""
    try:
        patient = read_lookup(buffer.getvalue().encode(), "lookup.csv", PRACTICE).known("p1")
    except RecordsError as refused:
        said = str(refused)
    if said:
        assert text not in said
        return
    assert column == "telecom_number"  # a + before digits is how telephones are written
    assert patient is None or not patient.telecom_number.startswith(FORMULA)


def test_names_that_people_have_are_taken():
    names = ["Ann-Marie O’Neill", "D'Arcy", "Zoë van der Berg (née Ng)", "李 明", "-"]
    found = looked_up([(f"p{i}", NUMBERS[i], name) for i, name in enumerate(names)], "pseudonym,nhs_number,name")
    assert [found.known(f"p{i}").name for i in range(len(names))] == [*names[:-1], ""]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("+44 7700 900123", "07700900123"), ("07700 900 123", "07700900123"), ("+353861234567", "00353861234567")],
)
def test_telephone_numbers_lose_the_sign_that_begins_a_formula(text, kept):
    assert looked_up([("p1", A, text)], "pseudonym,nhs_number,telecom_number").known("p1").telecom_number == kept


# ------------------------------------------------------------------------------------------------- the list


def test_sheets_are_called_as_in_the_workbook():
    assert {heading.lower(): name for name, (heading, _) in SHEET_WORDS.items()} == SHEETS


_HEAD = len(list_bytes([]))
LISTS = {
    "lists of 2 practices": b"".join(
        (list_bytes([("p1", "invite", "", "")]), list_bytes([("p2", "invite", "", "")], practice="Y99002")[_HEAD:])
    ),
    "one pseudonym stands twice": list_bytes([("p1", "invite", "", ""), ("p1", "act now", "", "")]),
    "a formula": list_bytes([("p1", "invite", "", '=HYPERLINK("x")')]),
    "no pseudonym": list_bytes([("", "invite", "", "")]),
    "lane": list_bytes([("p1", "soon", "", "")]),
    "'outcome_date' is missing": list_bytes([("p1", "invite", "", "")]).replace(b"outcome_date", b"when"),
    "does not say its practice": list_bytes([("p1", "invite", "", "")], practice="../../etc"),
    "NHS numbers already": list_bytes([("p1", "invite", "", "")], extra=("NHS Number",)),
    "broken": b"PK\x03\x04 and so on",
}  # fmt: skip


@pytest.mark.parametrize("words", LISTS)
def test_a_list_that_is_not_right_is_refused_whole(words):
    with pytest.raises(RecordsError, match=words):
        read_practice_list(LISTS[words], "list.csv")


pseudonyms = st.lists(st.from_regex(r"[-+=@a-z0-9][a-z0-9]{1,9}", fullmatch=True), min_size=1, max_size=30, unique=True)


@settings(max_examples=150, deadline=None)
@given(pseudonyms, st.randoms(use_true_random=False), st.data())
def test_everybody_gets_their_own_number_nobody_elses_and_the_way_back_gives_the_list_as_it_was(names, chance, data):
    mine = {name: number for name, number in zip(names, chance.sample(NUMBERS, len(names)), strict=True)}
    unknown = data.draw(st.sets(st.sampled_from(names)))
    content = list_bytes([(name, data.draw(st.sampled_from([*SHEETS.values()][:5])), "", "") for name in names])
    received = read_practice_list(content, "list.csv")
    others = {f"other{i}": number for i, number in enumerate(n for n in NUMBERS[:50] if n not in mine.values())}
    shuffled = [*((name, mine[name]) for name in names if name not in unknown), *others.items()]
    chance.shuffle(shuffled)
    known = looked_up([(safe_cell(name), number) for name, number in shuffled])
    numbers = {name: found.nhs_number for name in names if (found := known.known(name))}
    made = identified(received, numbers)
    for row in rows_of(made):
        name = row["pseudonym"] if row["pseudonym"] in mine else row["pseudonym"].removeprefix("'")
        assert row["nhs_number"] == (NOT_FOUND if name in unknown else nhs_number.shown(mine[name]))
        assert row["handling"] == STAMP
    assert len(rows_of(made)) == len(names)
    again = read_practice_list(made, "identified.csv", identified=True)
    assert without_numbers(again, "identified.csv") == content


# ------------------------------------------------------------------------------------------------- import files


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 800), st.sampled_from([1, 7, 250]))
def test_parts_hold_at_most_as_many_as_the_profile_says_and_everybody_once(many, most):
    people = [Listed(f"row {i}", "invite", f"p{i}", None, "") for i in range(many)]
    found = looked_up([*((f"p{i}", NUMBERS[i]) for i in range(many)), ("x", NUMBERS[-1])])
    profile = shipped_profiles()["plain"].__class__("mine", "", True, shipped_profiles()["plain"].columns, most, "%d")
    files = import_files(profile, people, found, "recall", "lookup.csv")
    parts = [content.decode().split("\r\n") for content in files.values()]
    assert all(part[0] == "NHS number" and part[-1] == "" and 1 <= len(part) - 2 <= most for part in parts)
    assert [number for part in parts for number in part[1:-1]] == NUMBERS[:many]
    assert len(parts) == -(-many // most)


labels = st.one_of(
    st.sampled_from(
        ["", "Visit to the practice", "Lung function visit", "Lung-function visit", "Community pharmacy", "李"]
    ),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=60).filter(
        lambda text: not nhs_number.holds_one(text) and text.isprintable()
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(labels, st.integers(0, 3)), max_size=60), st.sampled_from([1, 2, 7, 250]), st.data())
def test_everybody_invited_is_in_exactly_one_file_for_messages_and_a_file_is_for_one_visit_and_one_invitation(
    told, most, data
):
    told = [data.draw(st.sampled_from(told)) for _ in range(len(told))]  # so that people share visits
    people = [Listed(f"row {i}", "invite", f"p{i}", None, "", visit, wave) for i, (visit, wave) in enumerate(told)]
    found = looked_up([*((f"p{i}", NUMBERS[i]) for i in range(len(told))), ("x", NUMBERS[-1])])
    plain = shipped_profiles()["plain"]
    files = import_files(plain.__class__("mine", "", True, plain.columns, most, "%d"), people, found, "r", "lookup.csv")
    parts = {name: content.decode().split("\r\n")[1:-1] for name, content in files.items()}
    assert sorted(number for part in parts.values() for number in part) == sorted(NUMBERS[: len(told)])
    assert all(1 <= len(part) <= most for part in parts.values())
    by_number = dict(zip(NUMBERS, told, strict=False))
    assert all(len({by_number[number] for number in part}) == 1 for part in parts.values())
    assert all(re.fullmatch(r"r-import-mine[a-z0-9_-]{0,80}\.csv", name) for name in parts)
    sizes = {text: told.count(text) for text in told}
    assert len(parts) == sum(-(-many // most) for many in sizes.values())
    everybody = import_files(plain, people, found, "r", "lookup.csv")
    assert [content.decode().split("\r\n")[1:-1] for content in everybody.values()] == (
        [NUMBERS[: len(told)]] if told else []
    )


def test_a_list_that_names_no_visit_gives_one_file_and_who_has_none_on_one_that_does_a_file_of_their_own():
    web = shipped_profiles()["accurx-web"]
    old = read_practice_list(list_bytes([(f"p{i}", "invite", "", "") for i in range(3)]), "list.csv").people
    assert [(text.short, len(those)) for text, those in by_text(web, old).items()] == [("", 3)]
    told = [("Lung function visit", 2), ("", 1), ("Lung function visit", 1), ("Lung function visit", 2), ("", 0)]
    people = [Listed(f"row {i}", "invite", f"p{i}", None, "", visit, wave) for i, (visit, wave) in enumerate(told)]
    assert [(str(text), text.short, len(those)) for text, those in by_text(web, people).items()] == [
        ("Lung function visit, invitation 1", "lung-function-visit_invitation-1", 1),
        ("Lung function visit, invitation 2", "lung-function-visit_invitation-2", 2),
        ("no visit named", "no-visit-named", 1),
        ("no visit named, invitation 1", "no-visit-named_invitation-1", 1),
    ]


def test_the_visit_and_the_invitation_are_read_from_a_list_and_what_is_no_visit_goes_into_no_files_name():
    content = list_bytes([("p1", "invite", "", "")], extra=("wave", "visit"))
    for wave, visit, said in [
        ("2", "lung function visit", ("Lung function visit", 2)), ("", "", ("", 0)), ("x", "–", ("", 0)),
        ("1", "A visit; B visit", ("A visit; B visit", 1)),
    ]:  # fmt: skip
        (one,) = read_practice_list(content.replace(b",x,x", f",{wave},{visit}".encode()), "list.csv").people
        assert (one.visit, one.wave) == said
    for visit in (nhs_number.shown(A), "a" * 121, "\u202eA visit"):
        people = [Listed("row 2", "invite", "p1", None, "", visit, 1)]
        with pytest.raises(RecordsError, match=r"not a visit's name.*row 2") as refused:
            by_text(shipped_profiles()["accurx-web"], people)
        assert visit not in str(refused.value)


def test_messages_go_only_to_people_invited_by_letter_or_text_who_have_no_outcome_yet():
    content = list_bytes(
        [
            ("p1", "invite", "", ""), ("p2", "never measured", "", ""), ("p3", "invite", "Housebound", ""),
            ("p4", "invite", "", "Declined"), ("p5", "act now", "", ""), ("p6", "review the record", "", ""),
            ("p7", "check the reading", "", ""), ("p8", "invite", "", "Invited"),
            ("p9", "never measured", "Care home", ""),
        ]
    )  # fmt: skip
    people = read_practice_list(content, "list.csv").people
    for name, profile in shipped_profiles().items():
        chosen = [one.pseudonym for one in whom(profile, people, ("act now", "reach differently"))]
        assert chosen == (["p3", "p5", "p9"] if name == "plain" else ["p1", "p2"])


def test_shipped_profiles_hold_what_the_vendors_ask_for():
    found = looked_up(
        [("p1", A, "03/04/1960", "123", "07700 900123", "Ann"), ("p2", B, "1960-05-06", "124", "07700 900124", "")],
        "pseudonym,nhs_number,date_of_birth,emis_number,telecom_number,name",
    )
    people = [Listed("row 2", "invite", "p1", None, ""), Listed("row 3", "invite", "p2", None, "")]

    def lines(name):
        made = import_files(shipped_profiles()[name], people, found, "recall_Y99001", "lookup.csv")
        assert list(made) == [f"recall_Y99001-import{'' if name == 'plain' else '-' + name}.csv"]
        return next(iter(made.values())).decode().split("\r\n")

    assert lines("plain") == ["NHS number", A, B, ""]
    assert lines("accurx-emis") == ["NHS Number,EMIS number", f"{A},123", f"{B},124", ""]
    assert lines("accurx-web") == ["NHS number,Date of Birth", f"{A},03/04/1960", f"{B},06/05/1960", ""]
    assert lines("accurx-systmone")[:2] == [
        "NHS Number,Telecom Number,Date of Birth,Patient name", f"{A},07700900123,03/04/1960,Ann"
    ]  # fmt: skip
    assert {profile.at_most for name, profile in shipped_profiles().items() if name != "plain"} == {250}


def test_a_profile_says_who_lacks_what_it_needs_by_row_only():
    found = looked_up([("p1", A, "1960-01-02"), ("p2", B, "")], "pseudonym,nhs_number,date_of_birth")
    people = [Listed("row 2", "invite", "p1", None, ""), Listed("row 3", "invite", "p2", None, "")]
    with pytest.raises(RecordsError) as refused:
        import_files(shipped_profiles()["accurx-web"], people, found, "recall", "lookup.csv")
    assert "1 have none [lookup.csv, row 3]" in str(refused.value)
    with pytest.raises(RecordsError, match="column 'emis_number'"):
        import_files(shipped_profiles()["accurx-emis"], people, found, "recall", "lookup.csv")


MISTAKES = {
    "profiles": "other: 1\n",
    "small letters": "profiles: {../x: {columns: [{header: a, holds: name}]}}\n",
    "no key 'colums'": "profiles: {x: {colums: 1}}\n",
    "'for' is one of": "profiles: {x: {for: everyone, columns: [{header: a, holds: name}]}}\n",
    "'at most' is a number": "profiles: {x: {at most: 0, columns: [{header: a, holds: name}]}}\n",
    "'dates' is one of": "profiles: {x: {dates: American, columns: [{header: a, holds: name}]}}\n",
    "needs 'columns'": "profiles: {x: {columns: []}}\n",
    "'holds' one of": "profiles: {x: {columns: [{header: a, holds: address}]}}\n",
    "needs a 'header'": "profiles: {x: {columns: [{header: '=1+1', holds: name}]}}\n",
    "two columns": "profiles: {x: {columns: [{header: a, holds: name}, {header: A, holds: nhs_number}]}}\n",
    "stands twice": "profiles: {x: {at most: 3, at most: 4}}\n",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_profile_with_a_mistake_is_refused_with_its_line(tmp_path, words):
    file = tmp_path / "mine.yaml"
    file.write_text(MISTAKES[words])
    with pytest.raises(ConfigError) as refused:
        read_profiles(file)
    assert words in str(refused.value)
    assert "mine.yaml:1" in str(refused.value)


# ------------------------------------------------------------------------------------------------- apart


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("where", ["a/b", "a", "a/b/c/deep", "a/b/any-records", "a/b/any-records/store", "a/x-records"])
def test_no_place_may_lie_where_the_records_are(tmp_path, mark, where):
    here = tmp_path / "a" / "b" / "c"
    here.mkdir(parents=True)
    check_apart([("the list", here / "list.csv")])
    (tmp_path / where).mkdir(parents=True, exist_ok=True)
    (tmp_path / where / mark).touch()
    with pytest.raises(UsageError, match=r"the list lies where .* nobody is identified there"):
        check_apart([("the list", here / "list.csv")])


def test_a_store_is_known_by_what_current_names_and_links_do_not_hide_it(tmp_path):
    work, away = tmp_path / "work" / "lists", tmp_path / "away"
    work.mkdir(parents=True)
    away.mkdir()
    (away / "CURRENT").write_text("x")  # anybody may call a file so
    (away / "link").symlink_to(work)
    check_apart([("the list", away / "link" / "list.csv")])
    (tmp_path / "work" / "CURRENT").write_text("0a1b")
    (tmp_path / "work" / "0a1b").mkdir()
    (tmp_path / "work" / "0a1b" / "store.json").touch()
    with pytest.raises(UsageError, match="store"):
        check_apart([("the list", away / "link" / "list.csv")])


def test_text_is_read_with_the_line_in_which_each_row_stands():
    table = read_text_table(b'a,b\n\n1,"x\ny"\n2,z\n', "f.csv")
    assert table.numbers == (3, 5)
    assert table.rows == (("1", "x\ny"), ("2", "z"))
