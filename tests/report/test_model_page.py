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
