"""JSON Schemas of the YAML files, so that an editor completes keys and marks mistakes while one types."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import (
    Feature,
    Fitness,
    Gap,
    LeaveOut,
    Model,
    Question,
    Rule,
    Score,
    Segments,
    Signal,
    Visit,
)

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[a-z][a-z0-9_]*$"
_RULE_ID = r"^[A-Z0-9]+-[A-Z]?\d+[a-z]?$"
_DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def schemas() -> dict[str, dict[str, Any]]:
    """File name (without .json) -> JSON Schema: signals, features, models, what stands beside the models, config.

    >>> sorted(schemas())
    ['config', 'features', 'leave_outs', 'model', 'open_questions', 'quality', 'segments', 'signals', 'treatment_gaps',
     'visits']
    """
    return {
        "signals": _file_of("Signals: what counts as one kind of event", Signal, "name", _NAME),
        "features": _file_of("Features: one number about a person on an index day", Feature, "name", _NAME),
        "leave_outs": _file_of("Leave-outs: states of the record that remove a person", LeaveOut, "name", _NAME),
        "open_questions": _file_of("Open questions: what awaits sign-off besides", Question, "name", _NAME),
        "quality": _file_of("Quality: what the records are held to", Fitness, "name", _NAME),
        "visits": _file_of("Visits: what a person can be offered, and what it uses", Visit, "name", _NAME),
        "treatment_gaps": _file_of("Treatment gaps: what people already diagnosed lack", Gap, "name", _NAME),
        "segments": {"$schema": DRAFT, "title": "How a population is sorted for planning", **_schema(Segments)},
        "model": _model(),
        "config": {"$schema": DRAFT, "title": "A config", **_schema(Config)},
    }


def _schema(shape: type[BaseModel], *left_out: str) -> dict[str, Any]:
    """A shape's schema with its keys as written in YAML, and without those that the file layout supplies."""
    schema = shape.model_json_schema(by_alias=True, mode="validation")
    for key in left_out:
        schema["properties"].pop(key)
        schema["required"] = [name for name in schema.get("required", []) if name != key]
    for part in (schema, *schema.get("$defs", {}).values()):
        records = part.get("properties", {}).get("records")
        if part.get("title") in ("Example", "RuleExample", "GapExample", "SegmentExample") and records is not None:
            part["properties"]["records"] = deepcopy(_RECORDS)
    return schema


def _file_of(title: str, shape: type[BaseModel], key: str, pattern: str) -> dict[str, Any]:
    inner = _schema(shape, key)
    definitions = inner.pop("$defs", {})
    return {
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "properties": {"about": {"type": "string"}},
        "patternProperties": {pattern.replace("^", "^(?!about$)", 1): inner},
        "additionalProperties": False,
        "$defs": definitions,
    }


def _model() -> dict[str, Any]:
    schema = _schema(Model, "condition")
    for section, shape, key, pattern in (
        ("rules", Rule, "id", _RULE_ID),
        ("leave out", LeaveOut, "name", _NAME),
        ("scores", Score, "name", _NAME),
    ):
        inner = _schema(shape, key)
        schema.setdefault("$defs", {}).update(inner.pop("$defs", {}))
        schema["properties"][section] = {
            "type": "object",
            "patternProperties": {pattern: inner},
            "additionalProperties": False,
        }
    # The whole shapes are no longer referred to: in a file their names are keys.
    for unused in ("Rule", "LeaveOut", "Score"):
        schema["$defs"].pop(unused, None)
    return {"$schema": DRAFT, "title": "A model: what we look for", **{k: v for k, v in schema.items() if k != "title"}}


_ENTRY = {
    "type": "object",
    "properties": {
        "on": _DAY,
        "value": {"type": ["number", "null"]},
        "recorded": _DAY,
        "unit": {"type": "string"},
    },
    "additionalProperties": False,
}
_VALUE = {"anyOf": [{"type": ["number", "null"]}, _ENTRY]}
_BY_DAY = {
    "type": "object",
    "patternProperties": {_DAY["pattern"]: {"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]}},
    "additionalProperties": False,
}
_DAYS = {"type": "array", "items": {"anyOf": [_DAY, _ENTRY]}}
_OF_ONE = [_DAY, _DAYS, _BY_DAY]
_RECORDS: dict[str, Any] = {
    "description": "by day, a list of days, or by the name of a signal: {2021-03-01: 152, 2023-06-09: [144, 138]}",
    "anyOf": [
        *_OF_ONE,
        {
            "type": "object",
            "patternProperties": {_NAME: {"anyOf": [*_OF_ONE, {**_ENTRY, "required": ["on"]}]}},
            "additionalProperties": False,
        },
    ],
}
