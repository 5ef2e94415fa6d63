"""Who did what, in a file that shows when a line of it was changed: JSON lines, each holding the digest of the last."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casefinding import __version__
from casefinding.errors import RecordsError, WriteError
from casefinding.files import write_text, writing

FIRST = "0" * 64
"""What the first line has in place of a line before it."""
LAST = ".last"
"""What the name of the file beside it ends in, which holds the digest of the last line."""


def append(path: Path, entry: Mapping[str, Any]) -> str:
    """Add one line and return its SHA-256; the chain is checked first, so that nothing is built on a broken one.

    Every line carries `at` (UTC, to the second), `by` (the user of the machine), `version` and `before` (the SHA-256 of
    the line before it). A clock that went back is recorded as `clock went back`. The line is synced before it counts;
    two programs that add at once wait for each other, and of a line that did not fit on the disk nothing stays. The
    digest of the line is kept beside the file as well (see LAST), so that a last line that goes is missed. What a
    program that was killed left of a line that it never finished is taken away, and that is recorded.
    Raises RecordsError if an earlier line was altered or lost, WriteError if it cannot be written.
    """
    if not path.exists():
        _read(path)  # a file that is lost is not begun anew
    with writing():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        earlier, before, torn = _read(path)
        if torn:  # the rest of a line that a killed program never finished; nobody was told that it counts
            with writing():
                os.ftruncate(handle, os.fstat(handle).st_size - torn)
        at = dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat()
        line: dict[str, Any] = {"at": at, "by": _user(), "version": __version__, **entry}
        if earlier and at < str(earlier[-1].get("at", "")):
            line["clock went back"] = True
        if torn:
            line["bytes of an unfinished line taken away"] = torn
        line["before"] = before
        text = json.dumps(line, ensure_ascii=False, sort_keys=True)
        with writing():
            _write(handle, (text + "\n").encode("utf-8"))
        with contextlib.suppress(WriteError):  # the line counts; that of an earlier line does not contradict it
            write_text(_beside(path), _digest(text) + "\n")
    finally:
        os.close(handle)
    return _digest(text)


def entries(path: Path) -> list[dict[str, Any]]:
    """Every line, oldest first; empty where there is no file. RecordsError names the first line that does not fit.

    The chain shows a line that was altered, moved or taken out; the digest beside it that the last lines, or all of
    them, are gone or altered. Whoever changes both files leaves no trace in them: keep the digest that `append` gave
    elsewhere, where that matters.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[list[dict[str, Any]], str, int]:
    """Every line, the digest of the last of them, and how many bytes of an unfinished line stand behind it."""
    found: list[dict[str, Any]] = []
    before = FIRST
    seen, torn = set(), 0
    # Read before the lines: whoever adds one meanwhile must not look like somebody who took one away.
    beside = _beside(path)
    last = beside.read_text(encoding="ascii", errors="replace").strip() if beside.exists() else None
    for number, text in enumerate(io.BytesIO(_content(path)), start=1):
        if text.startswith(b"{") and not text.endswith(b"\n"):
            torn = len(text)
            break
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict) or line.get("before") != before or not text.endswith(b"\n"):
            raise _altered(path, number)
        found.append(line)
        before = hashlib.sha256(text[:-1]).hexdigest()
        seen.add(before)
    if last is not None and last not in seen:
        raise _altered(path, max(1, len(found) + bool(torn)))
    return found, before, torn


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as problem:
        raise RecordsError(
            "the audit file cannot be read", where=str(path), hint="may you open it, and is it a file?"
        ) from problem


def _altered(path: Path, number: int) -> RecordsError:
    return RecordsError(
        "the audit file was altered, or a line of it is lost",
        where=f"{path}:{number}",
        hint="keep the file as it is, tell the information governance lead, and use a copy or a new one",
    )


def _beside(path: Path) -> Path:
    return path.with_name(path.name + LAST)


def _write(handle: int, content: bytes) -> None:
    """All of the content, synced, or none of it."""
    start = os.fstat(handle).st_size
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, start)
        raise


def _lock(handle: int) -> None:
    """Wait until nobody else adds a line; where the system has no such locks (Windows), go on without."""
    try:
        import fcntl
    except ImportError:
        return
    with contextlib.suppress(OSError):  # a shared drive that knows no locks
        fcntl.flock(handle, fcntl.LOCK_EX)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a machine that knows no name for whoever runs this
        return "unknown"
