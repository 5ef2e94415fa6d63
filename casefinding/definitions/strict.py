"""Strict YAML: a small, guess-free part of YAML 1.1, with the line of every key and item.

Built on the parser's events, not on its constructors: nothing in a file can make an object, refer to another part
of the file, or nest and grow beyond fixed limits.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from casefinding.errors import DefinitionError

LARGEST_FILE = 1_000_000
"""Bytes; the largest definition we know of is under 100,000."""
DEEPEST = 24
"""Levels of mappings and lists inside each other."""

Path = tuple[Any, ...]
"""Where a value stands in a file: keys and positions from the top."""

_INT = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_NUMBER_LIKE = re.compile(
    r"""[-+]?(
        [0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?   # 0123, 1_000, 5., 1e3
      | \.[0-9][0-9_]*([eE][-+]?[0-9]+)?             # .5
      | 0[xob][0-9a-fA-F_]+                          # 0x1F
      | [0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?      # 12:30 is 750 to YAML
      | \.(inf|Inf|INF)
    )\Z|\.(nan|NaN|NAN)\Z""",
    re.VERBOSE,
)
_DATE_LIKE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?\Z")
_TRUTH = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with the definitions; `where` is "file:line"."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f". Hint: {self.hint}" if self.hint else "")


@dataclass
class Parsed:
    """A file's content, the line of each part of it, and what was wrong with its YAML."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a part, or of the nearest part around it.

        >>> parse("a:\\n  b: 1", "x.yaml").line(("a", "b", "c"))
        2
        """
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1

    def where(self, path: Path = ()) -> str:
        return f"{self.file}:{self.line(path)}"

    def problem(self, path: Path, what: str, hint: str = "") -> Problem:
        return Problem(self.where(path), what, hint)


def load_yaml(path: FilePath, name: str | None = None) -> Any:
    """Read one strict YAML file as dicts, lists, text, numbers and dates; DefinitionError on its first problem."""
    parsed = parse_file(path, name)
    if parsed.problems:
        first = parsed.problems[0]
        raise DefinitionError(first.what, where=first.where, hint=first.hint)
    return parsed.value


def parse_file(path: FilePath, name: str | None = None) -> Parsed:
    """Read one strict YAML file with its lines; whatever is wrong with it stands in `.problems`."""
    parsed = Parsed(name or path.name)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            parsed.problems.append(
                parsed.problem((), f"is {size:,} bytes; at most {LARGEST_FILE:,} are read", "split it, or is it data?")
            )
            return parsed
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        parsed.problems.append(parsed.problem((), "is not UTF-8 text", "save it as UTF-8"))
        return parsed
    except OSError as problem:
        what = f"cannot be read: {(problem.strerror or 'unknown reason').lower()}"
        parsed.problems.append(parsed.problem((), what))
        return parsed
    return parse(text, parsed.file)


def parse(text: str, file: str) -> Parsed:
    """Read strict YAML from a text; every problem is kept with its line and reading goes on where it can.

    >>> parse("screen: no", "x.yaml").problems[0].what
    "YAML guesses what 'no' means"
    >>> parse("{on: 2024-02-29, gives: 138}", "x.yaml").value
    {'on': datetime.date(2024, 2, 29), 'gives': 138}
    """
    parsed = Parsed(file)
    try:
        _Reader(parsed).read(text)
    except _Refused as refused:
        parsed.value = None
        parsed.problems.append(Problem(f"{file}:{refused.line}", refused.what, refused.hint))
    except yaml.YAMLError as problem:
        parsed.value = None
        mark = getattr(problem, "problem_mark", None)
        what = getattr(problem, "problem", None) or getattr(problem, "reason", None) or "cannot be read"
        parsed.problems.append(
            Problem(f"{file}:{mark.line + 1 if mark else 1}", f"is not YAML: {what}", "look for indents and quotes")
        )
    return parsed


class _Refused(Exception):
    """Reading cannot go on."""

    def __init__(self, line: int, what: str, hint: str = "") -> None:
        self.line, self.what, self.hint = line, what, hint
        super().__init__(what)


class _Open:
    """A mapping or list that is still being read."""

    __slots__ = ("container", "key", "path", "waiting_for_key")

    def __init__(self, container: dict | list, path: Path) -> None:
        self.container, self.path = container, path
        self.key: Any = None
        self.waiting_for_key = isinstance(container, dict)


class _Reader:
    """Walks the events once, with an explicit stack, so that depth is bounded by us and not by the interpreter."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self.stack: list[_Open] = []

    def read(self, text: str) -> None:
        documents = 0
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refused(line, "holds more than one document", "remove the '---' line")
                if event.version or event.tags:
                    raise _Refused(line, "YAML directives (%) are not allowed here")
            elif isinstance(event, yaml.AliasEvent):
                raise _Refused(line, f"references are not allowed (*{event.anchor})", "write the value out")
            elif isinstance(event, yaml.NodeEvent):
                self._node(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.stack.pop()
        if self.parsed.value is None and not self.parsed.problems:
            raise _Refused(1, "is empty")

    def _node(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            raise _Refused(line, f"anchors are not allowed (&{event.anchor})", "write the value out where it is needed")
        if event.tag is not None:
            raise _Refused(line, f"tags are not allowed ({_short(event.tag)})", "plain values only")
        top = self.stack[-1] if self.stack else None
        if top is not None and top.waiting_for_key:
            self._key(event, line, top)
            return
        path = self._next_path(top, line)
        if isinstance(event, yaml.ScalarEvent):
            self._put(top, self._scalar(event, line))
            return
        if len(self.stack) >= DEEPEST:
            raise _Refused(line, f"nests more than {DEEPEST} levels deep")
        container: dict | list = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._put(top, container)
        self.stack.append(_Open(container, path))

    def _next_path(self, top: _Open | None, line: int) -> Path:
        if top is None:
            path: Path = ()
        elif isinstance(top.container, list):
            path = (*top.path, len(top.container))
        else:
            return (*top.path, top.key)  # its line is the key's
        self.parsed.lines[path] = line
        return path

    def _put(self, top: _Open | None, value: Any) -> None:
        if top is None:
            self.parsed.value = value
        elif isinstance(top.container, list):
            top.container.append(value)
        else:
            top.container[top.key] = value
            top.waiting_for_key = True

    def _key(self, event: Any, line: int, top: _Open) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise _Refused(line, "a key must be a plain word or a date")
        text, plain = event.value, not event.style
        key: Any = text
        if plain and text == "<<":
            raise _Refused(line, "merge keys (<<) are not allowed", "write the keys out")
        if plain and text != "on":  # 'on' is the word of our examples; as a key it has one meaning here
            key = self._scalar(event, line)
            if not isinstance(key, str | dt.date):
                self._say(line, f"the key {_short(text)!r} is not a word", "put it in quotes")
                key = text
        assert isinstance(top.container, dict)
        path = (*top.path, key)
        if key in top.container:
            first = self.parsed.lines.get(path, line)
            self._say(line, f"the key {_short(text)!r} stands twice (first on line {first})", "keep one of them")
        else:
            self.parsed.lines[path] = line
        top.key, top.waiting_for_key = key, False

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        if event.style:  # quoted or block: text as written
            return text
        if _INT.match(text):
            if len(text) > 15:
                self._say(line, f"the number {_short(text)} is too long to be kept exactly", "codes belong in a CSV")
                return text
            return int(text)
        if _FLOAT.match(text):
            value = float(text)
            if math.isfinite(value):
                return value
        if _DATE.match(text):
            try:
                return dt.date.fromisoformat(text)
            except ValueError:
                self._say(line, f"there is no such day as {text}")
                return text
        if text == "null":
            return None
        if text in ("", "~"):
            self._say(line, "a value is missing", "give one, or leave the key out")
            return ""
        if text.lower() in _TRUTH:
            self._guess(line, text, "put it in quotes if it is a word; nothing here is answered with yes or no")
        elif text.lower() == "null" or text == "=":
            self._guess(line, text, "put it in quotes")
        elif _NUMBER_LIKE.match(text) or _FLOAT.match(text):
            self._guess(line, text, "write a number as 0.5 or 1200, or put a text in quotes")
        elif _DATE_LIKE.match(text):
            self._guess(line, text, "write a date as 2024-03-09, with two digits for month and day")
        return text

    def _guess(self, line: int, text: str, hint: str) -> None:
        self._say(line, f"YAML guesses what {_short(text)!r} means", hint)

    def _say(self, line: int, what: str, hint: str = "") -> None:
        if len(self.parsed.problems) >= 1000:
            raise _Refused(line, "has more than 1,000 problems; reading stopped here")
        self.parsed.problems.append(Problem(f"{self.parsed.file}:{line}", what, hint))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
