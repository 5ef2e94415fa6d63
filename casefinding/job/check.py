"""`casefinding check`: every definition validated, every worked example run on the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from casefinding.definitions.check import problems
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.lock import lock_sha256
from casefinding.definitions.read import read_definitions


def check_definitions(given: Path | None) -> tuple[list[Any], str]:
    """All problems, and a summary of what was checked where there are none."""
    folder = definitions_folder(given)
    found = problems(folder)
    if found:
        return found, ""
    from casefinding.rules.examples import run_examples as run_rule_examples
    from casefinding.signals.examples import run_examples

    definitions = read_definitions(folder)
    found = [*run_examples(definitions), *run_rule_examples(definitions)]
    rules = [rule for model in definitions.models.values() for rule in model.rules]
    examples = sum(len(feature.examples) for feature in definitions.features.values())
    summary = (
        f"{len(definitions.signals)} signals, {len(definitions.codelists)} code lists, {len(definitions.features)} "
        f"features ({examples} worked examples), {len(definitions.models)} models, {len(rules)} rules "
        f"({sum(len(rule.examples) for rule in rules)} worked examples): all well\n"
        f"lock {lock_sha256(definitions)}"
    )
    return found, summary
