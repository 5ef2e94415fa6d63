"""The main job and its parts, as the commands call them; each is a straight line through the rooms."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casefinding.job.check import check_definitions
    from casefinding.job.main import main_job, train_one
    from casefinding.job.quality import quality_of_store
    from casefinding.job.records import bring_in, simulate_people

__all__ = ["bring_in", "check_definitions", "main_job", "quality_of_store", "simulate_people", "train_one"]

_WHERE = {
    "bring_in": "records", "check_definitions": "check", "main_job": "main", "quality_of_store": "quality",
    "simulate_people": "records", "train_one": "main",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a job when it is asked for: a small one (`reidentify`) must not pay for what a large one needs."""
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
