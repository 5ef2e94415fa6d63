"""From a folder of YAML and CSV to frozen, cross-checked definitions, with file and line of whatever is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from casefinding.definitions.capacity import read_capacity_file
from casefinding.definitions.codelists import first_of, parse_codelist
from casefinding.definitions.complaints import complaints
from casefinding.definitions.config import Config
from casefinding.definitions.crosscheck import Places, crosscheck
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.shapes import (
    CodeList,
    Definitions,
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
)
from casefinding.definitions.spread import spread_records
from casefinding.definitions.strict import Parsed, Problem, load_yaml, parse_file
from casefinding.definitions.visits import Visit
from casefinding.errors import ConfigError

__all__ = ["Problem", "load_yaml", "problems", "read_config", "read_definitions"]

S = TypeVar("S", bound=BaseModel)
_BESIDE_MODELS: dict[str, tuple[type[BaseModel], str]] = {
    "leave_outs": (LeaveOut, "leave out"),
    "open_questions": (Question, "open question"),
    "quality": (Fitness, "quality"),
    "treatment_gaps": (Gap, "treatment gap"),
    "visits": (Visit, "visit"),
}
"""Files of models/ that are no model."""
_WHOLE: dict[str, type[BaseModel]] = {"segments": Segments}
"""Files of models/ that are one thing of another kind, not a mapping of several."""


def read_definitions(folder: Path | None = None) -> Definitions:
    """Read and check the whole tree; one DefinitionError names the first problem and how many more there are."""
    definitions, found = _read(definitions_folder(folder))
    if found or definitions is None:
        raise first_of(found)
    return definitions


def problems(folder: Path | None = None) -> list[Problem]:
    """Everything that is wrong with a tree of definitions, by file and line; empty if nothing is."""
    return _read(definitions_folder(folder))[1]


def read_config(path: Path) -> Config:
    """Read one config (configs/*.yaml); ConfigError names the first thing that is wrong."""
    parsed = parse_file(path)
    found = list(parsed.problems)
    config = None
    if not found:
        reader = _Reader(path.parent)
        config = reader.shape(Config, parsed.value, parsed, ())
        found = reader.problems
        if config is not None and (config.records.path is None) == (config.records.simulate is None):
            found.append(
                parsed.problem(
                    ("records",), "needs exactly one of 'path' and 'simulate'", "path: where the extract lies"
                )
            )
    if found or config is None:
        found = _in_order(found)
        first = first_of(found)
        hint = found[0].hint + (f" ({len(found) - 1} more in this file)" if len(found) > 1 else "")
        raise ConfigError(first.what, where=first.where, hint=hint.strip())
    return _with_capacity_file(config, path)


def _with_capacity_file(config: Config, path: Path) -> Config:
    """The config with the numbers of its capacity file, which lies beside it or where its path says."""
    if config.capacity.lines:
        raise ConfigError("'lines' are what a file says", where=path.name, hint="name the file: capacity: {file: ...}")
    if config.capacity.file is None:
        return config
    lines = read_capacity_file(path.parent / config.capacity.file)
    for one in lines:
        name = one.practice or one.network
        stated = (config.capacity.practices if one.practice else config.capacity.networks).get(name)
        if stated is not None and stated.a_month:
            raise ConfigError(
                f"the capacity of {name} is stated twice, here and in {path.name}",
                where=f"{Path(config.capacity.file).name}:{one.line}",
                hint="keep one of them",
            )
    capacity = config.capacity.model_copy(update={"lines": lines})
    return config.model_copy(update={"capacity": capacity})


def _read(folder: Path) -> tuple[Definitions | None, list[Problem]]:
    reader = _Reader(folder)
    definitions = reader.tree()
    return (None if reader.problems else definitions), _in_order(reader.problems)


def _in_order(found: list[Problem]) -> list[Problem]:
    def place(problem: Problem) -> tuple[str, int, str]:
        file, _, line = problem.where.rpartition(":")
        return file, int(line), problem.what

    return sorted(dict.fromkeys(found), key=place)


class _Reader:
    """Collects definitions, their places and every problem on one walk through a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.places = Places()

    def tree(self) -> Definitions:
        features_folder, models_folder = self.folder / "features", self.folder / "models"
        self._strays(features_folder, models_folder)
        codelists = self._codelists(features_folder / "codelists")
        signals = self._named(Signal, "signal", sorted((features_folder / "signals").glob("*.yaml")))
        features = self._named(Feature, "feature", sorted(features_folder.glob("*.yaml")))
        beside: dict[str, tuple[Any, ...]] = {}
        whole: dict[str, Any] = {}
        models: dict[str, Model] = {}
        for path in sorted(models_folder.glob("*.yaml")):
            parsed = self._parsed(path)
            if path.stem not in _BESIDE_MODELS:
                self.places.add(path.stem if path.stem in _WHOLE else "model", path.stem, parsed, ())
            if not isinstance(parsed.value, dict):
                continue
            if path.stem in _BESIDE_MODELS:
                beside[path.stem] = tuple(self._mapping(*_BESIDE_MODELS[path.stem], parsed, parsed.value, ()).values())
            elif path.stem in _WHOLE:
                kind = _WHOLE[path.stem]
                whole[path.stem] = self.shape(kind, self._spread(kind, parsed.value, parsed, ()), parsed, ())
            else:
                model = self._model(path.stem, parsed)
                if model is not None:
                    models[path.stem] = model
        definitions = Definitions.model_construct(
            codelists=codelists,
            signals=signals,
            features=features,
            models=models,
            leave_outs=beside.get("leave_outs", ()),
            questions=beside.get("open_questions", ()),
            treatment_gaps=beside.get("treatment_gaps", ()),
            visits=beside.get("visits", ()),
            quality=beside.get("quality", ()),
            segments=whole.get("segments"),
        )
        self.problems.extend(crosscheck(definitions, self.places))
        return definitions

    # ------------------------------------------------------------------ files

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _strays(self, *folders: Path) -> None:
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.suffix == ".yml":
                    self.problems.append(Problem(f"{self._name(path)}:1", "is not read", "call it .yaml"))
                elif path.suffix == ".csv" and path.parent.name != "codelists":
                    self.problems.append(Problem(f"{self._name(path)}:1", "is not read", "lists lie in codelists/"))

    def _parsed(self, path: Path) -> Parsed:
        parsed = parse_file(path, self._name(path))
        self.problems.extend(parsed.problems)
        if not parsed.problems and not isinstance(parsed.value, dict):
            self.problems.append(parsed.problem((), "must be a mapping (name: definition)"))
        return parsed

    def _codelists(self, folder: Path) -> dict[str, CodeList]:
        lists: dict[str, CodeList] = {}
        for path in sorted(folder.glob("*.csv")):
            codelist, found = parse_codelist(path, self._name(path))
            self.problems.extend(found)
            self.places.add("code list", path.stem, Parsed(self._name(path)), ())
            if codelist is not None:
                lists[path.stem] = codelist
        return lists

    # ------------------------------------------------------------------ parts of files

    def shape(self, kind: type[S], value: Any, parsed: Parsed, path: tuple[Any, ...]) -> S | None:
        """One checked object, or None after its problems were noted."""
        try:
            return kind.model_validate(value, by_alias=True, by_name=False)
        except ValidationError as error:
            for inner, what, hint in complaints(kind, error):
                self.problems.append(parsed.problem((*path, *inner), what, hint))
            return None

    def _named(self, kind: type[S], word: str, paths: list[Path]) -> dict[str, S]:
        found: dict[str, S] = {}
        for path in paths:
            parsed = self._parsed(path)
            if isinstance(parsed.value, dict):
                found.update(self._mapping(kind, word, parsed, parsed.value, ()))
            else:
                self.places.unreadable.add(word)
        return found

    def _mapping(
        self, kind: type[S], word: str, parsed: Parsed, written: dict, path: tuple[Any, ...], key: str = "name"
    ) -> dict[str, S]:
        """Objects of a mapping name -> object; 'about' at the top of a file is a remark for people."""
        found: dict[str, S] = {}
        for name, value in written.items():
            here = (*path, name)
            if name == "about" and not path:
                if not isinstance(value, str):
                    self.problems.append(parsed.problem(here, "'about' must be text"))
                continue
            first = self.places.add(word, str(name), parsed, here)
            if first:
                self.problems.append(
                    parsed.problem(here, f"there are two {word}s called {name!r}", f"the first is at {first}")
                )
                continue
            if not isinstance(value, dict):
                self.problems.append(parsed.problem(here, f"{name!r} must be a mapping (key: value)"))
                continue
            if key in value:
                self.problems.append(
                    parsed.problem((*here, key), f"unknown key {key!r}", f"it is called {name!r} already")
                )
                continue
            made = self.shape(kind, {**self._spread(kind, value, parsed, here), key: name}, parsed, here)
            if made is not None:
                found[name] = made
        return found

    def _spread(self, kind: type[BaseModel], value: dict, parsed: Parsed, path: tuple[Any, ...]) -> dict:
        """The same mapping, with the short forms of its examples' records written out."""
        examples = value.get("examples")
        if "examples" not in kind.model_fields or not isinstance(examples, list):
            return value
        own = value.get("of") if kind is Feature and isinstance(value.get("of"), str) else None
        spread = []
        for position, example in enumerate(examples):
            if isinstance(example, dict) and "records" in example:
                where = (*path, "examples", position, "records")
                records, found = spread_records(example["records"], own, parsed, where)
                self.problems.extend(found)
                example = {**example, "records": records}
            spread.append(example)
        return {**value, "examples": spread}

    def _model(self, condition: str, parsed: Parsed) -> Model | None:
        written: dict = parsed.value
        if "condition" in written:
            self.problems.append(
                parsed.problem(("condition",), "unknown key 'condition'", "the name of the file is the condition")
            )
        parts: dict[str, tuple[Any, ...]] = {}
        for section, kind, word, key in (
            ("rules", Rule, "rule", "id"),
            ("leave out", LeaveOut, "leave out", "name"),
            ("scores", Score, "score", "name"),
        ):
            inside = written.get(section, {})
            if isinstance(inside, dict):
                scope = word if section != "leave out" else f"{word} of {condition}"
                parts[section] = tuple(self._mapping(kind, scope, parsed, inside, (section,), key).values())
            else:
                self.problems.append(parsed.problem((section,), f"{section!r} must be a mapping (name: {word})"))
        rest = {
            key: value for key, value in written.items() if key not in ("rules", "leave out", "scores", "condition")
        }
        model = self.shape(Model, {**rest, "condition": condition}, parsed, ())
        if model is None:
            return None
        return model.model_copy(
            update={
                "rules": parts.get("rules", ()),
                "leave_out": parts.get("leave out", ()),
                "scores": parts.get("scores", ()),
            }
        )
