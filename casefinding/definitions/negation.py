"""Codes that deny: "No breathlessness" in a list of breathlessness turns a healthy answer into a symptom."""

from __future__ import annotations

import re

__all__ = ["denies"]

_FIRST = re.compile(
    r"(?:no|not|never|nil|denies|denied|denying|without|free (?:of|from)|absent|absence of|lack of|negative for|"
    r"has not|have not|had not|did not|does not|is not|was not|no longer)\b",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(
    r"\b(?:negative for|denies|denied|(?:not|no longer) (?:present|found|detected|seen|shown|indicated|suitable|given|"
    r"done|carried out|attended|required|needed)|has not|did not|never (?:smoked|had|done)|refused|declined|"
    r"ruled out|excluded)\b",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"\b(?:absent|negative)(?:\s*\((?:finding|situation|disorder|procedure|observable entity)\))?\s*$", re.I
)


def denies(label: str) -> bool:
    """Whether a code's label says that something is not there, was not done or was refused.

    A word of exception further on ("Asthma, not allergic") or a known absence of something else ("Diabetes without
    complication") describes what is there and is no denial.

    >>> denies("No breathlessness"), denies("Asthma, not allergic"), denies("Cough absent"), denies("Reading refused")
    (True, False, True, True)
    """
    text = " ".join(label.replace("-", " ").split())
    return bool(_FIRST.match(text) or _ANYWHERE.search(text) or _LAST.search(text))
