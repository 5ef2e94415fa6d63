"""What models/quality.yaml says of models and signals that must exist."""

from __future__ import annotations

from casefinding.definitions.checks import Checks


def check_quality(checks: Checks) -> None:
    """Note every model and signal that models/quality.yaml names and nobody defined."""
    for one in checks.definitions.quality:
        at = ("quality", one.name)
        checks.known("model", one.name, at)
        named = [(("figures", position, "recorded"), figure.recorded) for position, figure in enumerate(one.figures)]
        named += [(("keys", position, "any of"), key.any_of) for position, key in enumerate(one.keys)]
        for where, names in named:
            for name in names:
                checks.known("signal", name, (*at, *where))
