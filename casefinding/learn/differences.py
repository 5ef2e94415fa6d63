"""Do today's definitions still ask what a bundle's features meant when it was trained?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from casefinding.definitions.shapes import Definitions
from casefinding.files import canonical_json

WORDING = {
    "features": frozenset({"label", "say", "if missing", "group", "decimals"}),
    "signals": frozenset({"label", "decimals", "warn"}),
}
"""Parts of a definition that change what is said and not what is meant."""


def differences(then: Mapping[str, Any], definitions: Definitions, features: Sequence[str]) -> list[str]:
    """Names like "features/weight_latest" whose meaning is not what the lock `then` says; sorted."""
    from casefinding.definitions.lock import lock

    gone = [name for name in features if name not in definitions.features]
    if gone:
        return sorted(f"features/{name}" for name in gone)
    now = json.loads(canonical_json(lock(definitions, features)))
    return sorted(
        f"{section}/{name}"
        for section in ("features", "signals", "codelists")
        for name, shape in now[section].items()
        if _meaning(section, shape) != _meaning(section, then.get(section, {}).get(name))
    )


def _meaning(section: str, shape: Any) -> Any:
    if not isinstance(shape, dict):
        return shape
    if section == "codelists":
        return sorted([str(code[0]), str(code[1])] for code in shape["codes"])
    return {key: value for key, value in shape.items() if key not in WORDING[section]}
