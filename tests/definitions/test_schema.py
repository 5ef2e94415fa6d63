"""The editors' schemas accept what the reader accepts and mark the plain mistakes that it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from casefinding.definitions.schema import schemas
from casefinding.definitions.strict import load_yaml

FILES = {
    "signals": "features/signals/kidney.yaml",
    "features": "features/kidney.yaml",
    "model": "models/kidney.yaml",
    "leave_outs": "models/leave_outs.yaml",
}
CONFIG = (
    "network: {name: net}\nindex day: 2026-10-01\nconditions: [a]\nrecords: {simulate: {people: 500, practices: 2}}\n"
)
ROOT = Path(__file__).parents[2]


def as_an_editor_sees(path: Path) -> Any:
    """Editors hand YAML to the schema as JSON: days are texts there."""

    def plain(part: Any) -> Any:
        if isinstance(part, dict):
            return {str(key): plain(value) for key, value in part.items()}
        if isinstance(part, list):
            return [plain(value) for value in part]
        return part if part is None or isinstance(part, int | float | str) else str(part)

    return plain(load_yaml(path))


def faults(name: str, path: Path) -> list[str]:
    schema = json.loads(json.dumps(schemas()[name]))
    return [one.message for one in jsonschema.Draft202012Validator(schema).iter_errors(as_an_editor_sees(path))]


def test_every_schema_is_a_schema() -> None:
    for schema in schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", FILES)
def test_a_sound_file_has_no_fault(tree: Path, name: str) -> None:
    assert faults(name, tree / FILES[name]) == []


def test_a_sound_config_has_no_fault_and_a_wrong_key_has(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    assert faults("config", path) == []
    path.write_text(CONFIG.replace("conditions:", "condition:"))
    assert faults("config", path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("signals", "unit: mL", "unti: mL"),
        ("signals", "[1, 200]", "[1, many]"),
        ("features", "ask: latest", "ask: lastest"),
        ("features", "within: 5 years", "within: 5 yrs"),
        ("features", "  label: Latest eGFR\n", ""),
        ("features", "{sex: male}", "{sex: man}"),
        ("features", "value: 52}", "vlaue: 52}"),
        ("model", "less than: 60", "lest than: 60"),
        ("model", "lane: review the record", "lane: review"),
        ("model", "CKD-1:", "ckd1:"),
        ("model", "drop from: [invite]", "drop from: [act now]"),
        ("leave_outs", "nsaid_courses", "NSAID courses"),
    ],
)
def test_a_plain_mistake_is_marked(tree: Path, name: str, old: str, new: str) -> None:
    path = tree / FILES[name]
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert faults(name, path)


def test_our_own_files_have_no_fault() -> None:
    for name, pattern in (
        ("signals", "features/signals/*.yaml"),
        ("features", "features/*.yaml"),
        ("leave_outs", "models/leave_outs.yaml"),
        ("open_questions", "models/open_questions.yaml"),
        ("quality", "models/quality.yaml"),
        ("visits", "models/visits.yaml"),
        ("segments", "models/segments.yaml"),
        ("visits", "models/visits.yaml"),
        ("treatment_gaps", "models/treatment_gaps.yaml"),
        ("config", "configs/*.yaml"),
    ):
        for path in sorted(ROOT.glob(pattern)):
            assert faults(name, path) == [], path.name
    for path in sorted((ROOT / "models").glob("*.yaml")):
        if path.stem not in schemas():
            assert faults("model", path) == [], path.name
