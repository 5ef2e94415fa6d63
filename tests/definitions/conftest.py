"""A small tree of definitions that is right, and ways to make it wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casefinding.definitions.read import Problem, problems

SIGNALS = """\
about: Kidney function.
egfr:
  label: eGFR
  codes: [egfr]
  unit: mL/min/1.73m2
  plausible: [1, 200]
  units: {ml/min: {times: 1}}
kidney_register:
  label: Chronic kidney disease
  codes: [ckd_all]
kidney_core:
  label: Chronic kidney disease, the label
  codes: [ckd_core]
kidney_resolved:
  label: Chronic kidney disease resolved
  codes: [ckd_resolved]
diabetes:
  label: Diabetes
  codes: [diabetes]
drug_nsaid:
  label: Anti-inflammatory drugs
  substances: [ibuprofen, naproxen]
  but not: [gel]
"""
FEATURES = """\
about: Kidney features.
egfr_latest:
  label: Latest eGFR
  ask: latest
  of: egfr
  within: 5 years
  higher means: less likely
  say: "Last eGFR {value} ({when})"
  if missing: No eGFR in the last 5 years
  examples:
    - {records: {2021-03-01: 52, 2023-06-09: [58, 44]}, on: 2024-01-01, gives: 58}
    - {records: {2015-06-09: 40}, on: 2024-01-01, gives: missing}
egfr_earlier:
  label: Latest eGFR of more than 90 days ago
  ask: latest
  of: egfr
  within: 5 years
  leaving out the last: 90 days
  examples:
    - {records: {2021-03-01: 52}, on: 2024-01-01, gives: 52}
    - {records: {egfr: [{on: 2023-12-01, value: 52}]}, on: 2024-01-01, gives: missing}
diabetes_ever:
  label: Diabetes
  ask: ever
  of: diabetes
  higher means: more likely
  examples:
    - {records: [2021-03-01], on: 2024-01-01, gives: 1}
    - {on: 2024-01-01, gives: 0}
sex:
  label: Sex
  ask: sex
  examples:
    - {person: {sex: male}, on: 2024-01-01, gives: 1}
    - {person: {sex: female}, on: 2024-01-01, gives: 0}
nsaid_courses:
  label: Courses of anti-inflammatory drugs
  ask: courses
  of: drug_nsaid
  within: 12 months
  gap: 14 days
  examples:
    - {records: [2023-03-01, 2023-03-10, 2023-06-01], on: 2024-01-01, gives: 2}
    - {on: 2024-01-01, gives: 0}
kidney_coded:
  label: Kidney disease coded
  ask: ever
  of: kidney_core
  examples:
    - {records: [2021-03-01], on: 2024-01-01, gives: 1}
    - {on: 2024-01-01, gives: 0}
"""
MODEL = """\
label: Chronic kidney disease
about: Two low readings and no code.
test: blood test
invite: Invite for a blood test
chance of: of kidney disease being diagnosed
register: {diagnosis: kidney_register, resolved: kidney_resolved}
outcome: {diagnosis: kidney_core, gap: 30 days, horizon: 12 months}
features: [egfr_latest, diabetes_ever, sex]
leakage:
  - signals: [kidney_register]
    handling: [banned]
    why: It is the label.
    source: made for a test
missing notes: [egfr_latest]
leave out:
  declined:
    label: Said no
    when: {feature: diabetes_ever, is: present}
    drop from: [invite]
rules:
  CKD-1:
    lane: review the record
    label: Two low readings
    when:
      all:
        - {feature: egfr_latest, less than: 60}
        - {feature: egfr_earlier, less than: 60}
    say: "eGFR {egfr_latest} ({egfr_latest.when}), before that {egfr_earlier}"
    do: Review the record
    source: NICE NG203
    examples:
      - {records: {egfr: {2023-01-01: 50, 2023-12-01: 52}}, on: 2024-01-01, gives: flagged}
      - {records: {egfr: {2023-12-01: 52}}, on: 2024-01-01, gives: not flagged}
"""
LEAVE_OUTS = """\
about: States of the record.
on_nsaid:
  label: Takes an anti-inflammatory drug
  when: {any: [{feature: nsaid_courses, at least: 1}]}
  drop from: [chance]
"""
LISTS = {
    "egfr": ["1011481000000105", "857971000000104"],
    "ckd_all": ["709044004", "433144002", "431857002"],
    "ckd_core": ["433144002", "431857002"],
    "ckd_resolved": ["162659009"],
    "diabetes": ["73211009", "44054006"],
}


def csv_of(ids: list[str], system: str = "snomed") -> str:
    rows = "".join(f"{code_id},label of {position},{system}\n" for position, code_id in enumerate(ids))
    return f"# source: made for a test\n# release: 2026-11-01\n# reviewed by: nobody\nid,label,system\n{rows}"


def write_tree(folder: Path) -> Path:
    for name in ("features/signals", "features/codelists", "models"):
        (folder / name).mkdir(parents=True)
    (folder / "features/signals/kidney.yaml").write_text(SIGNALS)
    (folder / "features/kidney.yaml").write_text(FEATURES)
    (folder / "models/kidney.yaml").write_text(MODEL)
    (folder / "models/leave_outs.yaml").write_text(LEAVE_OUTS)
    for name, ids in LISTS.items():
        (folder / f"features/codelists/{name}.csv").write_text(csv_of(ids))
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of definitions without a fault."""
    return write_tree(tmp_path / "tree")


Broken = Callable[..., list[Problem]]


@pytest.fixture
def broken(tree: Path) -> Broken:
    """Replace one piece of a file of the tree and give the problems; the piece must be there."""

    def make(file: str, old: str, new: str) -> list[Problem]:
        path = tree / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))
        return problems(tree)

    return make
