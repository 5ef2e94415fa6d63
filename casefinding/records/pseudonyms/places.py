"""Homes to small areas: postcode to LSOA to deprivation decile, by public lookup files whose vintage is kept."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from casefinding.errors import UsageError

POSTCODE = ("pcds", "pcd8", "pcd7", "pcd", "pcd2", "postcode")
"""Columns that the ONS's directories and lookups of postcodes (ONSPD, NSPL) have had for the postcode."""
LSOA = {
    "2021": ("lsoa21cd", "lsoa21", "lsoa code (2021)", "lsoa21_code"),
    "2011": ("lsoa11cd", "lsoa11", "lsoa code (2011)", "lsoa11_code"),
}
"""Columns of the small area (LSOA), by the census whose boundaries they follow."""
ANY_LSOA = ("lsoa", "lsoacd", "lsoa_code", "lsoa code")
DECILE = ("index of multiple deprivation (imd) decile", "imd_decile", "imddecile", "imd decile", "decile")
"""Beginnings of the column of the decile, 1 = the tenth of areas that is most deprived (as in the IoD's File 7)."""
_LSOA_CODE = re.compile(r"[EW]01[0-9]{6}")


def plain_postcode(text: str) -> str:
    """A postcode in capitals, without blanks; empty where it cannot be one.

    >>> plain_postcode(" ls1 5ht "), plain_postcode("not known")
    ('LS15HT', '')
    """
    plain = re.sub(r"\s+", "", text).upper()
    return plain if re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}", plain) else ""


@dataclass(frozen=True)
class Home:
    """What is kept of an address: the small area, its decile, and the decile's vintage; empty where not known."""

    lsoa: str = ""
    decile: str = ""
    vintage: str = ""


@dataclass
class Places:
    """The homes of an extract's postcodes, and how well the files met."""

    homes: dict[str, Home] = field(default_factory=dict)
    census: str = ""
    vintage: str = ""
    asked: int = 0
    with_area: int = 0
    with_decile: int = 0

    def home(self, postcode: str) -> Home:
        """The home of a postcode as it was written; an empty one where nothing is known."""
        return self.homes.get(plain_postcode(postcode), Home()) if postcode else Home()

    def without_areas(self) -> Places:
        """The same with the deciles alone: a small area beside a month of birth can be one person."""
        return replace(self, homes={where: replace(home, lsoa="") for where, home in self.homes.items()})

    def said(self) -> list[str]:
        """Sentences for whoever runs this: the shares that were matched, and a warning where vintages do not meet."""
        if not self.asked:
            return []
        lines = [f"{_share(self.with_area, self.asked)} of {self.asked:,} postcodes found; boundaries of {self.census}"]
        if self.vintage:
            lines.append(
                f"{_share(self.with_decile, self.with_area)} of their small areas have a decile of {self.vintage}"
            )
            if self.with_area and self.with_decile < 0.98 * self.with_area:
                lines.append(
                    "the two files do not meet: areas of one census and deciles of another? The vintages must agree "
                    "(IMD 2019 goes by LSOA of 2011, IMD 2025 by LSOA of 2021)"
                )
        return lines


def read_places(postcodes: Path | None, deprivation: Path | None, vintage: str, asked: set[str]) -> Places:
    """Look up the postcodes of an extract; only they are held in memory.

    Where the file of postcodes has the boundaries of two censuses, those are taken that the deprivation file follows.
    UsageError for a missing column, a decile that is none, or a deprivation file without its vintage.
    """
    if postcodes is None:
        if deprivation is not None:
            raise UsageError(
                "a deprivation file needs a file of postcodes", where="--deprivation", hint="add --postcodes"
            )
        return Places()
    if deprivation is not None and not re.fullmatch(r"(?:19|20)[0-9]{2}", vintage):
        raise UsageError(
            "of which year are the deciles?", where="--deprivation-vintage", hint="the release, such as 2019 or 2025"
        )
    deciles, follows = _deciles(deprivation) if deprivation is not None else ({}, "")
    areas = _areas(postcodes, {plain for one in asked if (plain := plain_postcode(one))})
    met = {census: sum(1 for area in found.values() if area in deciles) for census, found in areas.items()}
    census = max(areas, key=lambda one: (one == follows, met[one], one))
    homes = {
        postcode: Home(area, deciles.get(area, ""), vintage if area in deciles else "")
        for postcode, area in areas[census].items()
    }
    said = census or follows or "a census that the file does not name"
    return Places(homes, said, vintage if deciles else "", len(asked), len(homes), met[census])


def _areas(file: Path, asked: set[str]) -> dict[str, dict[str, str]]:
    """census -> postcode -> LSOA, for the postcodes that were asked for."""
    rows = _table(file)
    header = [name.strip().lower() for name in next(rows)]
    at = next((header.index(name) for name in POSTCODE if name in header), None)
    columns = {census: header.index(name) for census, names in LSOA.items() for name in names[::-1] if name in header}
    unnamed = next((header.index(name) for name in ANY_LSOA if name in header), None)
    if not columns and unnamed is not None:
        columns[""] = unnamed
    if at is None or not columns:
        raise UsageError(
            "the file of postcodes lacks a column",
            where=str(file),
            hint=f"a postcode ({', '.join(POSTCODE)}) and an area (lsoa21cd, lsoa11cd) are needed",
        )
    found: dict[str, dict[str, str]] = {census: {} for census in columns}
    least = max(at, *columns.values())
    for cells in rows:
        if len(cells) > least and (postcode := re.sub(r"\s+", "", cells[at]).upper()) in asked:
            for census, place in columns.items():
                if _LSOA_CODE.fullmatch(cells[place].strip()) and not cells[place].strip().endswith("99999999"):
                    found[census][postcode] = cells[place].strip()
    return found


def _deciles(file: Path) -> tuple[dict[str, str], str]:
    """LSOA -> decile as text, and the census that the header names."""
    rows = _table(file)
    header = [name.strip().lower() for name in next(rows)]
    follows, area = "", next((header.index(name) for name in ANY_LSOA if name in header), None)
    for census, names in LSOA.items():
        for name in names:
            if name in header:
                follows, area = census, header.index(name)
    decile = next((at for start in DECILE for at, name in enumerate(header) if name.startswith(start)), None)
    if area is None or decile is None:
        raise UsageError(
            "the deprivation file lacks a column",
            where=str(file),
            hint="'LSOA code (2011)' or (2021), and 'Index of Multiple Deprivation (IMD) Decile'",
        )
    found = {}
    for number, cells in enumerate(rows, start=1):
        if not any(cells):
            continue
        text = cells[decile].strip().removesuffix(".0") if len(cells) > max(area, decile) else ""
        if not re.fullmatch(r"[1-9]|10", text):
            raise UsageError("a decile is not 1 to 10", where=f"{file}, row {number}", hint="use the file as published")
        found[cells[area].strip()] = text
    return found, follows


def _table(file: Path) -> Iterator[list[str]]:
    try:
        with open(file, encoding="utf-8-sig", errors="replace", newline="") as handle:
            started = False
            for cells in csv.reader(handle):
                started = True
                yield cells
            if not started:
                raise UsageError("the file is empty", where=str(file), hint="fetch it again")
    except (OSError, csv.Error):
        raise UsageError("the file cannot be read", where=str(file), hint="a CSV, as published") from None


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "none"
