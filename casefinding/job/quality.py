"""`casefinding quality`: how good a store's records are, for every practice, and what to ask of whom."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from casefinding import __version__
from casefinding.definitions.lock import lock_sha256
from casefinding.definitions.read import read_config, read_definitions
from casefinding.errors import UsageError
from casefinding.files import canonical_json
from casefinding.job.progress import Stages
from casefinding.records.quality.assessment import assess_all
from casefinding.records.store import Store
from casefinding.report.quality import write_quality
from casefinding.report.shapes import Edition

if TYPE_CHECKING:
    from casefinding.definitions.config import Config


def quality_of_store(
    path: Path,
    *,
    out: Path | None = None,
    definitions: Path | None = None,
    config_file: Path | None = None,
    quiet: bool = False,
) -> None:
    """Write the page and a .json beside it; default: STORE-quality.html beside the store.

    A config gives the network's name, the conditions and the rules of its section `quality`. UsageError for a file that
    would lie inside the store, or is no .html; RecordsError for a store that cannot be read.
    """
    known = read_definitions(definitions)
    config = read_config(config_file) if config_file is not None else None
    store = Store.open(path)
    file = out or path.with_name(f"{path.resolve().name}-quality.html")
    if file.suffix != ".html":
        raise UsageError("the page's name must end in .html", where=str(file), hint="a .json is written beside it")
    if file.resolve().is_relative_to(path.resolve()):
        raise UsageError("the page would lie inside the store", where=str(file), hint="name another file with --out")
    stages = Stages(quiet=quiet)
    rules = config.quality if config is not None else _rules()
    conditions = [name for name in (config.conditions if config is not None else known.models) if name in known.models]
    with stages.stage("Assess the records") as tick:
        found = assess_all(store, known, rules, tick)
    with stages.stage("Write the page"):
        facts = [store.digest, lock_sha256(known), rules.model_dump(mode="json"), conditions]
        told = write_quality(found, store, known, conditions, _edition(store, config, facts), file)
    for one in told["verdicts"]:
        if not one["practice"]:
            print(f"{one['label']}: to score {one['score']}, to train {one['train']}")
    print(f"{len(told['findings'])} things to ask about: {file}  (the same as JSON beside it)")


def _rules():
    from casefinding.definitions.quality import QualityRules

    return QualityRules()


def _edition(store: Store, config: Config | None, facts: list) -> Edition:
    """What is printed on the page; its id is a digest of what it was made from."""
    return Edition(
        network=config.network.name if config is not None else "Records in a store",
        contact=config.network.contact if config is not None else "whoever made the extract",
        index_day=store.data_through,
        data_through=store.data_through,
        list_id=hashlib.sha256(canonical_json(facts).encode()).hexdigest()[:8],
        version=__version__,
        made_up=config is not None and config.records.simulate is not None,
    )
