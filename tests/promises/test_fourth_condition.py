"""A condition that nobody thought of is added by writing files: no Python changes, and practices get lists for it.

Undiagnosed chronic kidney disease: two eGFR below 60 at least 90 days apart, and no code.
"""

import datetime as dt
import re
from html import unescape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import ROOT, Run, call, config_text, quick_definitions

pytestmark = pytest.mark.xdist_group("whole job")
INDEX = dt.date(2026, 10, 1)
CODELIST = """\
# source: a test
# release: of today
# reviewed by: nobody
id,label,system
433144002,CKD 3,snomed
700378005,CKD 3a,snomed
700379002,CKD 3b,snomed
431857002,CKD 4,snomed
433146000,CKD 5,snomed
"""
SIGNALS = """\
about: A test's own signals.
kidney_register:
  label: Chronic kidney disease
  codes: [kidney_register]
"""
FEATURES = """\
about: A test's own features.
egfr_below_60_span_5y:
  label: Days from the first to the latest eGFR below 60 in 5 years
  ask: days from first to latest
  of: egfr_below_60
  within: 5 years
  higher means: more likely
  say: "eGFR below 60 for {value} days ({when})"
  examples:
    - {records: {egfr_below_60: {2023-01-01: 55, 2023-04-01: 52}}, on: 2024-01-01, gives: 90}
    - {about: only one below 60, records: {egfr_below_60: {2023-01-01: 75, 2023-04-01: 52}}, on: 2024-01-01, gives: 0}
    - {about: none, records: {}, on: 2024-01-01, gives: missing}
"""
MODEL = """\
about: Chronic kidney disease that is in the results and not on the register.
label: Kidney disease
test: blood test
invite: Invite for a blood test
chance of: of chronic kidney disease being diagnosed within 12 months
register: {diagnosis: kidney_register}
outcome: {diagnosis: kidney_register, gap: 90 days, horizon: 12 months}
eligible: {age at least: 18, registered: 365 days}
features: [age, sex, ethnicity, deprivation, egfr_latest_5y, egfr_lowest_5y, egfr_below_60_span_5y]
missing notes: [egfr_latest_5y]
learner: {trees: 30, fewest cases: 20}
rules:
  CKD-1:
    lane: review the record
    priority: 1
    label: Two eGFR below 60 at least 90 days apart, no diagnosis
    when:
      all:
        - {feature: age, at least: 18}
        - {feature: egfr_below_60_span_5y, at least: 90}
    say: "Latest eGFR {egfr_latest_5y} on {egfr_latest_5y.when}; below 60 for {egfr_below_60_span_5y} days"
    do: Review the results, and code the diagnosis if it is confirmed.
    source: "NICE NG203"
    examples:
      - {records: {egfr_below_60: {2023-01-01: 55, 2023-04-01: 52}}, on: 2024-01-01, gives: flagged}
      - {about: 89 days, records: {egfr_below_60: {2023-01-02: 55, 2023-04-01: 52}}, on: 2024-01-01, gives: not flagged}
      - {about: coded, records: {egfr_below_60: {2023-01-01: 55, 2023-04-01: 52}, kidney_register: [2023-05-01]},
          on: 2024-01-01, gives: not flagged}
"""
EGFR, CODED = ("1011481000000105", "Estimated GFR (CKD-EPI)"), ("433144002", "Chronic kidney disease stage 3")
# Pseudonym -> (code, days before the index day on which it happened, value, days before on which it was recorded).
PEOPLE = {
    "kidneyyears": [(EGFR, 700, "57", 700), (EGFR, 100, "48", 100)],
    "kidneyninety": [(EGFR, 190, "59", 190), (EGFR, 100, "51", 100)],
    "kidneyeightynine": [(EGFR, 189, "59", 189), (EGFR, 100, "51", 100)],
    "kidneysixty": [(EGFR, 700, "57", 700), (EGFR, 100, "60", 100)],
    "kidneycoded": [(EGFR, 700, "57", 700), (EGFR, 100, "48", 100), (CODED, 90, None, 90)],
    "kidneylate": [(EGFR, 700, "57", 700), (EGFR, 100, "48", 0)],
    "kidneyonce": [(EGFR, 100, "35", 100)],
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory) -> Path:
    """The shipped definitions and four files more."""
    folder = quick_definitions(tmp_path_factory.mktemp("fourth"))
    (folder / "features/codelists/kidney_register.csv").write_text(CODELIST, encoding="utf-8")
    (folder / "features/signals/kidney.yaml").write_text(SIGNALS, encoding="utf-8")
    (folder / "features/kidney.yaml").write_text(FEATURES, encoding="utf-8")
    (folder / "models/chronic_kidney_disease.yaml").write_text(MODEL, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(tiny: Path, definitions: Path, registry: str, tmp_path_factory) -> Run:
    """The job for this condition alone, on a small network to which a few people were added."""
    folder = tmp_path_factory.mktemp("kidney")
    extract = folder / "extract"
    for path in tiny.rglob("*.parquet"):
        link = extract / path.relative_to(tiny)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    _add_people(extract)
    config = folder / "kidney.yaml"
    text = config_text("chronic_kidney_disease", path=extract).replace(
        "spirometry: 10", "spirometry: 10, blood test: 10"
    )
    config.write_text(text, encoding="utf-8")
    said = call(
        folder, "run", "--config", config, "--definitions", definitions, "--out", folder / "out",
        MLFLOW_TRACKING_URI=registry,
    )  # fmt: skip
    assert said.code == 0, said.err
    return Run(folder, said, config, folder / "out")


def _add_people(extract: Path) -> None:
    def ago(days: int) -> str:
        return (INDEX - dt.timedelta(days=days)).isoformat()

    tables = {
        "person": [
            {"person": name, "birth_month": "1956-05", "sex": "female", "ethnicity": "White British", "imd_decile": "5"}
            for name in PEOPLE
        ],
        "registration": [{"person": name, "practice": "Y99001", "started_on": ago(4000)} for name in PEOPLE],
        "event": [
            {
                "person": name, "happened_on": ago(happened), "recorded_on": ago(recorded), "system": "snomed",
                "code": code, "term": term, "value": value, "unit": "mL/min/1.73m2" if value else None,
            }
            for name, events in PEOPLE.items()
            for (code, term), happened, value, recorded in events
        ],
    }  # fmt: skip
    for table, rows in tables.items():
        names = pq.read_schema(next((extract / table).glob("*.parquet"))).names
        text = pa.schema([(name, pa.string()) for name in names])
        pq.write_table(pa.Table.from_pylist(rows, schema=text), extract / table / "part-kidney.parquet")


def test_the_new_definitions_pass_every_check_and_their_own_examples(definitions, tmp_path):
    said = call(tmp_path, "check", "--definitions", definitions)
    assert said.code == 0, said.err
    assert "4 models" in said.out


def test_the_engine_has_never_heard_of_it():
    for path in (ROOT / "casefinding").rglob("*.py"):
        if "synthetic" not in path.parts:
            assert not re.search(r"kidney|egfr", path.read_text(encoding="utf-8"), re.IGNORECASE), path


def test_exactly_the_people_with_two_low_results_far_enough_apart_are_to_be_reviewed(run: Run):
    reviewed = {row["pseudonym"] for row in run.lists() if row["lane"] == "review the record"}
    assert reviewed & set(PEOPLE) == {"kidneyyears", "kidneyninety"}
    assert len(reviewed) > 10  # the network's own people


def test_the_reason_names_the_results_and_their_days(run: Run):
    rows = {row["pseudonym"]: row for row in run.lists()}
    row = rows["kidneyyears"]
    assert row["rules"] == "CKD-1"
    assert row["concerns"] == "Kidney disease"
    assert row["do"] == "Review the results, and code the diagnosis if it is confirmed."
    assert "Latest eGFR 48 on 23 June 2026 (3 months ago); below 60 for 600 days" in row["why"]
    for row in rows.values():
        if row["rules"] == "CKD-1":
            assert re.search(r"Latest eGFR \d+ on \d+ \w+ \d{4} \([^)]+ ago\); below 60 for [\d,]+ days", row["why"])


def test_every_practice_has_its_list_and_the_condition_its_page(run: Run):
    assert {path.name for path in (run.out / "practices").iterdir()} == {"practice_Y99001", "practice_Y99002"}
    page = unescape((run.out / "models" / "chronic_kidney_disease.html").read_text(encoding="utf-8"))
    assert "Chronic kidney disease that is in the results and not on the register." in page
    assert "CKD-1" in page
    assert "on the register already" in page


def test_there_is_a_model_or_a_reason_why_there_is_none(run: Run):
    chances = run.scores()["chance"]
    if (run.out / "models" / "chronic_kidney_disease").is_dir():
        assert chances.null_count == 0
        invited = [row for row in run.lists() if row["lane"] == "invite"]
        assert invited
        assert all("1 in" in row["chance_if_tested"] for row in invited)
    else:
        assert "no model of chronic_kidney_disease" in run.said.err
        assert chances.null_count == len(chances)
