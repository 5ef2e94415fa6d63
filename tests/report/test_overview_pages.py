"""The pages of the network and the board: what each may show, and that both can be read."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from casefinding.definitions.impact import Goal
from casefinding.definitions.read import read_config
from casefinding.disclosure import FEWEST
from casefinding.recall.loop.funnel import STAGES
from casefinding.recall.network.completeness import Recorded, Register
from casefinding.recall.network.impact import Listed, beside, outlook, point_worth
from casefinding.recall.network.units import units_of
from casefinding.report.board import write_board
from casefinding.report.overview import (
    CapacityRow,
    ChangeRow,
    FloorRow,
    FunnelRow,
    Overview,
    sources_of,
    write_network,
)
from casefinding.report.shapes import LANE_WORDS
from tests.report.test_browser import CHROMIUM, browser  # noqa: F401

ROOT = Path(__file__).parents[2]
CODES = [f"Y9900{number}" for number in range(1, 9)]
PRACTICES = [
    {"practice": code, "name": f"Practice {code[-1]} <b>&</b>", "pcn": f"Network {place % 3}", "place": "Shore"}
    for place, code in enumerate(CODES)
]


@pytest.fixture(scope="module")
def overview() -> Overview:
    rng = np.random.default_rng(2)
    n = 4000
    base = pa.table(
        {
            "practice": rng.choice(CODES, n, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.04, 0.01]).tolist(),
            "age": rng.integers(0, 95, n),
            "sex": rng.choice(["female", "male"], n).tolist(),
            "ethnicity": ["white"] * n,
            "imd_decile": rng.integers(1, 11, n),
        }
    )
    units = units_of(base, PRACTICES)
    lanes = {
        lane: units.count(rng.random(n) < share)
        for lane, share in zip(LANE_WORDS, (0.003, 0.001, 0.04, 0.01, 0.02, 0.005), strict=True)
    }
    on, due = rng.random(n) < 0.15, rng.uniform(0.1, 0.4, n)
    rows = [
        Recorded(unit, int(mask.sum()), int((mask & on).sum()), float(due[mask].sum()))
        for unit in units.units
        for mask in (units.rows[unit.key],)
    ]
    register = Register("thirst", "Thirst", rows, Goal(share=0.8, by=2029, source="made up"), "a survey", "")
    said = read_config(ROOT / "configs" / "demo.yaml").impact["hypertension"]
    listed = [Listed(code, "thirst", 2, 9 + place, 40, 6.5, place % 2) for place, code in enumerate(CODES)]
    stages = [dict(zip(STAGES, (50 + place, 40, 20, 18, 9, place, None), strict=True)) for place in range(len(CODES))]
    return Overview(
        units=units, lanes=lanes, registers=[register],
        outlooks=outlook("Thirst", said, listed, {code: 90.0 for code in CODES}),
        worth={"Thirst": point_worth(said, 1000.0)}, beside=[beside(said)], sources={"Thirst": sources_of(said)},
        capacity=[CapacityRow(code, "water tests", 40, 38.0, 0.12) for code in CODES],
        floors=[FloorRow("Core20", 0.03, 0.04, 0.8, False, 0.4, "as good as possible")],
        funnel=[FunnelRow(code, reached) for code, reached in zip(CODES, stages, strict=True)],
        changes=[ChangeRow(code, "died", 3) for code in CODES], known_already=(33, 170), never_coded=5,
        holdout="One in 10 is held out by lot.", files={code: f"{code}/secret-list.html" for code in CODES},
    )  # fmt: skip


@pytest.fixture
def written(overview, edition, tmp_path):
    write_network(overview, edition, tmp_path)
    write_board(overview, edition, tmp_path)
    return tmp_path


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>|data:image[^\"]+", "", html, flags=re.DOTALL))


def rows_of(folder) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "icb.csv").read_text(encoding="utf-8"))))


def test_the_network_sees_exact_numbers_and_reads_for_whom_the_page_is(written, overview):
    html = (written / "network.html").read_text()
    assert "For the practices of this network only" in html
    for unit in overview.units.of("practice"):
        assert f'<td class="num">{overview.lanes["review the record"][unit.key]:,}</td>' in html
    assert 'href="icb/icb.html"' in html  # where the job writes the page of the board
    assert "33 of the 170 people" in text_of(html)
    assert "Look first at coding and list" in html or "No practice is outside the limits" in html


def test_practices_stand_by_code_and_never_by_rank(written):
    for name in ("network.html", "icb.html"):
        html = (written / name).read_text()
        for table in re.findall(r"<tbody>.*?</tbody>", html, re.DOTALL):
            codes = [code for code in re.findall(r'<th scope="row">.*?(Y9900\d)', table)]
            assert codes == sorted(codes)
    assert "league table" in (written / "icb.html").read_text()


def test_every_count_for_the_board_is_a_multiple_of_5_and_none_is_1_to_7(written):
    counts = [
        row for row in rows_of(written)
        if not row["note"].startswith(("modelled", "from the config")) and not row["low"] and row["table"] != "fairness"
    ]  # fmt: skip
    assert len(counts) > 100
    for row in counts:
        assert (row["value"] == "") == (row["note"] == "withheld")
        if row["value"]:
            assert int(row["value"]) % 5 == 0
            assert not 0 < int(row["value"]) < FEWEST
    assert any(row["note"] == "withheld" for row in counts)


def test_every_rate_for_the_board_is_that_of_the_rounded_counts_beside_it(written):
    found = {(row["level"], row["code"], row["measure"]): row for row in rows_of(written) if row["table"] == "register"}
    rates = {key: row for key, row in found.items() if key[2] == "recorded of one expected"}
    assert rates
    for (level, code, _), row in rates.items():
        recorded, expected = (found[level, code, name]["value"] for name in ("recorded", "expected"))
        if row["value"]:
            assert float(row["value"]) == float(f"{int(recorded) / int(expected):.2g}")
        else:
            assert "" in (recorded, expected)


def test_totals_for_the_board_are_sums_of_what_is_shown(written, overview):
    found = {(row["level"], row["code"], row["measure"]): row["value"] for row in rows_of(written)}
    for lane in (*LANE_WORDS, "registered"):
        for unit in (*overview.units.of("network"), *overview.units.of("alliance")):
            part = "practice" if unit.level == "network" else "network"
            shown = [found[part, one.code, lane] for one in overview.units.of(part) if one.within == unit.code]
            if found[unit.level, unit.code, lane]:
                assert int(found[unit.level, unit.code, lane]) == sum(int(value or 0) for value in shown)


def test_the_page_of_the_board_holds_nobodys_pseudonym_and_no_way_into_a_practice(written):
    html = (written / "icb.html").read_text()
    links = re.findall(r'(?:href|src)="([^"]+)"', html)
    assert all(link.startswith(("#", "data:", "icb.csv")) for link in links)
    assert "practices/" not in html
    assert "secret-list" not in html
    assert not re.search(r"\b(minimum|maximum|lowest|highest|rank)\b", text_of(html), re.IGNORECASE)


def test_the_page_and_the_csv_of_the_board_hold_the_same_numbers(written):
    shown = re.sub(r"[,\s]+", " ", text_of((written / "icb.html").read_text()).replace(",", ""))
    for row in rows_of(written):
        if row["table"] in ("lists", "register") and row["value"] and row["level"] == "practice" and not row["low"]:
            assert f" {row['value']} " in shown


def test_no_headline_shows_the_published_claim_and_it_stands_beside_our_arithmetic(written):
    for name in ("network.html", "icb.html"):
        html = (written / name).read_text()
        headlines = re.findall(
            r"<(h1|h2|h3|title|strong|figcaption|caption|summary)\b[^>]*>(.*?)</\1>", html, re.DOTALL
        )
        headlines += re.findall(r'<(p class="lede"|li)[^>]*>(.*?)</', html, re.DOTALL)
        assert not [text for _, text in headlines if re.search(r"(?<![\d.,])65(?![\d.,])", text_of(text))]
        said = " ".join(text_of(html).split())
        row = re.search(r"<tr><th scope=\"row\">Published claim, not used.*?</tr>", html, re.DOTALL)
        assert row
        assert html.index("Our arithmetic") < row.start()
        assert not re.search(r"(?<![\d.,])65 strokes", text_of(html.replace(row.group(), "")))
        assert "3.6 (1.4 to 7.3)" in said
        assert "in use" in said


def test_what_may_come_of_it_is_called_modelled_and_never_taken_for_all_who_are_flagged(written):
    for name in ("network.html", "icb.html"):
        said = text_of((written / name).read_text())
        assert "Modelled, not observed." in said
        assert "if all flagged" not in said
        assert re.search(r"FIND-AF: 1,923 of 17,063", said)


def test_what_is_modelled_from_a_withheld_number_is_withheld_too(overview, edition, tmp_path):
    few = [replace(one, listed=replace(one.listed, review=3)) for one in overview.outlooks]
    write_board(replace(overview, outlooks=few), edition, tmp_path)
    modelled = [row for row in rows_of(tmp_path) if row["table"] == "impact"]
    assert {row["measure"] for row in modelled} == {"urgent", "review", "invited"}


def test_shares_of_a_group_are_told_to_the_board_only_where_8_of_it_have_a_place(overview, edition, tmp_path):
    rows = [
        FloorRow(name, 0.031 + place / 1000, 0.04, 0.8, True, 0.4, label="Thirst", people=people)
        for place, (name, people) in enumerate([("Black", 4), ("Asian", 9), ("White", 120), ("Core20", 40)])
    ]
    rows += [FloorRow("Core20", 0.055, 0.06, 0.8, False, 0.1, "as good as possible", "Hunger")]  # nobody counted
    write_board(replace(overview, floors=rows), edition, tmp_path)
    said = " ".join(text_of((tmp_path / "icb.html").read_text()).split())
    assert "Thirst: of each group" in said
    assert "Hunger: of each group" in said
    assert "Black Withheld Withheld Yes" in said
    assert "Asian Withheld Withheld Yes" in said  # else everybody's share would tell that of the one withheld
    assert "White 3.3 4.0 Yes" in said
    assert "Core20 Withheld Withheld No: as good as possible" in said
    found = {(row["condition"], row["code"], row["measure"]): row for row in rows_of(tmp_path)}
    assert found["Thirst", "Black", "to be found of one"]["note"] == "withheld"
    assert found["Thirst", "White", "to be found of one"]["value"] == "0.033"


@pytest.mark.parametrize(("checked", "shown"), [(3, ""), (12, "900"), (0, "900")])
def test_minutes_of_work_never_tell_the_board_of_a_lane_that_is_withheld(overview, edition, tmp_path, checked, shown):
    person = np.arange(4000)
    lanes = {
        lane: overview.units.count(person < (checked if lane == "check the reading" else 800)) for lane in LANE_WORDS
    }
    minutes = [CapacityRow(CODES[0], "record review minutes", 600, 885.0)]
    write_board(replace(overview, lanes=lanes, capacity=minutes), edition, tmp_path)
    found = {row["measure"]: row["value"] for row in rows_of(tmp_path) if row["table"] == "capacity"}
    assert found["record review minutes: used"] == shown
    assert (" 900 " in text_of((tmp_path / "icb.html").read_text())) == bool(shown)


def test_the_csv_of_the_board_holds_what_the_page_says_of_capacity_fairness_and_the_last_list(written):
    found = {(row["table"], row["measure"]): row["value"] for row in rows_of(written)}
    assert found["last list", "known already"] == "35"
    assert found["last list", "answers"] == "170"
    assert found["last list", "confirmed and on no register yet"] == ""  # 5 people
    assert found["capacity", "water tests: used"] == "305"
    assert {"fairness"} <= {table for table, _ in found}


def test_chances_that_add_up_to_far_more_than_is_expected_are_spoken_of_where_they_are_used(
    overview, edition, tmp_path
):
    for chances, said in ((220.0, True), (110.0, False)):
        off = [replace(one, listed=replace(one.listed, chances=chances, due=100.0)) for one in overview.outlooks]
        write_network(replace(overview, outlooks=off), edition, tmp_path)
        write_board(replace(overview, outlooks=off), edition, tmp_path)
        for name in ("network.html", "icb.html"):
            assert ("add up to 2.2 times the cases" in text_of((tmp_path / name).read_text())) is said


def test_a_choice_that_is_not_proved_best_says_so(overview, edition, tmp_path):
    for gap, said in ((0.0, False), (0.0297, True)):
        write_network(replace(overview, gap=gap), edition, tmp_path)
        text = text_of((tmp_path / "network.html").read_text())
        assert ("not proved to be the best" in text) is said
        assert ("up to 3% more" in text) is said


def test_a_step_without_a_published_share_says_that_everybody_counts():
    said = sources_of(read_config(ROOT / "configs" / "demo.yaml").impact["atrial_fibrillation"])
    assert {step: figure for step, figure, _ in said}["Confirmed, of the ill who attend"] == "100%"
    assert any("Not configured, so every one of them counts" in source for _, _, source in said)


def test_the_same_overview_gives_the_same_bytes(written, overview, edition, tmp_path):
    other = tmp_path / "again"
    other.mkdir()
    write_network(overview, edition, other)
    write_board(overview, edition, other)
    for name in ("network.html", "icb.html", "icb.csv"):
        assert (other / name).read_bytes() == (written / name).read_bytes()


def test_a_network_that_has_nothing_yet_is_told_what_is_missing(overview, edition, tmp_path):
    bare = Overview(overview.units, overview.lanes)
    write_network(bare, edition, tmp_path)
    write_board(bare, edition, tmp_path)
    for name in ("network.html", "icb.html"):
        said = text_of((tmp_path / name).read_text())
        assert "No earlier list is known" in said
        assert "The config says nothing of impact" in said
        assert "No capacity was stated" in said


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (.ci/run installs it)")
@pytest.mark.parametrize("name", ["network.html", "icb.html"])
def test_both_pages_can_be_read_by_everybody_and_ask_for_nothing(browser, written, name):  # noqa: F811
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    asked, complaints = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto((written / name).as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
    for width in (1280, 820, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert tab.locator("figure img").evaluate("node => node.naturalWidth > 300 && node.alt.length > 40")
    context.close()
    context = browser.new_context(bypass_csp=True)  # axe is a script, and our pages allow none
    tab = context.new_page()
    tab.goto((written / name).as_uri())
    found = Axe().run(tab)
    context.close()
    assert found.violations_count == 0, found.generate_report()
