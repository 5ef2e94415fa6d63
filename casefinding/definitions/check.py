"""`python -m casefinding.definitions.check [FOLDER]`: everything that is wrong with a tree of definitions."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from casefinding.definitions.read import Problem, problems
from casefinding.errors import CasefindingError, DefinitionError

__all__ = ["Problem", "main", "problems"]


def main(arguments: Sequence[str]) -> int:
    """Print each problem on a line; the exit code is 0 if there is none."""
    try:
        found = problems(Path(arguments[0]) if arguments else None)
    except CasefindingError as failure:
        print(failure, file=sys.stderr)
        return failure.exit_code
    with contextlib.suppress(BrokenPipeError):  # the reader of a pipe (head) has seen enough
        for problem in found:
            print(problem, flush=True)
    print(f"{len(found)} problem{'' if len(found) == 1 else 's'}", file=sys.stderr)
    return DefinitionError.exit_code if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
