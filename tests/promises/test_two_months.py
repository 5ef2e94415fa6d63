"""Two months of one network: lists go out, workbooks come back, and the next lists know it."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from casefinding.recall.lines import BY_CHANCE, WITHOUT_A_PLACE
from casefinding.recall.loop.ledger import DECLINED, DIAGNOSED, INVITED, NOT_DIAGNOSED, Ledger
from casefinding.synthetic.returns import fill_workbook, returns
from tests.promises.conftest import Run, Said, call, config_text, contents

AUGUST, OCTOBER = dt.date(2026, 8, 20), dt.date(2026, 10, 1)


@dataclass(frozen=True)
class Months:
    """What two months left behind: both runs, the ledger after each, and a second month that knew no ledger."""

    folder: Path
    returned: Said
    answers: object

    def listed(self, run: str) -> list[dict]:
        return pq.read_table(self.folder / run / "lists.parquet").to_pylist()

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.folder / "ledger")


def bundles_of(whole: Run) -> list[str | Path]:
    """The models of the small run, so that nothing is trained again; where there were too few cases there is none."""
    found = sorted(path.parent for path in (whole.out / "models").glob("*/MANIFEST.json"))
    return [word for folder in found for word in ("--bundle", folder)]


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory, whole: Run) -> Months:
    folder = tmp_path_factory.mktemp("months")
    bundles = bundles_of(whole)

    def run(day: dt.date, out: str, *more: str) -> None:
        text = config_text(people=9_000).replace("index day: 2026-10-01", f"index day: {day}")
        (folder / f"{out}.yaml").write_text(text, encoding="utf-8")
        done = call(
            folder, "run", "--config", f"{out}.yaml", "--out", out, "--work", "records", "--quiet", *bundles, *more
        )
        assert done.code == 0, done.err

    run(AUGUST, "august", "--ledger", "ledger")
    truth = folder / "records" / "truth" / "truth.parquet"
    answers = returns(Ledger.open(folder / "ledger").lists(), truth, seed=7, by=dt.date(2026, 9, 28))
    (folder / "returned").mkdir()
    for path in (folder / "august" / "practices").rglob("*.xlsx"):
        (folder / "returned" / path.name).write_bytes(fill_workbook(path.read_bytes(), answers))
    files = sorted((folder / "returned").glob("*.xlsx"))
    said = call(folder, "outcomes", "read", *files, "--ledger", "ledger")
    run(OCTOBER, "october", "--ledger", "ledger")
    run(OCTOBER, "alone")
    return Months(folder, said, answers)


def said_of(months: Months, *outcomes: str) -> set[tuple[str, str]]:
    """(pseudonym, condition) of whom one of some outcomes came back before October."""
    rows = months.ledger.outcomes().to_pylist()
    return {(one["pseudonym"], one["condition"]) for one in rows if one["outcome"] in outcomes and one["on"] < OCTOBER}


def placed(months: Months, run: str) -> set[tuple[str, str]]:
    """(pseudonym, condition) of everybody who is offered a place."""
    return {(one["pseudonym"], one["condition"]) for one in months.listed(run) if one["lane"] in BY_CHANCE}


def test_every_row_that_came_back_is_taken(months: Months):
    assert months.returned.code == 0
    assert months.returned.out.count("; 0 refused") == 4
    assert months.ledger.outcomes().num_rows > 100


def test_whoever_was_just_invited_declined_or_was_tested_has_no_place_in_october(months: Months):
    for outcome in (INVITED, DECLINED, DIAGNOSED, NOT_DIAGNOSED):
        answered = said_of(months, outcome)
        assert answered
        assert not answered & placed(months, "october"), outcome
    assert said_of(months, NOT_DIAGNOSED) & placed(months, "alone"), "without a ledger they would be asked again"


def test_what_came_back_hides_nobody_whose_record_asks_for_something(months: Months):
    with_ledger, without = (
        {(one["pseudonym"], one["condition"], one["lane"], one["rules"]) for one in months.listed(run)
         if one["lane"] in WITHOUT_A_PLACE}
        for run in ("october", "alone")
    )  # fmt: skip
    assert {row[:3] for row in with_ledger} == {row[:3] for row in without}


def test_everybody_of_august_is_listed_again_or_said_to_have_left(months: Months):
    now = {one["pseudonym"] for one in months.listed("october")}
    gone = {(one["practice"], one["pseudonym"]) for one in months.listed("august") if one["pseudonym"] not in now}
    assert gone
    told = {(practice, row[0]) for practice, row in rows_of(months, "Since last month")}
    assert gone <= told


def test_whoever_was_found_and_never_coded_goes_back_to_the_practice(months: Months):
    on_sheet = {row[0] for _, row in rows_of(months, "Confirmed, never coded")}
    diagnosed = {pseudonym for pseudonym, _ in said_of(months, DIAGNOSED)}
    assert on_sheet
    assert on_sheet <= diagnosed
    scores = pq.read_table(months.folder / "october" / "scores.parquet").to_pylist()
    still_asked = {(one["pseudonym"], one["condition"]) for one in scores}  # on no register
    assert {
        pseudonym for pseudonym, condition in said_of(months, DIAGNOSED) if (pseudonym, condition) in still_asked
    } <= (on_sheet)


def rows_of(months: Months, sheet: str) -> list[tuple[str, list]]:
    """(practice, cells) of every row below the header of one sheet of each October workbook."""
    found = []
    for path in sorted((months.folder / "october" / "practices").rglob("*.xlsx")):
        practice = path.parent.name.removeprefix("practice_")
        rows = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))[sheet].iter_rows(min_row=4, values_only=True)
        found += [(practice, list(row)) for row in rows if row[0]]
    return found


def test_the_last_list_s_funnel_and_who_was_known_already_are_told(months: Months):
    page = (months.folder / "october" / "network.html").read_text(encoding="utf-8")
    assert "the lists of 20 August 2026" in page
    assert "were known already" in page
    assert "the lists of" not in (months.folder / "alone" / "network.html").read_text(encoding="utf-8")


def test_the_ledger_remembers_both_months_and_a_list_that_is_made_again_only_once(months: Months, whole: Run):
    assert len(set(months.ledger.lists()["list_id"].to_pylist())) == 2
    manifest = json.loads((months.folder / "october" / "manifest.json").read_text(encoding="utf-8"))
    before = contents(months.folder / "october")
    done = call(
        months.folder, "run", "--config", "october.yaml", "--out", "october", "--work", "records", "--quiet",
        "--ledger", "ledger", *bundles_of(whole),
    )  # fmt: skip
    assert done.code == 0, done.err
    assert contents(months.folder / "october") == before
    assert len(set(months.ledger.lists()["list_id"].to_pylist())) == 2
    assert manifest["ledger"] is not None


def test_training_learns_from_what_was_found_and_records_whose_it_was(
    months: Months, quick: Path, casefinding: Callable[..., Said]
):
    done = casefinding(
        "train", "--config", "october.yaml", "--condition", "hypertension", "--out", "bundle", "--work", "records",
        "--ledger", "ledger", "--definitions", quick, "--quiet", folder=months.folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    told = json.loads((months.folder / "bundle" / "MANIFEST.json").read_text(encoding="utf-8"))["training"]
    selection = told["told by outcomes of earlier lists"]
    assert selection["rows"] > 0
    assert set(selection) >= {"rows", "found", "left out: already known"}
    assert any(name.startswith("listed as ") for name in selection)
