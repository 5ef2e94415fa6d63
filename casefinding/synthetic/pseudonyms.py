"""Opaque names for people: "p" and ten base32 characters, unique and in no order, from the seed and a number."""

from __future__ import annotations

import numpy as np

_ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_HALF = np.uint64((1 << 25) - 1)


def _mixed(value: np.ndarray, key: np.uint64) -> np.ndarray:
    value = (value + key) * np.uint64(0x9E3779B97F4A7C15)
    value ^= value >> np.uint64(29)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    return value ^ (value >> np.uint64(32))


def pseudonyms(seed: int, numbers: np.ndarray) -> np.ndarray:
    """Pseudonyms (bytes, 11 long) of the people with these numbers (below 2**50): a keyed permutation, so none repeats.

    >>> len(set(pseudonyms(7, np.arange(1000)).tolist()))
    1000
    """
    keys = np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(6, dtype=np.uint64)
    left, right = numbers.astype(np.uint64) >> np.uint64(25), numbers.astype(np.uint64) & _HALF
    with np.errstate(over="ignore"):
        for key in keys:  # a Feistel network over two halves of 25 bits
            left, right = right, left ^ (_mixed(right, key) & _HALF)
    whole = (left << np.uint64(25)) | right
    text = np.empty((len(numbers), 11), dtype=np.uint8)
    text[:, 0] = ord("p")
    for place in range(10):
        text[:, place + 1] = _ALPHABET[((whole >> np.uint64(5 * place)) & np.uint64(31)).astype(np.intp)]
    return text.view("S11").ravel()
