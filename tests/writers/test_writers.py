"""The written extracts are what they say: their layout, and the same facts as the native rows they came from.

The facts are put together again here by a few plain lookups, without any of the product's readers.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from casefinding.synthetic.lookups import write_lookups
from casefinding.synthetic.simulate import simulate
from tests.writers.emis import write_emis
from tests.writers.layouts import EMIS, MANIFEST, OURS, SYSTMONE
from tests.writers.native import read_native
from tests.writers.population import PANEL, Written, postcodes
from tests.writers.systmone import write_systmone

SHARED = Path(__file__).parents[3] / "shared" / "layouts.md"
NAME = re.compile(r"(\d+)-(\d+)_([A-Za-z]+)_([A-Za-z]+)_(\d{14})_([0-9a-f-]{36})\.csv")
Row = dict[str, str]
Event = tuple[str, str, str, str, str, str]


@pytest.fixture(scope="module")
def native(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("native")
    simulate(120, 2, 11, folder / "records", folder / "truth")
    return folder / "records"


def rows_of(path: Path, encoding: str = "utf-8") -> list[Row]:
    with open(path, encoding=encoding, newline="") as handle:
        read = csv.reader(handle, strict=True)
        header = next(read)
        lines = list(read)
    assert all(len(line) == len(header) for line in lines)
    return [dict(zip(header, line, strict=True)) for line in lines]


def header_of(path: Path, encoding: str = "utf-8") -> tuple[str, ...]:
    with open(path, encoding=encoding, newline="") as handle:
        return tuple(next(csv.reader(handle)))


def native_events(native: Path, systems: tuple[str, ...] = ("snomed", "dmd")) -> Counter[Event]:
    """(person, happened on, recorded on, code, value, unit) of every native row that both layouts can say whole."""
    con = read_native(native)
    con.execute("CREATE TABLE sure AS SELECT DISTINCT person FROM person")
    found = con.execute(
        f"""SELECT person, happened_on, recorded_on, code, value, unit FROM event
            WHERE person IN (SELECT person FROM sure) AND system IN {systems} AND code IS NOT NULL"""
    ).fetchall()
    return Counter(tuple(cell or "" for cell in row) for row in found)


def native_table(native: Path, sql: str) -> Counter:
    return Counter(read_native(native).execute(sql).fetchall())


# EMIS, put together again.


def emis_tables(written: Written) -> dict[str, list[Row]]:
    """Every table's rows as they stand after all files: the latest by ProcessingId, without what was deleted."""
    keys = {
        "Admin_Patient": "PatientGuid", "CareRecord_Observation": "ObservationGuid",
        "CareRecord_Consultation": "ConsultationGuid", "Prescribing_IssueRecord": "IssueRecordGuid",
        "Prescribing_DrugRecord": "DrugRecordGuid", "CareRecord_Problem": "ObservationGuid",
    }  # fmt: skip
    tables: dict[str, list[Row]] = {}
    for name in sorted(written.rows, key=lambda name: NAME.fullmatch(name)[5]):
        match = NAME.fullmatch(name)
        table = f"{match[3]}_{match[4]}"
        rows = rows_of(written.folder / name)
        tables[table] = rows if table.startswith("Coding_") else [*tables.get(table, []), *rows]
    for table, key in keys.items():
        last: dict[tuple[str, str], Row] = {}
        for row in sorted(tables[table], key=lambda row: int(row["ProcessingId"])):
            last[row["OrganisationGuid"], row[key]] = row
        tables[table] = [row for row in last.values() if row["Deleted"] == "false"]
    return tables


def emis_people(tables: dict[str, list[Row]]) -> dict[tuple[str, str], str]:
    """(organisation, patient) -> what stands in NhsNumber, without those who must not come in."""
    return {
        (row["OrganisationGuid"], row["PatientGuid"]): row["NhsNumber"]
        for row in tables["Admin_Patient"]
        if row["DummyType"] == row["SpineSensitive"] == "false"
    }


def emis_events(tables: dict[str, list[Row]]) -> Counter[Event]:
    people = emis_people(tables)
    clinical = {row["CodeId"]: row for row in tables["Coding_ClinicalCode"]}
    drugs = {row["CodeId"]: row["DmdProductCodeId"] for row in tables["Coding_DrugCode"]}
    kinds = (
        ("CareRecord_Observation", "CodeId", {code: row["SnomedCTConceptId"] for code, row in clinical.items()}),
        (
            "CareRecord_Consultation",
            "ConsultationSourceCodeId",
            {c: r["SnomedCTConceptId"] for c, r in clinical.items()},
        ),
        ("Prescribing_IssueRecord", "CodeId", drugs),
    )
    found: Counter[Event] = Counter()
    for table, column, codes in kinds:
        for row in tables[table]:
            person = people.get((row["OrganisationGuid"], row["PatientGuid"]))
            code = codes.get(row[column], "")
            ethnic = table == "CareRecord_Observation" and clinical.get(row[column], {}).get("NationalCode")
            if person is None or not code or ethnic or code == PANEL[0]:
                continue
            said = (row["EffectiveDate"], row["EnteredDate"], code, row.get("Value", ""), row.get("NumericUnit", ""))
            found[person, *said] += 1
    return found


# SystmOne, put together again.


def plain_day(text: str) -> str:
    """ "05 Mar 2021 10:15:00" as 2021-03-05; anything else as it stands."""
    match = re.fullmatch(r"(\d\d) ([A-Z][a-z]{2}) (\d{4})( \d\d:\d\d(:\d\d)?)?", text)
    if not match:
        return text
    month = "JanFebMarAprMayJunJulAugSepOctNovDec".index(match[2]) // 3 + 1
    return f"{match[3]}-{month:02d}-{match[1]}"


def systmone_tables(written: Written) -> dict[str, list[Row]]:
    """Every table's rows as they stand after all folders: the last of each RowIdentifier, if it was not removed."""
    last: dict[str, dict[str, Row]] = {}
    for path in sorted(written.rows):
        table = Path(path).stem
        for row in rows_of(written.folder / path, "cp1252"):
            last.setdefault(table, {})[row["RowIdentifier"]] = row
    return {table: [row for row in rows.values() if row.get("RemovedData", "0") != "1"] for table, rows in last.items()}


def systmone_events(tables: dict[str, list[Row]]) -> Counter[Event]:
    people = {row["RowIdentifier"]: row["NHSNumber"] for row in tables["SRPatient"] if row["TestPatient"] == "FALSE"}
    snomed = {row["Ctv3Code"]: row["SnomedCode"] for row in tables["SRCtv3ToSnomed"]}
    found: Counter[Event] = Counter()
    for row in tables["SRCode"]:
        code = row.get("SNOMEDCode") or snomed.get(row["CTV3Code"], "")
        if row["IDPatient"] in people and code and not row["CTV3Code"].startswith("XaJ"):
            days = plain_day(row["DateEvent"]), plain_day(row["DateEventRecorded"])
            value = row["NumericComparator"].replace("=", "") + row["NumericValue"]
            found[people[row["IDPatient"]], *days, code, value, row["NumericUnit"]] += 1
    for row in tables["SRPrimaryCareMedication"]:
        if row["IDPatient"] in people:
            days = plain_day(row["DateEvent"]), plain_day(row["DateEventRecorded"])
            found[people[row["IDPatient"]], *days, row["IDMultiLexDMD"], "", ""] += 1
    return found


EMIS_KINDS = [(version, deltas) for version in ("8.2", "5.4") for deltas in (False, True)]
SYSTMONE_KINDS = [(version, deltas) for version in (93, 87) for deltas in (False, True)]


@pytest.fixture(scope="module")
def emis(native, tmp_path_factory):
    made: dict[tuple, Written] = {}

    def make(**options) -> Written:
        key = tuple(sorted(options.items()))
        if key not in made:
            made[key] = write_emis(native, tmp_path_factory.mktemp("emis"), **options)
        return made[key]

    return make


@pytest.fixture(scope="module")
def systmone(native, tmp_path_factory):
    made: dict[tuple, Written] = {}

    def make(**options) -> Written:
        key = tuple(sorted(options.items()))
        if key not in made:
            made[key] = write_systmone(native, tmp_path_factory.mktemp("systmone"), **options)
        return made[key]

    return make


def _shared_headers() -> Iterator[tuple[dict[str, tuple[str, ...]], str]]:
    text = SHARED.read_text(encoding="utf-8")
    newer, rest = text.split("v8.2 headers:")[1].split("v5.4 headers:")
    older, rest = rest.split("## TPP")
    yield from ((EMIS["8.2"], newer), (EMIS["5.4"], older), (SYSTMONE[93], rest.split("## OMOP")[0]))


@pytest.mark.skipif(not SHARED.exists(), reason="the layouts do not lie beside this checkout")
def test_the_headers_are_those_of_the_public_layouts():
    for mine, said in _shared_headers():
        listed = {m[1]: tuple(m[2].strip().split(", ")) for m in re.finditer(r"(?m)^\* \*\*(\w+)\*\*: (.+)$", said)}
        assert mine == listed


@pytest.mark.parametrize(("version", "deltas"), EMIS_KINDS)
def test_emis_files_have_names_of_five_parts_and_every_table_of_the_version(emis, version, deltas):
    written = emis(version=version, deltas=deltas)
    assert {path.name for path in written.folder.iterdir()} == set(written.rows)
    tables: Counter[str] = Counter()
    for name, count in written.rows.items():
        match = NAME.fullmatch(name)
        assert match
        table = f"{match[3]}_{match[4]}"
        tables[table] += 1
        header = EMIS[version][table] + (OURS if table == "Admin_Patient" else ())
        assert header_of(written.folder / name) == header
        rows = rows_of(written.folder / name)
        assert len(rows) == count
        numbers = [int(row["ProcessingId"]) for row in rows if "ProcessingId" in row]
        assert not numbers or (min(numbers), max(numbers)) == (int(match[1]), int(match[2]))
        assert len(set(numbers)) == len(numbers)
    assert set(tables) == set(EMIS[version])
    assert set(tables.values()) == {3 if deltas else 1}


@pytest.mark.parametrize(("version", "deltas"), SYSTMONE_KINDS)
def test_systmone_files_have_the_headers_of_the_version(systmone, version, deltas):
    written = systmone(version=version, deltas=deltas)
    folders = [path for path in written.folder.iterdir() if path.is_dir()] or [written.folder]
    assert len(folders) == (3 if deltas else 1)
    for folder in folders:
        assert {path.stem for path in folder.iterdir()} == {*SYSTMONE[version], "SRManifest"}
        assert header_of(folder / "SRManifest.csv") == MANIFEST
        for table, header in SYSTMONE[version].items():
            path = folder / f"{table}.csv"
            assert header_of(path, "cp1252") == header + (OURS if table == "SRPatient" else ())
            assert len(rows_of(path, "cp1252")) == written.rows[path.relative_to(written.folder).as_posix()]


def test_encodings_and_line_ends_are_those_of_the_suppliers(emis, systmone):
    for written, encoding in ((emis(pseudonymised=False), "utf-8"), (systmone(pseudonymised=False), "cp1252")):
        beyond = 0
        for path in written.folder.rglob("*.csv"):
            data = path.read_bytes()
            assert data.endswith(b"\r\n")
            assert data.count(b"\n") == data.count(b"\r\n")
            data.decode(encoding)
            beyond += any(byte > 127 for byte in data)
        assert beyond
    codes = (systmone(pseudonymised=False).folder / "SRCode.csv").read_bytes()
    assert b"Pt\x92s" in codes
    assert b"\x80" in codes  # the euro sign


@pytest.mark.parametrize(("version", "deltas"), EMIS_KINDS)
def test_emis_says_the_same_events_as_the_native_rows(native, emis, version, deltas):
    assert emis_events(emis_tables(emis(version=version, deltas=deltas))) == native_events(native)


@pytest.mark.parametrize(("version", "deltas"), SYSTMONE_KINDS)
def test_systmone_says_the_same_events_as_the_native_rows(native, systmone, version, deltas):
    assert systmone_events(systmone_tables(systmone(version=version, deltas=deltas))) == native_events(native)


@pytest.mark.parametrize(("version", "deltas"), EMIS_KINDS)
def test_emis_says_the_same_people(native, emis, version, deltas):
    tables = emis_tables(emis(version=version, deltas=deltas))
    people = emis_people(tables)
    letters = {row["CodeId"]: row["NationalCode"] for row in tables["Coding_ClinicalCode"] if row["NationalCode"]}
    known = {row["CodeId"]: row["NationalDescription"] for row in tables["Coding_ClinicalCode"]}
    groups: dict[str, set[str]] = {}
    for row in tables["CareRecord_Observation"]:
        person = people.get((row["OrganisationGuid"], row["PatientGuid"]))
        if person and row["CodeId"] in letters:
            groups.setdefault(person, set()).add(known[row["CodeId"]])
    found: set[tuple] = set()
    for row in tables["Admin_Patient"]:
        person = people.get((row["OrganisationGuid"], row["PatientGuid"]))
        if person is not None:
            assert row["DateOfBirth"][8:] in ("", "01")
            found.add((person, row["DateOfBirth"][:7], row["Sex"], row["ImdDecile"], row["DateOfDeath"]))
    assert found == _native_people(native)
    assert {(person, group) for person, said in groups.items() for group in said} == _native_groups(native)


@pytest.mark.parametrize(("version", "deltas"), SYSTMONE_KINDS)
def test_systmone_says_the_same_people(native, systmone, version, deltas):
    tables = systmone_tables(systmone(version=version, deltas=deltas))
    found: set[tuple] = set()
    for row in tables["SRPatient"]:
        if row["TestPatient"] == "FALSE":
            birth = plain_day(row["DateBirth"])[:7]
            found.add((row["NHSNumber"], birth, row["Gender"], row["ImdDecile"], plain_day(row["DateDeath"])))
    assert found == _native_people(native)


def _native_people(native: Path) -> set[tuple]:
    letters = {"female": "F", "male": "M"}
    sql = "SELECT person, birth_month, sex, imd_decile, died_on FROM person"
    return {
        (person, birth or "", letters.get(sex, sex), decile or "", died or "")
        for person, birth, sex, decile, died in native_table(native, sql)
    }


def _native_groups(native: Path) -> set[tuple[str, str]]:
    sql = "SELECT person, ethnicity FROM person WHERE ethnicity IS NOT NULL AND ethnicity <> 'see notes'"
    return set(native_table(native, sql))


@pytest.mark.parametrize("deltas", [False, True])
def test_every_registration_is_said(native, emis, systmone, deltas):
    stays = {
        (person, practice, start, end or "")
        for person, practice, start, end in native_table(
            native, "SELECT person, practice, started_on, ended_on FROM registration"
        )
    }
    tables = systmone_tables(systmone(deltas=deltas))
    people = {row["RowIdentifier"]: row["NHSNumber"] for row in tables["SRPatient"] if row["TestPatient"] == "FALSE"}
    found = {
        (people[row["IDPatient"]], row["IDOrganisation"], plain_day(row["DateRegistration"]),
         plain_day(row["DateDeRegistration"]))
        for row in tables["SRPatientRegistration"] if row["IDPatient"] in people
    }  # fmt: skip
    assert found == stays
    tables = emis_tables(emis(deltas=deltas))
    names = emis_people(tables)
    codes = {row["OrganisationGuid"]: row["ODSCode"] for row in tables["Admin_Organisation"]}
    latest = {
        (names[row["OrganisationGuid"], row["PatientGuid"]], codes.get(row["OrganisationGuid"], "Z00000"),
         row["DateOfRegistration"], row["DateofDeactivation"])
        for row in tables["Admin_Patient"]
        if (row["OrganisationGuid"], row["PatientGuid"]) in names and row["DateOfRegistration"]
    }  # fmt: skip
    assert latest <= stays
    assert {stay[:2] for stay in latest} == {stay[:2] for stay in stays}
    history = {
        (names.get((row["OrganisationGuid"], row["PatientGuid"])), row["HistoryDate"])
        for row in tables["Admin_PatientHistory"]
    }
    for person, _practice, start, end in stays:
        assert (person, start) in history
        assert not end or (person, end) in history


def test_a_reading_of_two_numbers_has_a_parent_with_two_children(emis):
    tables = emis_tables(emis(deltas=True))
    panel = next(row["CodeId"] for row in tables["Coding_ClinicalCode"] if row["SnomedCTConceptId"] == PANEL[0])
    parents: Counter[tuple[str, str]] = Counter()
    for row in tables["CareRecord_Observation"]:
        if row["ParentObservationGuid"]:
            parents[row["OrganisationGuid"], row["ParentObservationGuid"]] += 1
    headers = {
        (row["OrganisationGuid"], row["ObservationGuid"]): row["Value"]
        for row in tables["CareRecord_Observation"] if row["CodeId"] == panel
    }  # fmt: skip
    assert set(parents) == set(headers)
    assert set(parents.values()) == {2}
    assert set(headers.values()) == {""}


def test_guids_are_unique_only_together_with_their_organisation(emis):
    rows = emis_tables(emis())["CareRecord_Observation"]
    both = Counter((row["OrganisationGuid"], row["ObservationGuid"]) for row in rows)
    assert set(both.values()) == {1}
    assert len({row["ObservationGuid"] for row in rows}) < len(rows)
    assert all(re.fullmatch(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", row["ObservationGuid"]) for row in rows)


def test_deltas_hold_every_kind_of_change(emis, systmone):
    rows = [row for name in emis(deltas=True).rows if "_Observation_" in name
            for row in rows_of(emis(deltas=True).folder / name)]  # fmt: skip
    versions: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: int(row["ProcessingId"])):
        versions.setdefault((row["OrganisationGuid"], row["ObservationGuid"]), []).append(row)
    flags = Counter("".join("D" if row["Deleted"] == "true" else "." for row in told) for told in versions.values())
    assert {".", "..", ".D", ".D.", "D"} <= set(flags)
    for name in emis(deltas=True).rows:
        if "_Observation_" in name and "20260930" in name:
            numbers = [int(row["ProcessingId"]) for row in rows_of(emis(deltas=True).folder / name)]
            assert numbers != sorted(numbers)
    files = [systmone(deltas=True).folder / path for path in systmone(deltas=True).rows if path.endswith("SRCode.csv")]
    removed = [row for path in files for row in rows_of(path, "cp1252") if row["RemovedData"] == "1"]
    assert {bool(row["CTV3Code"]) for row in removed} == {True, False}


def test_pseudonymised_files_hold_no_names_and_identifiable_ones_only_made_up_ones(native, emis, systmone, tmp_path):
    told = re.compile(rb"Surname|Given|Doctor|Street|07700900[0-9]{3}|01632960[0-9]{3}|ZZ99|example\.org|,999[0-9]{7},")
    for written in (emis(), systmone()):
        for path in written.folder.rglob("*.csv"):
            assert not told.search(path.read_bytes().split(b"\n", 1)[1]), path.name
    write_lookups(native, tmp_path / "lookups", seed=0)
    numbers = {}
    for path in (tmp_path / "lookups").glob("lookup_*.csv"):
        numbers |= {row["nhs_number"]: row for row in rows_of(path)}
    (patients,) = (name for name in emis(pseudonymised=False).rows if "_Admin_Patient_" in name)
    places = {place.replace(" ", "") for place, _lsoa, _decile in postcodes()} | {"ZZ993VZ"}
    found = rows_of(emis(pseudonymised=False).folder / patients)
    assert {row["Postcode"] for row in found} <= places
    assert all(row["NhsNumber"].startswith("999") or row["DummyType"] == "true" for row in found)
    mine = {row["NhsNumber"] for row in found}
    assert len(set(numbers) - mine) == 0  # the practices' own lookups name the same people by the same numbers
    births = {(row["NhsNumber"], row["DateOfBirth"]) for row in found}
    for number, row in numbers.items():
        day = dt.datetime.strptime(row["date_of_birth"], "%d/%m/%Y").date()
        assert (number, day.isoformat()) in births
    theirs = {row["NHSNumber"] for row in rows_of(systmone(pseudonymised=False).folder / "SRPatient.csv", "cp1252")}
    assert set(numbers) <= theirs


def test_a_postcode_tells_the_decile(emis):
    (patients,) = (name for name in emis().rows if "_Admin_Patient_" in name)
    deciles = {lsoa: decile for _postcode, lsoa, decile in postcodes()}
    areas = {postcode.replace(" ", ""): lsoa for postcode, lsoa, _decile in postcodes()}
    told = {(row["OrganisationGuid"], row["PatientGuid"]): row for row in rows_of(emis().folder / patients)}
    assert all(deciles[row["Lsoa"]] == row["ImdDecile"] for row in told.values() if row["Lsoa"])
    (patients,) = (name for name in emis(pseudonymised=False).rows if "_Admin_Patient_" in name)
    for row in rows_of(emis(pseudonymised=False).folder / patients):
        assert areas.get(row["Postcode"], "") == told[row["OrganisationGuid"], row["PatientGuid"]]["Lsoa"]


def test_confidential_entries_and_people_who_must_not_come_in_are_there_when_asked_for(native, tmp_path):
    written = write_emis(native, tmp_path / "some", confidential_share=0.1)
    tables = emis_tables(written)
    marked = Counter(row["IsConfidential"] for row in tables["CareRecord_Observation"])
    assert 0.05 < marked["true"] / sum(marked.values()) < 0.15
    assert Counter(row["DummyType"] for row in tables["Admin_Patient"])["true"] >= 3
    assert Counter(row["SpineSensitive"] for row in tables["Admin_Patient"])["true"] >= 2
    tables = emis_tables(write_emis(native, tmp_path / "none", others=False))
    assert {row["DummyType"] for row in tables["Admin_Patient"]} == {"false"}
    assert {row["IsConfidential"] for row in tables["CareRecord_Observation"]} == {"false"}


def test_an_operator_can_be_left_out_as_the_specification_has_it(native, emis, tmp_path):
    plain = emis_tables(write_emis(native, tmp_path / "plain", comparators=False))
    assert not any(row["Value"].startswith(">") for row in plain["CareRecord_Observation"])
    assert any(row["Value"].startswith(">") for row in emis_tables(emis())["CareRecord_Observation"])


def test_contacts_can_be_said_by_their_method_alone(native, systmone, tmp_path):
    written = write_systmone(native, tmp_path / "method", contacts="method")
    events = rows_of(written.folder / "SREvent.csv", "cp1252")
    options = rows_of(written.folder / "SRConfiguredListOption.csv", "cp1252")
    assert {row["ContactMethod"] for row in events} == {row["RowIdentifier"] for row in options}
    assert {row["ContactMethod"] for row in rows_of(systmone().folder / "SREvent.csv", "cp1252")} == {""}
    assert written.rows["SRCode.csv"] + len(events) == systmone().rows["SRCode.csv"]


def test_the_same_seed_gives_the_same_bytes_and_csv_is_read_like_parquet(native, emis, tmp_path):
    con = read_native(native)
    (tmp_path / "csv").mkdir()
    for table in ("practice", "person", "registration", "event", "contact", "extract"):
        path = tmp_path / "csv" / f"{table}.csv"
        con.execute(f"COPY (SELECT * EXCLUDE (seq) FROM {table} ORDER BY seq) TO '{path}' (FORMAT csv, HEADER)")
    again = write_emis(tmp_path / "csv", tmp_path / "again", deltas=True)
    for name in emis(deltas=True).rows:
        assert (again.folder / name).read_bytes() == (emis(deltas=True).folder / name).read_bytes(), name


def test_what_a_layout_cannot_say_is_counted(native, emis, systmone):
    contacts = sum(native_table(native, "SELECT * FROM contact").values())
    for written in (emis(), systmone()):
        assert written.not_said == {"contact": contacts, "event": 0, "ethnicity": 1}
