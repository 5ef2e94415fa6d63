"""The front page of a run, and the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casefinding.files import canonical_json, sha256_of, write_text
from casefinding.report.model import headline
from casefinding.report.page import page
from casefinding.report.shapes import LANE_WORDS, Edition, ModelStory, PracticeLists


def write_index(
    practices: Sequence[tuple[PracticeLists, Mapping[str, str]]],
    stories: Sequence[ModelStory],
    quality: Mapping[str, int],
    edition: Edition,
    folder: Path,
) -> None:
    """Write index.html: every practice's lanes and files, every model, the records' quality."""
    totals = {
        "registered": sum(lists.registered for lists, _ in practices),
        "listed": sum(len(lists.lines) for lists, _ in practices),
        "lanes": {lane: sum(len(lists.lane(lane)) for lists, _ in practices) for lane in LANE_WORDS},
    }
    models = [{**vars(story), "headline": headline(story.judgement)} for story in stories]
    write_text(
        folder / "index.html",
        page(
            "index.html", edition=edition, up="", practices=practices, models=models, totals=totals, quality=quality,
            lanes=LANE_WORDS,
        ),
    )  # fmt: skip


def write_manifest(facts: Mapping[str, Any], edition: Edition, folder: Path) -> None:
    """Write manifest.json: what this run is, and the SHA-256 of every file in it."""
    files = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    content = {
        "list": edition.list_id,
        "casefinding": edition.version,
        "network": edition.network,
        "index day": edition.index_day.isoformat(),
        "data through": edition.data_through.isoformat(),
        "made-up records": edition.made_up,
        **facts,
        "files": files,
    }
    write_text(folder / "manifest.json", canonical_json(content))
