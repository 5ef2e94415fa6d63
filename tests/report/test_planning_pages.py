"""The pages for planning: what was asked stands there in words; a browser and axe have nothing against them."""

import shutil
from pathlib import Path

import pytest

from casefinding.definitions.clauses import AllOf, AnyOf, AtLeastOf, NoneOf, OtherFeature, Test
from casefinding.definitions.first import First
from casefinding.definitions.read import read_definitions
from casefinding.report.clauses import clause_words
from casefinding.report.first import FirstPeople, Reached, write_first
from casefinding.report.segment import Area, Counted, Segmented, write_segment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVERYBODY, PRACTICE = ("all", ""), ("practice", "Y99001")
UNITS = [("all", "", "Everybody"), ("place", "Coast", "Coast"), ("practice", "Y99001", "=cmd|' /C calc'!A0<script>")]


class Shown(dict):
    """Every cell has a number; some are withheld."""

    def __missing__(self, key):
        return None if "care_home" in str(key) else 1235


@pytest.fixture(scope="module")
def definitions():
    return read_definitions(Path(__file__).parents[2])


@pytest.fixture
def pages(definitions, edition, tmp_path):
    one = definitions.segments
    shown = Shown({(place, ("registered",)): 1235 for place in (EVERYBODY, PRACTICE)})
    found = Segmented(
        one, UNITS, {"sex": [("Female", ("sex", "Female"))]}, shown,
        [Counted(name, flag, 1235) for name, flag in one.conditions.items()],
        [Counted(name, flag, None) for name, flag in one.risks.items()],
        [Counted(name, flag, 1235) for name, flag in {"core20": one.core20, **one.plus}.items()],
        [Area(name, area, 1235 if area.when else None, [(label, clause, 15) for label, clause in area.gaps.items()],
              area.when is not None) for name, area in one.areas.items()],
        None,
    )  # fmt: skip
    write_segment(found, definitions, edition, tmp_path)
    first = First.model_validate(
        {"weighting": {"smokes": {"label": "Smokes", "points": 2, "why": "help",
                                  "when": {"feature": "smoking_at_present_ever", "is": "known"}},
                       "likely": {"label": "Likely", "points": 3, "why": "w", "chance of": "copd", "at least": 0.2}}},
        by_alias=True, by_name=False,
    )  # fmt: skip
    people = {"../../etc": [Reached(1, "=1+1", 1960, "female", 5, [("Smokes", 2), ("Likely", 3)], ["Care home"])]}
    write_first(
        FirstPeople(first, UNITS, {"sex": [("Female", ("sex", "Female"))]}, shown, 12, ["Palliative care"], "0123abcd"),
        people, definitions, edition, tmp_path,
    )  # fmt: skip
    return tmp_path


def test_a_clause_is_said_in_words_with_nothing_left_out(definitions):
    clause = AllOf(
        all=(
            AnyOf(any=(Test(feature="bmi_latest_5y", at_least=27.5), Test(feature="age", at_least=40, less_than=80))),
            NoneOf(none=(Test(feature="diabetes_unresolved_ever", is_="known"),)),
            AtLeastOf(
                number=1,
                of=(Test(feature="ethnicity", at_least=3), Test(feature="contact_count_12m", is_="absent")),
            ),
            Test(feature="bmi_latest_5y", more_than=OtherFeature(feature="bmi_mean_5y")),
        )
    )  # fmt: skip
    assert clause_words(clause, definitions) == (
        "(Latest BMI: at least 27.5 or Age: at least 40 and less than 80) and "
        "not (Days since diabetes was coded, not resolved since: on record) and "
        "at least 1 of (Ethnic group: Asian or Black or Other; Contacts in 12 months: none) and "
        "Latest BMI: more than that of Average BMI in 5 years"
    )


def test_the_first_page_prints_the_weighting_and_a_list_stays_in_its_folder(pages):
    page = (pages / "first.html").read_text(encoding="utf-8")
    assert "chance of COPD being found on testing at least 20%" in page
    assert "<script>" not in page
    (listed,) = (pages / "practices").rglob("*.csv")
    assert listed.parent.parent == pages / "practices"
    text = listed.read_text(encoding="utf-8")
    assert "'=1+1" in text
    assert "Smokes (2 points) | Likely (3 points)" in text


def test_a_withheld_count_is_said_and_no_cell_is_a_formula(pages):
    assert "withheld" in (pages / "segment.html").read_text(encoding="utf-8")
    assert ",'=cmd|" in (pages / "segment.csv").read_text(encoding="utf-8")
    assert ",=cmd|" not in (pages / "segment.csv").read_text(encoding="utf-8")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (.ci/run installs it)")
def test_the_pages_in_a_browser(pages):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name in ("segment.html", "first.html"):
            tab = browser.new_context(bypass_csp=True).new_page()
            asked = []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto((pages / name).as_uri())
            assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
            found = Axe().run(tab)
            assert found.violations_count == 0, found.generate_report()
            for width in (1280, 390):
                tab.set_viewport_size({"width": width, "height": 900})
                assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (name, width)
        browser.close()
