"""Write whole or not at all: a killed run leaves what was there before, or what is new, never half."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casefinding.errors import UsageError, WriteError


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hex."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def canonical_json(value: object) -> str:
    """JSON with sorted keys and fixed separators, so that equal content gives equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, default=str, allow_nan=False) + "\n"


@contextmanager
def writing() -> Iterator[None]:
    """Turn the operating system's refusals (disk full, no permission) into a WriteError."""
    try:
        yield
    except OSError as problem:
        if problem.errno is None:
            raise
        raise WriteError(
            f"cannot write: {os.strerror(problem.errno).lower()}",
            where=str(problem.filename or ""),
            hint="free some space or choose another folder; nothing that was there has been changed",
        ) from problem


def write_text(path: Path, text: str) -> None:
    """Write a text file through a temporary one beside it, synced before it takes its name."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file through a temporary one beside it, synced before it takes its name."""
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


OURS = ("manifest.json", "MANIFEST.json", "study.json", "extract.parquet", "planted.parquet", "matrix-*.parquet")
"""What tells a folder that we wrote, and may replace, from one that holds somebody's own files."""


def check_replaceable(path: Path) -> None:
    """Refuse (UsageError) a target that is a file, holds anything but our own output, or is where the user stands."""
    path = path.absolute()
    here = Path.cwd()
    if path == here or path in here.parents:
        raise UsageError("the output would replace the folder you are in", where=str(path), hint="name a new folder")
    if path.exists() and not path.is_dir():
        raise UsageError("the output is a file", where=str(path), hint="name a new folder")
    if path.is_dir() and any(path.iterdir()) and not any(next(path.glob(mark), None) for mark in OURS):
        raise UsageError(
            "the output folder holds what casefinding did not write", where=str(path), hint="name a new folder"
        )


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A fresh folder to fill, which takes the place of `path` only if the block ends well.

    The old folder stays whole until the new one is complete; on any error the new one is removed. Only its owner may
    read it. Refuses to replace what casefinding did not write (see check_replaceable).
    """
    path = path.absolute()
    check_replaceable(path)
    set_aside = path.parent / f".{path.name}.before"
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        if set_aside.exists() and not path.exists():  # killed between the two renames of an earlier run
            os.rename(set_aside, path)
        shutil.rmtree(set_aside, ignore_errors=True)
        for left_over in path.parent.glob(f".{path.name}.new-*"):  # killed while it was being filled
            if not _alive(left_over):
                shutil.rmtree(left_over, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.new-{os.getpid()}-", dir=path.parent))
    try:
        yield fresh
        with writing():
            if path.exists():
                os.rename(path, set_aside)
            os.rename(fresh, path)
        shutil.rmtree(set_aside, ignore_errors=True)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        if set_aside.exists() and not path.exists():
            os.rename(set_aside, path)
        raise


def _alive(folder: Path) -> bool:
    """Whether the process that fills a folder still runs; its number stands in the folder's name."""
    number = folder.name.rpartition(".new-")[2].partition("-")[0]
    return number.isdigit() and Path(f"/proc/{number}").exists()
