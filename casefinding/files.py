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

from casefinding.errors import WriteError


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


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A fresh folder to fill, which takes the place of `path` only if the block ends well.

    The old folder stays whole until the new one is complete; on any error the new one is removed.
    """
    path = path.absolute()
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        set_aside = path.parent / f".{path.name}.before"
        if set_aside.exists() and not path.exists():  # killed between the two renames of an earlier run
            os.rename(set_aside, path)
        shutil.rmtree(set_aside, ignore_errors=True)
        for left_over in path.parent.glob(f".{path.name}.new-*"):  # killed while it was being filled
            shutil.rmtree(left_over, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.new-", dir=path.parent))
        try:
            yield fresh
            fresh.chmod(0o755)
            if path.exists():
                os.rename(path, set_aside)
            os.rename(fresh, path)
            shutil.rmtree(set_aside, ignore_errors=True)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            if set_aside.exists() and not path.exists():
                os.rename(set_aside, path)
            raise
