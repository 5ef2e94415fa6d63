"""Who opted out stays at home: by the latest word, in every layout, and the ingest can tell that nobody is left."""

import csv
import json
from hashlib import sha256
from pathlib import Path

import pytest
from conftest_of_pseudonyms import (
    DISSENT,
    NUMBERS,
    WITHDRAWN,
    bundle,
    emis_name,
    emis_rows,
    read,
    systmone_rows,
    table,
    write_bundle,
    write_emis,
    write_systmone,
)  # fmt: skip
from hypothesis import given
from hypothesis import strategies as st

from casefinding.errors import ConfigError, RecordsError, UsageError
from casefinding.records.engine import Engine
from casefinding.records.pseudonyms.opt_outs import Decisions, codes, type_1_people
from tests.writers.layouts import EMIS

ROOT = Path(__file__).parents[3]
OUT = "type 1 opt-out"


def removed(out: Path, reason: str = OUT) -> int:
    return json.loads((out / "manifest.json").read_text())["people"].get(reason, 0)


def emis_with(entries, people=None):
    """The four patients with these entries alone: (patient, code, day, more)."""
    rows = emis_rows()
    base = rows["CareRecord_Observation"][0]
    rows["CareRecord_Observation"] = [
        {**base, "ObservationGuid": f"{{X-{n}1}}", "PatientGuid": f"{{P-{whose}}}", "CodeId": code,
         "EffectiveDate": day, "ProcessingId": str(500 + n), **more}
        for n, (whose, code, day, more) in enumerate(entries)
    ]  # fmt: skip
    return rows


@pytest.mark.parametrize(
    ("entries", "out"),
    [
        ([(1, "1002", "2015-01-01", {})], 1),
        ([(1, "1002", "2015-01-01", {}), (1, "1003", "2016-01-01", {})], 0),
        ([(1, "1003", "2016-01-01", {}), (1, "1002", "2015-01-01", {})], 0),
        ([(1, "1003", "2015-01-01", {}), (1, "1002", "2016-01-01", {})], 1),
        ([(1, "1003", "2015-01-01", {}), (1, "1002", "2015-01-01", {})], 1),  # the same day: the dissent counts
        ([(1, "1002", "", {}), (1, "1003", "2016-01-01", {})], 1),  # nobody knows when: the dissent counts
        ([(1, "1002", "2015-01-01", {"Deleted": "true"})], 0),
        ([(1, "1002", "2015-01-01", {}), (2, "1003", "2016-01-01", {})], 1),
        ([], 0),
    ],
)
def test_the_latest_of_dissent_and_withdrawal_decides(tmp_path, run, entries, out):
    made = run("emis", write_emis(tmp_path / "in", emis_with(entries)))
    assert removed(made) == out
    assert len(read(made / emis_name("Admin_Patient"))) == 4 - out


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_deleted_dissent_is_none_in_whatever_order_the_files_come(tmp_path, run, order):
    rows = emis_with([(1, "1002", "2015-01-01", {})])
    extract = write_emis(tmp_path / "in", rows)
    entry = rows["CareRecord_Observation"][0]
    gone = {**entry, "Deleted": "true", "CodeId": "", "PatientGuid": "", "ProcessingId": "900"}
    first = extract / emis_name("CareRecord_Observation")
    header = EMIS["8.2"]["CareRecord_Observation"]
    table(extract / emis_name("CareRecord_Observation", 1), header, [gone])
    if order == (1, 0):  # the deletion stands in the file that is read first
        table(first, header, [gone])
        table(extract / emis_name("CareRecord_Observation", 1), header, [entry])
    assert removed(run("emis", extract)) == 0


def test_what_somebody_said_in_one_practice_counts_in_the_other(tmp_path, run):
    rows = emis_with([(1, "1002", "2015-01-01", {})])
    rows["Admin_Patient"].append(
        {**rows["Admin_Patient"][0], "OrganisationGuid": "{A-2}", "PatientGuid": "{P-77}", "ProcessingId": "77"}
    )
    made = run("emis", write_emis(tmp_path / "in", rows))
    assert {one["NhsNumber"][0] for one in read(made / emis_name("Admin_Patient"))} == {"p", "q"}
    assert len(read(made / emis_name("Admin_Patient"))) == 3


def test_nothing_of_whoever_opted_out_goes_out_in_any_layout(tmp_path, run):
    made = run("systmone", write_systmone(tmp_path / "s"))
    assert (removed(made), len(read(made / "SRCode.csv", "cp1252"))) == (1, 2)
    rows = systmone_rows()
    rows["SRCode"][-1]["CTV3Code"] = "Xabcd"
    rows["SRCtv3ToSnomed"] = [{"RowIdentifier": "1", "Ctv3Code": "Xabcd", "SnomedCode": DISSENT}]
    assert removed(run("systmone", write_systmone(tmp_path / "s2", rows))) == 1
    extract = write_bundle(tmp_path / "f" / "a.json", bundle(code=DISSENT))
    write_bundle(extract / "b.json", bundle(NUMBERS[1], patient="other-1"))
    made = run("fhir", extract)
    assert (removed(made), len([*made.glob("bundle-*.json")])) == (1, 1)
    native = tmp_path / "n"
    table(native / "person.csv", ("person", "birth_month", "sex"), [
        {"person": NUMBERS[0], "birth_month": "1960-07"},
        {"person": NUMBERS[1], "birth_month": "1961-07"}])  # fmt: skip
    table(native / "event.csv", ("person", "happened_on", "system", "code"), [
        {"person": NUMBERS[0], "happened_on": "2020-01-01", "system": "SNOMED-CT", "code": DISSENT},
        {"person": f"{NUMBERS[1][:3]} {NUMBERS[1][3:]}", "happened_on": "2020-01-01", "system": "snomed",
         "code": "27113001"}])  # fmt: skip
    made = run("native", native)
    assert (removed(made), len(read(made / "person.csv")), len(read(made / "event.csv"))) == (1, 1, 1)
    assert read(made / "person.csv")[0]["person"] == read(made / "event.csv")[0]["person"]


def test_no_opt_out_applies_to_direct_care(tmp_path, run):
    made = run("emis", write_emis(tmp_path / "in"), flow="direct-care")
    assert len(read(made / emis_name("Admin_Patient"))) == 4
    with pytest.raises(UsageError, match="direct care"):
        run("emis", tmp_path / "in", flow="direct-care", national_opted_out=tmp_path / "any")


def test_without_the_table_that_tells_nothing_goes_out(tmp_path, run):
    for lost in ("CareRecord_Observation", "Coding_ClinicalCode"):
        rows = emis_rows()
        del rows[lost]
        with pytest.raises(RecordsError, match="nobody can tell who opted out"):
            run("emis", write_emis(tmp_path / lost, rows))


def six(folder):
    """The four patients and five more with NHS numbers; the fourth has a Type 1 opt-out."""
    rows = emis_rows()
    first = rows["Admin_Patient"][0]
    rows["Admin_Patient"] += [
        {**first, "PatientGuid": f"{{P-{n}}}", "NhsNumber": NUMBERS[n], "ProcessingId": str(n)} for n in range(11, 16)
    ]
    return write_emis(folder, rows)


def shown_as(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def test_national_data_opt_outs_stay_at_home(tmp_path, run):
    listed = tmp_path / "national.csv"
    listed.write_text(f"nhs_number\n{shown_as(NUMBERS[0])}\n{NUMBERS[30]},\n")
    made = run("emis", six(tmp_path / "in"), national_opted_out=listed)
    assert (removed(made, "national data opt-out"), removed(made)) == (1, 1)
    assert [one["NhsNumber"][0] for one in read(made / emis_name("Admin_Patient"))] == [*"qqppppp"]


def test_only_those_whom_the_national_service_returned_go_out(tmp_path, run, capsys):
    listed = tmp_path / "returned.csv"
    listed.write_text("".join(f"{number},\n" for number in (NUMBERS[0], NUMBERS[1], *NUMBERS[11:14])))
    made = run("emis", six(tmp_path / "in"), national_allowed=listed)
    assert removed(made, "national data opt-out") == 2
    assert removed(made, "no NHS number: the national data opt-out cannot be checked") == 2
    assert {one["NhsNumber"][0] for one in read(made / emis_name("Admin_Patient"))} == {"p"}
    assert len(read(made / emis_name("Admin_Patient"))) == 4  # the fifth returned has a Type 1 opt-out
    said = json.loads((made / "manifest.json").read_text())["national data opt-out"]
    assert said["list"] == "those who may be used"
    assert said["sha-256"] == sha256(listed.read_bytes()).hexdigest()
    assert said["applied on"][:2] == "20"
    assert "only under an agreement that says so" in capsys.readouterr().out


def test_the_other_list_of_the_national_opt_out_is_noticed(tmp_path, run):
    listed = tmp_path / "returned.csv"
    listed.write_text("".join(f"{number},\n" for number in (NUMBERS[0], NUMBERS[1], *NUMBERS[11:16])))
    with pytest.raises(UsageError, match="more than 20%"):
        run("emis", six(tmp_path / "in"), national_opted_out=listed)
    listed.write_text(f"{NUMBERS[0]}\n")
    with pytest.raises(UsageError, match="fewer than half"):
        run("emis", tmp_path / "in", national_allowed=listed)
    with pytest.raises(UsageError, match="two lists"):
        run("emis", tmp_path / "in", national_allowed=listed, national_opted_out=listed)


def test_whoever_is_marked_confidential_stays_with_every_row_and_so_does_every_row_so_marked(tmp_path, run):
    rows = emis_rows()
    rows["Admin_Patient"][0]["SpineSensitive"] = "true"
    rows["CareRecord_Observation"][1]["IsConfidential"] = "true"
    reason = "confidential: stays at the practice"
    made = run("emis", write_emis(tmp_path / "in", rows))
    assert removed(made, reason) == 1
    assert json.loads((made / "manifest.json").read_text())["rows removed"][reason] == 3
    assert len(read(made / emis_name("CareRecord_Observation"))) == 1
    assert len(read(run("emis", tmp_path / "in", flow="direct-care") / emis_name("CareRecord_Observation"))) == 5
    marked = bundle()
    marked["entry"][2]["resource"]["meta"] = {"security": [{"code": "R"}]}
    made = run("fhir", write_bundle(tmp_path / "f" / "a.json", marked))
    assert json.loads((made / "manifest.json").read_text())["rows removed"][reason] == 1


@pytest.mark.parametrize("content", ["", "nhs_number\n", "9990000019\n", "9.99E+09\n", "Quillfeather 1\n"])
@pytest.mark.parametrize("option", ["national_allowed", "national_opted_out"])
def test_a_spoilt_file_of_national_opt_outs_stops_everything(tmp_path, run, content, option):
    listed = tmp_path / "national.csv"
    listed.write_text(content)
    with pytest.raises(UsageError) as caught:
        run("emis", write_emis(tmp_path / "in"), **{option: listed})
    assert "Quillfeather" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def config(path: Path, flow: str) -> Path:
    path.write_text(
        "network: {name: Example}\nindex day: 2026-10-01\nconditions: [hypertension]\n"
        f"records: {{kind: native, path: somewhere}}\n{flow}\n"
    )
    return path


def test_the_config_says_which_opt_outs_its_flow_needs(tmp_path, run):
    extract = six(tmp_path / "in")
    needed = config(tmp_path / "a.yaml", "flow: {purpose: secondary use, national data opt-out: needed}")
    with pytest.raises(UsageError, match="needs the national data opt-outs"):
        run("emis", extract, config=needed)
    listed = tmp_path / "national.csv"
    listed.write_text(f"{NUMBERS[0]}\n")
    assert removed(run("emis", extract, config=needed, national_opted_out=listed), "national data opt-out") == 1
    alone = tmp_path / "alone.yaml"
    alone.write_text("flow:\n  purpose: secondary use\n  national data opt-out: needed\n")
    with pytest.raises(UsageError, match="needs the national data opt-outs"):
        run("emis", extract, config=alone)
    alone.write_text("flow: {purpose: whatever, national data opt-out: needed}\n")
    with pytest.raises(ConfigError, match="purpose"):
        run("emis", extract, config=alone)
    with pytest.raises(ConfigError, match="does not say which opt-outs"):
        run("emis", extract, config=config(tmp_path / "b.yaml", ""))
    with pytest.raises(UsageError, match="different flows"):
        run("emis", extract, config=needed, flow="direct-care", national_opted_out=listed)
    own = config(tmp_path / "c.yaml", "flow: {purpose: direct care, national data opt-out: not needed}")
    assert removed(run("emis", extract, config=own)) == 0
    with pytest.raises(ConfigError, match="direct care"):
        run(
            "emis",
            extract,
            config=config(tmp_path / "d.yaml", "flow: {purpose: direct care, national data opt-out: needed}"),
        )


def test_the_codes_are_those_of_the_shipped_lists_and_await_validation():
    for name, says in (("opt_out", "dissent"), ("opt_out_withdrawn", "withdrawn")):
        lines = (ROOT / "features" / "codelists" / f"{name}.csv").read_text().splitlines()
        listed = {line.split(",")[0] for line in lines if line[:1].isdigit()}
        assert listed == {code for (system, code), what in codes().items() if system == "snomed" and what == says}
    rows = csv.DictReader((ROOT / "casefinding/records/pseudonyms/type_1_codes.csv").read_text().splitlines())
    assert all("awaits validation" in row["status"] for row in rows)


SAID = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["2015-01-01", "2016-01-01", "2017-05-05", None]),
        st.sampled_from([("snomed", DISSENT), ("SNOMED-CT", WITHDRAWN), ("snomed", "27113001"), ("snomed", WITHDRAWN)]),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = Engine((), tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


@given(said=SAID)
def test_the_ingest_counts_the_people_that_pseudonymise_removes(engine, said):
    decisions = Decisions()
    for person, day, (_, code) in said:
        if code in (DISSENT, WITHDRAWN):
            decisions.add(person, day or "", "dissent" if code == DISSENT else "withdrawn")
    rows = [f"('{p}', nullif('{d or ''}', ''), '{s}', '{c}')" for p, d, (s, c) in said]
    values = ", ".join([*rows, "('z', NULL, 'snomed', '1')"])
    events = f"SELECT * FROM (VALUES {values}) AS e(person, happened_on, system, code)"
    assert type_1_people(engine, events) == len(decisions.out(lambda whose: whose))
