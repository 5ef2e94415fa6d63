"""Keeping NHS numbers away from the records: where there is a store, nobody is identified."""

from __future__ import annotations

import glob
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from casefinding.errors import UsageError

MARKS = {
    "store.json": "a store of records",
    "scores.parquet": "the scores of everybody",
    "lists.parquet": "the lists of every practice",
    "ledger.jsonl": "the ledger",
    "outcomes.parquet": "the ledger",
    "planted.parquet": "the truth of simulated people",
    "extract.parquet": "an extract of records",
}
"""Files by which a folder of the programme is known, and what they are."""
DEEP = 3
"""How many levels below the folders named themselves are looked through."""
NEAR = 3
"""How many levels above a place any folder called something-records counts; further up, only one called after ours."""
_MOST_FOLDERS = 2_000
HINT = (
    "copy the practice's own folder to the practice's own computer and run it there; "
    "pseudonymised records and NHS numbers never meet"
)


def check_apart(places: Iterable[tuple[str, Path]]) -> None:
    """Refuse (UsageError) if a place lies where the programme's records are; `places` are (what it is, path).

    A place is where the records are if its folder, or any folder above it, holds a store, an extract, scores, lists
    or a ledger; if a folder called something-records beside one of these does (see NEAR); or if they lie below its own
    folder.
    Links are followed, and the path as it was named is looked at as well.
    """
    looked: dict[Path, str] = {}
    for what, place in places:
        for path in dict.fromkeys((place.absolute(), place.resolve())):
            folder = path if path.is_dir() else path.parent
            for one in _around(path, folder):
                if one not in looked:
                    looked[one] = holds_records(one)
                if looked[one]:
                    raise UsageError(
                        f"{what} lies where {looked[one]} is: nobody is identified there", where=str(one), hint=HINT
                    )


def holds_records(folder: Path) -> str:
    """What of the programme's records lies directly in a folder, in words; empty where nothing does."""
    try:
        for name, what in MARKS.items():
            if (folder / name).is_file():
                return what
        if (folder / "CURRENT").is_file() and next(folder.glob("*/store.json"), None) is not None:
            return MARKS["store.json"]
    except OSError:  # a folder that may not be looked into is not ours to judge
        return ""
    return ""


def _around(path: Path, folder: Path) -> Iterator[Path]:
    """Every folder above a path; near it also folders called something-records beside these, with what is in them."""
    for level, above in enumerate((path, *path.parents)):
        if above.is_dir():
            yield above
        if not above.name:  # the root
            continue
        pattern = "*-records" if level <= NEAR else f"{glob.escape(above.name)}-records"
        for beside in _folders(above.parent, pattern):
            yield beside
            yield from _folders(beside, "*")
    yield from _below(folder)


def _below(folder: Path) -> Iterator[Path]:
    """The folders below one, the nearest first, down to DEEP levels and no more than a bounded number of them."""
    waiting, seen = deque([(folder, 0)]), 0
    while waiting and seen < _MOST_FOLDERS:
        outer, depth = waiting.popleft()
        for one in _folders(outer, "*")[:_MOST_FOLDERS]:
            seen += 1
            yield one
            if depth + 1 < DEEP:
                waiting.append((one, depth + 1))


def _folders(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(one for one in folder.glob(pattern) if one.is_dir() and not one.name.startswith("."))
    except OSError:
        return []
