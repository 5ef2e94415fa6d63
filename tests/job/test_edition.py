"""What a result was made from is told, but not what would tell who is held out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions
from casefinding.files import canonical_json
from casefinding.job.edition import facts_of
from tests.cohort.small import write_store


def test_no_manifest_holds_the_salt_of_the_holdout(tmp_path: Path) -> None:
    store = write_store(tmp_path / "store", people=1, registrations=[(0, "Y99001", dt.date(2010, 1, 1), None)])
    config = Config.model_validate(
        {
            "network": {"name": "Marsh"}, "index day": dt.date(2024, 1, 1), "conditions": ["thirst"],
            "records": {"path": "extract"}, "holdout": {"share": 0.1, "salt": "pillar-of-salt"},
        }
    )  # fmt: skip
    told = canonical_json(facts_of(config, store, Definitions()))
    assert "pillar-of-salt" not in told
    assert '"share": 0.1' in told
