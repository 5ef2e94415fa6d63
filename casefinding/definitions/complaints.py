"""What a shape refuses, said in words and with a hint, once for each place in a file."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from casefinding.definitions.strict import Path


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or "".

    >>> did_you_mean("weight_latst", ["weight_latest", "pulse"])
    "did you mean 'weight_latest'?"
    """
    near = difflib.get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def complaints(shape: type[BaseModel], error: ValidationError) -> list[tuple[Path, str, str]]:
    """(path from the shape's top, what, hint) of every refusal; alternatives of one place are told as one."""
    by_path: dict[Path, list[Any]] = {}
    owners: dict[Path, type[BaseModel] | None] = {}
    for item in error.errors(include_url=False):
        path, owner = _walk(shape, item["loc"])
        by_path.setdefault(path, []).append(item)
        owners[path] = owner
    found = []
    for path, items in by_path.items():
        if items[0]["type"] == "too_short" and any(other[: len(path)] == path and other != path for other in by_path):
            continue  # only short because what stands in it was refused
        what, hint = _say(path, items, owners[path])
        found.append((path, what, hint))
    misspelt = {(path[:-1], hint) for path, what, hint in found if what.startswith("unknown key")}
    return [
        one
        for one in found
        if not (one[1].endswith("is missing") and (one[0][:-1], f"did you mean {one[0][-1]!r}?") in misspelt)
    ]


def _say(path: Path, items: list[Any], owner: type[BaseModel] | None) -> tuple[str, str]:
    item, key = items[0], _last_key(path)
    kinds = {one["type"] for one in items}
    value = item.get("input")
    if "extra_forbidden" in kinds:
        known = keys_of(owner) if owner else []
        return f"unknown key {key!r}", did_you_mean(key, known) or (f"known are: {', '.join(known)}" if known else "")
    if "missing" in kinds:
        return f"{key!r} is missing", ""
    if "value_error" in kinds:
        said = next(one for one in items if one["type"] == "value_error")
        return f"{said['msg'].removeprefix('Value error, ')}", ""
    if "literal_error" in kinds:
        choices = [c for one in items if one["type"] == "literal_error" for c in _choices(one["ctx"]["expected"])]
        return f"{key!r} cannot be {value!r}", did_you_mean(str(value), choices) or f"one of: {', '.join(choices)}"
    if "string_pattern_mismatch" in kinds:
        pattern = item["ctx"]["pattern"]
        hint = (
            "lower-case letters, digits and underscores" if pattern.startswith("^[a-z]") else f"it must fit {pattern}"
        )
        return f"{value!r} cannot be a name here", hint
    if kinds & {"float_parsing", "float_type", "int_parsing", "int_type", "int_from_float"}:
        return f"{key!r} must be a number, not {_kind(value)}", ""
    if "string_type" in kinds:
        return f"{key!r} must be text, not {_kind(value)}", "put it in quotes" if not isinstance(
            value, dict | list
        ) else ""
    if "too_short" in kinds:
        return f"{key!r} is empty", ""
    if kinds & {"model_type", "dict_type"}:
        return f"{key!r} must be a mapping (key: value), not {_kind(value)}", ""
    if "tuple_type" in kinds:
        return f"{key!r} must be a list, not {_kind(value)}", "write [a, b], or one item a line after '- '"
    if kinds & {"date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"}:
        return f"{key!r} must be a day, not {_kind(value)}", "days are written 2024-01-01"
    if "union_tag_invalid" in kinds:
        return f"{key!r} is not a clause", "a test {feature: ..., at least: ...} or any:, all:, none:"
    return f"{key!r}: {item['msg'][:1].lower()}{item['msg'][1:]}", ""


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else repr(value)


def _last_key(path: Path) -> str:
    for part in reversed(path):
        if not isinstance(part, int):
            return str(part)
    return "this"


def _choices(expected: str) -> list[str]:
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(", ")]


def keys_of(shape: type[BaseModel]) -> list[str]:
    """The keys of a shape as they are written in YAML."""
    return [info.alias or name for name, info in shape.model_fields.items()]


def _walk(shape: type[BaseModel], loc: tuple[Any, ...]) -> tuple[Path, type[BaseModel] | None]:
    """The path in the file (without pydantic's names of alternatives), and the shape that owns its last key."""
    path: list[Any] = []
    here: Any = shape
    owner: type[BaseModel] | None = None
    for part in loc:
        owner = None
        here = _plain(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = next((f for n, f in here.model_fields.items() if part in (n, f.alias)), None)
            path.append(part)
            owner, here = here, (field.annotation if field is not None else None)
        elif get_origin(here) in (tuple, list):
            if isinstance(part, int):
                path.append(part)
                arguments = get_args(here)
                here = arguments[0] if len(arguments) == 2 and arguments[1] is Ellipsis else arguments[part]
        elif get_origin(here) is dict:
            path.append(part)
            here = get_args(here)[1]
        elif _is_union(here):
            options = [_plain(option) for option in get_args(here)]
            here = next((o for o in options if getattr(o, "__name__", None) == part), options if part else None)
            if isinstance(here, list):  # an alternative that is no shape: nothing of ours lies below it
                here = next((o for o in options if get_origin(o) in (tuple, dict)), None)
    return tuple(path), owner


def _plain(annotation: Any) -> Any:
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if _is_union(annotation):
        options = [option for option in get_args(annotation) if option is not type(None)]
        if len(options) == 1:
            return _plain(options[0])
    return annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and get_origin(annotation) is not Literal
