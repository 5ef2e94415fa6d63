"""`expected:` and `known by:` are read as written, and what is wrong with them is told at its own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefinding.definitions.read import problems, read_config, read_definitions
from casefinding.errors import ConfigError

MODEL = "models/kidney.yaml"
SECTIONS = """\
expected:
  bands:
    - {ages: [16, 64], women: 3, men: 2.5}
    - {ages: [65, 120], women: 30, men: 25}
  confirmable: 0.7
  ethnicity times: {black: 1.75}
  deprivation times: {"1": 1.3}
  source: made for a test
known by:
  readings: nsaid_courses
  reading is: course in a year
  readings are: courses in a year
  contacts: nsaid_courses
"""


@pytest.fixture
def written(tree: Path):
    """The tree with both sections, a piece of them changed."""

    def write(old: str = "", new: str = "") -> Path:
        path = tree / MODEL
        assert old in SECTIONS
        path.write_text(SECTIONS.replace(old, new, 1) + path.read_text())
        return tree

    return write


def test_both_sections_are_read(written) -> None:
    model = read_definitions(written()).models["kidney"]
    assert model.expected is not None
    assert model.known_by is not None
    assert [band.ages for band in model.expected.bands] == [(16, 64), (65, 120)]
    assert (model.expected.confirmable, model.expected.at_most) == (0.7, 2.0)
    assert model.expected.never_measured == "by expected"
    assert model.expected.deprivation_times == {"1": 1.3}
    assert model.known_by.contacts_are == "contacts in 12 months"


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("[65, 120]", "[70, 120]", 1, "the band after 16 to 64 must begin at 65"),
        ("ages: [16, 64]", "ages: [64, 16]", 1, "an age band must go from the younger to the older age"),
        ("women: 3,", "women: 300,", 3, "'women'"),
        ("confirmable: 0.7", "confirmable: 7", 5, "'confirmable'"),
        ('{"1": 1.3}', '{"11": 1.3}', 7, "11"),
        ("{black: 1.75}", "{blue: 1.75}", 6, "blue"),
        ("  source: made for a test\n", "", 1, "'source' is missing"),
        ("readings: nsaid_courses", "readings: nsaid_course", 10, "there is no feature called 'nsaid_course'"),
        ("contacts: nsaid_courses", "contacts: egfr_latest", 13, "'egfr_latest' asks 'latest', and only a count"),
    ],
)
def test_a_fault_is_told_at_its_line(written, old: str, new: str, line: int, what: str) -> None:
    (found,) = problems(written(old, new))
    assert found.where == f"{MODEL}:{line}"
    assert what in found.what


def test_features_that_say_how_much_is_known_are_asked_with_the_condition(written) -> None:
    assert "nsaid_courses" in read_definitions(written()).features_for("kidney")


def test_our_own_models_say_what_is_expected_and_how_much_is_known() -> None:
    for model in read_definitions(Path(__file__).parents[2]).models.values():
        assert model.expected is not None
        assert model.expected.source
        assert model.expected.unverified
        assert model.known_by is not None


CONFIG = "network: {name: net}\nindex day: 2026-10-01\nconditions: [a]\nrecords: {path: x}\n"


def test_chances_are_anchored_only_where_the_config_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    assert read_config(path).anchor_chances == "applied"
    path.write_text(CONFIG + "anchor chances: shown\n")
    assert read_config(path).anchor_chances == "shown"
    path.write_text(CONFIG + "anchor chances: always\n")
    with pytest.raises(ConfigError, match="anchor chances"):
        read_config(path)
