"""The page "Expected and found" tells what was corrected and what was not, and publishes no count of 1 to 7."""

import re

import numpy as np
import pyarrow as pa
import pytest

from casefinding.definitions.shapes import Expected
from casefinding.learn.anchor import anchor
from casefinding.recall.unmeasured import Unmeasured
from casefinding.report.expected import Found, write_expected

BANDS = [{"ages": [16, 44], "women": 4, "men": 8}, {"ages": [45, 120], "women": 30, "men": 40}]
EXPECTED = Expected.model_validate({"bands": BANDS, "source": "made up", "unverified": "all of it"})


@pytest.fixture
def told(edition, tmp_path):
    """The page's text, with an anchor as asked for."""

    def write(**how) -> str:
        lot = np.random.default_rng(4)
        n = 403
        base = pa.table(
            {
                "age": pa.array(np.where(np.arange(n) < 3, 20, lot.integers(45, 90, n)), pa.int16()),
                "sex": ["male"] * 3 + ["female"] * (n - 3), "ethnicity": ["white"] * n,
                "imd_decile": pa.array([5] * n, pa.int8()),
            }
        )  # fmt: skip
        held = anchor(EXPECTED, base, np.zeros(n, bool), lot.normal(0, 1, n), **how).published()
        groups = [Unmeasured("all", "Everybody", n, 103, 5).published(), Unmeasured("sex", "male", 3, 3, 1).published()]
        found = [
            Found("thirst", "Thirst", EXPECTED, held, groups),
            Found("hunger", "Hunger", None, None, groups[:1]),
        ]
        write_expected(found, edition, tmp_path)
        return (tmp_path / "expected.html").read_text(encoding="utf-8")

    return write


def test_what_was_not_asked_for_is_shown_as_what_would_be(told):
    page = told(apply=False)
    assert "Nothing was corrected. Multiplying all odds by 0.50 would" in page
    assert "All odds were multiplied" not in page


def test_a_correction_is_told_with_its_bound(told):
    assert "All odds were multiplied by 0.50 to meet what is expected as far as the bound of 2.00" in told(apply=True)


def test_chances_of_being_coded_are_told_apart(told):
    page = told(apply=True, of_testing=False)
    assert "never moved to it" in page
    assert "All odds were multiplied" not in page


def test_small_numbers_are_withheld_and_the_rest_rounded(told):
    page = told(apply=False)
    cells = re.findall(r'<td class="num">([^<]*)</td>', page)
    counts = [int(cell.replace(",", "")) for cell in cells if re.fullmatch(r"[\d,]+", cell)]
    assert "fewer than 8" in cells
    assert counts
    assert all(count == 0 or (count >= 10 and count % 5 == 0) for count in counts)


def test_what_lacks_is_said_and_what_is_unverified_too(told):
    page = told(apply=False)
    assert "The definition gives no published prevalence." in page
    assert "To be checked: all of it" in page
