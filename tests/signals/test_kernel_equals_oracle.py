"""The compiled kernel and the slow, plain oracle agree on random people, events and features."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.signals import compare, worlds

EXAMPLES = int(os.environ.get("GENTEST_EXAMPLES", "300"))
"""300 on every change; GENTEST_EXAMPLES=20000 for a night."""


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(seed=st.integers(0, 2**32), people=st.integers(1, 16), features=st.integers(1, 20))
def test_kernel_and_oracle_agree_on_random_people_and_features(seed: int, people: int, features: int) -> None:
    world = worlds.world(seed, people, features)
    assert compare.differences(world, compare.kernel(world)) == []


@pytest.mark.parametrize("wrong", ["latest", "count"])
def test_the_comparison_would_see_a_wrong_answer(wrong: str) -> None:
    """A comparison that cannot fail proves nothing: change one number and it must be named."""
    for seed in range(50):
        world = worlds.world(seed)
        names = [name for name, feature in world.definitions.features.items() if feature.ask == wrong]
        if names:
            columns = compare.kernel(world)
            said = columns.value[world.features.index(names[0])]
            said[0] = 7.25 if said[0] != 7.25 else 8
            assert any(names[0] in line for line in compare.differences(world, columns))
            return
    pytest.fail("no such word was generated")
