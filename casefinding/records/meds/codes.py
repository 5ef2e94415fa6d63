"""The codes of a MEDS dataset: the store's own, and those for who somebody is and where they are registered."""

from __future__ import annotations

import pyarrow as pa

from casefinding.records.meds import layout as meds
from casefinding.records.store import Store

CODES = pa.schema([("code", pa.string()), ("description", pa.string()), ("parent_codes", pa.list_(pa.string()))])
_SAYS = {
    meds.BIRTH: "The first day of the month of birth",
    meds.DEATH: "The day of death",
    meds.SEX: "Sex as recorded",
    meds.ETHNICITY: "Ethnic group; text_value holds what was recorded",
    meds.DECILE: "Deprivation decile of the home, 1 = most deprived; the release is named after the bars",
    meds.START: "The first day of a registration at a practice",
    meds.END: "The last day of a registration at a practice",
    meds.CONTACT: "What came of an earlier list: condition and kind of contact",
}


class Codes:
    """Every code of a dataset under one number: the store's own keep theirs, the others follow as they are met."""

    def __init__(self, store: Store) -> None:
        codes = store.codes()
        self.texts: list[str] = []
        self._about: list[tuple[str | None, list[str] | None]] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        for system, code_id, term in zip(*(codes[name].to_pylist() for name in ("system", "id", "term")), strict=True):
            self.texts.append(meds.code_of(meds.PREFIXES[system], code_id))
            known = meds.VOCABULARIES.get(system)
            self._about.append((term or None, [f"{known}/{code_id}"] if known else None))

    def number(self, *said: str) -> int:
        """The number of a code that is none of the store's; it is new when it is first asked for."""
        if said not in self._numbers:
            self._numbers[said] = len(self.texts)
            self.texts.append(meds.code_of(*said))
            self._about.append((_SAYS[said[0]], None))
        return self._numbers[said]

    def table(self) -> pa.Table:
        """All codes (CODES), by their text; `parent_codes` names the code as OMOP's vocabularies do."""
        order = sorted(range(len(self.texts)), key=self.texts.__getitem__)
        return pa.table(
            [
                pa.array([self.texts[i] for i in order], pa.string()),
                pa.array([self._about[i][0] for i in order], pa.string()),
                pa.array([self._about[i][1] for i in order], pa.list_(pa.string())),
            ],
            schema=CODES,
        )
