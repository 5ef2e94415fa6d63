"""Headers of readings that come in pairs: codes that say only that the readings below them were taken together."""

from __future__ import annotations

HEADERS = frozenset({"75367002", "163020007"})
"""SNOMED CT ids of the headers in use (EMIS, GP Connect, UK Core).

A header without a value says nothing that its readings do not, and a store in which it counts would see three entries
where another supplier writes two: it is left beside its readings.
"""
