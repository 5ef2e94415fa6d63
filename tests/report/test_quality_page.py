"""The quality page: what it says, that JSON and page agree, and that no small number can be worked out."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from casefinding.definitions.quality import QualityRules
from casefinding.definitions.read import read_definitions
from casefinding.disclosure import FEWEST, rounded
from casefinding.records.quality.assessment import assess_all
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.fit import Reason
from casefinding.records.sources import ingest
from casefinding.report import quality_counts, quality_rows
from casefinding.report.quality import NO_OPT_OUTS, published, write_quality
from casefinding.report.quality_words import _HOW, Speaker
from casefinding.report.shapes import Edition
from casefinding.suppression import solved
from casefinding.synthetic.simulate import simulate

CONDITIONS = ("hypertension", "atrial_fibrillation", "copd")
EVIL = "<script>alert(1)</script> {{ 7*7 }}"
COMMON, RARE = "999881000000100", "999891000000103"


@pytest.fixture(scope="module")
def known():
    return read_definitions(None)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Five hundred people of three practices, with a code that many have and no list holds, and one that few have."""
    home = tmp_path_factory.mktemp("quality-page")
    simulate(500, 3, 5, home / "extract", home / "truth")
    file = home / "extract" / "event" / "part-00000.parquet"
    event = pd.read_parquet(file)
    people = sorted(event["person"].unique())
    more = event.iloc[:60].copy()
    more["person"] = people[:60]
    more[["happened_on", "recorded_on"]] = "2025-05-05"
    more[["value", "unit"]] = None
    more["system"], more["code"], more["term"] = "snomed", COMMON, EVIL
    few = more.iloc[:6].copy()
    few["code"], few["term"] = RARE, "A rare word of few people"
    drug = more.iloc[:40].copy()
    drug["system"], drug["code"], drug["term"] = "dmd", COMMON, "Nothingol 5mg tablets"
    pd.concat([event, more, few, drug]).to_parquet(file, index=False)
    return ingest("native", home / "extract", home / "store")


@pytest.fixture(scope="module")
def found(store, known):
    return assess_all(store, known, QualityRules())


@pytest.fixture(scope="module")
def told(found, store, known):
    return published(found, store, known, CONDITIONS)


@pytest.fixture(scope="module")
def written(found, store, known, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("page") / "store-quality.html"
    write_quality(found, store, known, CONDITIONS, edition_of(store), file)
    return file


def edition_of(store) -> Edition:
    return Edition(
        network="Saltmarsh (fictional)", contact="the data manager", index_day=store.data_through,
        data_through=store.data_through, list_id="0123abcd", version="0.1.0", made_up=True,
    )  # fmt: skip


def text_of(page: Path) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))))


def test_the_page_says_what_is_exact_and_what_is_withheld_before_anything_else(written):
    text = text_of(written)
    assert text.index("1 to 7, and what would tell such a count, are withheld") < text.index("What to ask, and whom")


def test_every_part_stands_on_the_page_and_in_the_json(written, told):
    page = written.read_text(encoding="utf-8")
    for part in ("ask", "fit", "rows", "complete", "figures", "units", "late", "days", "codes"):
        assert f'id="{part}"' in page
        assert f'href="#{part}"' in page
    kept = json.loads(written.with_suffix(".json").read_text(encoding="utf-8"))
    assert kept.pop("edition")["id"] == "0123abcd"
    assert kept == json.loads(json.dumps(told))


def test_the_balance_of_every_file_adds_up(told):
    assert told["rows"]["files"]
    exact = [file for file in told["rows"]["files"] if file["exact"]]
    assert {"event", "practice"} <= {file["table"] for file in exact}
    for table in exact:
        for file in (table, *table["parts"]):
            assert file["read"] == file["kept"] + file["refused"] + sum(file["left"].values())


def test_rows_of_tables_of_people_tell_no_small_number(told, store):
    """Whoever was refused is one of few people: neither the count nor a difference of exact counts is told."""
    tables = [file for file in told["rows"]["files"] if file["people"]]
    counts = store.counts()["balance"]
    assert any(0 < counts[part["file"]]["refused"] < FEWEST for table in tables for part in table["parts"])
    for table in tables:
        for file in (table, *table["parts"], told["rows"]["tables"][table["table"]]):
            for number in (file["read"], file["kept"], file["refused"], *file.get("left", {}).values()):
                assert number in (quality_rows.FEWER, quality_rows.WITHHELD) or number % 5 == 0 or table["exact"]
                assert number == 0 or isinstance(number, str) or number >= FEWEST


def test_what_is_refused_left_or_held_of_few_is_said_in_words(told):
    numbers = [one["rows"] for part in ("refused", "left") for one in told["rows"][part]]
    numbers += [number for one in told["rows"]["refused"] for number in one["by practice"].values()]
    numbers += [number for one in told["held"]["by practice"].values() for number in one.values()]
    assert quality_rows.FEWER in numbers
    assert all(isinstance(number, str) or number == 0 or number >= FEWEST for number in numbers)


def test_left_rows_of_few_people_are_withheld_with_what_would_tell_them():
    name = "291_Admin_Patient_20260131120000_0F0F0F0F-0F0F-0F0F-0F0F-0F0F0F0F0F0F.csv"
    left = {"confidential: stays at the practice": 2, "test patient": 3}
    counts = {
        "rows": {}, "refused": {}, "left": left,
        "balance": {name: {"read": 912, "kept": 907, "refused": 0, "left": left}},
    }  # fmt: skip
    quality: Any = SimpleNamespace(by_practice={}, refused={})
    (file,) = quality_rows.rows(counts, quality)["files"]
    assert (file["label"], file["read"], file["kept"]) == ("Admin_Patient, 2026-01-31 12:00", 910, 905)
    assert set(file["left"].values()) == {quality_rows.FEWER}
    assert {one["rows"] for one in quality_rows.rows(counts, quality)["left"]} == {quality_rows.FEWER}


def test_the_first_day_is_a_year_only(told, written, store):
    assert told["store"]["from"] == store.data_from.year
    assert store.data_from.isoformat() not in written.with_suffix(".json").read_text(encoding="utf-8")


def test_refused_rows_are_told_before_anything_else_and_nothing_stands_out_is_not(written):
    text = text_of(written)
    assert "Nothing stands out" not in text
    assert text.index("of the extract were refused") < text.index("What to ask, and whom")
    assert 'href="#rows"' in written.read_text(encoding="utf-8")


def test_that_no_opt_out_was_seen_is_a_note_and_no_finding(told):
    assert NO_OPT_OUTS in told["notes"]
    assert not any("opt-out" in one["says"] for one in told["findings"])


def test_practices_have_no_verdict_on_training_and_a_row_only_where_they_differ(told, written):
    for one in told["verdicts"]:
        assert (one["train"] is None) == bool(one["practice"])
        if one["same in"]:
            mine = [each for each in told["verdicts"] if each["condition"] == one["condition"] and each["practice"]]
            assert {each["score"] for each in mine} == {one["score"]}
            assert not any(each["score why"] for each in mine)


def test_parts_of_one_table_are_one_row(told):
    names = [(file["table"], file["stamp"]) for file in told["rows"]["files"]]
    assert len(names) == len(set(names))


def test_every_reason_stands_once_with_its_count(written, store):
    page = unescape(written.read_text(encoding="utf-8"))
    rows = [re.sub(r"<[^>]+>", "\t", row) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    cells = [[cell.strip() for cell in row.split("\t") if cell.strip()] for row in rows]
    for reason, count in store.counts()["refused"].items():
        (mine,) = [row for row in cells if row[0].lower() == reason]
        assert f"{count:,}" in mine[1:] or str(rounded(count)) in mine[1:] or quality_rows.FEWER in mine[1:]


def test_codes_of_few_people_are_never_shown(written, told):
    assert [one["id"] for one in told["unused codes"]] == [COMMON]
    assert [one["term"] for one in told["unmatched drugs"]] == ["Nothingol 5mg tablets"]
    for file in (written, written.with_suffix(".json")):
        content = file.read_text(encoding="utf-8")
        assert "rare word" not in content
        assert RARE not in content


def test_what_a_record_says_cannot_act_on_the_page(written):
    assert "<script" not in written.read_text(encoding="utf-8")
    assert EVIL in unescape(written.read_text(encoding="utf-8"))


def numbers_of_people(value, key=""):
    """Every count of people in the content, wherever it stands."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from numbers_of_people(part, "people" if key == "by practice" and isinstance(part, int) else name)
    elif isinstance(value, list):
        for part in value:
            yield from numbers_of_people(part, key)
    elif key in ("people", "registered", "cases") and value is not None:
        yield value


def test_no_count_of_people_is_small_or_exact(told):
    content = {name: part for name, part in told.items() if name not in ("rows", "held", "units")}
    counts = list(numbers_of_people(content))
    assert len(counts) > 30
    assert all(count == 0 or (count >= FEWEST and count % 5 == 0) for count in counts)


def test_no_small_number_of_a_completeness_table_can_be_worked_out(found, told):
    """The attack knows every shown number within 2, all sums, and that people with and without are all people."""
    signals = [found.asked.names.index(one["signal"]) for one in told["completeness"]["signals"]]
    registered, shares = quality_counts.complete(found, signals)
    withheld = 0
    for place in signals:
        people, having = quality_counts._counts(found, None), quality_counts._counts(found, place)
        keys = list(registered)
        counts = people | having | {(k, "without"): people[k, "people"] - having[k, "with"] for k in keys}
        sums = [
            ((whole, part), [(one, part) for one in parts])
            for whole, parts in quality_counts._sums(found)
            for part in ("people", "with", "without")
        ]
        sums += [((key, "people"), [(key, "with"), (key, "without")]) for key in keys]
        hidden = {(key, "without") for key in keys}
        hidden |= {(key, "people") for key in keys if registered[key] is None}
        hidden |= {(key, "with") for key in keys if shares[place][key] is None and people[key, "people"]}
        small = {key for key, count in counts.items() if 0 < count < FEWEST}
        assert small <= hidden
        withheld += len(small)
        assert solved(counts, sums, hidden) == []
    assert withheld > 50


def test_no_small_number_of_codes_figures_and_cases_can_be_worked_out(found):
    for code, total, by in quality_counts.unused_codes(found, drugs=False):
        seen = dict(zip(found.who.codes, map(int, found.counted.seen_people[code]), strict=True))
        counts = {**seen, "": sum(seen.values())}
        assert total
        hidden = {practice for practice, number in by.items() if number is None}
        assert solved(counts, [("", list(by))], hidden) == []
    for one in found.compared:
        shown = quality_counts.prevalence(one.people.astype(int), one.seen.astype(int), found.who.codes)
        counts, hidden = {}, set()
        for place, practice in [*enumerate(found.who.codes), (slice(None), "")]:
            key = ("practice", practice) if practice else quality_counts.ALL
            people, seen = (int(numbers[place].sum()) for numbers in (one.people, one.seen))
            counts |= {(key, "people"): people, (key, "seen"): seen, (key, "not"): people - seen}
            told = zip(("people", "seen"), shown[key], strict=True)
            hidden |= {(key, part) for part, number in told if number is None}
            hidden.add((key, "not"))
        keys = [("practice", code) for code in found.who.codes]
        sums = [((quality_counts.ALL, part), [(key, part) for key in keys]) for part in ("people", "seen", "not")]
        sums += [((key, "people"), [(key, "seen"), (key, "not")]) for key in (*keys, quality_counts.ALL)]
        assert solved(counts, sums, hidden) == []


SAID = {
    Kind.STOPPED: {"first": "2026-07-01", "last": "2026-09-30", "working days": 66, "to the end": True},
    Kind.GAP: {"first": "2025-05-05", "last": "2025-05-16", "working days": 10, "to the end": False},
    Kind.REFUSED: {
        "table": "Marsh Lane (Y99003)", "people": False, "read": 900, "refused": 40,
        "reasons": {"impossible date": 36, "missing value": 4},
    },
    Kind.RATE: {
        "month": "2025-01-01", "rose": False, "before": 16.0, "after": 0.3, "months": 21, "to the end": True,
    },
    Kind.USABLE: {"month": "2025-03-01", "before": 1.0, "after": 0.01, "months": 9, "to the end": True, "rose": False},
    Kind.UNIT: {"month": "2025-03-01", "from": "kg", "to": "", "before": 1.0, "after": 0.0, "months": 9},
    Kind.NO_UNIT: {"shares": {"weight": 1.0}},
    Kind.UNUSABLE: {"shares": {"weight": {"share": 0.4, "unknown unit": True}}},
    Kind.LOW: {"ratios": {"weight": 0.31}, "seen": {"weight": 40}},
    Kind.LOW_GROUP: {"ratios": {"weight": 0.06}, "seen": {"weight": 3}, "grouping": "ethnicity", "group": "asian"},
    Kind.LATE: {"median": 4, "ninetieth": 45, "over 30": 0.38},
    Kind.ONE_DATE: {},
    Kind.FIGURE: {"condition": "copd", "figure": "On the register", "ratio": 0.2, "seen": 4},
}  # fmt: skip


@pytest.mark.parametrize("kind", list(Kind))
def test_every_finding_says_where_what_and_what_to_do(kind, found):
    speaker = Speaker({"weight": "Weight"}, {"Y99003": "Marsh Lane"}, {"copd": "COPD"}, found.through)
    told = speaker.finding(Finding(kind, "Y99003", ("weight",), SAID[kind]))
    assert set(_HOW) == set(Kind)
    assert told.where == "Marsh Lane (Y99003)"
    assert told.says.endswith(".")
    assert told.ask.startswith(("Ask", "A list"))
    assert not re.search(r"[{}]|None|nan|inf\b", f"{told.says} {told.ask}")


def test_a_share_that_would_tell_a_small_number_is_said_in_words(found):
    speaker = Speaker({"weight": "Weight"}, {}, {"copd": "COPD"}, found.through)
    assert "0.2" not in speaker.finding(Finding(Kind.FIGURE, "", (), SAID[Kind.FIGURE])).says
    assert "%" not in speaker.finding(Finding(Kind.LOW_GROUP, "", ("weight",), SAID[Kind.LOW_GROUP])).says
    few = Reason("key seldom", {"label": "weight", "age": 40, "needed": 0.5, "people": 90, "have": 5, "why": ""})
    assert speaker.reason(few) == "weight: hardly anybody of the people from 40, 50% needed"


def test_a_store_of_an_earlier_version_has_a_balance_too(found, store, known):
    about = json.loads(json.dumps(store.about))
    for key in ("balance", "left"):
        about["counts"].pop(key, None)
    older = published(found, replace(store, about=about), known, CONDITIONS)
    for file in older["rows"]["files"]:
        assert not file["exact"] or file["read"] == file["kept"] + file["refused"]


def test_only_the_conditions_that_are_asked_for_are_judged(found, store, known):
    told = published(found, store, known, ("copd",))
    assert {one["condition"] for one in told["verdicts"]} == {one["condition"] for one in told["figures"]} == {"copd"}


def test_with_many_practices_tables_stay_narrow(found, store, known, tmp_path, monkeypatch):
    monkeypatch.setattr("casefinding.report.quality.MOST_PRACTICES", 2)
    write_quality(found, store, known, CONDITIONS, edition_of(store), tmp_path / "q.html")
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert "Completeness by practice" not in page
    assert 'href="q.json"' in page


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (.ci/run installs it)")
def test_the_page_is_readable_by_everybody_and_asks_nothing_of_a_network(written):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=quiet)
        tab = browser.new_page(bypass_csp=True)  # axe is a script, and our pages allow none
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(written.as_uri())
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        for width in (1280, 820, 390):
            tab.set_viewport_size({"width": width, "height": 900})
            assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        found = Axe().run(tab)
        browser.close()
    assert found.violations_count == 0, found.generate_report()
