"""What the visits say of tests that models must know."""

from __future__ import annotations

from casefinding.definitions.checks import Checks
from casefinding.definitions.complaints import did_you_mean


def check_visits(checks: Checks) -> None:
    """Note every test that a visit holds and no model asks for."""
    tests = {model.test for model in checks.definitions.models.values()}
    for visit in checks.definitions.visits:
        for test in visit.holds:
            if test not in tests:
                hint = did_you_mean(test, tests) or f"there are: {', '.join(sorted(tests))}"
                checks.say(("visit", visit.name, "holds", test), f"no model asks for {test!r}", hint)
