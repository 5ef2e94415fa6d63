"""What made-up practices send back: the words of the drop-down, the published shares, the same for the same seed."""

import datetime as dt
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from casefinding.recall.loop import ledger
from casefinding.synthetic import returns as made
from casefinding.synthetic.native import TRUTH

INDEX_DAY, BY = dt.date(2026, 10, 1), dt.date(2026, 10, 31)


def listed(number=4_000, lane="invite"):
    rows = [
        {"list_id": "a", "index_day": INDEX_DAY, "practice": "Y99001", "pseudonym": f"p{place}", "condition": condition,
         "label": condition.capitalize(), "lane": lane}
        for place in range(number) for condition in ("thirst", "hunger")[: 1 + place % 2]
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


@pytest.fixture
def truth(tmp_path):
    """Every second person has thirst since 2020; one in eight of all is coded before the list was made."""
    rows = [
        {"pseudonym": f"p{place}", "condition": "thirst", "onset_on": dt.date(2020, 1, 1),
         "coded_on": dt.date(2021, 1, 1) if place % 8 == 0 else None, "state": "never measured", "willingness": 0.0}
        for place in range(0, 4_000, 2)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema=TRUTH), tmp_path / "truth.parquet")
    return tmp_path / "truth.parquet"


def test_the_words_are_those_of_the_drop_down():
    words = {getattr(made, name) for name in (
        "INVITED", "DID_NOT_ATTEND", "DECLINED", "AWAITED", "DIAGNOSED", "NOT_DIAGNOSED", "ALREADY_KNOWN",
        "NOT_APPROPRIATE",
    )}  # fmt: skip
    assert words == set(ledger.OUTCOMES)


def test_of_those_invited_the_published_share_is_tested_and_only_the_ill_are_found(truth):
    found = made.returns(listed(), truth, 7, BY)
    told = Counter(one.outcome for one in found)
    seen = told[made.DIAGNOSED] + told[made.NOT_DIAGNOSED] + told[made.AWAITED]
    invited = seen + told[made.INVITED] + told[made.DECLINED] + told[made.DID_NOT_ATTEND]
    assert seen / invited == pytest.approx(0.281, abs=0.025)
    diagnosed = {one.pseudonym for one in found if one.outcome == made.DIAGNOSED}
    assert diagnosed
    assert all(int(name[1:]) % 2 == 0 and int(name[1:]) % 8 for name in diagnosed)
    assert all(INDEX_DAY <= one.on <= BY for one in found)


def test_the_same_seed_says_the_same_in_whatever_order_and_another_seed_something_else(truth):
    once = made.returns(listed(), truth, 7, BY)
    backwards = listed().take(pa.array(range(listed().num_rows - 1, -1, -1)))
    assert sorted(made.returns(backwards, truth, 7, BY), key=str) == sorted(once, key=str)
    assert made.returns(listed(), truth, 8, BY) != once


def test_those_to_be_reviewed_are_looked_at_and_not_invited(truth):
    told = Counter(one.outcome for one in made.returns(listed(lane="review the record"), truth, 7, BY))
    assert not {made.INVITED, made.DECLINED, made.DID_NOT_ATTEND} & set(told)
    assert told[made.DIAGNOSED] > 500
