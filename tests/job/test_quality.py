"""`casefinding quality`: where the page goes, what a config changes, and that the store stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from casefinding.errors import RecordsError, UsageError
from casefinding.job.quality import quality_of_store
from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.synthetic.simulate import simulate


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("quality")
    simulate(400, 2, 8, home / "extract", home / "truth")
    ingest("native", home / "extract", home / "store")
    return home


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_the_page_lies_beside_the_store_and_the_store_stays_as_it_is(home, capsys):
    before = files(home / "store")
    quality_of_store(home / "store", quiet=True)
    assert files(home / "store") == before
    Store.open(home / "store").verify()
    told = json.loads((home / "store-quality.json").read_text(encoding="utf-8"))
    assert (home / "store-quality.html").stat().st_size > 10_000
    assert len(told["practices"]) == 2
    assert "to score" in capsys.readouterr().out


def test_the_same_store_gives_the_same_page(home, tmp_path):
    for name in ("a", "b"):
        quality_of_store(home / "store", out=tmp_path / f"{name}.html", quiet=True)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    one, other = ((tmp_path / f"{name}.html").read_text(encoding="utf-8") for name in "ab")
    assert one.replace("a.json", "b.json") == other


def test_a_config_names_the_network_the_conditions_and_the_rules(home, tmp_path):
    config = tmp_path / "one.yaml"
    config.write_text(
        "network: {name: Fen Network}\nindex day: 2026-10-01\nconditions: [copd]\nrecords: {path: nowhere}\n"
        "quality: {months to score: 61, months to train: 61}\n",
        encoding="utf-8",
    )
    quality_of_store(home / "store", out=tmp_path / "q.html", config_file=config, quiet=True)
    told = json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))
    assert told["edition"]["network"] == "Fen Network"
    assert {one["condition"] for one in told["verdicts"]} == {"copd"}
    assert {one["score"] for one in told["verdicts"]} == {"not fit"}


def test_what_cannot_be_done_is_said_in_one_line_and_nothing_is_written(home, tmp_path):
    with pytest.raises(UsageError, match=r"\.html"):
        quality_of_store(home / "store", out=tmp_path / "q.pdf", quiet=True)
    with pytest.raises(UsageError, match="inside the store"):
        quality_of_store(home / "store", out=home / "store" / "q.html", quiet=True)
    with pytest.raises(RecordsError, match="no store"):
        quality_of_store(tmp_path, quiet=True)
    assert files(tmp_path) == set()
