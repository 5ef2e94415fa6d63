"""Strict YAML: no guesses, no references, no objects; every refusal has a line and comes quickly."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.strict import DEEPEST, LARGEST_FILE, load_yaml, parse, parse_file
from casefinding.errors import DefinitionError

GUESSES = [
    "no", "yes", "on", "off", "No", "YES", "y", "N", "true", "False", "0123", "12:30", "1_000", "0x1F", "0o17", ".5",
    "5.", "1e3", "1E+15", "1.5e3", "-.5", "+7", ".inf", "-.Inf", ".nan", "Null", "NULL", "=", "2024-3-9",
    "2024-03-09 10:00:00", "2024-03-09T10:00:00Z", "190:20:30",
]  # fmt: skip


@pytest.mark.parametrize("text", GUESSES)
def test_a_guess_is_refused_with_its_line_and_a_hint(text: str) -> None:
    found = parse(f"about: x\nscreen: {text}\n", "x.yaml").problems
    assert [(one.where, one.what) for one in found] == [("x.yaml:2", f"YAML guesses what {text!r} means")]
    assert found[0].hint


@pytest.mark.parametrize("text", GUESSES)
def test_the_same_text_in_quotes_is_text(text: str) -> None:
    parsed = parse(f'screen: "{text}"\n', "x.yaml")
    assert parsed.problems == []
    assert parsed.value == {"screen": text}


def test_numbers_days_text_and_null_are_read_as_they_look() -> None:
    parsed = parse("{a: 12, b: -3.50, c: 2024-02-29, d: 5 years, e: null, f: 1960-01, g: [0, 0.5], h: 60+}", "x.yaml")
    assert parsed.problems == []
    assert parsed.value == {
        "a": 12, "b": -3.5, "c": dt.date(2024, 2, 29), "d": "5 years", "e": None, "f": "1960-01", "g": [0, 0.5],
        "h": "60+",
    }  # fmt: skip


def test_on_is_a_word_when_it_is_a_key() -> None:
    assert parse("{on: 2024-01-01}", "x.yaml").value == {"on": dt.date(2024, 1, 1)}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a' stands twice (first on line 1)"),
        ("x:\n  2024-01-01: 1\n  2024-01-01: 2", "the key '2024-01-01' stands twice (first on line 2)"),
        ("a: &x 1\n", "anchors are not allowed (&x)"),
        ("a: [1]\nb: *x\n", "references are not allowed (*x)"),
        ("a: {b: 1}\nc:\n  <<: {b: 1}", "merge keys (<<) are not allowed"),
        ("a: !!python/object:os.system ls", "tags are not allowed (tag:yaml.org,2002:python/object:os.system)"),
        ("a: !!str 12", "tags are not allowed (tag:yaml.org,2002:str)"),
        ("a: ! 12", "tags are not allowed (!)"),
        ("a: 1\n---\nb: 2", "holds more than one document"),
        ("%YAML 1.1\n---\na: 1", "YAML directives (%) are not allowed here"),
        ("a:\n", "a value is missing"),
        ("a: ~", "a value is missing"),
        ("? [a, b]\n: 1", "a key must be a plain word or a date"),
        ("12: a", "the key '12' is not a word"),
        ("a: 2023-02-29", "there is no such day as 2023-02-29"),
        ("a: 1091811000000102", "the number 1091811000000102 is too long to be kept exactly"),
        ("", "is empty"),
        ("# only a remark", "is empty"),
    ],
)
def test_what_is_not_allowed_is_named(text: str, what: str) -> None:
    assert what in [one.what for one in parse(text, "x.yaml").problems]


def test_what_is_no_yaml_at_all_has_a_line() -> None:
    problem = parse("a: 1\nb: [1, 2\nc: 3\n", "x.yaml").problems[0]
    assert problem.where.startswith("x.yaml:")
    assert problem.what.startswith("is not YAML")
    assert parse("a: \x00", "x.yaml").problems


def test_every_problem_of_a_file_is_kept() -> None:
    found = parse("a: no\nb: 0123\nb: 12:30\nc:\n", "x.yaml").problems
    assert [one.where for one in found] == ["x.yaml:1", "x.yaml:2", "x.yaml:3", "x.yaml:3", "x.yaml:4"]


def test_lines_are_known_for_keys_items_and_what_stands_around_them() -> None:
    parsed = parse("a:\n  - b: 1\n    c: 2\n  - d\n", "x.yaml")
    assert parsed.line(("a",)) == 1
    assert parsed.line(("a", 0, "c")) == 3
    assert parsed.line(("a", 1)) == 4
    assert parsed.line(("a", 0, "absent")) == 2
    assert parsed.line(("absent",)) == 1


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (LAUGHS, "anchors are not allowed"),
        ("a: !!python/object/apply:os.system ['true']", "tags are not allowed"),
        ("[" * 200_000, "nests more than"),
        ("a: " + "{b: " * 100_000, "nests more than"),
        ("- " * 200_000 + "x", "nests more than"),
        ("\n".join(" " * n + "a:" for n in range(1000)), "nests more than"),
        ("a: no\n" * 50_000, "more than 1,000 problems"),
        ("x" * 10_000_000, f"at most {LARGEST_FILE:,} are read"),
    ],
    ids=["billion laughs", "python object", "brackets", "braces", "dashes", "indents", "problems", "ten megabytes"],
)
def test_hostile_files_are_refused(tmp_path: Path, content: str, what: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(content)
    found = parse_file(path).problems
    assert found
    assert what in found[-1].what
    with pytest.raises(DefinitionError):
        load_yaml(path)


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert parse("[" * DEEPEST + "]" * DEEPEST, "x.yaml").problems == []
    assert parse("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "x.yaml").problems


def test_a_file_that_is_not_utf8_or_not_there_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("a: caf\xe9".encode("latin-1"))
    assert parse_file(path).problems[0].what == "is not UTF-8 text"
    assert parse_file(tmp_path / "absent.yaml").problems[0].what == "cannot be read: no such file or directory"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: [2, 3]\r\n")
    assert load_yaml(path) == {"a": 1, "b": [2, 3]}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_but_never_raises(text: str) -> None:
    parsed = parse(text, "x.yaml")
    assert parsed.problems or parsed.value is not None or text.strip() == "null"


@settings(deadline=None)
@given(
    st.recursive(
        st.integers(-(10**13), 10**13) | st.text("abc XYZ:#-'\"{}[]&*!", max_size=12) | st.dates(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefg", min_size=2), inner, max_size=4),
        max_leaves=20,
    )
)
def test_what_was_written_with_quotes_is_read_back(value: object) -> None:
    def written(part: object) -> str:
        if isinstance(part, str):
            return '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if isinstance(part, list):
            return "[" + ", ".join(map(written, part)) + "]"
        if isinstance(part, dict):
            return "{" + ", ".join(f"{written(key)}: {written(one)}" for key, one in part.items()) + "}"
        return str(part)

    parsed = parse(written(value), "x.yaml")
    assert parsed.problems == []
    assert parsed.value == value
