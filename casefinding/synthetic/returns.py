"""What made-up practices send back: outcomes drawn from the truth by published attrition, typed into their own lists.

Only made-up people have a truth to draw from; nothing here is ever run on real lists.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

INVITED, DID_NOT_ATTEND, DECLINED = "Invited", "Did not attend", "Declined"
AWAITED, DIAGNOSED, NOT_DIAGNOSED = "Seen – result awaited", "Seen – diagnosed", "Seen – not diagnosed"
ALREADY_KNOWN, NOT_APPROPRIATE = "Already known", "Not appropriate"
"""The words of the drop-down, as a practice would choose them; a test holds them against the ledger's."""
BY_INVITATION = ("invite", "never measured")


@dataclass(frozen=True)
class Attrition:
    """Shares of people at each step between the list and the result.

    `tested` is of those invited; `declined` and `did_not_attend` too, and whoever is left never answers. `looked_at` is
    of those whom a lane asks to act on or to review. `found`: of the ill who are tested, those in whom it is found.
    """

    sent: float
    tested: float
    declined: float
    did_not_attend: float
    looked_at: float
    known: float
    not_appropriate: float
    awaited: float
    found: float


PUBLISHED = Attrition(
    tested=0.281,  # PULsE-AI, 944 invited at high risk (PMC9707963) [V]; FIND-AF: 11.3% joined [V]
    # Nobody has published the rest for lists like these: our choice.
    sent=0.9, declined=0.12, did_not_attend=0.06, looked_at=0.8, known=0.04, not_appropriate=0.03, awaited=0.1,
    found=0.9,
)  # fmt: skip


@dataclass(frozen=True)
class Return:
    """What one row says when it comes back; `diagnosed` holds the labels for "Diagnosed with"."""

    list_id: str
    practice: str
    pseudonym: str
    outcome: str
    diagnosed: tuple[str, ...]
    on: dt.date


def returns(listed: pa.Table, truth: Path, seed: int, by: dt.date, attrition: Attrition = PUBLISHED) -> list[Return]:
    """What comes back by a day about a list, one entry a person who is not silent, in the order of the list.

    `listed`: one row a person and condition with list_id, index_day, practice, pseudonym, condition, label and lane;
    `truth`: the truth file of the same simulation. Every draw depends on the seed, the list and the pseudonym alone, so
    that the order of rows and who else is listed change nothing. Days lie from the index day to `by`.
    """
    ill = {
        (one["pseudonym"], one["condition"]): one
        for one in pq.read_table(truth, columns=["pseudonym", "condition", "onset_on", "coded_on"]).to_pylist()
    }
    people: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for one in listed.to_pylist():
        people.setdefault((one["list_id"], one["practice"], one["pseudonym"]), []).append(one)
    found = (_drawn(key, rows, ill, seed, by, attrition) for key, rows in people.items())
    return [one for one in found if one is not None]


def fill_csv(text: str, answers: Iterable[Return]) -> str:
    """A practice's own CSV with the answers about its people filled in."""
    given = {(one.list_id, one.practice, one.pseudonym): one for one in answers}
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    buffer = io.StringIO()
    out = csv.DictWriter(buffer, list(rows[0]) if rows else ["pseudonym"], lineterminator="\r\n")
    out.writeheader()
    for row in rows:
        one = given.get((row["list_id"], row["practice"], row["pseudonym"]))
        if one is not None:
            row |= {"outcome": one.outcome, "outcome_date": one.on.strftime("%d/%m/%Y")}
            row |= {"diagnosed_with": "; ".join(one.diagnosed)}
        out.writerow(row)
    return buffer.getvalue()


def fill_workbook(content: bytes, answers: Iterable[Return]) -> bytes:
    """A practice's own workbook with the answers about its list typed in, by the headers of its sheets."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content))
    told = str(book.properties.description or "")  # which list it is
    given = {one.pseudonym: one for one in answers if one.list_id in told}
    for sheet in book.worksheets:
        names: dict[str, int] = {}
        rows: Any = sheet.iter_rows()
        for cells in rows:
            if not {"Pseudonym", "Outcome"} <= names.keys():
                names = {str(cell.value): place for place, cell in enumerate(cells) if cell.value is not None}
                continue
            one = given.get(str(cells[names["Pseudonym"]].value))
            if one is not None:
                cells[names["Outcome"]].value = one.outcome
                cells[names["Outcome date"]].value = one.on
                if one.diagnosed:
                    cells[names["Diagnosed with"]].value = "; ".join(one.diagnosed)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _drawn(
    key: tuple[str, str, str], rows: list[dict[str, Any]], ill: dict[tuple[str, str], dict[str, Any]], seed: int,
    by: dt.date, attrition: Attrition,
) -> Return | None:  # fmt: skip
    list_id, practice, pseudonym = key
    rows = sorted(rows, key=lambda one: one["condition"])
    first = rows[0]["index_day"]
    span = (by - first).days
    if span < 0:
        return None

    def chance(of: str) -> float:
        text = f"{seed}/{list_id}/{practice}/{pseudonym}/{of}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:7], "big") / 2**56

    # within the month that follows, on a day that has come
    on = first + dt.timedelta(days=min(span, 2 + int(chance("day") * 26)))

    def said(outcome: str, diagnosed: Iterable[str] = ()) -> Return:
        return Return(list_id, practice, pseudonym, outcome, tuple(diagnosed), on)

    labels = [one["label"] for one in rows]
    looked = chance("looked at")
    if looked < attrition.known:
        return said(ALREADY_KNOWN, labels if len(labels) > 1 else ())
    if looked < attrition.known + attrition.not_appropriate:
        return said(NOT_APPROPRIATE)
    asked = all(one["lane"] in BY_INVITATION for one in rows)
    if chance("sent") >= (attrition.sent if asked else attrition.looked_at):
        return None
    if asked:
        answer = chance("answer")
        if answer >= attrition.tested:
            answer -= attrition.tested
            if answer < attrition.declined:
                return said(DECLINED)
            return said(DID_NOT_ATTEND if answer < attrition.declined + attrition.did_not_attend else INVITED)
    if chance("result") < attrition.awaited:
        return said(AWAITED)
    found = [
        one["label"]
        for one in rows
        if _ill(ill.get((pseudonym, one["condition"])), first, on) and chance(one["condition"]) < attrition.found
    ]
    return said(DIAGNOSED, found if len(labels) > 1 else ()) if found else said(NOT_DIAGNOSED)


def _ill(one: dict[str, Any] | None, first: dt.date, on: dt.date) -> bool:
    """Ill on the day, and not coded before the list was made."""
    if one is None or one["onset_on"] is None or one["onset_on"] > on:
        return False
    return one["coded_on"] is None or one["coded_on"] >= first
