"""Every failure a user can cause: one line that says what, where and a hint, and an exit code by kind."""

from __future__ import annotations


class CasefindingError(Exception):
    """A failure that a user can mend; printed as one line, never as a traceback, never with a patient's value.

    >>> str(RecordsError("column 'code' is missing", where="event.csv", hint="see docs/how-to/native-layout.md"))
    "column 'code' is missing [event.csv]. Hint: see docs/how-to/native-layout.md"
    """

    exit_code = 1
    kind = "failure"

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what)

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        hint = f". Hint: {self.hint}" if self.hint else ""
        return f"{self.what}{place}{hint}"


class UsageError(CasefindingError):
    """A command was called in a way that it cannot serve."""

    exit_code, kind = 2, "usage"


class DefinitionError(CasefindingError):
    """A definition (signal, feature, model, code list) is not valid; `where` is file:line."""

    exit_code, kind = 10, "definition"


class ConfigError(CasefindingError):
    """A config is not valid, or asks for what the definitions or the records do not hold."""

    exit_code, kind = 11, "config"


class RecordsError(CasefindingError):
    """An extract or a store cannot be read: missing file or column, empty file, broken Parquet."""

    exit_code, kind = 12, "records"


class CohortError(CasefindingError):
    """Nobody can be asked on that day: no eligible people, an index day beyond the data."""

    exit_code, kind = 13, "cohort"


class LearnError(CasefindingError):
    """A model cannot be trained: too few cases, practices or people."""

    exit_code, kind = 14, "learn"


class BundleError(CasefindingError):
    """A bundle was altered, is incomplete, or does not fit these definitions."""

    exit_code, kind = 16, "bundle"


class WriteError(CasefindingError):
    """Something could not be written: disk full, no permission; what was there before is still whole."""

    exit_code, kind = 17, "write"
