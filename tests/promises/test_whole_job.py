"""The whole job on a made-up network: all that was promised is there, nobody planted is lost, again gives the same."""

import hashlib
import io
import json
import re
import sys
from collections import Counter
from html import unescape
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from casefinding.cohort.eligible import eligible, register_status, registered
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.read import read_config, read_definitions
from casefinding.records.quality.held import assess
from casefinding.records.reasons import Held, Refusal
from casefinding.rules.evaluate import flag
from casefinding.signals.matrix import build_matrix

from .conftest import Run, call, config_text

pytestmark = pytest.mark.xdist_group("whole job")
URGENT = {
    "HTN-U1", "HTN-U2", "HTN-U3", "HTN-U4", "AF-U1", "AF-U2", "AF-U3", "COPD-U1", "COPD-U2", "COPD-U3"
}  # fmt: skip
PROMISED = {
    "HTN-1", "HTN-2", "HTN-4", "HTN-6", "HTN-7", "HTN-8", "AF-1", "AF-4", "AF-5", "AF-6",
    "COPD-1", "COPD-2", "COPD-4", "COPD-6",
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions():
    return read_definitions(definitions_folder(None))


@pytest.fixture(scope="module")
def rules(definitions):
    return {rule.id: rule for model in definitions.models.values() for rule in model.rules}


@pytest.fixture(scope="module")
def planted(whole: Run) -> list[dict[str, str]]:
    return pq.read_table(whole.records / "truth" / "planted.parquet").to_pylist()


# ----------------------------------------------------------------------------------------- what a run leaves behind


def test_the_run_ends_by_saying_where_to_look(whole: Run):
    for place in ("out/index.html", "out/practices", "out/models", "out/scores.parquet", "out/manifest.json"):
        assert place in whole.said.out
        assert (whole.folder / place).exists()


def test_every_file_that_was_promised_is_there(whole: Run):
    for name in (
        "index.html",
        "quality.html",
        "expected.html",
        "awaiting-sign-off.html",
        "manifest.json",
        "scores.parquet",
    ):
        assert (whole.out / name).stat().st_size > 1000
    practices = sorted(path.name for path in (whole.out / "practices").iterdir())
    assert practices == [f"practice_Y9900{number}" for number in range(1, 5)]
    for practice in practices:
        files = sorted(path.suffix for path in (whole.out / "practices" / practice).iterdir())
        assert files == [".csv", ".html", ".xlsx"]
    for condition in read_config(whole.config).conditions:
        assert (whole.out / "models" / f"{condition}.html").stat().st_size > 1000
    assert (whole.out / "models" / "hypertension" / "MANIFEST.json").is_file()


def test_nothing_else_was_left_in_the_folder(whole: Run):
    assert {path.name for path in whole.folder.iterdir()} == {
        "small.yaml", "out", "out-records", "mlflow.db", "mlartifacts"
    }  # fmt: skip


def test_the_manifest_holds_the_digest_of_every_file(whole: Run):
    manifest = json.loads((whole.out / "manifest.json").read_text(encoding="utf-8"))
    there = {
        path.relative_to(whole.out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in whole.out.rglob("*")
        if path.is_file() and path != whole.out / "manifest.json"
    }
    assert manifest["files"] == there
    assert manifest["records"]["digest"] == whole.store.digest
    assert manifest["index day"] == "2026-10-01"


def test_the_index_leads_to_every_practice_and_model(whole: Run):
    for page in whole.out.rglob("*.html"):
        links = re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8"))
        lost = [
            link for link in links if not link.startswith("mailto:") and not (page.parent / unescape(link)).exists()
        ]
        assert lost == [], page
    index = (whole.out / "index.html").read_text(encoding="utf-8")
    for path in (*(whole.out / "practices").rglob("*.*"), *(whole.out / "models").glob("*.html")):
        assert path.relative_to(whole.out).as_posix() in index


def test_the_job_needs_no_network(whole: Run, environment):
    assert not Path(environment["NETWORK_LOG"]).exists()


def test_the_watch_on_the_network_would_have_seen_a_connection(environment, tmp_path):
    import subprocess

    tries = (
        "import socket\nfor host in ('192.0.2.1', 'example.org'):\n"
        "    try: socket.create_connection((host, 80), timeout=1)\n    except OSError as no: print(no)"
    )
    env = {**environment, "NETWORK_LOG": str(tmp_path / "log")}
    said = subprocess.run([sys.executable, "-c", tries], env=env, capture_output=True, text=True, check=True)
    assert said.stdout.count("this test has no network") == 2
    assert len((tmp_path / "log").read_text().splitlines()) == 2


# ------------------------------------------------------------------------------------------------------- the scores


def test_there_is_one_score_for_every_eligible_person_and_condition(whole: Run, definitions):
    config, store = read_config(whole.config), whole.store
    base = registered(store, [config.index_day])
    names = store.people_table()["pseudonym"].take(base["person"])
    expected = set()
    for condition in config.conditions:
        asked, _ = eligible(base, definitions.models[condition], register_status(store, definitions, condition, base))
        expected |= {(name, condition) for name in names.filter(pa.array(asked)).to_pylist()}
    scores = whole.scores()
    found = list(zip(scores["pseudonym"].to_pylist(), scores["condition"].to_pylist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_every_chance_lies_between_none_and_all_and_only_trained_models_give_one(whole: Run):
    scores = whole.scores()
    for condition in ("hypertension", "atrial_fibrillation", "copd"):
        mine = scores.filter(pc.equal(scores["condition"], condition))
        trained = (whole.out / "models" / condition).is_dir()
        assert mine.num_rows > 1000
        assert mine["chance"].null_count == (0 if trained else mine.num_rows)
        if trained:
            chance = mine["chance"].to_numpy()
            assert 0 < chance.min() < chance.max() < 1
    known = scores["share_of_features_known"].to_numpy()
    assert ((known >= 0) & (known <= 1)).all()


def test_a_condition_with_too_few_cases_says_so_and_keeps_its_rules(whole: Run):
    page = unescape((whole.out / "models" / "atrial_fibrillation.html").read_text(encoding="utf-8"))
    assert "are needed" in whole.said.err
    assert "are needed" in page
    assert "AF-U1" in page
    assert any("AF-" in row["rules"] for row in whole.lists())


# -------------------------------------------------------------------------------------------------- nobody is lost


def test_the_catalogue_holds_every_rule_that_was_promised(rules):
    assert {name for name, rule in rules.items() if rule.lane == "act now"} >= URGENT
    assert set(rules) >= PROMISED


def test_every_planted_emergency_is_on_its_practices_list(whole: Run, planted, rules):
    lists = {row["pseudonym"]: row for row in whole.lists()}
    registration = pq.read_table(whole.records / "extract" / "registration").to_pylist()
    practice = {row["person"]: row["practice"] for row in registration}
    people = [row for row in planted if row["kind"] == "rule" and rules.get(row["what"])]
    urgent = [row for row in people if rules[row["what"]].lane in ("act now", "check the reading")]
    assert {row["what"] for row in urgent} >= {*URGENT, "HTN-C1"}
    for row in urgent:
        listed = lists.get(row["pseudonym"])
        assert listed is not None, row["what"]
        assert listed["lane"] == rules[row["what"]].lane, row["what"]
        assert row["what"] in listed["rules"].split("; ")
        assert listed["practice"] == practice[row["pseudonym"]]
        assert listed["do"]


@pytest.fixture(scope="module")
def fired(whole: Run, planted, definitions) -> dict[str, set[str]]:
    """Pseudonym of a planted person -> the rules that hold for them."""
    config, store = read_config(whole.config), whole.store
    base = registered(store, [config.index_day])
    names = store.people_table()["pseudonym"].take(base["person"])
    mine = pc.is_in(names, value_set=pa.array([row["pseudonym"] for row in planted if row["kind"] == "rule"]))
    base, names = base.filter(mine), names.filter(mine).to_pylist()
    found: dict[str, set[str]] = {name: set() for name in names}
    for condition in config.conditions:
        matrix = build_matrix(store, definitions, definitions.features_for(condition), base)
        status = register_status(store, definitions, condition, base)
        for rule, holds in flag(definitions.models[condition], matrix, status).items():
            for row in np.flatnonzero(holds):
                found[names[row]].add(rule)
    return found


def test_every_planted_rule_fires_for_its_person(planted, rules, fired):
    people = [row for row in planted if row["kind"] == "rule" and row["what"] in rules]
    assert {row["what"] for row in people} >= PROMISED
    silent = [row["what"] for row in people if row["what"] not in fired.get(row["pseudonym"], set())]
    assert silent == []


def test_every_planted_record_to_review_is_listed_whatever_the_capacity(whole: Run, planted, rules):
    lists = {row["pseudonym"]: row for row in whole.lists()}
    people = [row for row in planted if row["kind"] == "rule" and row["what"] in rules]
    review = [row for row in people if rules[row["what"]].lane == "review the record"]
    assert review
    for row in review:
        assert row["pseudonym"] in lists, row["what"]
        assert row["what"] in lists[row["pseudonym"]]["rules"].split("; ")


def test_no_practice_invites_more_people_than_it_can_see(whole: Run):
    invited = Counter(row["practice"] for row in whole.lists() if row["lane"] in ("invite", "never measured"))
    assert max(invited.values()) <= 20 + 10 + 10
    assert min(invited.values()) >= 20


def test_nobody_stands_on_a_list_twice(whole: Run):
    people = Counter(row["pseudonym"] for row in whole.lists())
    assert max(people.values()) == 1


def test_csv_workbook_and_page_of_a_practice_name_the_same_people(whole: Run):
    for folder in (whole.out / "practices").iterdir():
        code = folder.name.removeprefix("practice_")
        people = {row["pseudonym"] for row in whole.lists() if row["practice"] == code}
        (page,), (book,) = folder.glob("*.html"), folder.glob("*.xlsx")
        assert set(re.findall(r"\bp[a-z2-7]{10}\b", page.read_text(encoding="utf-8"))) >= people
        cells = {cell for cell in _cells(book) if isinstance(cell, str)}
        assert people <= cells


# ------------------------------------------------------------------------------------------ what was not accepted


def test_every_planted_fault_is_counted(whole: Run, planted, definitions):
    expected = Counter(row["what"] for row in planted if row["kind"] == "fault")
    refused = whole.store.counts()["refused"]
    # A line that is no JSON and a measure of an area are no rows of people or entries.
    rows = set(Refusal) - {Refusal.UNREADABLE, Refusal.TEXT_IN_NUMBER, Refusal.NUMBER_TOO_LARGE}
    assert set(expected) == {*rows, *Held}
    for reason in rows:
        assert refused[reason] >= expected[reason], reason
    held = Counter(assess(whole.store, definitions).held["reason"].to_pylist())
    for reason in Held:
        assert held[reason] >= expected[reason], reason


def test_the_quality_page_says_every_reason_with_its_count(whole: Run):
    page = unescape((whole.out / "quality.html").read_text(encoding="utf-8"))
    rows = [re.sub(r"<[^>]+>", "\t", row) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    cells = [[cell.strip() for cell in row.split("\t") if cell.strip()] for row in rows]
    for reason, count in whole.store.counts()["refused"].items():
        (mine,) = [row for row in cells if row[0].lower() == reason]
        assert f"{count:,}" in mine[1:] or (count < 8 and "fewer than 8" in mine), reason


# -------------------------------------------------------------------------------------------------- the same again


@pytest.fixture(scope="module")
def again(whole: Run, tmp_path_factory, registry: str) -> Run:
    """The same extract by `--records`, away from the truth, on one thread."""
    folder = tmp_path_factory.mktemp("again")
    config = folder / "again.yaml"
    config.write_text(config_text(threads=1), encoding="utf-8")
    said = call(
        folder, "run", "--config", config, "--records", whole.records / "extract", "--out", folder / "out", "--quiet",
        MLFLOW_TRACKING_URI=registry,
    )  # fmt: skip
    assert said.code == 0, said.err
    return Run(folder, said, config, folder / "out")


def test_quiet_is_quiet(again: Run):
    assert again.said.err == ""


def test_the_same_extract_gives_the_same_store(whole: Run, again: Run):
    assert again.store.digest == whole.store.digest


def test_one_thread_or_two_and_without_the_truth_the_model_is_the_same_to_the_byte(whole: Run, again: Run):
    for name in ("model.txt", "calibration.json", "definition.json", "resolution.json"):
        ours, theirs = (run.out / "models" / "hypertension" / name for run in (whole, again))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_the_truth_is_beside_the_measures_and_changes_none_of_them(whole: Run, again: Run):
    ours, theirs = (
        json.loads((run.out / "models" / "hypertension" / "measures.json").read_bytes()) for run in (whole, again)
    )
    assert ours["truth"]
    assert not theirs.get("truth")
    assert _without_truth(ours) == _without_truth(theirs)


def test_the_scores_are_the_same_to_the_byte(whole: Run, again: Run):
    assert (whole.out / "scores.parquet").read_bytes() == (again.out / "scores.parquet").read_bytes()


def test_the_lists_are_the_same_but_for_their_id(whole: Run, again: Run):
    assert _without_id(whole.lists()) == _without_id(again.lists())
    ours, theirs = (json.loads((run.out / "manifest.json").read_bytes())["list"] for run in (whole, again))
    assert ours != theirs  # the config is part of the id
    for path in sorted((whole.out / "practices").rglob(f"*_{ours}.*")):
        other = again.out / "practices" / path.parent.name / path.name.replace(ours, theirs)
        if path.suffix == ".xlsx":
            assert _cells(path, ours) == _cells(other, theirs)
        elif path.suffix == ".html":
            assert _page(path, ours) == _page(other, theirs)


def _without_truth(measures: dict) -> dict:
    return {
        name: _without_truth(part) if isinstance(part, dict) else part
        for name, part in measures.items()
        if not name.startswith("truth")
    }


def _without_id(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: cell for name, cell in row.items() if name not in ("list_id", "standing")} for row in rows]


def _cells(path: Path, list_id: str = "-") -> list[object]:
    """Every cell of a workbook, without the list's id and the note that the people are made up."""
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
    cells = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]
    plain = [
        cell.replace(list_id, "").replace(" Made-up records.", "") if isinstance(cell, str) else cell for cell in cells
    ]
    return [cell for cell in plain if cell not in ("Made-up records", "Everybody on this list is simulated.")]


def _page(path: Path, list_id: str) -> str:
    text = path.read_text(encoding="utf-8").replace(list_id, "")
    return re.sub(r"\s+", " ", re.sub(r'<p class="callout"><strong>Made-up records.*?</p>', "", text, flags=re.DOTALL))
