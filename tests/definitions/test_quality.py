"""models/quality.yaml: what may stand in it, and what it must know."""

import pytest
from pydantic import ValidationError

from casefinding.definitions.quality import Figure, Key, QualityRules
from casefinding.definitions.read import problems, read_definitions

BAND = {"ages": (0, 120), "per cent": 4}
FIGURE = {"label": "On the register", "bands": [BAND], "times": 2, "year": "2020", "source": "s"}


def test_every_shipped_model_has_figures_and_keys_with_a_source_and_a_reason():
    known = read_definitions(None)
    assert {one.name for one in known.quality} == set(known.models)
    for one in known.quality:
        assert one.figures
        assert one.keys
        assert all(figure.source and figure.year for figure in one.figures)
        assert all(key.why for key in one.keys)


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ([{"ages": (40, 30), "per cent": 4}], "from the younger"),
        ([{"ages": (0, 40), "per cent": 4}, {"ages": (40, 90), "per cent": 4}], "overlap"),
        ([{"ages": (0, 40), "per cent": 101}], "100"),
        ([], "1 item"),
    ],
)
def test_bands_are_apart_and_are_shares(bands, words):
    with pytest.raises(ValidationError, match=words):
        Figure.model_validate({**FIGURE, "bands": bands})


def test_a_key_names_signals_and_a_share():
    with pytest.raises(ValidationError):
        Key.model_validate({"label": "weight", "any of": [], "at least": 0.5, "why": "w"})
    with pytest.raises(ValidationError):
        Key.model_validate({"label": "weight", "any of": ["weight"], "at least": 50, "why": "w"})


def test_rules_of_a_config_are_strict():
    assert QualityRules.model_validate({"change of": 3, "window": "3 years"}).window.months == 36
    for wrong in ({"change of": 1}, {"late": 2}, {"gaps": 5}):
        with pytest.raises(ValidationError):
            QualityRules.model_validate(wrong)


def test_names_that_do_not_exist_are_told_with_their_line(tree):
    (tree / "models/quality.yaml").write_text(
        "thirst:\n  keys:\n    - label: water\n      any of: [no_such_signal]\n      at least: 0.5\n      why: w\n"
    )
    told = [str(one) for one in problems(tree)]
    assert any("models/quality.yaml" in one and "thirst" in one for one in told)
    assert any("models/quality.yaml:4" in one and "no_such_signal" in one for one in told)
