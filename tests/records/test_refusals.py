"""Every reason for a refusal: the row goes to quarantine by its name, is counted, and the rest stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from records_helpers import Rows, good, write

from casefinding.errors import RecordsError
from casefinding.nhs_number import looks_real
from casefinding.records.reasons import EXPLANATIONS, Cell, Held, Left, Refusal
from casefinding.records.sources import ingest
from casefinding.records.store import Store

READING = ["p1", "2021-03-01", "2021-03-05", "snomed", "271649006", "Systolic blood pressure", "150", "mmHg"]
COLUMN = {"person": 0, "happened_on": 1, "recorded_on": 2, "system": 3, "code": 4, "value": 6}


def event(**cells: str) -> Callable[[Rows], None]:
    """Add a reading with these cells to the extract."""

    def spoil(rows: Rows) -> None:
        row = list(READING)
        for name, text in cells.items():
            row[COLUMN[name]] = text
        rows["event"].append(row)

    return spoil


def row(table: str, *cells: str) -> Callable[[Rows], None]:
    """Add a row to a table."""
    return lambda rows: rows[table].append(list(cells))


# (reason, column, practice, spoil): spoil adds one row, which must be refused for that reason.
CASES = {
    "no person": (Refusal.MISSING, "person", "", event(person="")),
    "no day": (Refusal.MISSING, "happened_on", "Y99002", event(happened_on="  ")),
    "no code": (Refusal.MISSING, "code", "Y99002", event(code="")),
    "no system": (Refusal.MISSING, "system", "Y99002", event(system="")),
    "30 February": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="2023-02-30")),
    "29 February 2023": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="2023-02-29")),
    "day first": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="03/04/2023")),
    "one digit": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="2023-4-3")),
    "no hyphens": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="20230403")),
    "a word": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="infinity")),
    "epoch": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="epoch")),
    "text after the day": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="2023-04-03 or so")),
    "year of five digits": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="12023-04-03")),
    "before 1900": (Refusal.IMPOSSIBLE_DATE, "happened_on", "Y99002", event(happened_on="1899-12-31")),
    "bad recorded day": (Refusal.IMPOSSIBLE_DATE, "recorded_on", "Y99002", event(recorded_on="2021-13-01")),
    "after the extract": (Refusal.FUTURE, "happened_on", "Y99002", event(happened_on="2024-04-01", recorded_on="")),
    "recorded after it": (Refusal.FUTURE, "recorded_on", "Y99002", event(recorded_on="2024-04-01")),
    "before birth": (Refusal.BEFORE_BIRTH, "happened_on", "Y99002", event(happened_on="1950-02-28")),
    "after death": (Refusal.AFTER_DEATH, "happened_on", "Y99002", event(person="p2", happened_on="2023-05-02")),
    "unknown system": (Refusal.UNKNOWN_SYSTEM, "system", "Y99002", event(system="gamgee")),
    "float id": (Refusal.BAD_CODE, "code", "Y99002", event(code="271649006.0")),
    "exponent": (Refusal.BAD_CODE, "code", "Y99002", event(code="1.01148E+15")),
    "rounded by a spreadsheet": (Refusal.BAD_CODE, "code", "Y99002", event(code="1011481000000100")),
    "wrong check digit": (Refusal.BAD_CODE, "code", "Y99002", event(code="271649005")),
    "loinc without its digit": (Refusal.BAD_CODE, "code", "Y99002", event(system="loinc", code="8480")),
    "nobody": (Refusal.UNKNOWN_PERSON, "person", "", event(person="p99")),
    "twice": (Refusal.DUPLICATE, "", "Y99002", lambda rows: rows["event"].append(list(rows["event"][0]))),
    "twice in other words": (
        Refusal.DUPLICATE, "", "Y99002",
        row("event", "p1", "2021-03-01", "2021-03-05T09:30:00Z", "SCT", "271649006", "another term", "152.0", "mmHg"),
    ),
    "person twice": (Refusal.DUPLICATE, "", "Y99001", row("person", "p4", "2000-02-14", "U", "", "5", "2019", "")),
    "no birth": (Refusal.MISSING, "birth_month", "", row("person", "p93", "", "F", "", "", "", "")),
    "month 13": (Refusal.IMPOSSIBLE_DATE, "birth_month", "", row("person", "p94", "1980-13", "F", "", "", "", "")),
    "born later": (Refusal.FUTURE, "birth_month", "", row("person", "p95", "2024-04", "F", "", "", "", "")),
    "nowhere registered": (Refusal.UNREGISTERED, "person", "", row("person", "p97", "1980-01", "F", "", "", "", "")),
    "unknown practice": (
        Refusal.UNKNOWN_PRACTICE, "practice", "Y99009", row("registration", "p4", "Y99009", "2020-01-01", ""),
    ),
    "registered nobody": (
        Refusal.UNKNOWN_PERSON, "person", "Y99001", row("registration", "p99", "Y99001", "2020-01-01", ""),
    ),
    "ends first": (
        Refusal.ENDS_BEFORE_START, "ended_on", "Y99001",
        row("registration", "p4", "Y99001", "2020-01-01", "2019-01-01"),
    ),
    "registered and gone before birth": (
        Refusal.ENDS_BEFORE_START, "ended_on", "Y99001",
        row("registration", "p4", "Y99001", "1999-01-01", "1999-05-31"),
    ),
    "registered on no day": (
        Refusal.IMPOSSIBLE_DATE, "started_on", "Y99001", row("registration", "p4", "Y99001", "2015-02-30", ""),
    ),
    "gone on no day": (
        Refusal.IMPOSSIBLE_DATE, "ended_on", "Y99001", row("registration", "p4", "Y99001", "2015-01-02", "soon"),
    ),
    "registered after death": (
        Refusal.AFTER_DEATH, "started_on", "Y99001", row("registration", "p2", "Y99001", "2023-06-01", ""),
    ),
    "registration twice": (
        Refusal.DUPLICATE, "", "Y99001", row("registration", "p3", "Y99001", "1999-09-09", ""),
    ),
    "kind of contact": (Refusal.UNKNOWN_KIND, "kind", "Y99001", row("contact", "p3", "ckd", "waved", "2023-01-01")),
    "contact in the future": (Refusal.FUTURE, "on", "Y99001", row("contact", "p3", "ckd", "seen", "2030-01-01")),
    "contact twice": (Refusal.DUPLICATE, "", "Y99001", row("contact", "p3", "ckd", "INVITED", "2023-12-01")),
    "practice without code": (Refusal.MISSING, "practice", "", row("practice", "", "Nameless", "", "")),
}  # fmt: skip


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory) -> tuple[Store, dict[str, tuple[str, int]], Rows]:
    """One extract with all the bad rows behind the good ones, and where each of them stands."""
    rows, place = good(), {}
    for case, (*_, spoil) in CASES.items():
        before = {table: len(lines) for table, lines in rows.items()}
        spoil(rows)
        (table,) = (table for table, lines in rows.items() if len(lines) > before[table])
        place[case] = (f"{table}.csv", len(rows[table]))
    folder = tmp_path_factory.mktemp("spoiled")
    return ingest("native", write(folder / "extract", rows), folder / "store"), place, rows


@pytest.mark.parametrize("case", CASES)
def test_a_bad_row_is_refused_for_its_reason(case, spoiled):
    reason, column, practice, _ = CASES[case]
    store, place, _ = spoiled
    file, line = place[case]
    found = [row for row in store.quarantine().to_pylist() if (row["file"], row["row"]) == (file, line)]
    assert found == [{"file": file, "row": line, "practice": practice, "reason": str(reason), "column": column}]


def test_only_bad_rows_are_refused_and_the_rest_is_what_it_was(spoiled, bring):
    store, place, rows = spoiled
    assert store.quarantine().num_rows == len(CASES)
    assert store.digest == bring(good()).digest
    counts = store.counts()
    assert counts["refused"] == Counter(str(reason) for reason, *_ in CASES.values())
    assert counts["refused_by_practice"][""] == Counter(str(c[0]) for c in CASES.values() if c[2] == "")
    by_file: dict[str, Counter] = {}
    for case, (file, _) in place.items():
        by_file.setdefault(file, Counter())[str(CASES[case][0])] += 1
    assert counts["refused_by_file"] == by_file
    for table, lines in rows.items():
        if table != "extract":
            lost = sum(by_file[f"{table}.csv"].values())
            assert counts["rows"][table] == {"read": len(lines), "kept": len(lines) - lost, "refused": lost}
            assert counts["files"][f"{table}.csv"] == len(lines)


def test_rows_of_a_person_without_registration_are_refused_with_them(bring):
    rows = good()
    rows["person"].append(["p9", "1980-01", "F", "", "", "", ""])
    rows["event"].append(["p9", *READING[1:]])
    rows["contact"].append(["p9", "ckd", "seen", "2020-01-01"])
    found = bring(rows).quarantine().to_pylist()
    assert {(row["file"], row["reason"]) for row in found} == {
        (f"{table}.csv", "person without registration") for table in ("person", "event", "contact")
    }


def test_a_registration_at_an_unknown_practice_is_none(bring):
    rows = good()
    rows["registration"] = [["p4", "Y99009", "2015-01-01", ""] if r[0] == "p4" else r for r in rows["registration"]]
    refused = bring(rows).counts()["refused"]
    assert refused == {"unknown practice": 1, "person without registration": 1}


def test_rows_of_a_refused_person_are_refused_with_them(bring):
    rows = good()
    rows["person"][0][1] = "1950-13"
    refused = bring(rows).counts()["refused"]
    assert refused == {"impossible date": 1, "person refused": 5}  # two registrations, three events


def test_two_rows_that_disagree_about_one_person_are_both_refused(bring):
    rows = good()
    rows["person"].append(["p4", "2000-03", "", "", "5", "2019", ""])
    store = bring(rows)
    assert store.counts()["refused"] == {"two different rows for one person": 2, "person refused": 1}
    assert "p4" not in store.people_table()["pseudonym"].to_pylist()


def test_the_case_table_holds_every_reason():
    tried = {reason for reason, *_ in CASES.values()} | {Refusal.PERSON_REFUSED, Refusal.TWO_ROWS}
    # A line that is no JSON, and measures of areas: a table of people and entries has no such rows.
    tried |= {Refusal.UNREADABLE, Refusal.TEXT_IN_NUMBER, Refusal.NUMBER_TOO_LARGE}
    assert tried == set(Refusal)


def test_every_reason_has_an_explanation_of_one_sentence():
    for reason in (*Refusal, *Left, *Cell, *Held):
        assert reason.explanation.endswith(".")
    assert len(EXPLANATIONS) == len(Refusal) + len(Left) + len(Cell) + len(Held)


def test_implausible_readings_and_odd_units_stay_in_the_store(bring):
    rows = good()
    rows["event"] += [["p1", *READING[1:6], value, unit] for value, unit in (("4000", "mmHg"), ("-3", "furlongs"))]
    store = bring(rows)
    assert store.counts()["refused"] == {}
    assert {4000.0, -3.0} <= set(store.events(0)["value"].to_pylist())


NUMBERS = {
    "<5": (5, 1), "<=5": (5, 1), "≤ 5": (5, 1), "> 90": (90, 2), ">=90": (90, 2), "+7": (7, 0), ".5": (0.5, 0),
    "5.": (5, 0), "1e2": (100, 0), "-0": (0, 0), "-12.5": (-12.5, 0), "": (None, 0), "  6 ": (6, 0),
}  # fmt: skip


def test_numbers_and_comparators_are_read(bring):
    rows = good()
    rows["event"] = [["p3", f"2001-01-{i:02d}", "", *READING[3:6], text, ""] for i, text in enumerate(NUMBERS, start=1)]
    events = bring(rows).events(0).to_pylist()
    assert [(event["value"], event["comparator"]) for event in events] == list(NUMBERS.values())
    assert "-0.0" not in {str(event["value"]) for event in events}


def test_counting_goes_by_the_latest_registration(bring):
    rows = good()
    rows["event"].append(["p1", "2021-02-30", *READING[2:]])
    assert bring(rows).quarantine()["practice"].to_pylist() == ["Y99002"]
    rows["registration"][0][2] = "2021-01-01"
    rows["registration"][0][3] = ""
    assert bring(rows).quarantine()["practice"].to_pylist() == ["Y99001"]


def test_an_nhs_number_as_pseudonym_stops_everything(bring):
    # Put together here, so that no valid number outside the test range stands in this file.
    nine = "943476591"
    digit = next(d for d in map(str, range(10)) if looks_real(nine + d))
    for shape in ("{0}{1}{2}", "{0} {1} {2}", "{0}-{1}-{2}"):
        number = shape.format((nine + digit)[:3], (nine + digit)[3:6], (nine + digit)[6:])
        rows = good()
        rows["person"].append([number, "1980-01", "F", "", "", "", ""])
        with pytest.raises(RecordsError, match="NHS numbers") as caught:
            bring(rows)
        assert number not in str(caught.value)
    rows = good()
    rows["person"].append(["9990000018", "1980-01", "F", "", "", "", ""])
    wrong = nine + str((int(digit) + 1) % 10)
    rows["person"].append([wrong, "1980-01", "F", "", "", "", ""])  # fails the check
    assert bring(rows).counts()["refused"] == {"person without registration": 2}


def test_quarantine_holds_no_value_and_no_pseudonym(bring):
    rows = good()
    rows["event"] += [["canary-7731", *READING[1:]], ["p1", *READING[1:6], "canary-137.731", "u-4242"]]
    store = bring(rows)
    found = repr(store.quarantine().to_pylist()) + (store.folder / "store.json").read_text()
    assert "canary" not in found
    assert "4242" not in found
