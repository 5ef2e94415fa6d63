"""What a result was made from, and what is therefore printed on it: the same for every command."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from casefinding import __version__
from casefinding.definitions.config import Config
from casefinding.definitions.lock import lock_sha256
from casefinding.definitions.shapes import Definitions
from casefinding.files import canonical_json
from casefinding.records.store import Store
from casefinding.report.shapes import Edition


def facts_of(config: Config, store: Store, known: Definitions) -> dict[str, Any]:
    """Config, definitions and records, for the manifest; without the salt of the holdout: whoever knows it knows who is
    held out."""
    told = config.model_dump(mode="json", by_alias=True)
    told["holdout"].pop("salt")
    return {
        "config": told,
        "definitions": lock_sha256(known),
        "records": {
            "kind": store.kind,
            "digest": store.digest,
            "from": str(store.data_from),
            "through": str(store.data_through),
            "people": store.people,
        },
    }


def edition_of(config: Config, store: Store, facts: Mapping[str, Any]) -> Edition:
    """What is printed on everything; the id is a digest of what it was made from."""
    return Edition(
        network=config.network.name,
        contact=config.network.contact,
        index_day=config.index_day,
        data_through=store.data_through,
        list_id=hashlib.sha256(canonical_json(facts).encode()).hexdigest()[:8],
        version=__version__,
        made_up=config.records.simulate is not None,
    )
