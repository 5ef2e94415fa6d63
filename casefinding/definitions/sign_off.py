"""What awaits clinical sign-off: drafts, lists that nobody reviewed, and what was taken from memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from casefinding.definitions.shapes import CodeList, Definitions, Gap, Model, Rule, Segments

__all__ = ["KINDS", "Awaiting", "awaiting_sign_off", "is_reviewed", "is_signed_off"]

KINDS = {
    "rule": "Rules",
    "leave-out": "Leave-outs",
    "leakage": "Leakage register",
    "verification": "What counts as looked at and as found",
    "expected": "Expected disease",
    "visit": "Visits and what they use",
    "quality": "Published figures that the records are held to",
    "score": "Scores in use today",
    "treatment gap": "Treatment gaps",
    "segment": "The population in levels, for planning",
    "signal": "Signals",
    "open question": "Open questions",
    "code list": "Code lists",
}
"""Kinds of rows in the order of the page, and their headings."""

_NOT_REVIEWED = re.compile(r"(?:awaiting|not\b|nobody|no one|none|unknown|to be\b|draft)", re.IGNORECASE)


class Awaiting(NamedTuple):
    """One row: something a clinician has to look at before the lists are used for patients."""

    kind: str  # one of KINDS
    name: str
    about: str  # what it is
    standing: str  # "draft: ...", "awaiting ..."; empty where only a part is in question
    check: str  # what of it was taken from memory or could not be had; empty where all of it is to be read
    source: str
    place: str  # the file it stands in


def awaiting_sign_off(definitions: Definitions) -> tuple[Awaiting, ...]:
    """Everything that nobody has signed, in the order of KINDS and of the definitions.

    A rule is on it until its status begins with "signed off"; a code list until somebody is named as its reviewer; and
    whatever has an "unverified" text as long as that text stands, signed or not.
    """
    found = [*_questions(definitions), *_signals(definitions), *_lists(definitions)]
    for one in definitions.leave_outs:
        if one.unverified:
            found.append(
                Awaiting("leave-out", one.name, one.label, "", one.unverified, one.source, "models/leave_outs.yaml")
            )
    for visit in definitions.visits:
        if visit.unverified:
            found.append(
                Awaiting("visit", visit.name, visit.label, "", visit.unverified, visit.source, "models/visits.yaml")
            )
    for one in definitions.quality:
        place = "models/quality.yaml"
        for figure in one.figures:
            if figure.unverified:
                found.append(Awaiting("quality", one.name, figure.label, "", figure.unverified, figure.source, place))
    for model in definitions.models.values():
        found.extend(_model(model))
    for gap in definitions.treatment_gaps:
        signed = is_signed_off(gap)
        if gap.unverified or not signed:
            standing = "" if signed else gap.status
            place = "models/treatment_gaps.yaml"
            found.append(Awaiting("treatment gap", gap.name, gap.label, standing, gap.unverified, gap.source, place))
    found.extend(_segments(definitions.segments))
    order = list(KINDS)
    return tuple(sorted(found, key=lambda row: order.index(row.kind)))  # sorted keeps the order within a kind


def is_signed_off(rule: Rule | Gap | Segments) -> bool:
    """Whether the status of a rule, a gap or the levels says that it is signed; other words count as a draft."""
    return rule.status.strip().lower().startswith("signed off")


def is_reviewed(codelist: CodeList) -> bool:
    """Whether a list names a reviewer rather than that there is none yet.

    >>> is_reviewed(CodeList(name="a", source="s", release="r", reviewed_by="not yet reviewed", codes=()))
    False
    """
    return not _NOT_REVIEWED.match(codelist.reviewed_by.strip())


def _questions(definitions: Definitions) -> Iterator[Awaiting]:
    for one in definitions.questions:
        yield Awaiting(
            "open question", one.name, one.label, "", one.unverified, one.source, "models/open_questions.yaml"
        )


def _signals(definitions: Definitions) -> Iterator[Awaiting]:
    for signal in definitions.signals.values():
        if signal.unverified:
            lists = ", ".join(signal.codes) or "named substances"
            yield Awaiting("signal", signal.name, signal.label, "", signal.unverified, lists, "features/signals")


def _segments(segments: Segments | None) -> Iterator[Awaiting]:
    if segments is None:
        return
    place = "models/segments.yaml"
    signed = is_signed_off(segments)
    if segments.unverified or not signed:
        standing = "" if signed else segments.status
        yield Awaiting("segment", "levels", segments.title, standing, segments.unverified, segments.source, place)
    for part in (segments.conditions, segments.risks, {"core20": segments.core20}, segments.plus, segments.areas):
        for name, one in part.items():
            if one.unverified:
                yield Awaiting("segment", name, one.label, "", one.unverified, one.source, place)


def _lists(definitions: Definitions) -> Iterator[Awaiting]:
    for one in definitions.codelists.values():
        reviewed = is_reviewed(one)
        if one.unverified or not reviewed:
            number = len(one.codes)
            yield Awaiting(
                "code list",
                one.name,
                f"{number:,} code{'' if number == 1 else 's'}; {one.release}",
                "" if reviewed else one.reviewed_by,
                one.unverified,
                one.source,
                f"features/codelists/{one.name}.csv",
            )


def _model(model: Model) -> Iterator[Awaiting]:
    place = f"models/{model.condition}.yaml"
    for rule in model.rules:
        signed = is_signed_off(rule)
        if rule.unverified or not signed:
            standing = "" if signed else rule.status
            yield Awaiting("rule", rule.id, rule.label, standing, rule.unverified, rule.source, place)
    for one in model.leave_out:
        if one.unverified:
            yield Awaiting("leave-out", one.name, f"{model.label}: {one.label}", "", one.unverified, one.source, place)
    for leak in model.leakage:
        if leak.unverified:
            about = f"{model.label}: {', '.join(leak.handling)}"
            yield Awaiting("leakage", ", ".join(leak.signals), about, "", leak.unverified, leak.source, place)
    for kind, name, about, part in (
        ("verification", model.condition, model.verification and model.verification.label, model.verification),
        ("expected", model.condition, "Published prevalence by age and sex", model.expected),
    ):
        if part is not None and part.unverified:
            yield Awaiting(kind, name, f"{model.label}: {about}", "", part.unverified, part.source, place)
    for score in model.scores:
        if score.unverified:
            yield Awaiting("score", score.name, score.label, "", score.unverified, score.source, place)
