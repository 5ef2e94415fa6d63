"""What the checks between definitions offer to each other: which names exist, and a place to complain."""

from __future__ import annotations

from typing import Any, Protocol

from casefinding.definitions.clauses import Clause
from casefinding.definitions.shapes import Definitions


class Checks(Protocol):
    """What of the crosscheck the parts of it use; `at` is a kind, a name and the keys from there on."""

    definitions: Definitions

    def say(self, at: tuple[Any, ...], what: str, hint: str = "") -> None:
        """Note a problem at a place."""
        ...

    def known(self, kind: str, name: str, at: tuple[Any, ...]) -> bool:
        """Whether such a thing exists; if it does not, that is noted."""
        ...

    def clause(self, clause: Clause, at: tuple[Any, ...]) -> None:
        """Note every name in a clause that does not exist."""
        ...
