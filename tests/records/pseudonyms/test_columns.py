"""What the guide says goes out is what goes out."""

from pathlib import Path

from casefinding.records.pseudonyms.columns import columns_table

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "pseudonymise.md"


def test_the_guide_lists_the_columns_that_go_out():
    assert columns_table() in GUIDE.read_text(encoding="utf-8")
