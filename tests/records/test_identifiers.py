"""What must not come in: NHS numbers wherever they hide, names of patients, and people who opted out."""

from __future__ import annotations

import gzip
import json

import pytest
from records_helpers import COLUMNS, good, write

from casefinding.errors import RecordsError, UsageError
from casefinding.job.export import export
from casefinding.nhs_number import check_digit
from casefinding.records.generation import locked
from casefinding.records.sources import ingest

DISSENT = ["p1", "2020-01-01", "2020-01-01", "snomed", "827241000000103", "", "", ""]
WITHDRAWN = ["p1", "2021-01-01", "2021-01-01", "snomed", "827261000000102", "", "", ""]


def real() -> str:
    """A number with a right check digit outside the range for tests, made here so that none stands in a file."""
    nine = next(str(n) for n in range(943476500, 943476600) if check_digit(str(n)))
    return nine + str(check_digit(nine))


@pytest.mark.parametrize(("column", "text"), [(6, "{0}"), (5, "rang {0} twice"), (7, "mmHg {0}")])
@pytest.mark.parametrize("shape", ["{}{}{}", "{} {} {}", "{}-{}-{}"])
def test_an_nhs_number_in_a_value_a_term_or_a_unit_stops_everything(bring, column, text, shape):
    number = shape.format(real()[:3], real()[3:6], real()[6:])
    rows = good()
    rows["event"][0][column] = text.format(number)
    with pytest.raises(RecordsError, match="look like NHS numbers") as caught:
        bring(rows)
    assert number not in str(caught.value)


def test_an_nhs_number_in_a_column_that_nobody_reads_stops_everything(tmp_path):
    rows = good()
    columns = {**COLUMNS, "person": (*COLUMNS["person"], "NHS Number")}
    for row in rows["person"]:
        row.append(real() if row[0] == "p2" else "")
    with pytest.raises(RecordsError, match="NHS numbers") as caught:
        ingest("native", write(tmp_path / "extract", rows, columns), tmp_path / "store")
    assert caught.value.where == "person.csv"


def test_numbers_with_ten_digits_that_are_values_or_of_the_range_for_tests_come_in(bring):
    rows = good()
    rows["event"][0][6], rows["event"][1][5] = "0.9434765919", "told 999 000 0018"
    assert bring(rows).counts()["refused"] == {}


def test_a_table_of_patients_that_still_names_them_is_refused(tmp_path):
    rows = good()
    columns = {**COLUMNS, "person": (*COLUMNS["person"], "DateOfBirth", "Surname")}
    for row in rows["person"]:
        row += ["1950-03-01", ""]
    assert ingest("native", write(tmp_path / "a", rows, columns), tmp_path / "store")
    rows["person"][0][-1] = "Surname0001"
    with pytest.raises(RecordsError, match="names its patients") as caught:
        ingest("native", write(tmp_path / "b", rows, columns), tmp_path / "store-b")
    assert "Surname0001" not in str(caught.value)


@pytest.mark.parametrize("day", ["2020-01-01", "", "2020-13-45"])
def test_somebody_who_opted_out_stops_a_secondary_use_and_no_direct_care(tmp_path, day):
    rows = good()
    rows["event"].append([DISSENT[0], day, *DISSENT[2:]])
    folder = write(tmp_path / "extract", rows)
    with pytest.raises(RecordsError, match="1 person has a type 1 opt-out") as caught:
        ingest("native", folder, tmp_path / "store")
    assert "p1" not in str(caught.value)
    assert ingest("native", folder, tmp_path / "direct", direct_care=True).flow == "direct care"
    assert ingest("native", folder, tmp_path / "practice", at_practice=True).flow == "at the practice"


def test_who_withdrew_the_opt_out_comes_in(bring):
    rows = good()
    rows["event"] += [DISSENT, WITHDRAWN]
    assert bring(rows).flow == "secondary use"


def test_an_extract_made_for_direct_care_serves_no_other_purpose(tmp_path):
    folder = write(tmp_path / "extract", good())
    said = {"what": "pseudonymised", "flow": "direct-care", "key fingerprint": "0a1b2c3d", "people": {"in": 4}}
    (folder / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(RecordsError, match="made for direct care"):
        ingest("native", folder, tmp_path / "store")
    store = ingest("native", folder, tmp_path / "store", direct_care=True)
    assert store.about["pseudonymised"] == {"flow": "direct-care", "key fingerprint": "0a1b2c3d"}


@pytest.mark.parametrize(
    ("table", "place"), [("practice", 1), ("practice", 2), ("person", 3), ("person", 5), ("registration", 1)]
)
def test_an_nhs_number_in_what_is_kept_as_it_stands_stops_everything(bring, table, place):
    rows = good()
    rows[table][0][place] = f"see {real()}"
    with pytest.raises(RecordsError, match="look like NHS numbers") as caught:
        bring(rows)
    assert real() not in str(caught.value)


def test_a_store_of_direct_care_goes_out_only_with_a_reason(tmp_path):
    ingest("native", write(tmp_path / "extract", good()), tmp_path / "store", direct_care=True)
    with pytest.raises(UsageError, match="made for direct care"):
        export(tmp_path / "store", tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()
    export(tmp_path / "store", tmp_path / "out", purpose="agreed with the practices, no. 7", quiet=True)
    assert (tmp_path / "out" / "data").is_dir()


def test_a_packed_file_whose_sum_is_wrong_is_refused(tmp_path):
    folder = write(tmp_path / "extract", good())
    packed = bytearray(gzip.compress((folder / "event.csv").read_bytes(), compresslevel=0))
    place = packed.index(b"2021-03-01")
    packed[place : place + 10] = b"2011-03-01"
    (folder / "event.csv").unlink()
    (folder / "event.csv.gz").write_bytes(packed)
    with pytest.raises(RecordsError, match="broken") as caught:
        ingest("native", folder, tmp_path / "store")
    assert caught.value.where == "event.csv.gz"


def test_who_comes_second_leaves_the_lock_of_the_first(tmp_path):
    with locked(tmp_path / "store"):
        for _ in range(2):
            with pytest.raises(RecordsError, match="another run is writing"), locked(tmp_path / "store"):
                pass
        assert (tmp_path / "store" / ".lock").exists()
