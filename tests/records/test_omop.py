"""OMOP CDM 5.4: what rows become events, people and registrations, and what is refused or left."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omop_helpers import CONCEPTS, DIAGNOSIS, NEVER, NO, READ, REAL, bring, one_more, said, small

from casefinding.errors import CasefindingError, RecordsError
from casefinding.records.sources.omop import find

# What one small extract says


def test_every_table_becomes_events_with_codes_values_units_and_comparators(tmp_path):
    store = bring(tmp_path, small())
    assert said(store) == [
        ("2024-01-02", "snomed", "38341003", None, "", 0),
        ("2024-01-03", "snomed", "271649006", 152.0, "mm[Hg]", 2),
        ("2024-01-04", "snomed", "266919005", None, "", 0),
        ("2024-01-05", "dmd", "39113611000001102", None, "", 0),
    ]
    assert "Amlodipine 5mg tablets" in store.codes()["term"].to_pylist()
    (person,) = store.people_table().to_pylist()
    assert (person["pseudonym"], person["sex"], person["ethnicity"]) == ("p1", "female", "white")
    assert str(person["birth_month"]) == "1961-07-01"
    (registration,) = store.registrations().to_pylist()
    assert (registration["practice"], str(registration["started_on"])) == ("Y99001", "2015-01-01")
    assert registration["ended_on"] is None  # observation reaches the end of the extract
    assert store.data_through == dt.date(2024, 1, 31)


def test_the_missing_day_of_recording_is_said(tmp_path):
    store = bring(tmp_path, small())
    assert any("no day of recording" in note for note in store.counts()["notes"])
    assert all(event["day"] == event["recorded_day"] for event in store.events(0).to_pylist())


@pytest.mark.parametrize(
    "how",
    [{"upper": True}, {"tab": ("concept",)}, {"tab": ("concept", "person", "measurement")}, {"packed": True}],
    ids=["upper case", "concepts with tabs", "several with tabs", "packed"],
)
def test_case_tabs_and_packing_change_nothing(tmp_path, how):
    assert bring(tmp_path, small(), **how).digest == bring(tmp_path, small()).digest


def test_a_quote_in_a_concept_of_athena_stays_in_its_row(tmp_path):
    rows = one_more(small(), "concept", concept_id=99, concept_name='6" plate of the "left')
    assert bring(tmp_path, rows, tab=("concept",)).counts()["balance"]["concept.csv"]["left"] == {
        "row of a dictionary": len(CONCEPTS) + 1
    }


def test_the_balance_holds_for_every_file(tmp_path):
    rows = one_more(small(), "care_site", care_site_id=6, care_site_name="Somewhere")
    rows["death"] = [{"person_id": 1, "death_date": "2024-01-20"}, {"person_id": 2, "death_date": "2024-01-20"}]
    rows["location"] = [{"location_id": 1, "location_source_value": "E01000001"}]
    rows["cdm_source"] = [{"source_release_date": "2024-01-31"}]
    one_more(rows, "condition_occurrence", condition_concept_id=0)
    one_more(rows, "condition_occurrence", person_id=77)
    for name, one in bring(tmp_path, rows).counts()["balance"].items():
        assert one["read"] == one["kept"] + one["refused"] + sum(one["left"].values()) > 0, name


# Codes


@pytest.mark.parametrize(
    ("value", "system", "code"),
    [
        ("38341003", "snomed", "38341003"),
        ("SNOMED:38341003", "snomed", "38341003"),
        ("SNOMED//38341003", "snomed", "38341003"),
        ("http://snomed.info/sct|38341003", "snomed", "38341003"),
        ("Read/G20..", "read2", "G20.."),
        ("ICD10:I10", "icd10", "I10"),
        ("8480-6", "loinc", "8480-6"),
        ("CVX//140", "other", "CVX//140"),
    ],
)
def test_without_concepts_the_documented_source_values_are_codes(tmp_path, value, system, code):
    rows = small()
    del rows["concept"], rows["measurement"], rows["observation"], rows["drug_exposure"]
    rows["condition_occurrence"][0].update(condition_concept_id=0, condition_source_value=value)
    assert [event[1:3] for event in said(bring(tmp_path, rows))] == [(system, code)]


def test_free_text_in_a_source_value_is_refused_and_never_kept(tmp_path):
    rows = one_more(small(), "condition_occurrence", condition_concept_id=0, condition_source_value="told at the door")
    one_more(rows, "condition_occurrence", condition_concept_id=0, condition_source_value="Note: Mrs Example rang")
    one_more(rows, "condition_occurrence", condition_concept_id=0, condition_source_value=f"NHS:{REAL}")
    store = bring(tmp_path, rows)
    assert store.counts()["refused"] == {"code is not a valid id": 3}
    bad = store.quarantine().to_pylist()
    assert {(row["column"], row["practice"]) for row in bad} == {("condition_source_value", "Y99001")}
    kept = b"".join(path.read_bytes() for path in store.folder.rglob("*") if path.is_file())
    assert b"door" not in kept
    assert b"Example rang" not in kept
    assert REAL.encode() not in kept


def test_snomed_counts_before_the_vendors_own_code_and_the_source_before_the_standard(tmp_path):
    rows = small()
    rows["condition_occurrence"][0].update(condition_source_concept_id=READ)
    one_more(rows, "condition_occurrence", condition_concept_id=0)
    store = bring(tmp_path, rows)
    assert [event[1:3] for event in said(store)[:2]] == [("read2", "G20.."), ("snomed", "38341003")]


def test_a_concept_that_no_table_explains_keeps_its_number(tmp_path):
    rows = small()
    rows["condition_occurrence"][0].update(condition_concept_id=316866)
    assert said(bring(tmp_path, rows))[0][1:3] == ("other", "OMOP//316866")


def test_a_concept_that_is_there_twice_gives_one_event(tmp_path):
    rows = small()
    rows["concept"] += [dict(row) for row in rows["concept"]]
    assert len(said(bring(tmp_path, rows))) == 4


def test_ids_that_a_data_frame_wrote_as_decimals_are_the_same_ids(tmp_path):
    rows = small()
    for lines in rows.values():
        for row in lines:
            row.update(
                {name: f"{cell}.0" for name, cell in row.items() if name.endswith("_id") and isinstance(cell, int)}
            )
    assert bring(tmp_path, rows).digest == bring(tmp_path, small()).digest


# Values and answers


@pytest.mark.parametrize(
    ("operator", "sign"), [(4172703, 0), (4171756, 1), (4171754, 1), (4172704, 2), (4171755, 2), (0, 0)]
)
def test_operators_are_comparators(tmp_path, operator, sign):
    rows = small()
    rows["measurement"][0].update(operator_concept_id=operator)
    assert said(bring(tmp_path, rows))[1][5] == sign


def test_a_number_that_stands_only_in_the_source_value_counts_and_text_does_not(tmp_path):
    rows = small()
    rows["measurement"][0].update(value_as_number="", operator_concept_id=0, value_source_value="<5")
    one_more(rows, "measurement", value_source_value="raised", measurement_date="2024-02-03")
    store = bring(tmp_path, rows)
    assert [(e[3], e[5]) for e in said(store) if e[2] == "271649006"] == [(5.0, 1), (None, 0)]


def test_an_observation_that_is_answered_no_is_left_out(tmp_path):
    rows = one_more(small(), "observation", observation_concept_id=DIAGNOSIS, value_as_concept_id=NO)
    one_more(rows, "observation", observation_concept_id=DIAGNOSIS, value_as_concept_id=0, value_as_string="No")
    store = bring(tmp_path, rows)
    assert len(said(store)) == 4
    assert store.counts()["left"]["kind of row that is not asked for"] == 2


def test_what_the_family_has_is_not_what_the_person_has(tmp_path):
    rows = one_more(small(), "observation", observation_concept_id=50, value_as_concept_id=NEVER)
    one_more(rows, "concept", concept_id=50, concept_name="Family history of smoking", concept_code="160303001")
    assert [event[2] for event in said(bring(tmp_path, rows)) if event[0] == "2024-01-04"] == ["160303001", "266919005"]


def test_a_diagnosis_as_an_answer_does_not_replace_the_question(tmp_path):
    rows = small()
    rows["observation"][0].update(value_as_concept_id=DIAGNOSIS)
    assert ("2024-01-04", "loinc", "72166-2") in [event[:3] for event in said(bring(tmp_path, rows))]


# People


@pytest.mark.parametrize(
    ("cells", "born"),
    [
        ({"month_of_birth": "3.0"}, "1961-03-01"),
        ({"month_of_birth": ""}, "1961-07-01"),
        ({"year_of_birth": "", "month_of_birth": "", "birth_datetime": "1961-02-09 00:00:00"}, "1961-02-01"),
        ({"year_of_birth": 2015, "month_of_birth": ""}, "2015-01-01"),  # observed from January of that year on
    ],
)
def test_the_month_of_birth_is_found_or_chosen(tmp_path, cells, born):
    rows = small()
    rows["person"][0].update({"birth_datetime": "", **cells})
    assert str(bring(tmp_path, rows).people_table()["birth_month"][0]) == born


@pytest.mark.parametrize(
    ("concept", "value", "group"),
    [
        (8515, "", "asian"), (8657, "", "other"), (38003579, "", "other"), (8527, "White and Asian", "mixed"),
        (8527, "white", "white"), (8516, "B", "black"), (0, "", "unknown"), (38003615, "", "other"),
    ],
)  # fmt: skip
def test_race_is_read_as_one_of_the_groups(tmp_path, concept, value, group):
    rows = small()
    rows["person"][0].update(race_concept_id=concept, race_source_value=value)
    assert bring(tmp_path, rows).people_table()["ethnicity"].to_pylist() == [group]


def test_letters_are_the_nhs_groups_only_where_all_of_them_can_be(tmp_path):
    rows = one_more(small(), "person", person_id=2, person_source_value="p2", race_source_value="G")
    rows["person"][0].update(race_source_value="B", race_concept_id=8516)
    one_more(rows, "observation_period", person_id=2)
    assert bring(tmp_path, rows).people_table()["ethnicity"].to_pylist() == ["white", "mixed"]
    rows["person"][1].update(race_source_value="W")
    assert bring(tmp_path, rows).people_table()["ethnicity"].to_pylist() == ["black", "white"]


def test_without_a_care_site_there_is_one_practice(tmp_path):
    rows = small()
    del rows["care_site"]
    assert bring(tmp_path, rows).registrations()["practice"].to_pylist() == ["OMOP"]


def test_care_sites_that_share_a_code_stay_two_practices(tmp_path):
    rows = one_more(small(), "care_site", care_site_id=6)
    one_more(rows, "person", person_id=2, person_source_value="p2", care_site_id=6)
    one_more(rows, "observation_period", person_id=2)
    assert bring(tmp_path, rows).practices()["practice"].to_pylist() == ["C5", "C6"]


def test_two_people_are_never_one_because_an_id_equals_a_pseudonym(tmp_path):
    rows = one_more(small(), "person", person_id=2, person_source_value="1")
    rows["person"][0].update(person_source_value="")
    one_more(rows, "observation_period", person_id=2)
    assert bring(tmp_path, rows).people_table()["pseudonym"].to_pylist() == ["1", "person_id 1"]


def test_nhs_numbers_stop_the_ingest(tmp_path):
    rows = small()
    rows["person"][0].update(person_source_value=REAL)
    with pytest.raises(RecordsError, match="NHS numbers") as caught:
        bring(tmp_path, rows)
    assert REAL not in str(caught.value)


def test_several_periods_are_several_registrations_and_ends_in_the_far_future_go_on(tmp_path):
    rows = one_more(small(), "observation_period", observation_period_start_date="2010-01-01",
                    observation_period_end_date="2012-12-31")  # fmt: skip
    rows["observation_period"][0].update(observation_period_end_date="2099-12-31")
    store = bring(tmp_path, rows)
    assert [str(row["ended_on"]) for row in store.registrations().to_pylist()] == ["2012-12-31", "None"]
    assert store.data_through == dt.date(2024, 1, 5)  # the last entry


def test_the_release_day_of_the_source_ends_the_extract_unless_it_is_far_from_the_entries(tmp_path):
    for day, through in (("2024-01-20", "2024-01-31"), ("2024-02-09", "2024-02-09"), ("2029-01-01", "2024-01-31")):
        rows = small()
        rows["cdm_source"] = [{"source_release_date": day}]
        assert bring(tmp_path, rows).data_through == dt.date.fromisoformat(through)


# What is missing or broken


def test_a_missing_table_or_column_is_named(tmp_path):
    rows = small()
    del rows["observation_period"]
    with pytest.raises(RecordsError, match="'observation_period' is missing"):
        bring(tmp_path, rows)
    rows = small()
    for row in rows["person"]:
        del row["year_of_birth"]
    with pytest.raises(RecordsError, match="'year_of_birth' is missing"):
        bring(tmp_path, rows)


def test_tables_that_are_not_there_or_not_read_are_said(tmp_path):
    rows = small()
    rows["device_exposure"] = [{"person_id": 1}]
    notes = " ".join(bring(tmp_path, rows).counts()["notes"])
    assert "Not in this extract: procedure_occurrence, visit_occurrence, death." in notes
    assert "not read: device_exposure." in notes


def test_a_file_that_is_no_database_is_refused(tmp_path):
    for name in ("x.duckdb", "x.txt"):
        (tmp_path / name).write_text("secret words\n" * 200, encoding="utf-8")
        with pytest.raises(RecordsError) as caught:
            find(tmp_path / name)
        assert "secret words" not in str(caught.value)


CELL = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.sampled_from(["", "0", "nan", "1e400", "2024-13-01", "SNOMED:", "//", "'", '"', "\t", "a\nb", "-1", "4171754"]),
)


@given(data=st.data(), table=st.sampled_from(sorted(small())), tabs=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_malformed_rows_are_refused_and_never_a_traceback(tmp_path, data, table, tabs):
    rows = small()
    cells = data.draw(st.fixed_dictionaries({}, optional={name: CELL for name in rows[table][0]}))
    one_more(rows, table, **cells)
    try:
        store = bring(tmp_path, rows, tab=(table,) if tabs else ())
    except CasefindingError as problem:
        repeated = [cell for cell in cells.values() if len(cell) > 5 and cell in str(problem)]
        if repeated:
            pytest.fail("a cell is repeated in a message")
        return
    for one in store.counts()["balance"].values():
        assert one["read"] == one["kept"] + one["refused"] + sum(one["left"].values())
