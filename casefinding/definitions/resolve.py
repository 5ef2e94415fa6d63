"""Which codes of a store belong to a signal: by the ids of its lists, and by the substances that a product names."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pyarrow as pa

from casefinding.definitions.codes import DRUG_SYSTEMS
from casefinding.definitions.shapes import Definitions, Signal

_WORD = re.compile(r"[^\W_]+")


class CodeIndex:
    """A store's code table made quick to search; build it once and hand it to `codes_of`.

    `codes`: the table of `records.tables.CODE` (code, system, id, term).
    """

    def __init__(self, codes: pa.Table) -> None:
        self.codes: np.ndarray = codes["code"].to_numpy().astype(np.int32)
        self._systems: list[str] = codes["system"].to_pylist()
        self._ids: list[str] = codes["id"].to_pylist()
        self._terms: list[str | None] = codes["term"].to_pylist()

    @cached_property
    def _rows_by_id(self) -> dict[tuple[str, str], list[int]]:
        rows: dict[tuple[str, str], list[int]] = {}
        for row, key in enumerate(zip(self._systems, self._ids, strict=True)):
            rows.setdefault(key, []).append(row)
        return rows

    @cached_property
    def _rows_by_word(self) -> dict[str, set[int]]:
        rows: dict[str, set[int]] = {}
        for row, (system, term) in enumerate(zip(self._systems, self._terms, strict=True)):
            if term and system in DRUG_SYSTEMS:
                for word in _WORD.findall(term.casefold()):
                    rows.setdefault(word, set()).add(row)
        return rows

    def rows_with_ids(self, keys: Iterable[tuple[str, str]]) -> set[int]:
        """Rows of the table whose (system, id) is one of these."""
        return {row for key in keys for row in self._rows_by_id.get(key, ())}

    def rows_naming(self, substance: str) -> set[int]:
        """Rows of drug dictionaries whose term holds a substance as whole words, whatever the case."""
        wanted = substance.casefold()
        words = _WORD.findall(wanted)
        if not words:
            return set()
        rows = set.intersection(*(self._rows_by_word.get(word, set()) for word in words))
        if len(words) == 1 and words[0] == wanted:
            return rows
        phrase = re.compile(rf"(?<![^\W_]){re.escape(wanted)}(?![^\W_])")
        return {row for row in rows if phrase.search((self._terms[row] or "").casefold())}

    def rows_of(self, signal: Signal, definitions: Definitions) -> np.ndarray:
        """Rows of the table that belong to a signal, in order."""
        ids = ((c.system, c.id) for name in signal.codes for c in definitions.codelists[name].codes)
        rows = self.rows_with_ids(ids)
        if signal.substances:
            named = set().union(*(self.rows_naming(substance) for substance in signal.substances))
            refused = set().union(*(self.rows_naming(substance) for substance in signal.but_not))
            rows |= named - refused
        return np.array(sorted(rows), dtype=np.int64)

    def key(self, row: int) -> str:
        return f"{self._systems[row]}:{self._ids[row]}"


_LATEST: list[tuple[weakref.ref[pa.Table], CodeIndex]] = []


def index_of(codes: pa.Table | CodeIndex) -> CodeIndex:
    """The index of a code table; the one built last is kept, since callers ask signal by signal."""
    if isinstance(codes, CodeIndex):
        return codes
    for table, index in _LATEST:
        if table() is codes:
            return index
    index = CodeIndex(codes)
    _LATEST[:] = [(weakref.ref(codes), index)]
    return index


def codes_of(signal: Signal, definitions: Definitions, codes: pa.Table | CodeIndex) -> np.ndarray:
    """The code numbers of a store that belong to a signal: int32, ascending, empty if the store holds none.

    A code belongs if its (system, id) stands in one of the signal's lists, or if its system is a drug dictionary
    (dmd, rxnorm) and its term names one of the `substances` as whole words and none of `but_not`. Terms of other
    systems are not searched: there, "amlodipine" may be an allergy.
    """
    index = index_of(codes)
    return np.sort(index.codes[index.rows_of(signal, definitions)])


def resolution(
    definitions: Definitions, codes: pa.Table | CodeIndex, signals: Iterable[str] | None = None
) -> dict[str, list[str]]:
    """For every signal (or only these) the "system:id" of each code that belongs to it in this store, sorted.

    This is what the lock freezes: matching substances again on another code table may find other products.
    """
    index = index_of(codes)
    names = definitions.signals if signals is None else signals
    return {
        name: sorted({index.key(row) for row in index.rows_of(definitions.signals[name], definitions)})
        for name in sorted(names)
    }
