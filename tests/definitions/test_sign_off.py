"""Whatever nobody has signed, and whatever was taken from memory, is on the page; what is signed is not."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.sign_off import KINDS, awaiting_sign_off, is_reviewed
from casefinding.job.check import check_definitions
from casefinding.report.sign_off import sign_off_page, write_sign_off

ROOT = Path(__file__).parents[2]
MODEL = "models/kidney.yaml"


@pytest.fixture(scope="module")
def ours():
    return read_definitions(ROOT)


def text_of(page: str) -> str:
    body = page[page.index("<main") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def unverified_texts(value) -> list[str]:
    """Every "unverified" text anywhere in the definitions, found without knowing where to look."""
    if isinstance(value, dict):
        own = [text for key, text in value.items() if key == "unverified" and text]
        return own + [text for part in value.values() for text in unverified_texts(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in unverified_texts(part)]
    return []


def test_every_unverified_text_stands_on_the_page(ours):
    texts = unverified_texts(ours.model_dump(mode="python"))
    assert len(texts) > 60
    page = text_of(sign_off_page(ours))
    for text in texts:
        assert " ".join(text.split()) in page


def test_every_draft_rule_and_every_list_without_a_reviewer_stands_on_the_page(ours):
    rows = awaiting_sign_off(ours)
    page = text_of(sign_off_page(ours))
    rules = [rule for model in ours.models.values() for rule in model.rules]
    assert len(rules) >= 36
    assert {row.name for row in rows if row.kind == "rule"} == {rule.id for rule in rules}
    assert {row.name for row in rows if row.kind == "code list"} == set(ours.codelists)
    for rule in rules:
        assert f"{rule.id} {rule.label}" in page


def test_what_the_specification_marks_as_from_memory_is_named(ours):
    page = text_of(sign_off_page(ours))
    for words in ("NG12", "NG133", "NG136", "NG203", "92%", "TRUD", "TargetCOPD", "GRASP-COPD", "DCB0129",
                  "CAG 7-04(a)/2013", "QOF prevalences", "Adderley", "67 people", "Which of the register's codes",
                  "hypertension core", "copd core", "combined pill", "index of 2025", "December 2025",
                  "90 and 365 days", "Health Check", "ORBIT", "CHA2DS2-VASc", "Black and Asian"):  # fmt: skip
        assert words.lower() in page.lower(), words


def change(tree: Path, file: str, old: str, new: str):
    path = tree / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return read_definitions(tree)


def rows_of(definitions, kind: str) -> list[str]:
    return [row.name for row in awaiting_sign_off(definitions) if row.kind == kind]


def test_a_rule_that_is_signed_off_is_not_on_the_page(tree):
    assert rows_of(read_definitions(tree), "rule") == ["CKD-1"]
    signed = change(
        tree, MODEL, "    source: NICE", "    status: signed off by the safety officer, 2026-11-01\n    source: NICE"
    )
    assert rows_of(signed, "rule") == []
    assert "CKD-1" not in text_of(sign_off_page(signed))


def test_a_rule_that_is_signed_off_stays_while_something_of_it_is_unverified(tree):
    definitions = change(
        tree, MODEL, "    source: NICE", "    status: signed off\n    unverified: the line of 60\n    source: NICE"
    )
    (row,) = [row for row in awaiting_sign_off(definitions) if row.kind == "rule"]
    assert (row.name, row.check, row.standing, row.place) == ("CKD-1", "the line of 60", "", MODEL)


@pytest.mark.parametrize("status", ["draft", "nearly signed off", "unsigned", "Draft: signed off soon"])
def test_any_other_status_is_a_draft(tree, status):
    definitions = change(tree, MODEL, "    source: NICE", f'    status: "{status}"\n    source: NICE')
    assert rows_of(definitions, "rule") == ["CKD-1"]


@pytest.mark.parametrize(
    ("reviewer", "reviewed"),
    [("nobody", False), ("awaiting clinical sign-off", False), ("not yet reviewed", False), ("None", False),
     ("to be decided", False), ("Dr A. Example, 2026-11-01", True), ("Norfolk list board", True)],
)  # fmt: skip
def test_a_list_is_on_the_page_until_it_names_its_reviewer(tree, reviewer, reviewed):
    definitions = change(tree, "features/codelists/egfr.csv", "reviewed by: nobody", f"reviewed by: {reviewer}")
    assert is_reviewed(definitions.codelists["egfr"]) is reviewed
    assert ("egfr" not in rows_of(definitions, "code list")) is reviewed


def test_every_kind_of_definition_can_ask_for_a_look(tree):
    change(tree, "models/leave_outs.yaml", "  drop from", "  unverified: which drugs\n  drop from")
    change(tree, "features/signals/kidney.yaml", "  label: eGFR\n", "  label: eGFR\n  unverified: the formula\n")
    change(tree, MODEL, "    why: It is the label.\n", "    why: It is the label.\n    unverified: the codes\n")
    change(tree, MODEL, "    label: Said no\n", "    label: Said no\n    unverified: for how long\n")
    change(
        tree, MODEL, "leakage:\n",
        "verification:\n  label: a test\n  when: {feature: nsaid_courses, at least: 1}\n  source: s\n"
        "  unverified: the test\n"
        "expected:\n  bands: [{ages: [40, 90], women: 1, men: 1}]\n  source: s\n  unverified: the figures\nleakage:\n",
    )  # fmt: skip
    (tree / "models/open_questions.yaml").write_text(
        "who:\n  label: Who signs\n  unverified: nobody knows\n  source: s\n"
    )
    (tree / "models/quality.yaml").write_text(
        "kidney:\n  figures:\n    - label: On the register\n      bands: [{ages: [0, 120], per cent: 4}]\n"
        '      times: 2\n      year: "2020"\n      source: s\n      unverified: how many\n'
    )
    definitions = read_definitions(tree)
    checks = {row.check for row in awaiting_sign_off(definitions)}
    assert checks >= {
        "which drugs", "the formula", "the codes", "for how long", "the test", "the figures", "nobody knows",
        "how many",
    }  # fmt: skip
    assert list(dict.fromkeys(row.kind for row in awaiting_sign_off(definitions))) == [
        kind for kind in KINDS if kind not in ("score", "visit", "treatment gap", "segment")
    ]


def test_the_page_says_when_nothing_waits(tree):
    change(tree, MODEL, "    source: NICE", "    status: signed off\n    source: NICE")
    for path in (tree / "features/codelists").glob("*.csv"):
        path.write_text(path.read_text().replace("reviewed by: nobody", "reviewed by: Dr A. Example"))
    definitions = read_definitions(tree)
    assert awaiting_sign_off(definitions) == ()
    assert "Nothing: every rule is signed off" in text_of(sign_off_page(definitions))


def test_the_page_is_self_contained_and_can_be_read_aloud(ours, tmp_path):
    write_sign_off(ours, tmp_path / "page.html", up="index.html")
    page = unescape((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#|index\.html)', page)
    assert '<html lang="en-GB">' in page
    assert page.count("<h1>") == 1
    assert page.count("<caption") == page.count("<table>") == page.count("<h2")
    targets = set(re.findall(r'<h2 id="([^"]+)"', page))
    assert targets
    assert set(re.findall(r'href="#([^"]+)"', page)) == targets | {"main"}


def test_what_a_definition_says_cannot_break_the_page(tree):
    definitions = change(
        tree, MODEL, "    source: NICE", '    unverified: "<script>alert(1)</script>"\n    source: NICE'
    )
    page = sign_off_page(definitions)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_check_writes_the_page_where_all_is_well_and_none_where_it_is_not(tree, tmp_path):
    page = tmp_path / "page.html"
    found, summary = check_definitions(tree, page)
    assert found == []
    assert summary.endswith(f"{page}: 6 definitions await clinical sign-off")
    assert "CKD-1" in page.read_text()
    page.unlink()
    path = tree / MODEL
    path.write_text(path.read_text().replace("signals: [kidney_register]", "signals: [egfr]"))
    assert check_definitions(tree, page)[0]
    assert not page.exists()
