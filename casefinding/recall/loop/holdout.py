"""The holdout: people or practices whom chance alone never invites, so that it can be measured whether inviting helps.

Advice of a score to the GP raised emergency admissions in the PRISM trial (conventions, "Tool can do harm"), so a
service should be able to compare. A lot would change from month to month; a keyed hash does not.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.definitions.recall import Holdout
from casefinding.disclosure import rounded
from casefinding.recall.leave_out import BY_CAPACITY
from casefinding.recall.view import View

HELD_OUT = "held out, to measure whether inviting helps"
_RANGE = 2**64


def held_out(base: pa.Table, holdout: Holdout) -> np.ndarray:
    """Who is held out (bool, a row of the base): by the pseudonym or the practice, and the salt, and nothing else.

    Each is in by a chance of `share` of its own; the same stay in from month to month, and whoever is in a small share
    is in every larger one.
    """
    if holdout.share <= 0:
        return np.zeros(base.num_rows, dtype=bool)
    column = base["pseudonym" if holdout.by == "people" else "practice"].combine_chunks().dictionary_encode()
    line = int(holdout.share * _RANGE)
    drawn = np.array([_draw(holdout, name) < line for name in column.dictionary.to_pylist()], dtype=bool)
    return drawn[column.indices.to_numpy()]


def _draw(holdout: Holdout, name: str) -> int:
    """A number below 2**64, each as likely: the keyed BLAKE2b of a name; people and practices are drawn apart."""
    key = hashlib.sha256(holdout.salt.encode()).digest()
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, key=key, person=holdout.by.encode()).digest())


def without_held_out(view: View, out: np.ndarray) -> View:
    """The view with the held-out people dropped from everything that is offered by chance or capacity, and from no
    other lane; the same view where nobody is held out."""
    if not out.any():
        return view
    return replace(
        view, left_out={**view.left_out, HELD_OUT: out}, drops={**view.drops, HELD_OUT: BY_CAPACITY}
    )  # fmt: skip


def described(base: pa.Table, holdout: Holdout, out: np.ndarray) -> dict[str, Any] | None:
    """What the manifest says of the holdout, None where there is none; how many people it is as it may be published.

    The salt is told by its digest alone: enough to see that it was the same last month.
    """
    if holdout.share <= 0:
        return None
    told: dict[str, Any] = {
        "share": holdout.share,
        "by": holdout.by,
        "salt_sha256": hashlib.sha256(holdout.salt.encode()).hexdigest()[:16],
        "people": rounded(int(out.sum())),
        "of": rounded(base.num_rows),
    }
    if holdout.by == "practices":
        told["practices"] = sorted(set(base["practice"].filter(pa.array(out)).to_pylist()))
        told["of practices"] = len(set(base["practice"].to_pylist()))
    return told


def words(holdout: Holdout, practice_held_out: bool = False) -> str:
    """What a page says of the holdout; empty where there is none.

    >>> words(Holdout())
    ''
    """
    if holdout.share <= 0:
        return ""
    always = "Everybody with a finding to act on, to check or to review is listed as always."
    if holdout.by == "people":
        return (
            f"About {_percent(holdout.share)} of people, drawn by lot, are not invited, so that it can be measured "
            f"whether inviting helps. {always}"
        )
    if practice_held_out:
        return (
            "This practice was drawn by lot to compare with: nobody is invited by this list, so that it can be "
            f"measured whether inviting helps. {always}"
        )
    return (
        f"Each practice had a chance of {_percent(holdout.share)} to be drawn by lot as one to compare with; this one "
        "was not, and invites as usual."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
