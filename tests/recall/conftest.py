"""A condition with one rule a lane, over made-up rows."""

import numpy as np
import pyarrow as pa
import pytest

from casefinding.definitions.capacity import Capacities, Capacity, Equity
from casefinding.definitions.shapes import Model
from casefinding.recall.choice.choose import choose
from casefinding.recall.view import View


def model(condition: str = "thirst", test: str = "water test") -> Model:
    rule = {"label": "x", "say": "said", "source": "s", "when": {"feature": "f", "at least": 1}}
    return Model.model_validate(
        {
            "condition": condition, "label": condition.capitalize(), "about": "", "test": test,
            "invite": f"Invite for a {test}", "chance of": "of it", "register": {"diagnosis": "d"},
            "outcome": {"diagnosis": "d", "gap": "30 days", "horizon": "12 months"}, "features": ["f"],
            "rules": [
                {**rule, "id": "X-U1", "lane": "act now", "do": "act"},
                {**rule, "id": "X-C1", "lane": "check the reading", "do": "check"},
                {**rule, "id": "X-1", "lane": "review the record", "do": "review"},
                {**rule, "id": "X-P1", "lane": "chase the result", "do": "chase"},
                {**rule, "id": "X-2", "lane": "invite", "priority": 1, "do": "test soon"},
                {**rule, "id": "X-3", "lane": "invite", "priority": 3, "do": "test"},
                {**rule, "id": "X-4", "lane": "never measured", "do": "measure"},
                {**rule, "id": "X-5", "lane": "note", "do": "note"},
            ],
        }
    )  # fmt: skip


@pytest.fixture
def view():
    """Build a view: chances by row, rules as {id: rows}, leave-outs as {name: (rows, stages)}."""

    def build(chance, rules=None, left_out=None, eligible=None, condition="thirst", test="water test") -> View:
        chance = np.asarray(chance, dtype=float)
        n = len(chance)
        made = model(condition, test)

        def mask(rows):
            found = np.zeros(n, dtype=bool)
            found[list(rows)] = True
            return found

        return View(
            model=made,
            status=np.array(["never"] * n, dtype=object),
            eligible=np.ones(n, dtype=bool) if eligible is None else mask(eligible),
            flags={rule.id: mask((rules or {}).get(rule.id, ())) for rule in made.rules},
            left_out={name: mask(rows) for name, (rows, _) in (left_out or {}).items()},
            drops={name: stages for name, (_, stages) in (left_out or {}).items()},
            leave_outs=(),
            chance=chance,
            raw=chance,
        )

    return build


def people(practice, **columns) -> pa.Table:
    """A base table of so many rows; 50 years old, white, of the third tenth where nothing else is said."""
    n = len(practice)
    given = {
        "age": pa.array([50] * n, pa.int16()),
        "ethnicity": pa.array(["white"] * n, pa.string()),
        "imd_decile": pa.array([3] * n, pa.int8()),
        **columns,
    }
    return pa.table({"practice": pa.array(list(practice), pa.string()), **given})


def invited(view, practice, slots, shares) -> np.ndarray:
    """The order of invitation of one condition: so many places of its test and so large a share kept, by practice."""
    stated = {
        code: Capacity(a_month={view.model.test: number}, never_measured_share=shares.get(code, 0.0))
        for code, number in slots.items()
    }
    chosen = choose([view], people(practice), (), Capacities(practices=stated), Equity(floor=0), {})
    return chosen.places[view.condition]
