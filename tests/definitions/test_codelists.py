"""Code lists: ids are text with a right check digit; what a spreadsheet ruined is refused, counted and located."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.codelists import import_codelist, parse_codelist, read_codelist
from casefinding.definitions.codes import id_fault, ruined, verhoeff_ok
from casefinding.errors import DefinitionError, UsageError

HEAD = "# source: s\n# release: r\n# reviewed by: v\n"


def plain_verhoeff(number: str) -> bool:
    """The check again, from the definition of the dihedral group D5 and not from tables."""

    def times(a: int, b: int) -> int:
        return (a + b) % 5 if a < 5 and b < 5 else (a + b - 5) % 5 + 5 if a < 5 else (
            (a - 5 - b) % 5 + 5 if b < 5 else (a - b) % 5
        )  # fmt: skip

    cycle = {1: 5, 5: 8, 8: 9, 9: 4, 4: 2, 2: 7, 7: 0, 0: 1, 3: 6, 6: 3}
    total = 0
    for position, letter in enumerate(reversed(number)):
        digit = int(letter)
        for _ in range(position % 8):
            digit = cycle[digit]
        total = times(total, digit)
    return total == 0


@settings(deadline=None)
@given(st.from_regex(r"[1-9][0-9]{5,17}", fullmatch=True))
def test_verhoeff_agrees_with_its_definition(number: str) -> None:
    assert verhoeff_ok(number) == plain_verhoeff(number)


@settings(deadline=None)
@given(st.from_regex(r"[1-9][0-9]{4,15}", fullmatch=True), st.data())
def test_verhoeff_finds_every_wrong_digit_and_every_swap_of_neighbours(stem: str, data: st.DataObject) -> None:
    number = next(stem + str(digit) for digit in range(10) if verhoeff_ok(stem + str(digit)))
    at = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in string.digits if digit != number[at]]))
    assert not verhoeff_ok(number[:at] + other + number[at + 1 :])
    at = data.draw(st.integers(0, len(number) - 2))
    if number[at] != number[at + 1]:
        assert not verhoeff_ok(number[:at] + number[at + 1] + number[at] + number[at + 2 :])


@pytest.mark.parametrize(
    ("system", "code_id", "fault"),
    [
        ("snomed", "38341003", ""),
        ("snomed", "135521000006100", ""),  # a vendor's namespace
        ("dmd", "1091811000000102", ""),
        ("snomed", "38341004", "has a wrong check digit"),
        ("snomed", "03834100", "is not an id of 6 to 18 digits"),
        ("snomed", "38341", "is not an id of 6 to 18 digits"),
        ("snomed", "٣٨٣٤١٠٠٣", "is not an id of 6 to 18 digits"),
        ("snomed", "1091811000000100", "was rounded: more than 15 digits, ending in 0, and the check digit fails"),
        ("snomed", "1.09181E+15", "is in scientific notation"),
        ("snomed", "1,09181E+15", "is in scientific notation"),
        ("snomed", "38341003.0", "is a decimal number"),
        ("snomed", " 38341003", "has blanks before or after it"),
        ("snomed", "38341003\u00a0", "has blanks before or after it"),
        ("snomed", "'38341003", "carries a spreadsheet's mark (' or =)"),
        ("loinc", "8480-6", ""),
        ("loinc", "33914-3", ""),
        ("loinc", "8480-5", "has a wrong check digit"),
        ("loinc", "8480", "is not written as 8480-6"),
        ("rxnorm", "314076", ""),
        ("rxnorm", "31407x", "is not a number of up to 9 digits"),
        ("emis", "EMISNQAN12", ""),
        ("emis", "EMIS 12", "is empty or holds blanks"),
    ],
)
def test_an_id_is_judged_by_its_system(system: str, code_id: str, fault: str) -> None:
    assert id_fault(system, code_id) == fault


def test_a_list_is_read_with_its_source_release_and_reviewer(tmp_path: Path) -> None:
    path = tmp_path / "af.csv"
    path.write_text(f'{HEAD}id,label,system\n49436004,"AF, any",snomed\n5370000,Flutter,snomed\n')
    codelist = read_codelist(path)
    assert (codelist.name, codelist.source, codelist.release, codelist.reviewed_by) == ("af", "s", "r", "v")
    assert [(c.id, c.label, c.system) for c in codelist.codes] == [
        ("49436004", "AF, any", "snomed"),
        ("5370000", "Flutter", "snomed"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("id,label,system\n49436004,a,snomed\n", 1, "the line '# source: ...' is missing or empty"),
        (f"{HEAD}code,term\n49436004,a\n", 4, "the header must be id,label,system"),
        (f"{HEAD}id,label,system\n49436004,a,snomed\n49436004,b,snomed\n", 6, "stands twice (first on line 5)"),
        (f"{HEAD}id,label,system\n49436004,a,b,snomed\n", 5, "has 4 columns instead of 3"),
        (f"{HEAD}id,label,system\n49436004,a,SNOMED CT\n", 5, "'SNOMED CT' is not a code system"),
        (f"{HEAD}id,label,system\n49436004,,snomed\n", 5, "has no label"),
        (f"{HEAD}id,label,system\n49436003,a,snomed\n", 5, "has a wrong check digit"),
        (f"{HEAD}id,label,system\n4.9E+15,a,snomed\n", 5, "is in scientific notation"),
        (f'{HEAD}id,label,system\n49436004,"a,snomed\n', 5, "is not CSV"),
        (f"{HEAD}id,label,system\n", 4, "holds no codes"),
        (f"{HEAD}# source: twice\nid,label,system\n49436004,a,snomed\n", 4, "'# source:' stands twice"),
    ],
)
def test_what_is_wrong_with_a_list_has_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    path = tmp_path / "af.csv"
    path.write_text(text)
    codelist, found = parse_codelist(path, "af.csv")
    assert codelist is None
    assert any(one.where == f"af.csv:{line}" and what in one.what for one in found), found
    with pytest.raises(DefinitionError):
        read_codelist(path)


def test_the_same_id_may_stand_in_two_systems(tmp_path: Path) -> None:
    path = tmp_path / "af.csv"
    path.write_text(f"{HEAD}id,label,system\n49436004,a,snomed\n49436004,a,dmd\n")
    assert len(read_codelist(path).codes) == 2


# --------------------------------------------------------------------------- bringing lists in


@pytest.mark.parametrize(
    "text",
    [
        "code,term\n49436004,Atrial  fibrillation\n5370000,Flutter\n",
        "term,code\nAtrial fibrillation,49436004\nFlutter,5370000\n",
        "\ufeffID,Name,extra\r\n49436004,Atrial fibrillation,x\r\n5370000,Flutter,y\r\n",
        "snomedcode,description\n49436004,Atrial fibrillation\n49436004,again\n\n5370000,Flutter\n",
        'type,dmd_id,bnf_code,dmd_name\nvmp,49436004,x,"Atrial fibrillation"\namp,5370000,x,Flutter\n',
    ],
)
def test_opencodelists_columns_are_found_by_name_in_any_order(tmp_path: Path, text: str) -> None:
    source = tmp_path / "their-list.csv"
    source.write_text(text, newline="")
    path = import_codelist(
        source, "af", folder=tmp_path / "lists", origin="opencodelists.org x", release="v1", reviewed_by="Dr A"
    )
    codelist = read_codelist(path)
    assert [(c.id, c.label) for c in codelist.codes] == [("5370000", "Flutter"), ("49436004", "Atrial fibrillation")]
    assert (codelist.source, codelist.release, codelist.reviewed_by) == ("opencodelists.org x", "v1", "Dr A")


@pytest.mark.parametrize(
    ("column", "told", "system"),
    [("code", None, "snomed"), ("dmd_id", None, "dmd"), ("code", "dmd", "dmd"), ("dmd_id", "snomed", "snomed")],
)
def test_the_system_is_told_or_seen_from_the_column(tmp_path: Path, column: str, told: str | None, system: str) -> None:
    (tmp_path / "x.csv").write_text(f"{column},term\n49436004,AF\n")
    path = import_codelist(tmp_path / "x.csv", "af", folder=tmp_path / "lists", system=told)
    assert [code.system for code in read_codelist(path).codes] == [system]


def test_a_list_without_a_reviewer_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("code,term\n49436004,AF\n")
    codelist = read_codelist(import_codelist(tmp_path / "x.csv", "af", folder=tmp_path / "lists"))
    assert codelist.reviewed_by == "not yet reviewed"
    assert codelist.source == "x.csv"


def test_a_ruined_list_is_refused_whole_with_counts_lines_and_a_hint(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "code,term\n49436004,AF\n1.09181E+15,a\n1091811000000100,b\n 49436004,c\n49436004.0,d\n1011481000000100,e\n,f\n"
        "49436005,g\n5370000,\n"
    )
    with pytest.raises(DefinitionError) as caught:
        import_codelist(tmp_path / "x.csv", "af", folder=tmp_path / "lists")
    said = str(caught.value)
    assert "8 of 9 rows cannot be used" in said
    assert "2 ids was rounded" not in said
    for part in (
        "2 ids were rounded",
        "(lines 4, 7)",
        "scientific notation (line 3)",
        "blanks before or after it (line 5)",
        "a decimal number (line 6)",
        "is empty (line 8)",
        "wrong check digit (line 9)",
        "no term (line 10)",
    ):
        assert part in said
    assert "15 digits" in caught.value.hint
    assert caught.value.where == "x.csv:3"
    assert not (tmp_path / "lists").exists()


def test_every_id_of_more_than_15_digits_that_a_spreadsheet_rounded_is_found() -> None:
    whole = [stem + str(d) for stem in ("109181100000010", "29983911000001107"[:-1], "999013091000230102"[:-1])
             for d in range(10) if verhoeff_ok(stem + str(d))]  # fmt: skip
    for code_id in whole:
        rounded = code_id[:15] + "0" * (len(code_id) - 15)
        assert ruined(code_id) == ""
        assert rounded == code_id or id_fault("snomed", rounded)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("foo,term\n49436004,a\n", "a column of ids is missing"),
        ("code,foo\n49436004,a\n", "a column of terms is missing"),
        ("", "a column of ids is missing"),
        ("code,term\n", "holds no codes"),
    ],
)
def test_a_list_without_what_is_needed_names_it(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DefinitionError, match=what):
        import_codelist(tmp_path / "x.csv", "af", folder=tmp_path)


def test_an_existing_list_is_replaced_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("code,term\n49436004,AF\n")
    import_codelist(tmp_path / "x.csv", "af", folder=tmp_path / "lists")
    with pytest.raises(UsageError, match="already"):
        import_codelist(tmp_path / "x.csv", "af", folder=tmp_path / "lists")
    import_codelist(tmp_path / "x.csv", "af", folder=tmp_path / "lists", replace=True)


@pytest.mark.parametrize("name", ["../x", "A", "", "a b", "a\n"])
def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.csv").write_text("code,term\n49436004,AF\n")
    with pytest.raises(UsageError):
        import_codelist(tmp_path / "x.csv", name, folder=tmp_path / "lists")


REFERENCE = Path(__file__).parents[3] / "shared" / "clinical" / "codes"


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference lists do not lie beside this checkout")
def test_the_reference_lists_are_all_valid_and_fail_once_a_spreadsheet_had_them(tmp_path: Path) -> None:
    import csv

    for path in sorted(REFERENCE.glob("*.csv")):
        with open(path, newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert [row["code"] for row in rows if id_fault("snomed", row["code"])] == []
        long = [row["code"] for row in rows if len(row["code"]) > 15]
        ruined_ids = [code_id[:15] + "0" * (len(code_id) - 15) for code_id in long]
        missed = [a for a, b in zip(ruined_ids, long, strict=True) if a != b and not id_fault("snomed", a)]
        assert len(missed) <= 0.15 * len(long) + 1  # a check digit lets 1 in 10 wrong numbers through
