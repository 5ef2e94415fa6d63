"""What must be known of the rows before any is written: which texts many people share, and which rows are hidden."""

from __future__ import annotations

from collections.abc import Callable

from casefinding.records.pseudonyms.files_in import Folder, Source
from casefinding.records.pseudonyms.survey import CONFIDENTIAL, YES, Survey, whose_of
from casefinding.records.pseudonyms.treatments import Treatment

ENOUGH = 8
"""People of an extract with whom a text must stand to go out."""
MOST = 200_000
"""Texts that are counted; whatever comes after so many counts as rare, so that memory is bounded."""
HIDES = {
    "carerecord_consultation": "consultationguid", "carerecord_observation": "observationguid",
    "carerecord_problem": "observationguid", "carerecord_diary": "diaryguid",
    "prescribing_drugrecord": "drugrecordguid", "prescribing_issuerecord": "issuerecordguid",
}  # fmt: skip
"""Table -> the id by which a row that is marked confidential is known, in whatever table it is named."""


def text_columns(source: Source) -> list[int]:
    """Positions of the columns whose text goes out only if enough people share it."""
    return [place for place, name in enumerate(source.header) if is_text(source, name.strip().lower())]


def is_text(source: Source, column: str) -> bool:
    """Whether a column (lower case) of a patient's row may hold words: a term, or a source value of OMOP."""
    if not source.table.whose:
        return False
    treatment = source.table.columns.get(column)
    return treatment is Treatment.COMMON or (treatment is Treatment.CODE and column.endswith("_source_value"))


def read_rows(survey: Survey, folder: Folder, tick: Callable[[str], None]) -> None:
    """Fill what a survey knows of texts and of hidden rows, in one pass over the tables that have any."""
    people: dict[str, set[str] | None] = {}  # None: enough
    for source in folder.sources:
        texts = text_columns(source)
        own = HIDES.get(source.table.name.lower()) if survey.removes else None
        at = source.at(own) if own else None
        mark = source.at(CONFIDENTIAL[1]) if at is not None else None
        if not texts and mark is None:
            continue
        tick(source.name)
        whose = whose_of(source)
        for cells in source.rows():
            if at is not None and mark is not None and cells[at] and cells[mark].lower() in YES:
                survey.hidden.add(cells[at])
            for place in texts:
                if cells[place]:
                    _count(people, cells[place], survey, whose(cells))
    survey.common = frozenset(text for text, those in people.items() if those is None)


def _count(people: dict[str, set[str] | None], text: str, survey: Survey, whose: str) -> None:
    if text not in people:
        if len(people) >= MOST:
            return
        people[text] = set()
    those = people[text]
    if those is not None:
        those.add(survey.person(whose))
        if len(those) >= ENOUGH:
            people[text] = None
