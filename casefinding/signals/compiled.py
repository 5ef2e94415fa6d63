"""How the kernel's functions are compiled: one decorator for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}
"""`nogil`: shards run on threads. `_nrt=False`: no memory is taken and no array is counted inside; numba otherwise
counts every array up and down at every call, atomically, which cost more time than the words themselves."""


def compiled(function: Callable) -> Any:
    """A function of the kernel whose code is put where it is called; it takes all memory it needs from its caller."""
    return njit(**OPTIONS, forceinline=True)(function)


def compiled_on_disk(function: Callable) -> Any:
    """The kernel's entry: compiled code is kept on disk, with everything it calls."""
    return njit(**OPTIONS, cache=True)(function)
