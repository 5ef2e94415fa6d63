"""The page of what awaits clinical sign-off, written from the definitions alone."""

from __future__ import annotations

from pathlib import Path

from casefinding import __version__
from casefinding.definitions.lock import lock_sha256
from casefinding.definitions.shapes import Definitions
from casefinding.definitions.sign_off import KINDS, awaiting_sign_off
from casefinding.files import write_text
from casefinding.report.page import page

SIGN_OFF_PAGE = "awaiting-sign-off.html"
"""Its name beside index.html."""


def sign_off_page(definitions: Definitions, *, up: str = "") -> str:
    """The page as text; `up` is the address of the run's front page, where there is one."""
    rows = awaiting_sign_off(definitions)
    kinds = [(kind, heading, [row for row in rows if row.kind == kind]) for kind, heading in KINDS.items()]
    return page(
        "sign_off.html",
        up=up,
        kinds=[one for one in kinds if one[2]],
        total=len(rows),
        from_memory=sum(bool(row.check) for row in rows),
        drafts=sum(row.kind == "rule" and bool(row.standing) for row in rows),
        unreviewed=sum(row.kind == "code list" and bool(row.standing) for row in rows),
        lock=lock_sha256(definitions),
        version=__version__,
    )


def write_sign_off(definitions: Definitions, path: Path, *, up: str = "") -> None:
    """Write the page to a file, whole or not at all."""
    write_text(path, sign_off_page(definitions, up=up))
