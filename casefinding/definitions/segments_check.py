"""How a population is sorted, held to what exists: every feature known, counts that can be reached, examples enough."""

from __future__ import annotations

from casefinding.definitions.checks import Checks


def check_segments(checks: Checks) -> None:
    """Every problem of models/segments.yaml with the rest of the tree, each at its own line."""
    segments = checks.definitions.segments
    if segments is None:
        return
    at = ("segments", "segments")
    for path, clause in segments.clauses:
        checks.clause(clause, (*at, *path))
    for level, one in segments.levels.items():
        for name, part in one.parts.items():
            for key, asked, there in (
                ("conditions at least", part.conditions_at_least, segments.conditions),
                ("risks at least", part.risks_at_least, segments.risks),
            ):
                if asked is not None and asked > len(there):
                    here = (*at, "levels", level, "parts", name, key)
                    checks.say(here, f"{asked} of {len(there)} can never be reached")
    for name in segments.part_names:
        if not any(example.gives == name for example in segments.examples):
            checks.say((*at, "examples"), f"no worked example gives {name!r}", "one of each part")
    for position, example in enumerate(segments.examples):
        for name in example.records:
            checks.known("signal", name, (*at, "examples", position, "records", name))
