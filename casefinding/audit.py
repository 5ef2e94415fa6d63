"""Who did what, in a file that shows when a line of it was changed: JSON lines, each holding the digest of the last."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casefinding import __version__
from casefinding.errors import RecordsError
from casefinding.files import writing

FIRST = "0" * 64
"""What the first line has in place of a line before it."""


def append(path: Path, entry: Mapping[str, Any]) -> str:
    """Add one line and return its SHA-256; the chain is checked first, so that nothing is built on a broken one.

    Every line carries `at` (UTC, to the second), `by` (the user of the machine), `version` and `before` (the SHA-256 of
    the line before it). A clock that went back is recorded as `clock went back`. The line is synced before it counts.
    Raises RecordsError if an earlier line was altered or lost, WriteError if it cannot be written.
    """
    earlier = entries(path)
    at = dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat()
    line: dict[str, Any] = {"at": at, "by": _user(), "version": __version__, **entry}
    if earlier and at < earlier[-1]["at"]:
        line["clock went back"] = True
    line["before"] = _digest(_text(earlier[-1])) if earlier else FIRST
    text = _text(line)
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as out:
            out.write(text + "\n")
            out.flush()
            os.fsync(out.fileno())
    return _digest(text)


def entries(path: Path) -> list[dict[str, Any]]:
    """Every line, oldest first; empty where there is no file. RecordsError names the first line that does not fit."""
    if not path.exists():
        return []
    found: list[dict[str, Any]] = []
    before = FIRST
    with open(path, encoding="utf-8", errors="replace") as lines:
        for number, text in enumerate(lines, start=1):
            text = text.rstrip("\n")
            try:
                line = json.loads(text)
                fits = isinstance(line, dict) and line.get("before") == before
            except ValueError:
                fits = False
            if not fits:
                raise RecordsError(
                    "the audit file was altered, or a line of it is lost",
                    where=f"{path}:{number}",
                    hint="keep the file as it is, tell the information governance lead, and name a new one",
                )
            found.append(line)
            before = _digest(text)
    return found


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, sort_keys=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a machine that knows no name for whoever runs this
        return "unknown"
