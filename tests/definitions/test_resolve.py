"""A store's codes belong to a signal by id, or by a substance named as whole words in a drug dictionary."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.read import read_definitions
from casefinding.definitions.resolve import CodeIndex, codes_of, resolution
from casefinding.definitions.shapes import Code, CodeList, Definitions, Signal

ROWS = [
    ("snomed", "433144002", "Chronic kidney disease stage 3"),
    ("snomed", "294505008", "Amlodipine allergy"),
    ("dmd", "1000001", "Amlodipine 5mg tablets"),
    ("dmd", "1000002", "AMLODIPINE 10MG TABLETS (Maker Ltd)"),
    ("dmd", "1000003", "Levamlodipine 5mg tablets"),
    ("dmd", "1000004", "Valsartan 80mg / Amlodipine 5mg tablets"),
    ("dmd", "1000005", "Co-amilofruse 5mg/40mg tablets"),
    ("dmd", "1000006", "Isosorbide mononitrate 10mg tablets"),
    ("dmd", "1000007", "Mononitrate of isosorbide"),
    ("dmd", "433144002", "An id of another system"),
    ("dmd", "1000008", None),
    ("rxnorm", "308136", "amLODIPine 2.5 MG Oral Tablet"),
    ("emis", "AMLO1", "Amlodipine"),
]


def table(rows: list[tuple[str, str, str | None]] = ROWS) -> pa.Table:
    return pa.table(
        {
            "code": pa.array([10 + n for n in range(len(rows))], pa.int32()),
            "system": [row[0] for row in rows],
            "id": [row[1] for row in rows],
            "term": pa.array([row[2] for row in rows], pa.string()),
        }
    )


def found(**signal: object) -> set[str]:
    codes = codes_of(Signal.model_validate({"name": "x", "label": "x", **signal}), LISTS, table())
    assert codes.dtype == "int32"
    assert codes.tolist() == sorted(codes.tolist())
    return {ROWS[code - 10][1] for code in codes}


LISTS = Definitions(
    codelists={
        "ckd": CodeList(
            name="ckd",
            source="s",
            release="r",
            reviewed_by="v",
            codes=tuple(Code(system="snomed", id=one, label="x") for one in ("433144002", "431857002")),
        )
    }
)


def test_ids_belong_with_their_system() -> None:
    codes = codes_of(Signal(name="x", label="x", codes=("ckd",)), LISTS, table())
    assert codes.tolist() == [10]


@pytest.mark.parametrize("written", ["amlodipine", "Amlodipine", "AMLODIPINE"])
def test_substances_are_whole_words_of_drug_dictionaries_in_any_case(written: str) -> None:
    assert found(substances=(written,)) == {"1000001", "1000002", "1000004", "308136"}


def test_a_refused_word_takes_its_products_out() -> None:
    assert found(substances=("amlodipine",), but_not=("valsartan",)) == {"1000001", "1000002", "308136"}


def test_substances_of_several_words_stand_together_and_in_order() -> None:
    assert found(substances=("isosorbide mononitrate",)) == {"1000006"}
    assert found(substances=("co-amilofruse",)) == {"1000005"}
    assert found(substances=("amilofruse",)) == {"1000005"}


def test_a_signal_may_have_both(tmp_path: Path) -> None:
    assert found(codes=("ckd",), substances=("valsartan",)) == {"433144002", "1000004"}


def test_what_a_store_does_not_hold_is_no_code_and_no_error() -> None:
    assert found(substances=("warfarin",)) == set()
    assert found(substances=("...",)) == set()
    assert codes_of(Signal(name="x", label="x", substances=("warfarin",)), LISTS, table([])).tolist() == []


def test_another_table_is_not_answered_from_the_last_one() -> None:
    signal = Signal(name="x", label="x", substances=("amlodipine",))
    assert codes_of(signal, LISTS, table()).size == 4
    assert codes_of(signal, LISTS, table(ROWS[:4])).size == 2
    assert codes_of(signal, LISTS, CodeIndex(table(ROWS[:3]))).size == 1


words = st.sampled_from(["iron", "iron-sulf", "Sulf", "ironx", "a", "(iron)", "sulf/iron", "iron sulf", "é", "iron_x"])


@settings(deadline=None)
@given(
    st.lists(st.lists(words, min_size=1, max_size=4).map(" ".join), max_size=8), st.lists(words, min_size=1, max_size=2)
)
def test_matching_agrees_with_a_plain_search(terms: list[str], substances: list[str]) -> None:
    codes = table([("dmd", str(n), term) for n, term in enumerate(terms)])
    signal = Signal(name="x", label="x", substances=tuple(substances))

    def names(term: str, substance: str) -> bool:
        start = term.lower().find(substance.lower())
        while start >= 0:
            end = start + len(substance)
            before, after = term[start - 1 : start], term[end : end + 1]
            if not (before.isalnum() or after.isalnum()) and re.search(r"[^\W_]", substance):
                return True
            start = term.lower().find(substance.lower(), start + 1)
        return False

    expected = [10 + n for n, term in enumerate(terms) if any(names(term, one) for one in substances)]
    assert codes_of(signal, LISTS, codes).tolist() == expected


def test_the_resolution_lists_every_signal_by_system_and_id(tree: Path) -> None:
    definitions = read_definitions(tree)
    codes = table([("snomed", "73211009", ""), ("snomed", "44054006", ""), ("dmd", "1000001", "Ibuprofen 200mg"),
                   ("dmd", "1000002", "Ibuprofen gel"), ("snomed", "1", "")])  # fmt: skip
    frozen = resolution(definitions, codes)
    assert list(frozen) == sorted(definitions.signals)
    assert frozen["diabetes"] == ["snomed:44054006", "snomed:73211009"]
    assert frozen["drug_nsaid"] == ["dmd:1000001"]
    assert frozen["egfr"] == []
    assert resolution(definitions, codes, ["diabetes"]) == {"diabetes": frozen["diabetes"]}
