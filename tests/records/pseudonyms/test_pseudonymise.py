"""An extract goes out in its own layout, with every row of everybody who may go, and nothing that says who it is."""

import json
import shutil
from string import ascii_letters, digits

import pytest
from conftest_of_pseudonyms import (
    CANARIES,
    KEY,
    NUMBERS,
    all_bytes,
    bundle,
    emis_name,
    emis_rows,
    private,
    read,
    systmone_rows,
    table,
    write_bundle,
    write_emis,
    write_systmone,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.audit import entries
from casefinding.errors import CasefindingError, RecordsError, UsageError
from casefinding.job.pseudonymise import Asked, pseudonymise
from casefinding.nhs_number import shown
from casefinding.recall.identity.lookup import read_lookup
from casefinding.records.pseudonyms import digests
from casefinding.records.pseudonyms.columns import ALLOWED
from casefinding.records.pseudonyms.keys import Key
from casefinding.records.pseudonyms.treatments import TREATED, UNREADABLE, first_of_month
from casefinding.records.pseudonyms.treatments import Treatment as T
from tests.writers.layouts import EMIS, SYSTMONE

TEXTS = (T.WORD, T.UNIT, T.NUMBER, T.DAY, T.TIME, T.FLAG, T.MONTH)
"""Kept columns in which somebody may have typed; ids, codes and the terms of dictionaries are the vendor's own."""
PLANTED = (*CANARIES, NUMBERS[5], shown(NUMBERS[6]), "1961-07-23 Zebedee")
KEEPER = Key(KEY, "hex")


def plant(rows, kind, headers):
    """A canary in every column that is emptied, or kept only in a form; the first row stays as it is."""
    for name, lines in rows.items():
        allowed = ALLOWED[kind].get(name.lower())
        for number, column in enumerate(headers[name]):
            treatment = allowed.columns.get(column.lower()) if allowed else None
            if treatment is None or treatment in TEXTS:
                for turn, line in enumerate(lines[1:] if treatment else lines):
                    if column.lower() not in ("deleted", "removeddata", "fullpostcode", "dateevent") or not treatment:
                        line[column] = PLANTED[(number + turn) % len(PLANTED)]
    return rows


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
@pytest.mark.parametrize("kind", ["emis", "systmone"])
def test_no_canary_appears_anywhere_in_the_output(tmp_path, run, kind, ending, capsys):
    if kind == "emis":
        rows = plant(emis_rows(), kind, EMIS["8.2"])
        for number, line in enumerate(rows["Admin_Patient"]):
            line["NhsNumber"] = NUMBERS[number]
        extract = write_emis(tmp_path / "in", rows, ending=ending)
    else:
        rows = plant({k: v for k, v in systmone_rows().items()}, kind, SYSTMONE[93])
        for number, line in enumerate(rows["SRPatient"]):
            line["NHSNumber"] = NUMBERS[number]
        extract = write_systmone(tmp_path / "in", rows, ending=ending)
    out = run(kind, extract, lookups=tmp_path / "practice" / "lookups")
    said = capsys.readouterr()
    everything = [*all_bytes(out), ("said", (said.out + said.err).encode())]
    everything.append(("audit", (tmp_path / "practice" / "pseudonymise-audit.jsonl").read_bytes()))
    hidden = [*CANARIES, *NUMBERS, *map(shown, NUMBERS), KEY.hex(), "07700900456"]
    assert [(name, text) for name, content in everything for text in hidden if text.encode() in content] == []
    assert b"Zebedee" in b"".join(content for _, content in all_bytes(extract))


def test_no_canary_of_fhir_appears_anywhere_in_the_output(tmp_path, run, capsys):
    extract = write_bundle(tmp_path / "in" / "Quillfeather.json", bundle())
    lines = [entry["resource"] for entry in bundle(NUMBERS[1], patient="zebedee-1")["entry"]]
    for kind in ("Patient", "Observation"):
        one = [json.dumps(line) for line in lines if line["resourceType"] == kind]
        (extract / f"{kind}.ndjson").write_text("\n".join(one) + "\n")
    out = run("fhir", extract)
    said = capsys.readouterr().out
    everything = b"".join(content for _, content in all_bytes(out)) + said.encode()
    for text in (*CANARIES, "zebedee", "QUILLFEATHER", "Weight-of", "1952-05-31", NUMBERS[0], NUMBERS[1]):
        assert text.encode() not in everything
    made = json.loads((out / "bundle-00001.json").read_text())
    patient, _, observation = (entry["resource"] for entry in made["entry"])
    assert patient["identifier"][0]["value"] == digests.of_number(KEEPER, NUMBERS[0])
    assert observation["subject"]["reference"] == f"Patient/{patient['id']}"
    assert observation["valueQuantity"] == {"value": 82.5, "unit": "kg"}
    assert observation["code"] == {
        "coding": [{"system": "http://snomed.info/sct", "code": "27113001", "display": "Body weight"}]
    }
    assert patient["birthDate"] == "1952-05-01"
    line = json.loads((out / "Observation.ndjson").read_text())
    assert line["subject"]["reference"] == "Patient/" + json.loads((out / "Patient.ndjson").read_text())["id"]


def test_files_and_headers_stay_and_the_patients_get_three_more_columns(tmp_path, run):
    extract = write_emis(tmp_path / "in")
    out = run("emis", extract)
    for path in extract.glob("*.csv"):
        if "UserInRole" in path.name:
            assert not (out / path.name).exists()
            continue
        before, after = path.read_text().splitlines()[0], (out / path.name).read_text().splitlines()[0]
        assert after == before + (",Lsoa,ImdDecile,ImdVintage" if "Admin_Patient" in path.name else "")


def test_emis_rows_still_join_and_say_what_they_said(tmp_path, run):
    out = run("emis", write_emis(tmp_path / "in"))
    people = read(out / emis_name("Admin_Patient"))
    seen = read(out / emis_name("CareRecord_Observation"))
    assert [one["NhsNumber"][0] for one in people] == ["p", "q", "q"]  # the fourth has opted out
    assert people[0]["NhsNumber"] == digests.of_number(KEEPER, NUMBERS[0])
    assert [one["DateOfBirth"] for one in people] == ["1961-07-01", "1962-07-01", "1963-07-01"]
    assert [one["PatientGuid"] for one in seen] == [one["PatientGuid"] for one in people]
    assert {one["OrganisationGuid"] for one in people} == {"{A-1}"}
    assert {(one["Value"], one["NumericUnit"], one["EffectiveDate"]) for one in seen} == {("142", "mmHg", "2020-03-01")}
    assert "P-1" not in json.dumps(people + seen)


def test_systmone_keeps_its_encoding_its_dates_and_its_columns(tmp_path, run):
    rows = systmone_rows()
    rows["SROrganisation"][0]["Name"] = "Société £ Practice"
    rows["SRCode"][0]["NumericUnit"] = "µmol/L"
    out = run("systmone", write_systmone(tmp_path / "in", rows))
    people, seen = read(out / "SRPatient.csv", "cp1252"), read(out / "SRCode.csv", "cp1252")
    assert read(out / "SROrganisation.csv", "cp1252")[0]["Name"] == "Société £ Practice"
    assert seen[0]["NumericUnit"] == "µmol/L"
    assert [one["DateBirth"] for one in people] == ["01 Jul 1961", "01 Jul 1962"]
    assert [one["IDPatient"] for one in seen] == [one["RowIdentifier"] for one in people]
    assert [one["DateEvent"] for one in seen] == ["01 Mar 2020"] * 2
    assert all(one["RowIdentifier"].isdecimal() and one["RowIdentifier"] not in ("801", "802") for one in seen)
    assert read(out / "SRPrimaryCareMedication.csv", "cp1252")[0]["NameOfMedication"] == ""  # one person's alone
    assert not (out / "SRPatientAddressHistory.csv").exists()


def test_one_person_has_one_pseudonym_in_two_practices_two_systems_and_every_month(tmp_path, run):
    rows = emis_rows()
    again = {**rows["Admin_Patient"][0], "OrganisationGuid": "{A-2}", "PatientGuid": "{P-77}", "ProcessingId": "77"}
    rows["Admin_Patient"].append(again)
    people = read(run("emis", write_emis(tmp_path / "in", rows)) / emis_name("Admin_Patient"))
    assert people[0]["NhsNumber"] == people[-1]["NhsNumber"]
    assert people[0]["PatientGuid"] != people[-1]["PatientGuid"]
    other = run("systmone", write_systmone(tmp_path / "s"), out=tmp_path / "out2", lookups=tmp_path / "practice" / "l2")
    assert read(other / "SRPatient.csv", "cp1252")[0]["NHSNumber"] == people[0]["NhsNumber"]


@pytest.mark.parametrize("kind", ["emis", "systmone", "fhir"])
def test_the_same_extract_and_key_give_the_same_bytes(tmp_path, run, kind):
    extract = tmp_path / "in"
    if kind == "fhir":
        write_bundle(extract / "a.json", bundle())
    else:
        (write_emis if kind == "emis" else write_systmone)(extract, ending=".csv.gz")
    one = {name: content for name, content in all_bytes(run(kind, extract))}
    two = {name: content for name, content in all_bytes(run(kind, extract, out=tmp_path / "again"))}
    assert one == two


def test_rows_in_are_rows_out_and_rows_removed_by_reason(tmp_path, run):
    out = run("emis", write_emis(tmp_path / "in"))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["rows in"] == manifest["rows out"] + sum(manifest["rows removed"].values())
    assert manifest["rows removed"] == {"type 1 opt-out": 3}
    assert manifest["people"] == {
        "people": 4, "with an NHS number": 2, "without an NHS number": 2, "with a number that is no NHS number": 1,
        "type 1 opt-out": 1, "in the output": 3,
    }  # fmt: skip
    assert manifest["files left"] == {"Admin_UserInRole": 1}
    assert manifest["key fingerprint"] == KEEPER.fingerprint


def test_a_row_about_somebody_whom_the_extract_does_not_hold_stays_at_home_but_a_deletion_goes(tmp_path, run):
    rows = emis_rows()
    entry = rows["CareRecord_Observation"][0]
    rows["CareRecord_Observation"] += [
        {**entry, "PatientGuid": "{P-99}", "ObservationGuid": "{O-50}"},
        {"ObservationGuid": "{O-51}", "OrganisationGuid": "{A-1}", "Deleted": "true", "ProcessingId": "900",
         "EffectiveDate": "2020-03-01"},
    ]  # fmt: skip
    out = run("emis", write_emis(tmp_path / "in", rows))
    seen = read(out / emis_name("CareRecord_Observation"))
    assert digests.of_id(KEEPER, "emis", "row", "{O-50}") not in {one["ObservationGuid"] for one in seen}
    gone = next(one for one in seen if one["ObservationGuid"] == digests.of_id(KEEPER, "emis", "row", "{O-51}"))
    assert (gone["Deleted"], gone["EffectiveDate"]) == ("true", "")


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(alphabet=ascii_letters + digits + "_ ", min_size=1, max_size=30),
    kind=st.sampled_from(["emis", "systmone", "native", "omop"]),
    cell=st.text(min_size=1, max_size=40),
)
def test_a_column_with_a_new_name_never_survives(tmp_path_factory, name, kind, cell):
    from casefinding.records.pseudonyms.files_in import Source
    from casefinding.records.pseudonyms.places import Places
    from casefinding.records.pseudonyms.rewrite import rewrite
    from casefinding.records.pseudonyms.survey import Survey

    folder = tmp_path_factory.mktemp("new")
    for said in ALLOWED[kind].values():
        if name.strip().lower() in said.columns or said.whose or not name.strip():
            continue
        known = next(iter(said.columns))
        path = table(folder / "in.csv", (known, name), [{known: "17", name: cell}])
        source = Source(path, "in.csv", said, "utf-8", (known, name), "\n")
        done = rewrite(source, folder / "out.csv", Survey(kind, KEEPER), Places())
        assert [list(row.values())[1] for row in read(folder / "out.csv")] == [""]
        assert name in done.emptied


@pytest.mark.parametrize(("people", "kept"), [(7, ""), (8, "Amlodipine 5mg tablets")])
def test_text_of_a_patients_row_goes_out_only_if_eight_people_share_it(tmp_path, run, people, kept):
    native = tmp_path / "n"
    those = [f"person-{n}" for n in range(people)]
    table(native / "person.csv", ("person", "birth_month"), [{"person": one} for one in those])
    entry = {"system": "snomed", "code": "27113001", "happened_on": "2020-01-01", "term": "Amlodipine 5mg tablets"}
    rows = [{"person": one, **entry} for one in those]
    rows += [{**rows[0], "term": "as told by Zebedee"}] * 9  # often, but of one person
    table(native / "event.csv", ("person", *entry), rows)
    out = run("native", native)
    assert [one["term"] for one in read(out / "event.csv")] == [kept] * people + [""] * 9
    said = json.loads((out / "manifest.json").read_text())["files"]["event.csv"]
    assert said["cells not copied as text of fewer than 8 people"] == {"term": 9 if kept else 9 + people}


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60), treatment=st.sampled_from(sorted(TREATED)))
def test_a_cell_is_kept_as_it_was_or_not_at_all(text, treatment):
    made = TREATED[treatment](text) if text else ""
    if treatment is T.MONTH:
        assert made in (UNREADABLE, first_of_month(text)) or not text
    else:
        assert made in (text, "", UNREADABLE, "(other unit)")


@pytest.mark.parametrize("text", [*CANARIES, NUMBERS[0], shown(NUMBERS[0]), "Dr Quillfeather rang", "dob 23/07/1961"])
@pytest.mark.parametrize("treatment", TEXTS)
def test_no_form_lets_an_identifier_through(text, treatment):
    assert TREATED[treatment](text) in ("", UNREADABLE, "(other unit)")


@pytest.mark.parametrize("text", [NUMBERS[0], shown(NUMBERS[1]), "07700900123", "a b owl@example.org", "at ZZ99 3AB"])
def test_a_term_that_holds_an_identifier_is_not_copied(text):
    assert TREATED[T.TERM](f"Amlodipine {text}") == ""


@pytest.mark.parametrize(
    ("treatment", "texts"),
    {
        T.UNIT: ("mmHg", "mm[Hg]", "mL/min/1.73m*2", "10*9/L", "umol/L", "%", "kg/m2", "mmol/mol", "{ratio}"),
        T.WORD: ("Regular", "GP Surgery", "Follow-up encounter", "tablet(s)", "White British",
                 "Notification of registration", "Deduction at patient's request", "YMD", "Female", "6000001"),
        T.NUMBER: ("142", "<0.01", ">= 90", "-3.5", "1.2E+3", ".5", "<="),
        T.DAY: ("2020-03-01", "01 Mar 2020 09:00:00", "2019-03-28T10:30:00+00:00", "01/03/2020", "20200301", "2019-03"),
        T.CODE: ("XaZ89", "G20..", "^ESCT1190774", "8480-6", "27113001", "A", "Y99001", "2.71649E+08"),
        T.ID: ("{A1B2-3}", "1000000000123", "S01"),
        T.TERM: ("Amlodipine 5mg tablets", "Vitamin B12 1mg/1ml injection", "12911011000001100"),
    }.items(),
)  # fmt: skip
def test_what_extracts_do_say_is_kept(treatment, texts):
    assert [TREATED[treatment](text) for text in texts] == list(texts)


def test_the_lookup_is_what_reidentify_reads(tmp_path, run):
    salt = private(tmp_path / "salt", "hello\n")
    out = run("emis", write_emis(tmp_path / "in"), salt_file=salt)
    path = tmp_path / "practice" / "lookups" / "lookup_Y99001.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    lookup = read_lookup(path.read_bytes(), path.name, "Y99001")
    people = read(out / emis_name("Admin_Patient"))
    known = lookup.known(people[0]["NhsNumber"])
    assert known is not None
    assert known.nhs_number == NUMBERS[0]
    assert known.date_of_birth.isoformat() == "1961-07-23"
    assert (known.emis_number, known.telecom_number) == ("101", "07700900456")
    assert set(lookup.patients) == {one["NhsNumber"] for one in people}
    assert read(path)[-1]["linkage_digest"] in ("", digests.for_linkage(NUMBERS[0], "hello"))
    assert digests.for_linkage(NUMBERS[0], "hello") in path.read_text()
    assert NUMBERS[1] not in path.read_text()  # who opted out is on no list, and so in no lookup


def test_a_later_row_of_a_patient_decides_about_all_of_them(tmp_path, run):
    first, later = emis_rows(), emis_rows()
    later["Admin_Patient"] = [{**later["Admin_Patient"][1], "NhsNumber": NUMBERS[8], "ProcessingId": "2000"}]
    extract = write_emis(tmp_path / "in", first)
    header = EMIS["8.2"]["Admin_Patient"]
    table(extract / emis_name("Admin_Patient", 1), header, later["Admin_Patient"])
    out = run("emis", extract)
    expected = digests.of_number(KEEPER, NUMBERS[8])
    assert read(out / emis_name("Admin_Patient"))[1]["NhsNumber"] == expected
    assert read(out / emis_name("Admin_Patient", 1))[0]["NhsNumber"] == expected


def test_lookups_of_another_key_are_never_written_over(tmp_path, run):
    extract = write_emis(tmp_path / "in")
    run("emis", extract)
    other = private(tmp_path / "other", bytes(range(60, 100)).hex())
    with pytest.raises(UsageError, match="another key"):
        run("emis", extract, key_file=other)


def test_output_lookups_and_extract_lie_apart(tmp_path, run):
    extract = write_emis(tmp_path / "in")
    for asked in (
        {"out": extract}, {"out": extract / "out"}, {"out": tmp_path}, {"lookups": tmp_path / "out" / "lookups"},
        {"lookups": extract / "lookups"}, {"out": tmp_path / "practice", "lookups": tmp_path / "practice"},
    ):  # fmt: skip
        with pytest.raises(UsageError):
            run("emis", extract, **asked)
    link = tmp_path / "link"
    link.symlink_to(extract)
    with pytest.raises(UsageError, match="lie in each other"):
        run("emis", extract, out=link / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"in", "key", "link"}


def test_an_extract_that_holds_pseudonyms_is_refused(tmp_path, run):
    out = run("emis", write_emis(tmp_path / "in"))
    with pytest.raises(UsageError, match="pseudonyms already"):
        run("emis", out, out=tmp_path / "again", lookups=tmp_path / "practice" / "l2")


SPOILT = {
    "a row with too few cells": lambda path: path.write_text(path.read_text() + "x,Quillfeather\n"),
    "an open quote": lambda path: path.write_text(path.read_text() + '"Quillfeather\n'),
    "an empty file": lambda path: path.write_text(""),
    "no patient column": lambda path: path.write_text(path.read_text().replace("PatientGuid", "Guid")),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=list(SPOILT))
def test_what_cannot_be_read_leaves_everything_as_it_was(tmp_path, run, spoil):
    extract = write_emis(tmp_path / "in")
    out = run("emis", extract)
    before = {
        path: path.read_bytes()
        for path in sorted(tmp_path.rglob("*"))
        if path.is_file() and extract not in path.parents
    }
    spoil(extract / emis_name("CareRecord_Observation"))
    with pytest.raises(RecordsError) as caught:
        run("emis", extract)
    assert "Quillfeather" not in str(caught.value)
    assert "CareRecord_Observation" in str(caught.value)
    after = {
        path: path.read_bytes()
        for path in sorted(tmp_path.rglob("*"))
        if path.is_file() and extract not in path.parents
    }
    assert before == after
    assert out.is_dir()


def test_a_truncated_gz_leaves_nothing(tmp_path, run):
    extract = write_emis(tmp_path / "in", ending=".csv.gz")
    path = extract / emis_name("CareRecord_Observation", ending=".csv.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(RecordsError, match="broken or only part"):
        run("emis", extract)
    assert {one.name for one in tmp_path.iterdir()} == {"in", "key"}


@pytest.mark.parametrize("stage", ["write_lookups", "rewrite", "audit"])
def test_interrupted_at_any_stage_there_is_no_output(tmp_path, run, monkeypatch, stage):
    import casefinding.job.pseudonymise as job

    def stop(*_args, **_more):
        raise KeyboardInterrupt

    if stage == "audit":
        monkeypatch.setattr(job.audit, "append", stop)
    else:
        monkeypatch.setattr(job, stage, stop)
    with pytest.raises(KeyboardInterrupt):
        run("emis", write_emis(tmp_path / "in"))
    assert not (tmp_path / "out").exists()
    assert not [path for path in tmp_path.rglob("*") if ".new-" in path.name]


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path, run, monkeypatch):
    import casefinding.job.pseudonymise as job

    extract = write_emis(tmp_path / "in")
    true = job.rewrite

    def late(source, *rest, **more):
        done = true(source, *rest, **more)
        source.path.write_text(source.path.read_text() + "\n")
        return done

    monkeypatch.setattr(job, "rewrite", late)
    with pytest.raises(RecordsError, match="changed while it was read"):
        run("emis", extract)
    assert not (tmp_path / "out").exists()


def test_an_nhs_number_in_the_name_of_a_file_is_refused_or_does_not_go_out(tmp_path, run):
    extract = write_emis(tmp_path / "in")
    shutil.copy(extract / emis_name("Admin_Patient"), extract / f"{NUMBERS[0]}.csv")
    with pytest.raises(RecordsError, match="name of a file") as caught:
        run("emis", extract)
    assert NUMBERS[0] not in str(caught.value)
    out = run("fhir", write_bundle(tmp_path / "f" / f"{NUMBERS[0]}.json", bundle()), out=tmp_path / "fout")
    assert {path.name for path in out.iterdir()} == {"bundle-00001.json", "manifest.json"}


def test_the_audit_line_says_what_was_done_and_nothing_of_anybody(tmp_path, run):
    run("emis", write_emis(tmp_path / "in"))
    (line,) = entries(tmp_path / "practice" / "pseudonymise-audit.jsonl")
    assert line["what"] == "pseudonymised"
    assert (line["rows in"], line["rows out"]) == (13, 10)
    assert line["key fingerprint"] == KEEPER.fingerprint
    assert line["people"]["type 1 opt-out"] == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["resourceType", "entry", "resource", "id", "identifier", "system", "value", "subject", "reference", "code",
             "coding", "extension", "url", "contained", "address", "telecom", "birthDate", "valueQuantity", "meta"]
        ), inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(content=JSON, kind=st.sampled_from(["Patient", "Observation", "Bundle", "Organization", None]))
def test_no_malformed_resource_raises_anything_but_our_own_error(tmp_path_factory, content, kind):
    folder = tmp_path_factory.mktemp("fuzz")
    if isinstance(content, dict) and kind:
        content = {**content, "resourceType": kind}
    write_bundle(folder / "in" / "a.json", content)
    key = private(folder / "key", KEY.hex())
    try:
        pseudonymise(folder / "in", Asked("fhir", folder / "out", folder / "l" / "lookups", key), quiet=True)
    except CasefindingError as problem:
        said = str(problem)
        assert "a.json" not in said
