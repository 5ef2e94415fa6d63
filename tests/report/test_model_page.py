"""A model's page publishes no count of 1 to 7 people, and says truthfully who was judged and when they were asked."""

import dataclasses
import datetime as dt
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from casefinding.judge.judgement import Judgement, judge
from casefinding.judge.truth import Truth
from casefinding.report.charts import model_charts
from casefinding.report.model import ASKED, asked_at, write_model
from casefinding.report.network import write_index
from casefinding.report.shapes import ModelStory


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    """300 people of three practices, one practice of 3 people, short lists, and a rare state of the truth."""
    rng = np.random.default_rng(3)
    n = 300
    at = rng.normal(-0.8, 1.2, n)
    chance = 1 / (1 + np.exp(-at))
    day = dt.date(2024, 1, 1)
    practice = np.where(np.arange(n) < 3, "Y99009", np.char.add("Y9900", rng.integers(1, 4, n).astype(str)))
    table = pa.table({
        "person": np.arange(n), "index_day": [day] * n, "practice": practice.tolist(),
        "case": (rng.random(n) < chance).astype(np.int8), "weight": np.ones(n), "chance": chance,
        "chance_age_sex": np.clip(chance + rng.normal(0, 0.2, n), 0.01, 0.99), "chance_logistic": chance,
    })  # fmt: skip
    groups = pa.table({
        "age": rng.integers(30, 90, n), "sex": rng.choice(["female", "male"], n).tolist(),
        "ethnicity": rng.choice(["white", "asian"], n).tolist(), "imd_decile": rng.integers(1, 11, n),
    })  # fmt: skip
    ill = np.flatnonzero(rng.random(n) < 0.7 * chance)
    truth = Truth(pa.table({
        "pseudonym": [f"p{k:03d}" for k in ill], "condition": ["thirst"] * len(ill),
        "onset_on": [dt.date(2020, 1, 1)] * len(ill), "coded_on": pa.array([None] * len(ill), pa.date32()),
        "state": ["rare"] * 4 + ["common"] * (len(ill) - 4),
    }))  # fmt: skip
    people = pa.table({"person": np.arange(n), "pseudonym": [f"p{k:03d}" for k in range(n)]})
    places = {f"Y9900{number}": 7 for number in (1, 2, 3, 9)}
    return judge("thirst", table, capacity=places, bootstrap=20, seed=1, groups=groups, truth=truth, people=people)


@pytest.fixture(scope="module")
def rich() -> Judgement:
    """900 people of four practices with the four ways of learning, evidence, rules, a score with gaps and a truth."""
    rng = np.random.default_rng(5)
    n = 900
    at = rng.normal(-1.5, 1.2, n)
    day = dt.date(2024, 1, 1)

    def way(noise: float) -> np.ndarray:
        return 1 / (1 + np.exp(-(at + noise * rng.normal(size=n))))

    ways = {"coded": way(1.5), "verified": way(0.6), "verified_weighted": np.full(n, np.nan), "graded": way(0.3)}
    true = 1 / (1 + np.exp(-at))
    seen = rng.random(n) < 0.5
    ill = rng.random(n) < true
    table = pa.table({
        "person": np.arange(n), "index_day": [day] * n, "practice": [f"Y9900{k}" for k in rng.integers(1, 5, n)],
        "case": (ill & (rng.random(n) < 0.5)).astype(np.int8), "weight": np.ones(n), "chance": ways["graded"],
        "chance_age_sex": way(3.0), "chance_logistic": way(1.0),
        **{f"chance_{name}": values for name, values in ways.items()}, "chance_refit_1": way(2.0),
        "score_sum_of_points": np.where(rng.random(n) < 0.2, np.nan, np.round(at)), "verified": seen.astype(np.int8),
        "evidence": np.where(seen, np.clip(0.7 * ill + 0.2 * rng.random(n), 0, 1), np.nan),
        "verify_weight": np.where(seen, 0.5 + rng.random(n), 0),
        "rule_rank": np.where(rng.random(n) < 0.02, 1.0, np.nan),
    })  # fmt: skip
    groups = pa.table({
        "age": rng.integers(30, 90, n), "sex": rng.choice(["female", "male"], n).tolist(),
        "ethnicity": rng.choice(["white", "asian"], n, p=[0.95, 0.05]).tolist(), "imd_decile": rng.integers(1, 11, n),
        "contacts": rng.poisson(3, n),
    })  # fmt: skip
    sick = np.flatnonzero(ill)
    truth = Truth(pa.table({
        "pseudonym": [f"p{k:03d}" for k in sick], "condition": ["thirst"] * len(sick),
        "onset_on": [dt.date(2020, 1, 1)] * len(sick), "coded_on": pa.array([None] * len(sick), pa.date32()),
        "state": ["common"] * len(sick),
    }))  # fmt: skip
    people = pa.table({"person": np.arange(n), "pseudonym": [f"p{k:03d}" for k in range(n)]})
    places = {f"Y9900{number}": 10 for number in (1, 2, 3, 4)}
    return judge("thirst", table, capacity=places, bootstrap=20, seed=1, groups=groups, truth=truth, people=people,
                 labels={"refit_1": "A published model, refitted"})  # fmt: skip


@pytest.fixture
def story(judgement: Judgement) -> ModelStory:
    return ModelStory(
        condition="thirst", label="Thirst", about="About thirst.", chance_of="of thirst being diagnosed",
        flow=[("Registered", 0, 1234), ("Under 30", 3, 1231), ("On the register", 1227, 4)],
        training={"gap": "90 days", ASKED: asked_at(True)}, judgement=judgement, importance=[("Age", 0.5)],
        rules=[{"id": "T-1", "lane": "act now", "label": "Very thirsty", "do": "See", "source": "NICE",
                "status": "draft", "people": 2},
               {"id": "T-2", "lane": "invite", "label": "Thirsty", "do": "Invite", "source": "NICE",
                "status": "draft", "people": 0}],
    )  # fmt: skip


def page_of(story: ModelStory, edition, folder: Path) -> str:
    write_model(story, edition, folder)
    return (folder / f"{story.condition}.html").read_text(encoding="utf-8")


def cells(page: str) -> list[str]:
    """Whatever stands in a column of counts, in a box of the flow or beside it."""
    return [
        *re.findall(r'<td class="num">([^<]*)</td>', page),
        *re.findall(r"<strong>([^<]*)</strong> \w", page),
        *re.findall(r'<span class="out">(.*?) left out', page),
    ]


def test_no_count_of_1_to_7_people_stands_on_the_page(story, edition, tmp_path):
    page = page_of(story, edition, tmp_path)
    assert "Y99009" in page  # the practice of 3 people is there, its number is not
    counts = [cell for cell in cells(page) if re.fullmatch(r"[\d,]+|[Ff]ewer than 8", cell)]
    assert len(counts) > 40
    numbers = [int(cell.replace(",", "")) for cell in counts if "ewer" not in cell]
    assert all(number % 5 == 0 for number in numbers)
    assert 0 in numbers
    assert not set(numbers) & set(range(1, 8))
    assert "fewer than 8" in counts


def test_the_flow_and_the_rules_are_rounded(story, edition, tmp_path):
    page = page_of(story, edition, tmp_path)
    assert "<strong>1,235</strong> registered" in page
    assert '<span class="out">Fewer than 8 left out: under 30</span>' in page
    assert '<strong>Fewer than 8</strong> may be ranked</span><span class="out">1,225 left out' in page
    assert '<td class="num">fewer than 8</td></tr>' in page  # the rule that names two people
    assert "1,234" not in page
    assert "1,231" not in page


def test_sentences_give_rounded_counts(story, judgement, edition, tmp_path):
    page = page_of(story, edition, tmp_path)
    shown = judgement.published()
    assert f"{shown.overall['people']} people in practices that the model had not seen" in page
    assert f"; {shown.overall['cases']} were diagnosed" in page
    assert f"{shown.truth['ill']} had the condition without a code" in page
    for exact in (judgement.overall["cases"], judgement.truth["ill"]):
        assert exact % 5  # so that rounding shows
        assert not re.search(rf"\b{exact} (were diagnosed|had the condition)", page)


def test_too_few_cases_are_not_told(story, judgement, edition, tmp_path):
    few = {**judgement.overall, "cases": 3, "listed_cases": 2, "too_few": True, "rates": {}, "net_benefit": []}
    beside = {
        name: {**table, "cases": 3, "listed_cases": 1, "rates": {}, "model_minus_this": {}}
        for name, table in judgement.yardsticks.items()
    }
    poor = dataclasses.replace(judgement, overall=few, yardsticks=beside, curves={})
    page = page_of(dataclasses.replace(story, judgement=poor), edition, tmp_path)
    assert "; fewer than 8 were diagnosed" in page


@pytest.mark.parametrize("by_time", [True, False])
def test_the_pages_say_when_judged_people_were_asked(story, edition, tmp_path, by_time):
    story = dataclasses.replace(story, training={ASKED: asked_at(by_time)})
    page = page_of(story, edition, tmp_path)
    write_index([], [story], {"refused_rows": 0, "held_values": 0}, edition, tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    for text in (page, index):
        assert ("later time" in text) is by_time
        assert ("on the index day that the model had learnt from" in text) is not by_time


def test_the_page_says_who_is_counted_and_what_the_lists_are(story, edition, tmp_path):
    page = page_of(story, edition, tmp_path)
    for words in ("diagnosed, left or died in the gap", "lost to follow-up", "left out of training",
                  "ordered by the chance alone"):  # fmt: skip
        assert words in page


def test_a_condition_without_a_model_has_a_page_and_a_row(story, edition, tmp_path):
    bare = dataclasses.replace(story, judgement=None, not_trained="There were too few cases.", training={})
    assert "There were too few cases." in page_of(bare, edition, tmp_path)
    write_index([], [bare], {"refused_rows": 0, "held_values": 0}, edition, tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "There were too few cases." in index
    assert "later time" not in index


# ------------------------------------------------------------------------------------------ ways side by side

HEADINGS = {
    "ways": "Who is found: four ways of learning side by side",
    "verified": "Judged on people who were looked at",
    "practices": "From practice to practice",
    "net_of_rules": "What the model adds to the rules",
}


def section_of(page: str, heading: str) -> str:
    """The page from one heading to the next."""
    return page.split(f"<h2>{heading}</h2>", 1)[1].split("<h2>", 1)[0]


@pytest.fixture
def told(story, rich, edition, tmp_path) -> str:
    return page_of(dataclasses.replace(story, judgement=rich), edition, tmp_path)


@pytest.mark.parametrize("gone", [*HEADINGS, None])
def test_a_section_stands_on_the_page_only_where_it_was_measured(story, rich, edition, tmp_path, gone):
    poorer = dataclasses.replace(rich, **{gone: None}) if gone else rich
    page = page_of(dataclasses.replace(story, judgement=poorer), edition, tmp_path)
    for name, heading in HEADINGS.items():
        assert (f"<h2>{heading}</h2>" in page) is (name != gone)


def test_a_judgement_without_ways_has_none_of_the_sections(story, edition, tmp_path):
    page = page_of(story, edition, tmp_path)
    assert not any(heading in page for heading in HEADINGS.values())


def test_every_section_says_how_to_read_its_tables_and_its_drawings(told):
    for heading in HEADINGS.values():
        section = section_of(told, heading)
        assert "How to read it:" in section
        figures = re.findall(r"<figure>.*?</figure>", section, re.S)
        assert figures
        for figure in figures:
            assert re.search(r'alt="[^"]{40,}"', figure)
            assert len(re.sub(r"<[^>]*>", "", figure).strip()) > 80
    assert told.count("<figure>") == 4 + 5


def test_every_way_has_a_row_with_its_share_overall_and_among_those_seldom_seen(told, rich):
    section, truth = section_of(told, HEADINGS["ways"]), rich.published().ways["truth"]
    first = section.split("<table>", 2)[1]
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th>(.*?)</tr>', first, re.S))
    assert set(rows) >= {"Learnt from codes, everybody (a)", "Graded evidence of those looked at (d)", "Rules",
                         "A published model, refitted", "Score: sum of points", "By lot"}  # fmt: skip
    assert "Not learnt for want of people to learn from: Those looked at, weighted (c)." in section
    assert not any("weighted (c)" in name for name in rows)
    share = truth["ways"]["graded"]["share"]["value"]
    assert f"{100 * share:.0f}%" in rows["Graded evidence of those looked at (d)"]
    low = truth["low_contact"]["ways"]["coded"]["share"]["value"]
    shown = "too few" if low is None else f"{100 * low:.0f}%"
    assert shown in rows["Learnt from codes, everybody (a)"]


def test_what_is_withheld_is_said_and_counts_are_rounded_in_the_new_sections_too(told, rich):
    sections = "".join(section_of(told, heading) for heading in HEADINGS.values())
    assert "too few" in sections
    counts = [cell for cell in re.findall(r'<td class="num">([^<]*)</td>', sections) if cell != "–"]
    assert len(counts) > 30
    for cell in counts:
        assert cell == "fewer than 8" or int(cell.replace(",", "")) % 5 == 0
    ill = rich.ways["truth"]["ill"]
    assert ill % 5
    assert f"Of {ill} people" not in told
    assert f"Of {rich.published().ways['truth']['ill']} people ill and uncoded" in told


def test_the_verdict_is_that_of_people_looked_at_where_the_model_learnt_from_such(told, story, rich, edition, tmp_path):
    assert "Orders people better than age and sex alone among people who were looked at." in told
    assert "Measured by AUROC against what was found in people who were looked at" in told
    assert "They are chances of being found on testing" in told
    quality = {"refused_rows": 0, "held_values": 0}
    write_index([], [dataclasses.replace(story, judgement=rich)], quality, edition, tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    seen = rich.published().verified["ways"]["graded"]["rates"]["auroc"]
    assert f"{seen['value']:.3f} ({seen['low']:.3f} to {seen['high']:.3f})" in index


def test_too_few_looked_at_is_said_and_codes_decide(story, rich, edition, tmp_path):
    few = {"people": 900, "looked_at": 12, "too_few": True}
    page = page_of(dataclasses.replace(story, judgement=dataclasses.replace(rich, verified=few)), edition, tmp_path)
    assert "10 of 900 people were looked at within the horizon, and among them too few" in page
    assert "Measured by AUROC against coded diagnoses" in page


def test_drawings_are_the_same_bytes_each_time(rich):
    first, second = model_charts(rich.published()), model_charts(rich.published())
    assert set(first) >= {"found", "calibration_looked_at", "net_benefit_looked_at", "practices", "net_of_rules"}
    assert first == second
