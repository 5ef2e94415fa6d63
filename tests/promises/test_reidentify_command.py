"""`casefinding reidentify`: in the practice only, the right numbers, whole or not at all, and no number ever said."""

import csv
import dataclasses
import datetime as dt
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from casefinding import audit
from casefinding.errors import RecordsError
from casefinding.nhs_number import holds_one, shown
from casefinding.recall.lines import Item, Line
from casefinding.recall.loop.ledger import OUTCOMES
from casefinding.recall.loop.opened import looks_identified, open_file
from casefinding.report.practice import table
from casefinding.report.shapes import SHEET_WORDS, Edition, PracticeLists
from casefinding.report.workbook import workbook
from casefinding.synthetic.lookups import kept_numbers

ROOT = Path(__file__).parents[2]
STAMP = "Holds NHS numbers: stays in the practice."
NUMBERS = [str(number) for number in kept_numbers(11)[:400]]
EDITION = Edition(
    network="Saltmarsh (fictional)", contact="the recall lead", index_day=dt.date(2026, 10, 1),
    data_through=dt.date(2026, 9, 30), list_id="0123abcd", version="0.1.0", made_up=True,
)  # fmt: skip
LANES = ("act now", "check the reading", "review the record", *["invite"] * 5, "never measured", "never measured")
PEOPLE = [(f"pq{place}", lane, ("Housebound",) if place == 5 else ()) for place, lane in enumerate(LANES)]
STEM = "recall_Y99001_2026-10-01_0123abcd"


def line(pseudonym: str, lane: str, reach=(), practice="Y99001") -> Line:
    item = Item(
        condition="thirst", label="Thirst", lane=lane, rule="X-1", priority=2, severe=False, say="Very dry",
        do="Invite for a water test", source="s", evidence_on=dt.date(2026, 3, 3), chance=0.16, chance_words="1 in 6",
        chance_of="of thirst", place=1, supporting=("Aged 66",),
    )  # fmt: skip
    return Line(pseudonym, practice, 1960, "female", lane, (item,), reach=tuple(reach))


def lists(people=PEOPLE, practice="Y99001") -> PracticeLists:
    lines = [line(*one, practice=practice) for one in people]
    return PracticeLists(practice, "Marsh Lane (fictional)", 9876, lines, {"water test": 20}, {"water test": 2}, {}, {})


def numbers(people=PEOPLE) -> dict[str, str]:
    return dict(zip((one[0] for one in people), NUMBERS, strict=False))


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    """The practice's own computer: its list and its lookup."""
    folder = tmp_path / "surgery" / "recall"
    folder.mkdir(parents=True)
    (folder / "list.xlsx").write_bytes(workbook(lists(), EDITION))
    (folder / "list.csv").write_text(table(lists(), EDITION), encoding="utf-8", newline="")
    write_lookup(folder)
    return folder


def write_lookup(folder: Path, known: dict[str, str] | None = None, **more: str) -> Path:
    others = {f"other{place}": number for place, number in enumerate(NUMBERS[300:])}
    everybody = {**(numbers() if known is None else known), **others}
    rows = [
        {"Pseudonym": name, "NHS number": number, "practice": "Y99001", "date_of_birth": "03/04/1960",
         "emis number": str(place), "Telecom Number": "+44 7700 900123", "name": "Zoë Canary-Person", **more}
        for place, (name, number) in enumerate(everybody.items())
    ]  # fmt: skip
    with open(folder / "lookup.csv", "w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return folder / "lookup.csv"


def identify(casefinding, folder: Path, *words, given="list.xlsx"):
    return casefinding("reidentify", given, "--lookup", "lookup.csv", *words, folder=folder)


def sheets_of(path: Path) -> dict[str, list[dict[str, str]]]:
    """Rows of every sheet that has people, by header."""
    found = {}
    for sheet in openpyxl.load_workbook(path).worksheets:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        head = next((place for place, row in enumerate(rows) if "Pseudonym" in row), None)
        if head is not None:
            found[sheet.title] = [
                dict(zip(rows[head], row, strict=True))
                for row in rows[head + 1 :]
                if row[rows[head].index("Pseudonym")]
            ]
    return found


def untouched(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_practice_gets_its_workbook_with_nhs_numbers_as_text_beside_the_pseudonyms(casefinding, practice):
    said = identify(casefinding, practice)
    assert (said.code, said.err) == (0, "")
    out = practice / "list-identified"
    found = sheets_of(out / f"{STEM}-identified.xlsx")
    told = {row["Pseudonym"]: row["NHS number"] for sheet in SHEET_WORDS.values() for row in found[sheet[0]]}
    assert told == {name: shown(number) for name, number in numbers().items()}
    book = openpyxl.load_workbook(out / f"{STEM}-identified.xlsx")
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert book.worksheets[0]["A1"].value == STAMP
    assert all(STAMP in sheet.oddHeader.center.text for sheet in book)
    for sheet in (book[heading] for heading, _ in SHEET_WORDS.values()):
        numbered = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "NHS number")
        assert sheet.cell(numbered.row, numbered.column - 1).value == "Pseudonym"
        assert sheet.column_dimensions[numbered.column_letter].width >= 13
        if sheet.max_row > 4:
            assert sheet.cell(numbered.row + 1, numbered.column).number_format == "@"


def test_what_could_be_filled_in_still_can_be(casefinding, practice):
    identify(casefinding, practice)
    before, after = (
        openpyxl.load_workbook(path)["Invite"]
        for path in (practice / "list.xlsx", practice / "list-identified" / f"{STEM}-identified.xlsx")
    )

    def rules(sheet):
        head = next(row for row in sheet.iter_rows() if "Pseudonym" in [cell.value for cell in row])
        names = {cell.column: cell.value for cell in head}
        return sorted(
            (names[area.min_col], area.min_row, area.max_row, rule.type, rule.formula1)
            for rule in sheet.data_validations.dataValidation
            for area in rule.sqref.ranges
        )

    def widths(sheet):
        head = next(row for row in sheet.iter_rows() if "Pseudonym" in [cell.value for cell in row])
        return {cell.value: sheet.column_dimensions[cell.column_letter].width for cell in head}

    assert rules(before) == rules(after)
    assert '"' + ",".join(OUTCOMES) + '"' in [rule[4] for rule in rules(after)]
    assert widths(after) == {**widths(before), "NHS number": 14}
    assert after.auto_filter.ref.split(":")[0] == before.auto_filter.ref.split(":")[0]
    assert (before.freeze_panes, after.freeze_panes) == ("C4", "D4")
    assert after.print_title_rows == before.print_title_rows
    assert after.page_setup.orientation == "landscape"
    assert len(after.merged_cells.ranges) == len(before.merged_cells.ranges)


def test_files_belong_to_their_owner_alone_and_import_files_are_plain(casefinding, practice):
    identify(casefinding, practice, "--profile", "plain", "--profile", "accurx-web", "--profile", "accurx-systmone")
    out = practice / "list-identified"
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert stat.S_IMODE((practice / "reidentify-audit.jsonl").stat().st_mode) == 0o600
    chance = [name for name, lane, reach in PEOPLE if lane in ("invite", "never measured") and not reach]
    mine = [numbers()[name] for name in chance]
    assert (out / f"{STEM}-import.csv").read_bytes() == "\r\n".join(["NHS number", *mine, ""]).encode()
    web = (out / f"{STEM}-import-accurx-web.csv").read_bytes().decode()
    assert web == "\r\n".join(["NHS number,Date of Birth", *(f"{number},03/04/1960" for number in mine), ""])
    greeted = (out / f"{STEM}-import-accurx-systmone.csv").read_bytes().decode().split("\r\n")[1]
    assert greeted == f"{mine[0]},07700900123,03/04/1960,Zoë Canary-Person"
    assert STAMP in (out / "READ-ME-FIRST.txt").read_text()


def test_large_lists_are_split_and_own_profiles_are_taken(casefinding, practice):
    people = [(f"pm{place}", "invite", ()) for place in range(260)]
    (practice / "list.xlsx").write_bytes(workbook(lists([*people, ("pr", "invite", ("Care home",))]), EDITION))
    write_lookup(practice, {**numbers(people), "pr": NUMBERS[299]})
    (practice / "mine.yaml").write_text(
        "profiles:\n  letters:\n    for: messages\n    at most: 100\n    dates: YYYY-MM-DD\n    columns:\n"
        "      - {header: Nummer, holds: nhs_number}\n      - {header: Born, holds: date_of_birth}\n"
    )
    said = identify(
        casefinding, practice, "--profile", "accurx-emis", "--profile", "letters", "--profiles", "mine.yaml"
    )
    assert said.code == 0, said.err
    out = practice / "list-identified"
    sizes = {
        path.name.removeprefix(f"{STEM}-import-"): len(path.read_text().splitlines()) - 1
        for path in out.glob("*-import-*")
    }
    assert sizes == {
        "accurx-emis-1-of-2.csv": 250, "accurx-emis-2-of-2.csv": 10,
        "letters-1-of-3.csv": 100, "letters-2-of-3.csv": 100, "letters-3-of-3.csv": 60,
    }  # fmt: skip
    assert (out / f"{STEM}-import-letters-1-of-3.csv").read_text().splitlines()[1] == f"{NUMBERS[0]},1960-04-03"
    assert NUMBERS[299] not in "".join(path.read_text() for path in out.glob("*-import-*"))


@pytest.mark.parametrize("given", ["list.xlsx", "list.csv"])
def test_files_for_messages_are_split_by_visit_and_invitation_and_it_says_how_many_are_in_each(
    casefinding, practice, given
):
    visits = [("Visit to the practice", 1)] * 253 + [("Lung function visit", 1), ("Lung function visit", 2)] * 2
    visits += [("community pharmacy", 3)]
    people = [(f"pm{place}", "invite", ()) for place in range(len(visits))]
    made = lists(people)
    lines = [
        dataclasses.replace(one, items=(dataclasses.replace(one.items[0], visit=visit, wave=wave),))
        for one, (visit, wave) in zip(made.lines, visits, strict=True)
    ]
    # invited to one visit for two conditions: the later of the two invitations is what the text says
    both = dataclasses.replace(lines[0].items[0], condition="hunger", label="Hunger", wave=2)
    lines[0] = dataclasses.replace(lines[0], items=(*lines[0].items, both))
    made = dataclasses.replace(made, lines=lines)
    (practice / "list.xlsx").write_bytes(workbook(made, EDITION))
    (practice / "list.csv").write_text(table(made, EDITION), encoding="utf-8", newline="")
    write_lookup(practice, numbers(people))
    said = identify(casefinding, practice, "--profile", "accurx-web", "--profile", "plain", given=given)
    assert said.code == 0, said.err
    out = practice / "list-identified"
    files = {
        path.name.removeprefix(f"{STEM}-import"): path.read_text().splitlines()[1:] for path in out.glob("*-import*")
    }
    assert {name: len(rows) for name, rows in files.items()} == {
        ".csv": len(people),
        "-accurx-web_community-pharmacy_invitation-3.csv": 1,
        "-accurx-web_lung-function-visit_invitation-1.csv": 2,
        "-accurx-web_lung-function-visit_invitation-2.csv": 2,
        "-accurx-web_visit-to-the-practice_invitation-1-1-of-2.csv": 250,
        "-accurx-web_visit-to-the-practice_invitation-1-2-of-2.csv": 2,
        "-accurx-web_visit-to-the-practice_invitation-2.csv": 1,
    }
    sent = [row.split(",")[0] for name, rows in files.items() if name != ".csv" for row in rows]
    assert sorted(sent) == sorted(numbers(people).values()) == sorted(files[".csv"])
    assert files["-accurx-web_community-pharmacy_invitation-3.csv"][0].startswith(numbers(people)["pm257"])
    for words in (
        "accurx-web: 258 people", "  Community pharmacy, invitation 3: 1 people",
        "  Lung function visit, invitation 2: 2 people", "  Visit to the practice, invitation 1: 252 people",
        "plain: 258 people",
    ):  # fmt: skip
        assert words in said.out.splitlines()
        assert f"{words}\n" in (out / "READ-ME-FIRST.txt").read_text()


def test_lanes_of_the_plain_file_can_be_chosen(casefinding, practice):
    assert identify(casefinding, practice, "--lane", "act now", "--lane", "reach differently").code == 0
    plain = (practice / "list-identified" / f"{STEM}-import.csv").read_text().splitlines()
    assert plain == ["NHS number", numbers()["pq0"], numbers()["pq5"]]


def test_the_audit_line_says_who_what_and_why_and_holds_no_nhs_number(casefinding, practice):
    identify(casefinding, practice, "--reason", "October recall", "--profile", "accurx-web")
    identify(casefinding, practice, "--out", "again", given="list.csv")
    lines = audit.entries(practice / "reidentify-audit.jsonl")
    assert [line["reason"] for line in lines] == ["October recall", ""]
    first = lines[0]
    assert first["pseudonyms"] == sorted(numbers())
    assert (first["practice"], first["list"], first["people"]) == ("Y99001", "0123abcd", len(PEOPLE))
    assert first["profiles"] == {"accurx-web": 6}
    assert {"at", "by", "list sha256", "lookup sha256"} <= set(first)
    assert lines[0]["lookup sha256"] == lines[1]["lookup sha256"]
    text = (practice / "reidentify-audit.jsonl").read_text()
    assert not any(number in text or shown(number) in text for number in NUMBERS)
    assert "Canary" not in text
    assert "1960" not in text


def test_without_an_audit_line_there_is_nothing(casefinding, practice):
    (practice / "reidentify-audit.jsonl").write_text('{"changed": 1}\n')
    before = untouched(practice)
    identify(casefinding, practice).refused(12, "audit", "altered")
    assert untouched(practice) == before
    identify(casefinding, practice, "--audit", "list-identified/a.jsonl").refused(2, "audit")
    assert untouched(practice) == before
    assert identify(casefinding, practice, "--audit", "other/a.jsonl").code == 0
    assert len(audit.entries(practice / "other" / "a.jsonl")) == 1


def test_what_was_filled_in_comes_back_without_a_number_and_as_it_was(casefinding, practice):
    identify(casefinding, practice)
    work = practice / "list-identified" / f"{STEM}-identified.xlsx"
    book = openpyxl.load_workbook(work)
    sheet = book["Invite"]
    head = next(row for row in sheet.iter_rows() if "Pseudonym" in [cell.value for cell in row])
    at = {cell.value: cell.column for cell in head}
    sheet.cell(head[0].row + 1, at["Outcome"]).value = "Seen – diagnosed"
    sheet.cell(head[0].row + 1, at["Outcome date"]).value = dt.date(2026, 10, 9)
    book.save(work)
    assert any(looks_identified(str(cell)) for sheet in open_file(work).sheets for _, row in sheet.rows for cell in row)
    said = casefinding("reidentify", work, "--back", "--out", practice, folder=practice)
    assert (said.code, said.err) == (0, "")
    back = practice / f"{STEM}-to-send-back.xlsx"
    found, sent = sheets_of(back), sheets_of(practice / "list.xlsx")
    first = found["Invite"][0]
    assert (first.pop("Outcome"), first.pop("Outcome date")) == ("Seen – diagnosed", dt.datetime(2026, 10, 9))
    assert {**first, "Outcome": None, "Outcome date": None} == sent["Invite"][0]
    found["Invite"][0] = sent["Invite"][0]
    assert found == sent
    opened = open_file(back)
    told = [str(cell) for sheet in opened.sheets for _, row in sheet.rows for cell in row] + [opened.properties]
    assert not any(map(holds_one, [*told, *(sheet.margins for sheet in opened.sheets)]))
    assert STAMP not in " ".join([*told, *(sheet.margins for sheet in opened.sheets)])
    assert [line["what"] for line in audit.entries(practice / "reidentify-audit.jsonl")][-1] == "NHS numbers taken out"
    casefinding("reidentify", work, "--back", "--out", practice, folder=practice).refused(2, "already")
    casefinding("reidentify", "list.xlsx", "--back", folder=practice).refused(12, "holds no NHS numbers")
    sheet.cell(head[0].row + 2, at["Why"]).value = f"see {shown(NUMBERS[8])}"
    book.save(work)
    line = casefinding("reidentify", work, "--back", "--out", "new", folder=practice).refused(12, "sheet 'Invite'")
    assert not holds_one(line)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_list_saved_again_by_libreoffice_works_as_well(casefinding, practice, tmp_path, form):
    again = tmp_path / "saved"
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/office", "--convert-to", form, "--outdir",
         str(again), str(practice / f"list.{form}")],
        check=True, capture_output=True,
    )  # fmt: skip
    shutil.copy(again / f"list.{form}", practice / f"list.{form}")
    said = identify(casefinding, practice, given=f"list.{form}")
    assert said.code == 0, said.err
    work = practice / "list-identified" / f"{STEM}-identified.{form}"
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(work.read_text(encoding="utf-8"), newline="")))
        told = {row["pseudonym"]: row["nhs_number"] for row in rows}
    else:
        found = sheets_of(work)
        told = {row["Pseudonym"]: row["NHS number"] for head, _ in SHEET_WORDS.values() for row in found[head]}
    assert told == {name: shown(number) for name, number in numbers().items()}
    assert casefinding("reidentify", work, "--back", folder=practice).code == 0


def without_column(folder: Path, sheet: str, name: str) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    head = next(row for row in book[sheet].iter_rows() if name in [cell.value for cell in row])
    book[sheet].delete_cols(next(cell.column for cell in head if cell.value == name))
    book.save(folder / "list.xlsx")


def changed(folder: Path, sheet: str, cell: str, value) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    book[sheet][cell] = value
    book.save(folder / "list.xlsx")


def other(folder: Path, content: bytes | str) -> None:
    (folder / "lookup.csv").write_bytes(content.encode() if isinstance(content, str) else content)


def twice(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    book["Act now"]["B4"] = book["Invite"]["B4"].value
    book.save(folder / "list.xlsx")


SPOILT = {
    "lookup of another practice": (lambda f: write_lookup(f, practice="Y99002"), "another practice"),
    "lookup that lacks people": (lambda f: write_lookup(f, {"pq0": NUMBERS[0]}), "does not know 9 of the 10"),
    "lookup that knows nobody": (lambda f: write_lookup(f, {}), "knows nobody"),
    "other year of birth": (lambda f: write_lookup(f, date_of_birth="03/04/1961"), "born in another year"),
    "two people, one number": (lambda f: write_lookup(f, dict.fromkeys(numbers(), NUMBERS[0])), "two people with one"),
    "name with a formula": (lambda f: write_lookup(f, name='=HYPERLINK("x")'), "formula"),
    "empty lookup": (lambda f: other(f, b""), "empty"),
    "binary lookup": (lambda f: other(f, bytes(range(256))), "not text"),
    "deleted pseudonyms": (lambda f: without_column(f, "Invite", "Pseudonym"), "'Pseudonym' is missing"),
    "deleted outcomes": (lambda f: without_column(f, "Act now", "Outcome"), "'Outcome' is missing"),
    "formula": (lambda f: changed(f, "Invite", "F4", '=HYPERLINK("http://example.org")'), "formula"),
    "formula on the cover": (lambda f: changed(f, "Cover", "B30", "=1+1"), "formula"),
    "one pseudonym twice": (twice, "stands twice"),
    "two lists": (lambda f: changed(f, "Invite", "B2", "ffff0000"), "lists of 2"),
    "two practices": (lambda f: changed(f, "Invite", "D2", "Y99002"), "2 practices"),
    "broken workbook": (lambda f: (f / "list.xlsx").write_bytes(b"PK\x03\x04 broken"), "broken"),
    "empty list": (lambda f: (f / "list.xlsx").write_bytes(b""), "empty"),
    "no list": (lambda f: (f / "list.xlsx").unlink(), "no such file"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_not_right_is_refused_whole_in_one_line_without_a_value(casefinding, practice, what):
    spoil, words = SPOILT[what]
    spoil(practice)
    before = untouched(practice)
    said = identify(casefinding, practice, "--profile", "accurx-web", "--profile", "plain")
    line = said.refused(2 if what == "no list" else 12, words)
    assert untouched(practice) == before
    assert not holds_one(line)
    assert not re.search(r"pq\d|other\d|Canary|1960", line)


def test_people_whom_the_lookup_does_not_know_can_be_left_out_and_are_named_in_a_file(casefinding, practice):
    known = {name: number for name, number in numbers().items() if name != "pq0"}
    write_lookup(practice, known)
    said = identify(casefinding, practice, "--leave-out-unknown")
    assert said.code == 0
    out = practice / "list-identified"
    assert "pq0" in (out / "not-found.csv").read_text()
    assert "pq1" not in (out / "not-found.csv").read_text()
    (practice / "list.csv").write_text(table(lists([*PEOPLE, ("=1+1", "invite", ())]), EDITION), newline="")
    assert identify(casefinding, practice, "--leave-out-unknown", "--out", "csv", given="list.csv").code == 0
    assert "\r\n'=1+1," in (practice / "csv" / "not-found.csv").read_bytes().decode()
    urgent = sheets_of(out / f"{STEM}-identified.xlsx")["Act now"]
    assert [(row["Pseudonym"], row["NHS number"]) for row in urgent] == [("pq0", "Not in the lookup")]
    assert audit.entries(practice / "reidentify-audit.jsonl")[0]["not found"] == 1


def test_usage_is_refused_with_a_hint(casefinding, practice):
    before = untouched(practice)
    casefinding("reidentify", "list.xlsx", folder=practice).refused(2, "--lookup")
    casefinding("reidentify", "list.xlsx", "--back", "--lookup", "lookup.csv", folder=practice).refused(2, "no lookup")
    identify(casefinding, practice, "--profile", "sms").refused(11, "no such profile", "accurx-web")
    identify(casefinding, practice, "--lane", "soon").refused(2, "no such lane", "act now")
    line = identify(casefinding, practice, "--reason", f"for {shown(NUMBERS[0])}").refused(2, "reason")
    assert not holds_one(line)
    identify(casefinding, practice, given="lookup.csv").refused(12, "missing")
    assert untouched(practice) == before


def test_what_was_filled_in_is_never_written_over(casefinding, practice):
    assert identify(casefinding, practice).code == 0
    work = practice / "list-identified" / f"{STEM}-identified.xlsx"
    before = work.read_bytes()
    identify(casefinding, practice).refused(2, "--out")
    (practice / "mine").mkdir()
    (practice / "mine" / "manifest.json").write_text("{}")
    identify(casefinding, practice, "--out", "mine").refused(2, "not empty")
    assert work.read_bytes() == before


@pytest.mark.parametrize("place", ["list", "lookup", "out", "audit", "here"])
def test_it_never_runs_where_the_store_is(casefinding, practice, tmp_path, place):
    network = tmp_path / "network" / "out"
    (network / "practices" / "practice_Y99001").mkdir(parents=True)
    (network / "scores.parquet").touch()
    inside = network / "practices" / "practice_Y99001"
    for name in ("list.xlsx", "lookup.csv"):
        shutil.copy(practice / name, inside / name)
    words = {
        "list": inside / "list.xlsx" if place == "list" else practice / "list.xlsx",
        "lookup": inside / "lookup.csv" if place == "lookup" else practice / "lookup.csv",
        "out": inside / "new" if place == "out" else practice / "new",
        "audit": inside / "audit.jsonl" if place == "audit" else practice / "audit.jsonl",
    }
    said = casefinding(
        "reidentify", words["list"], "--lookup", words["lookup"], "--out", words["out"], "--audit", words["audit"],
        folder=inside if place == "here" else practice,
    )  # fmt: skip
    said.refused(2, "nobody is identified there", "practice's own computer")
    assert not (practice / "new").exists()
    assert sorted(path.name for path in inside.iterdir()) == ["list.xlsx", "lookup.csv"]
    assert not (practice / "audit.jsonl").exists()


def test_nothing_of_a_patient_is_said_even_where_the_program_fails(casefinding, practice, monkeypatch):
    good = identify(casefinding, practice)

    def fails(*words, **more):
        raise RuntimeError(f"{NUMBERS[0]} Zoë Canary-Person {words} {more}")

    stages = [
        "casefinding.job.reidentify.read_lookup", "casefinding.job.reidentify.read_practice_list",
        "casefinding.report.identified.identified", "casefinding.report.import_files.import_files",
        "casefinding.audit.append", "casefinding.job.reidentify.write_bytes",
    ]  # fmt: skip
    before = untouched(practice)
    for stage in stages:
        with monkeypatch.context() as patched:
            patched.setattr(stage, fails)
            failed = identify(casefinding, practice, "--out", "new")
        assert failed.code == 1
        for text in (failed.out, failed.err, good.out, good.err):
            assert not holds_one(text)
            assert "Canary" not in text
            assert "pq1" not in text
        assert untouched(practice) == before


def test_the_command_needs_no_definitions_and_nothing_heavy(practice):
    script = (
        "import sys; sys.argv = ['casefinding', 'reidentify', 'list.xlsx', '--lookup', 'lookup.csv']\n"
        "from casefinding.cli import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "heavy = 'pandas pyarrow duckdb numba sklearn lightgbm mlflow matplotlib scipy'\n"
        "print('HEAVY', [name for name in heavy.split() if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=practice, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout  # fmt: skip
    assert said.splitlines()[-1] == "HEAVY []"
    assert (practice / "list-identified").is_dir()


def test_a_newcomer_can_try_it_with_made_up_people(casefinding, tmp_path):
    said = casefinding("simulate", "--out", "made", "--people", "400", "--practices", "2", "--quiet")
    assert said.code == 0
    assert "lookups:" in said.out
    lookups = tmp_path / "made-lookups"
    rows = [
        row
        for path in sorted(lookups.glob("lookup_*.csv"))
        for row in csv.DictReader(io.StringIO(path.read_text(), newline=""))
        if row["practice"] == path.stem.removeprefix("lookup_") or pytest.fail(path.name)
    ]
    assert len(rows) > 300
    by_person = {(row["pseudonym"], row["nhs_number"]) for row in rows}
    assert len({name for name, _ in by_person}) == len({number for _, number in by_person}) == len(by_person)
    assert all(row["nhs_number"].startswith("999") and holds_one(row["nhs_number"]) for row in rows)
    before = {path.name: path.read_bytes() for path in lookups.iterdir()}
    assert casefinding("simulate", "--out", "made", "--people", "400", "--practices", "2", "--quiet").code == 0
    assert {path.name: path.read_bytes() for path in lookups.iterdir()} == before
    assert not [path for path in (tmp_path / "made").rglob("*") if "lookup" in path.name]
    here = tmp_path / "elsewhere" / "surgery" / "recall" / "october"
    here.mkdir(parents=True)
    shutil.copy(lookups / "lookup_Y99001.csv", here / "lookup.csv")
    people = [(row["pseudonym"], "invite", ()) for row in rows if row["practice"] == "Y99001"][:20]
    born = {row["pseudonym"]: int(row["date_of_birth"][-4:]) for row in rows}
    made = lists(people)
    (here / "list.csv").write_text(
        "\r\n".join(
            re.sub(r",1960,", f",{born.get(re.search(r'p[a-z2-7]{10}', text)[0], 0)},", text) if number else text
            for number, text in enumerate(table(made, EDITION).split("\r\n")[:-1])
        ),
        newline="",
    )
    done = identify(casefinding, here, given="list.csv")
    assert done.code == 0, done.err
    assert json.loads((here / "reidentify-audit.jsonl").read_text())["people"] == 20


def test_an_identified_list_is_refused_where_outcomes_are_read(casefinding, practice):
    from casefinding.recall.loop.returned import Issued, read_returned

    identify(casefinding, practice)
    issued = Issued({"0123abcd": frozenset({"Y99001"})}, frozenset(numbers()))
    with pytest.raises(RecordsError, match="must not leave the practice"):
        read_returned(practice / "list-identified" / f"{STEM}-identified.xlsx", issued)
    casefinding("reidentify", practice / "list-identified" / f"{STEM}-identified.xlsx", "--back", folder=practice)
    back = read_returned(practice / f"{STEM}-to-send-back.xlsx", issued)
    assert {row.pseudonym for row in back.rows} == set(numbers())
