"""Fixtures of the learn room; learn_world.py beside this file makes the tables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from casefinding.learn.bundle import Bundle, read_bundle, write_bundle
from casefinding.learn.fit import Trained

sys.path.insert(0, str(Path(__file__).parent))
from learn_world import World, definitions, trained_on, world


@pytest.fixture(scope="session")
def planted() -> World:
    return world()


@pytest.fixture(scope="session")
def trained(planted: World) -> Trained:
    return trained_on(planted)


@pytest.fixture(scope="session")
def bundle(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundles") / "hypertension"
    write_bundle(trained, {"overall": {"auroc": {"value": 0.8, "low": 0.7, "high": 0.9}}}, definitions(), folder)
    return read_bundle(folder)
