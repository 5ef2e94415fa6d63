"""Each thing that can be wrong with definitions is found, at its file and line, and a sound tree has no problems."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from casefinding.definitions.check import main
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.read import Problem, problems, read_config, read_definitions
from casefinding.errors import ConfigError, DefinitionError

SIGNALS, FEATURES, MODEL = "features/signals/kidney.yaml", "features/kidney.yaml", "models/kidney.yaml"
LEAVE_OUTS = "models/leave_outs.yaml"
Broken = Callable[[str, str, str], list[Problem]]


def test_a_sound_tree_has_no_problems(tree: Path) -> None:
    assert problems(tree) == []
    definitions = read_definitions(tree)
    assert list(definitions.models) == ["kidney"]
    assert definitions.models["kidney"].condition == "kidney"
    assert [rule.id for rule in definitions.models["kidney"].rules] == ["CKD-1"]
    assert [one.name for one in definitions.leave_outs_for("kidney")] == ["on_nsaid", "declined"]
    assert set(definitions.features_for("kidney")) == set(definitions.features) - {"kidney_coded"}


CASES = [
    # file, piece, instead, line of the problem (0 = the line of the piece), what is said, hint
    (SIGNALS, "plausible: [1, 200]", "plausable: [1, 200]", 0, "unknown key 'plausable'", "did you mean 'plausible'?"),
    (SIGNALS, "unit: mL", "unti: mL", 0, "unknown key 'unti'", "did you mean 'unit'"),
    (SIGNALS, "codes: [egfr]", "codes: [egrf]", 0, "there is no code list called 'egrf'", "did you mean 'egfr'?"),
    (SIGNALS, "codes: [egfr]", "codes: egfr", 0, "'codes' must be a list, not 'egfr'", "write [a, b]"),
    (SIGNALS, "  codes: [egfr]\n", "", -2, "a signal needs 'codes'", ""),
    (SIGNALS, "  label: eGFR\n", "", -1, "'label' is missing", ""),
    (SIGNALS, "[1, 200]", "[200, 1]", 0, "'plausible' must go from the lower to the higher end", ""),
    (SIGNALS, "[1, 200]", "[1, 200]\n  warn: [0, 90]", 1, "'warn' must lie within 'plausible'", ""),
    (SIGNALS, "[1, 200]", "[1, many]", 0, "'plausible' must be a number, not 'many'", ""),
    (SIGNALS, "[1, 200]", "[1, 200]\n  at least: 60\n  below: 30", -4, "no value can be both over 60 and under 30", ""),
    (SIGNALS, "times: 1", "times: 0", 0, "a conversion cannot be 'times: 0'", ""),
    (SIGNALS, "codes: [diabetes]", "codes: [diabetes]\n  but not: [x]", 1, "'but not' belongs to 'substances'", ""),
    (SIGNALS, "diabetes:\n", "egfr:\n", 0, "the key 'egfr' stands twice (first on line 2)", ""),
    (SIGNALS, "diabetes:\n", "Diabetes:\n", 0, "'Diabetes' cannot be a name here", "lower-case letters"),
    (SIGNALS, "about: Kidney function.", "about: [1]", 0, "'about' must be text", ""),
    (FEATURES, "of: egfr\n", "of: efgr\n", 0, "there is no signal called 'efgr'", "did you mean 'egfr'?"),
    (FEATURES, "ask: latest", "ask: lastest", 0, "'ask' cannot be 'lastest'", "did you mean 'latest'"),
    (FEATURES, "ask: latest", "ask: no", 0, "YAML guesses what 'no' means", "in quotes"),
    (FEATURES, "within: 5 years", "within: 5 yrs", 0, "'5 yrs' is not a length of time", ""),
    (FEATURES, "within: 5 years", "within: 0 days", 0, "the window is empty", ""),
    (FEATURES, "leaving out the last: 90 days", "leaving out the last: 6 years", -1,
     "the window is not longer than what", ""),
    (FEATURES, "leaving out the last: 90 days", "leaving_out_the_last: 90 days", 0,
     "unknown key 'leaving_out_the_last'",
     "did you mean 'leaving out the last'?"),
    (FEATURES, "higher means: less likely", "higher means: less", 0, "'higher means' cannot be 'less'", "less likely"),
    (FEATURES, "  ask: sex\n", "  ask: sex\n  higher means: more likely\n", 1,
     "'higher means' has no meaning for 'sex'",
     "no order"),
    (FEATURES, "  ask: sex\n", "  ask: ethnicity\n  higher means: less likely\n", 1,
     "has no meaning for 'ethnicity'", ""),
    (FEATURES, "  ask: sex\n", "  ask: sex\n  within: 5 years\n", 1,
     "'sex' asks about the person and takes no 'within'", ""),
    (FEATURES, "  ask: sex\n", "  ask: sex\n  of: egfr\n", -2, "'sex' asks about the person and takes no 'of'", ""),
    (FEATURES, "gap: 14 days", "gap: 12 months", 0, "the window is not longer than the gap", ""),
    (FEATURES, "  gap: 14 days\n", "", -5, "'gap' belongs to the word 'courses'", ""),
    (FEATURES, "    - {records: {2015-06-09: 40}, on: 2024-01-01, gives: missing}\n", "", -2,
     "'egfr_latest' has one worked example only", "at least two"),
    (FEATURES, "gives: missing", "gives: mising", 0, "'gives' cannot be 'mising'", "did you mean 'missing'?"),
    (FEATURES, "2015-06-09: 40", "2015-06-31: 40", 0, "there is no such day as 2015-06-31", ""),
    (FEATURES, "2015-06-09: 40", "2015-06-09: 40, egfr: [2023-01-01]", 0, "'egfr' is not a day", ""),
    (FEATURES, "{egfr: [{on: 2023-12-01", "{efgr: [{on: 2023-12-01", 0, "there is no signal called 'efgr'",
     "did you mean"),
    (FEATURES, "value: 52}", "vlaue: 52}", 0, "unknown key 'vlaue'", "did you mean 'value'?"),
    (FEATURES, "{sex: male}", "{sex: man}", 0, "'sex' cannot be 'man'", "one of: female, male"),
    (FEATURES, "{sex: male}", '{born: "1960"}', 0, "'1960' is not a year and month", ""),
    (FEATURES, "{value} ({when})", "{vlaue}", 0, "{vlaue} means nothing here", "{value} and {when}"),
    (FEATURES, "{value} ({when})", "{value", 0, "a brace stands alone", ""),
    (FEATURES, "  of: egfr\n", "  of: diabetes\n", -1, "'latest' reads values, but signal 'diabetes' has no unit", ""),
    (MODEL, "features: [egfr_latest,", "features: [egfr_lastest,", 0, "there is no feature called 'egfr_lastest'",
     "did you mean 'egfr_latest'"),
    (MODEL, "features: [egfr_latest, diabetes_ever, sex]", "features: [sex, sex]", 0,
     "'sex' stands twice in 'features'", ""),
    (MODEL, "features: [egfr_latest, diabetes_ever, sex]", "features: []", 0, "a model needs features", ""),
    (MODEL, "missing notes: [egfr_latest]", "missing notes: [egfr]", 0, "there is no feature called 'egfr'", ""),
    (MODEL, "signals: [kidney_register]", "signals: [kidney_regster]", 0,
     "there is no signal called 'kidney_regster'", "did you"),
    (MODEL, "diagnosis: kidney_register", "diagnosis: kidny_register", 0,
     "there is no signal called 'kidny_register'", ""),
    (MODEL, "resolved: kidney_resolved", "resolved: kidney_gone", 0, "there is no signal called 'kidney_gone'", ""),
    (MODEL, "resolved: kidney_resolved", "resolved: kidney_core", 0,
     "is in the diagnosis list 'ckd_all' and in the resolved",
     ""),
    (MODEL, "horizon: 12 months", "horizon: 0 days", 0, "the horizon is empty", ""),
    (MODEL, "diabetes_ever, sex]", "diabetes_ever, sex, kidney_coded]", 0,
     "feature 'kidney_coded' reads 'kidney_core', which is what the model predicts", ""),
    (MODEL, "leakage:", "eligible: {age at least: 60, age at most: 50}\nleakage:", 0,
     "nobody is at least 60 and at most 50", ""),
    (MODEL, "leakage:", "condition: kidney\nleakage:", 0, "unknown key 'condition'", "the name of the file"),
    (MODEL, "feature: egfr_earlier, less than", "feature: egfr_earler, less than", 0,
     "there is no feature called 'egfr_earler'",
     "did you mean 'egfr_earlier'"),
    (MODEL, "less than: 60", "lest than: 60", 0, "unknown key 'lest than'", "did you mean 'less than'"),
    (MODEL, "less than: 60", "less than: {feature: egfr_earliest}", 0, "there is no feature called 'egfr_earliest'",
     ""),
    (MODEL, "less than: 60", "less than: sixty", 0, "'less than' must be a number, not 'sixty'", ""),
    (MODEL, ", less than: 60", "", 0, "a test needs 'at least', 'more than'", ""),
    (MODEL, "      all:\n", "      at least: 3\n      of:\n", 0, "3 of 2 clauses can never hold", ""),
    (MODEL, "      all:\n", "      every:\n", 0, "unknown key 'every'", ""),
    (MODEL, "{egfr_latest.when}", "{egfr_last.when}", 0, "{egfr_last.when} names no feature",
     "did you mean 'egfr_latest'"),
    (MODEL, "gives: not flagged", "gives: flagged", -2, "rule 'CKD-1' has no negative example", "gives: not flagged"),
    (MODEL, "gives: flagged", "gives: not flagged", -1, "rule 'CKD-1' has no positive example", "gives: flagged"),
    (MODEL, "{records: {egfr: {2023-12-01: 52}}", "{records: {2023-12-01: 52}", 0,
     "the records do not say of which signal they are", "name_of_signal"),
    (MODEL, "CKD-1:", "ckd1:", 0, "'ckd1' cannot be a name here", ""),
    (MODEL, "lane: review the record", "lane: review", 0, "'lane' cannot be 'review'", ""),
    (MODEL, "drop from: [invite]", "drop from: [act now]", 0, "'drop from' cannot be 'act now'", ""),
    (MODEL, "is: present", "is: preset", 0, "'is' cannot be 'preset'", "did you mean 'present'"),
    (MODEL, "  declined:\n", "  on_nsaid:\n", 0, "there are two leave outs called 'on_nsaid'",
     "models/leave_outs.yaml:2"),
    (LEAVE_OUTS, "drop from: [chance]", "drop from: [chance]\n  only for: [kindey]", 1,
     "there is no model called 'kindey'",
     "did you mean 'kidney'"),
    (LEAVE_OUTS, "nsaid_courses", "nsaid_coarses", 0, "there is no feature called 'nsaid_coarses'", "did you mean"),
    ("features/codelists/egfr.csv", "857971000000104", "857971000000100", 0, "has a wrong check digit", "as text"),
    ("features/codelists/egfr.csv", "857971000000104", "1011481000000105", 0, "stands twice (first on line 5)", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "offset", "what", "hint"), CASES, ids=[f"{n}-{case[4][:40]}" for n, case in enumerate(CASES)]
)
def test_a_fault_is_found_where_it_stands(
    tree: Path, broken: Broken, file: str, old: str, new: str, offset: int, what: str, hint: str
) -> None:
    before = (tree / file).read_text()
    line = before[: before.index(old)].count("\n") + 1 + offset
    found = broken(file, old, new)
    fitting = [one for one in found if what in one.what and hint in one.hint]
    assert fitting, [str(one) for one in found]
    assert f"{file}:{line}" in [one.where for one in fitting], [str(one) for one in found]


def test_one_fault_is_told_once(broken: Broken) -> None:
    found = broken(SIGNALS, "plausible: [1, 200]", "plausable: [1, 200]")
    assert [one.where for one in found] == [f"{SIGNALS}:6"], "and its users are not blamed for the signal's fault"


@pytest.mark.parametrize("file", [SIGNALS, FEATURES, MODEL])
def test_a_file_that_cannot_be_read_is_one_problem(tree: Path, file: str) -> None:
    path = tree / file
    path.write_text(path.read_text() + "x: [1, 2\n")
    leave_outs = tree / LEAVE_OUTS
    leave_outs.write_text(leave_outs.read_text() + "  only for: [kidney]\n")
    found = problems(tree)
    assert len(found) == 1, [str(one) for one in found]
    assert found[0].where.startswith(f"{file}:")
    assert found[0].what.startswith("is not YAML")


def test_a_list_of_a_model_feature_may_not_share_a_code_with_the_label(broken: Broken) -> None:
    found = broken("features/codelists/diabetes.csv", "73211009", "431857002")
    assert [one.where for one in found] == [f"{MODEL}:8"]
    assert "feature 'diabetes_ever' reads list 'diabetes', which shares snomed 431857002" in found[0].what
    assert "label list 'ckd_core'" in found[0].what


def test_a_code_cannot_be_both_diagnosis_and_resolved(tree: Path, broken: Broken) -> None:
    found = broken("features/codelists/ckd_resolved.csv", "162659009", "433144002")
    assert [(one.where, one.what) for one in found] == [
        (f"{MODEL}:6", "snomed 433144002 is in the diagnosis list 'ckd_all' and in the resolved list 'ckd_resolved'")
    ]


def test_rules_and_leave_outs_may_read_the_label(tree: Path) -> None:
    path = tree / MODEL
    path.write_text(path.read_text().replace("when: {feature: diabetes_ever,", "when: {feature: kidney_coded,"))
    assert problems(tree) == []


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (SIGNALS, "features/signals/zz.yaml", "there are two signals called 'egfr'"),
        (FEATURES, "features/zz.yaml", "there are two features called 'egfr_latest'"),
    ],
)
def test_a_name_may_stand_once_in_all_files(tree: Path, first: str, second: str, what: str) -> None:
    (tree / second).write_text((tree / first).read_text())
    found = problems(tree)
    assert f"{second}:2" in [one.where for one in found if one.what == what and f"{first}:2" in one.hint]


def test_a_rule_id_may_stand_once_in_all_models(tree: Path) -> None:
    (tree / "models/other.yaml").write_text((tree / MODEL).read_text())
    assert [(one.where, one.what) for one in problems(tree)] == [
        ("models/other.yaml:21", "there are two rules called 'CKD-1'")
    ]


def test_all_problems_of_a_tree_are_collected_and_the_error_counts_them(tree: Path) -> None:
    for file, old, new in (
        (SIGNALS, "label: eGFR", "lable: eGFR"),
        (FEATURES, "ask: courses", "ask: curses"),
        (MODEL, "test: blood test", "test: 0123"),
        ("features/codelists/diabetes.csv", "44054006", "44054007"),
    ):
        path = tree / file
        path.write_text(path.read_text().replace(old, new))
    found = problems(tree)
    assert {one.where for one in found} == {
        "features/codelists/diabetes.csv:6", f"{SIGNALS}:3", f"{FEATURES}:38", f"{MODEL}:3",
    }  # fmt: skip
    with pytest.raises(DefinitionError) as caught:
        read_definitions(tree)
    assert caught.value.where == found[0].where
    assert f"({len(found) - 1} more" in caught.value.hint
    assert caught.value.exit_code == 10


def test_files_that_nobody_reads_are_named(tree: Path) -> None:
    (tree / "features/extra.yml").write_text("a: 1")
    (tree / "features/signals/list.csv").write_text("id\n")
    assert [(one.where, one.what) for one in problems(tree)] == [
        ("features/extra.yml:1", "is not read"),
        ("features/signals/list.csv:1", "is not read"),
    ]


def test_the_command_prints_each_problem_and_ends_with_the_kind_s_code(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tree)]) == 0
    path = tree / SIGNALS
    path.write_text(path.read_text().replace("label: eGFR", "lable: eGFR"))
    assert main([str(tree)]) == 10
    out = capsys.readouterr()
    assert f"{SIGNALS}:3: unknown key 'lable'. Hint: did you mean 'label'?" in out.out
    assert "1 problem" in out.err
    assert main([str(tree / "absent")]) == 10


def test_reading_definitions_loads_no_heavy_library() -> None:
    code = (
        "import sys, casefinding.definitions.read, casefinding.definitions.check\n"
        "heavy = {'pyarrow', 'pandas', 'duckdb', 'numpy', 'numba', 'sklearn', 'mlflow'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("key", ["severe: {feature: nothing_such, at least: 1}", "silent: [nothing_such]"])
def test_a_name_is_checked_wherever_a_model_may_write_one(tree: Path, key: str) -> None:
    (path,) = [file for file in (tree / "models").glob("*.yaml") if file.stem != "leave_outs"]
    text = path.read_text()
    if key.startswith("severe"):
        where = next(line for line in text.splitlines() if line.lstrip().startswith("lane:"))
        indent = where[: len(where) - len(where.lstrip())]
        path.write_text(text.replace(where, f"{where}\n{indent}{key}", 1))
    else:
        path.write_text(f"{text}\n{key}\n")
    assert any("nothing_such" in problem.what for problem in problems(tree))


# --------------------------------------------------------------------------- folders and configs


def test_a_folder_needs_features_and_models(tmp_path: Path, tree: Path) -> None:
    assert definitions_folder(tree) == tree
    (tmp_path / "half" / "features").mkdir(parents=True)
    with pytest.raises(DefinitionError, match="there is no folder models/"):
        definitions_folder(tmp_path / "half")


CONFIG = """\
about: A test.
network: {name: Test network (fictional)}
index day: 2026-10-01
conditions: [kidney]
records: {simulate: {people: 1000, practices: 2}}
capacity: {every practice: {a month: {blood test: 20}}}
"""


def test_a_config_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    config = read_config(path)
    assert config.capacity.every_practice.a_month == {"blood test": 20}
    assert config.training.times == 3


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("conditions: [kidney]", "condition: [kidney]", 4, "unknown key 'condition'"),
        ("conditions: [kidney]", "conditions: []", 4, "'conditions' is empty"),
        ("index day: 2026-10-01", "index day: tomorrow", 3, "'index day' must be a day, not 'tomorrow'"),
        ("people: 1000", "people: 1", 5, "'people'"),
        (
            "{simulate: {people: 1000, practices: 2}}",
            "{shard people: 500}",
            5,
            "needs exactly one of 'path' and 'simulate'",
        ),
        ("blood test: 20", "blood test: lots", 6, "'blood test' must be a number, not 'lots'"),
        ("about: A test.", "about: no", 1, "YAML guesses what 'no' means"),
    ],
)
def test_a_wrong_config_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert caught.value.where in (f"c.yaml:{line}", "c.yaml:1")
    assert what in caught.value.what or what in caught.value.hint
