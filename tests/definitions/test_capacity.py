"""What practices can do, and what a visit uses of it: read strictly, with file and line of whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefinding.definitions.capacity import Capacities, Capacity, Pool
from casefinding.definitions.read import problems, read_config, read_definitions
from casefinding.definitions.visits import kinds_of, offered
from casefinding.errors import ConfigError

CONFIG = """network: {name: Marsh}
index day: 2026-10-01
conditions: [kidney]
records: {simulate: {people: 1000, practices: 2}}
capacity:
  every practice: {a month: {blood test: 20}, expected attendance: 0.5}
  practices: {Y99001: {never measured share: 0.5}}
  file: capacity.csv
"""
ROWS = "practice,network,kind,a month\nY99001,,blood test,7\n,Marsh,blood test,30\nY99001,,urine test,0\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "capacity.csv").write_text(ROWS)
    return tmp_path / "config.yaml"


def refused(config: Path) -> str:
    with pytest.raises(ConfigError) as said:
        read_config(config)
    return str(said.value)


def test_a_file_states_the_numbers_and_the_config_the_rest(config):
    capacity = read_config(config).capacity
    one = capacity.of("Y99001")
    assert (one.a_month, one.never_measured_share) == ({"blood test": 7, "urine test": 0}, 0.5)
    assert capacity.of("Y99002") == Capacity(a_month={"blood test": 20}, expected_attendance=0.5)
    assert capacity.of_network("Marsh").a_month == {"blood test": 30}
    assert capacity.of_network("elsewhere") == Pool()


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("Y99001,,blood test,7", "Y99001,,blood test,-7", "capacity.csv:2", "whole number"),
        ("Y99001,,blood test,7", "Y99001,,blood test,7.5", "capacity.csv:2", "whole number"),
        ("Y99001,,blood test,7", "Y99001,,blood test,", "capacity.csv:2", "whole number"),
        ("Y99001,,urine test,0", "Y99001,,blood test,0", "capacity.csv:4", "stands twice"),
        ("Y99001,,urine test,0", "Y99001,,,0", "capacity.csv:4", "'kind' is empty"),
        ("Y99001,,blood test,7", "Y99001,,blood test,1000000000", "capacity.csv:2", "from 0 to 999999999"),
        (",Marsh,", "Y99002,Marsh,", "capacity.csv:3", "a practice or a network"),
        (",Marsh,", ",,", "capacity.csv:3", "a practice or a network"),
        ("Y99001,,urine test,0", "Y99001,urine test,0", "capacity.csv:4", "cells"),
        ("kind,a month", "kind,each month", "capacity.csv:1", "each month"),
        ("practice,network,kind,a month", "practice,network,a month,a month", "capacity.csv:1", "column"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(config, old, new, where, what):
    file = config.with_name("capacity.csv")
    file.write_text(file.read_text().replace(old, new))
    said = refused(config)
    assert where in said
    assert what in said


def test_a_file_without_rows_is_refused_and_not_taken_for_no_capacity(config):
    (config.parent / "capacity.csv").write_text(ROWS.splitlines()[0] + "\n")
    assert "header and no rows" in refused(config)


def test_what_stands_in_a_wrong_cell_is_not_repeated(config):
    (config.parent / "capacity.csv").write_text("practice,kind,a month\nY99001,blood test,999 000 0018\n")
    assert "0018" not in refused(config)


def test_a_practice_stated_in_both_places_is_refused(config):
    config.write_text(CONFIG.replace("{never measured share: 0.5}", "{a month: {blood test: 3}}"))
    assert "capacity.csv:2" in refused(config)


def test_a_file_that_is_not_there_is_refused(config):
    config.with_name("capacity.csv").unlink()
    assert "capacity.csv" in refused(config)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("blood test: 20", "blood test: -1", "blood test"),
        ("blood test: 20", "blood test: 2.5", "blood test"),
        ("expected attendance: 0.5", "expected attendance: 0", "expected attendance"),
        ("expected attendance: 0.5", "expected attendance: 1.1", "expected attendance"),
        ("  file:", "  lines: []\n  fil:", "fil"),
    ],
)
def test_a_config_states_sound_numbers(config, old, new, what):
    config.write_text(CONFIG.replace(old, new))
    said = refused(config)
    assert "config.yaml:" in said
    assert what in said


@pytest.mark.parametrize(
    ("file", "what", "where"),
    [
        (
            "practice,kind,a month\nY99001,blood test,1\nY99009,blood test,1\n",
            "unknown practice Y99009",
            "capacity.csv:3",
        ),
        ("network,kind,a month\nMash,blood test,1\n", "unknown network Mash", "capacity.csv:2"),
        ("practice,kind,a month\nY99001,blod test,1\n", "'blod test'", "capacity.csv:2"),
    ],
)
def test_what_the_records_and_visits_do_not_know_is_told(config, file, what, where):
    config.with_name("capacity.csv").write_text(file)
    capacity = read_config(config).capacity
    with pytest.raises(ConfigError) as said:
        capacity.check({"blood test"}, {"Y99001"}, {"Marsh"})
    assert what in str(said.value)
    assert where in str(said.value)
    assert "did you mean" in str(said.value)


def test_all_well_is_no_complaint():
    capacity = Capacities(every_practice=Capacity(a_month={"a": 1}), networks={"N": Pool(a_month={"a": 1})})
    capacity.check({"a"}, set(), {"N"})


VISITS = """clinic:
  label: Clinic
  holds: {blood test: {nurse: 1}}
"""


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("blood test:", "blod test:", "no model asks for 'blod test'"),
        ("{nurse: 1}", "{nurse: 0}", "nurse"),
        ("{nurse: 1}", "{}", "is empty"),
        ("  holds: {blood test: {nurse: 1}}\n", "", "'holds' (tests) or 'lanes'"),
        ("label: Clinic", "label: Clinic\n  also uses: {other: {nurse: 1}}", "'also uses' names 'other'"),
        ("label: Clinic", "label: Clinic\n  lanes: {act now: {minutes: 1}}", "'holds' (tests) or 'lanes'"),
    ],
)
def test_visits_are_checked_against_the_models(tree, old, new, what):
    test = read_definitions(tree).models["kidney"].test
    (tree / "models" / "visits.yaml").write_text(VISITS.replace("blood test", test))
    assert problems(tree) == []
    wrong = VISITS.replace(old, new).replace("blood test", test)
    (tree / "models" / "visits.yaml").write_text(wrong)
    (found,) = problems(tree)
    assert found.where.startswith("models/visits.yaml:")
    assert what in found.what


def test_our_own_visits_hold_every_test_and_name_every_kind():
    known = read_definitions()
    tests = [model.test for model in known.models.values()]
    assert offered(known.visits, tests) == known.visits
    assert set(tests) <= set(kinds_of(known.visits))
