"""`casefinding check`: every definition validated, every worked example run on the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from casefinding.definitions.check import problems
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.lock import lock_sha256
from casefinding.definitions.read import read_definitions
from casefinding.definitions.sign_off import awaiting_sign_off


def check_definitions(given: Path | None, sign_off: Path | None = None) -> tuple[list[Any], str]:
    """All problems, and a summary of what was checked where there are none.

    With `sign_off` also the page of what awaits clinical sign-off, written to that file where there are no problems.
    """
    folder = definitions_folder(given)
    found = problems(folder)
    if found:
        return found, ""
    from casefinding.rules.examples import run_examples as run_rule_examples
    from casefinding.rules.scores import run_examples as run_score_examples
    from casefinding.rules.segments import run_examples as run_segment_examples
    from casefinding.rules.treatment_gaps import run_examples as run_gap_examples
    from casefinding.signals.examples import run_examples

    definitions = read_definitions(folder)
    found = [*run_examples(definitions), *run_rule_examples(definitions), *run_score_examples(definitions)]
    found += run_gap_examples(definitions)
    found += run_segment_examples(definitions)
    rules = [rule for model in definitions.models.values() for rule in model.rules]
    scores = [score for model in definitions.models.values() for score in model.scores]
    gaps = definitions.treatment_gaps
    examples = sum(len(feature.examples) for feature in definitions.features.values())
    summary = (
        f"{len(definitions.signals)} signals, {len(definitions.codelists)} code lists, {len(definitions.features)} "
        f"features ({examples} worked examples), {len(definitions.models)} models, {len(rules)} rules "
        f"({sum(len(rule.examples) for rule in rules)} worked examples), {len(scores)} scores "
        f"({sum(len(score.examples) for score in scores)} worked examples), {len(gaps)} treatment gaps "
        f"({sum(len(gap.examples) for gap in gaps)} worked examples): all well\n"
        f"lock {lock_sha256(definitions)}"
    )
    if sign_off is not None and not found:
        from casefinding.report.sign_off import write_sign_off

        write_sign_off(definitions, sign_off)
        summary += f"\n{sign_off}: {len(awaiting_sign_off(definitions))} definitions await clinical sign-off"
    return found, summary
