"""The store, written: a whole new generation first, then one rename of CURRENT; never half of either."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.errors import RecordsError
from casefinding.files import canonical_json, sha256_of, writing
from casefinding.records.store import ABOUT, CURRENT, Store
from casefinding.records.tables import FORMAT

ROW_GROUP = 500_000
WORK, FRESH = ".work-", ".new-"
LOCK = ".lock"
_GENERATION = re.compile(r"[0-9a-f]{16}\Z")
OUTSIDE_DIGEST = frozenset({"quarantine.parquet"})
"""Says where rows stood in their files, so it follows the order of the rows; the content does not."""


@contextlib.contextmanager
def locked(store: Path) -> Iterator[Path]:
    """Hold the store's folder against a second writer, and give a work folder inside it that is removed at the end.

    The lock goes when the process ends, however it ends; what a killed run left is swept away by the next one.
    If the folder did not exist and nothing was published in it, it is removed again.
    """
    with writing():
        if store.exists() and not store.is_dir():
            raise RecordsError("a file stands where the store should be", where=str(store), hint="choose another path")
        if store.is_dir() and not (store / CURRENT).exists() and any(map(_strange, store.iterdir())):
            raise RecordsError(
                "the folder holds other files and no store", where=str(store), hint="choose a new or empty folder"
            )
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(store / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    held = False
    try:
        _lock(lock, store)
        held = True
        with writing():
            for left_over in (*store.glob(f"{WORK}*"), *store.glob(f"{FRESH}*")):
                shutil.rmtree(left_over, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=WORK, dir=store))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        if held and not (store / CURRENT).exists():  # another's lock is not ours to remove
            with contextlib.suppress(OSError):
                os.unlink(store / LOCK)
                store.rmdir()
        os.close(lock)


def _strange(path: Path) -> bool:
    """Whether a file is none of those that a killed first run leaves."""
    return not path.name.startswith((WORK, FRESH, LOCK)) and not _GENERATION.match(path.name)


def _lock(handle: int, store: Path) -> None:
    try:
        import fcntl
    except ImportError:  # pragma: no cover - a system without flock
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RecordsError(
            "another run is writing to this store", where=str(store), hint="wait for it to end, or stop it"
        ) from None


class Generation:
    """A generation being written; nothing of it can be seen until `publish`."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.files: dict[str, str] = {}
        with writing():
            self.folder = Path(tempfile.mkdtemp(prefix=FRESH, dir=store))

    def __enter__(self) -> Generation:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name: str, table: pa.Table) -> None:
        """Write one table as Parquet: same rows, same bytes; synced to disk and hashed."""
        self.write_batches(name, table.schema, table.combine_chunks().to_batches())

    def write_batches(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Write a table that comes in batches; how it is cut into them does not change the bytes."""
        path = self.folder / name
        with writing():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                with pq.ParquetWriter(out, schema, compression="zstd", compression_level=1, store_schema=False) as file:
                    for group in _row_groups(schema, batches):
                        file.write_table(group, row_group_size=ROW_GROUP)
                out.flush()
                os.fsync(out.fileno())
            self.files[name] = sha256_of(path)

    def publish(self, about: dict[str, Any]) -> Store:
        """Name the generation by its content, let CURRENT point to it, and only then remove older ones."""
        content = {name: digest for name, digest in self.files.items() if name not in OUTSIDE_DIGEST}
        same = {key: about[key] for key in ("data_from", "data_through", "people", "shard_people", "shards")}
        digest = _hash({"format": FORMAT, "files": content, **same})
        whole = {"format": FORMAT, "digest": digest, "files": self.files, **about}
        name = _hash(whole)[:16]
        with writing():
            _write_synced(self.folder / ABOUT, canonical_json(whole).encode())
            for folder in (self.folder / "events", self.folder):
                _sync_folder(folder)
            final = self.store / name
            if not _intact(final, self.files):
                shutil.rmtree(final, ignore_errors=True)  # left behind, never current: current ones are intact
                os.rename(self.folder, final)
                _sync_folder(self.store)
            fresh = self.store / f"{FRESH}current"
            _write_synced(fresh, f"{name}\n".encode("ascii"))
            os.replace(fresh, self.store / CURRENT)
            _sync_folder(self.store)
        self._sweep(name)
        return Store.open(self.store)

    def _sweep(self, keep: str) -> None:
        for folder in self.store.iterdir():
            if folder.name != keep and _GENERATION.match(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


def _row_groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of ROW_GROUP rows, the last one shorter; none at all if there are no rows."""
    waiting = schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(schema)])
        while waiting.num_rows >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP).combine_chunks()
            waiting = waiting.slice(ROW_GROUP)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def _hash(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _intact(folder: Path, files: dict[str, str]) -> bool:
    try:
        known = json.loads((folder / ABOUT).read_text(encoding="utf-8"))["files"]
        return known == files and all(sha256_of(folder / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write_synced(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
