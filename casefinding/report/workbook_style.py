"""How the sheets of a workbook look: formats, set-up of the page, and how high a row must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casefinding.explain.wording import date_words
from casefinding.report.shapes import Edition

Styles = Mapping[str, Any]

TEXT_LIMIT = 32_000
"""A cell of a workbook holds 32,767 characters."""
HIGHEST = 400.0
"""Points: a row of a workbook can be 409 high."""
CELL_SIZE = 9
_BLUE, _INK, _YELLOW, _GREY = "#005EB8", "#212B32", "#FFF9C4", "#E8EDEE"
_PIXELS_A_CHARACTER, _POINTS_A_PIXEL, _PADDING = 7, 0.75, 5
_LINE = 1.2  # the height of a line in font sizes, as Excel sets it; LibreOffice needs a little less
_WIDTHS = {
    222: "ijl'", 278: " !,./:;I[]|ft", 333: "r()-", 350: "•", 500: "ckvsxyzJ", 611: "FTZ", 667: "ABEKPSVXY&",
    722: "CDHNRUw", 778: "GOQ", 833: "mM", 889: "%", 944: "W", 1015: "@",
}  # fmt: skip
_WIDTH_OF = {sign: thousandths / 1000 for thousandths, signs in _WIDTHS.items() for sign in signs}
"""The width of signs in Arial, in font sizes (Adobe's metrics of Helvetica, which Arial shares); others: 0.556."""


def styles(book: Any) -> Styles:
    """The formats of a workbook by name; Arial, and nothing that is told by colour alone."""
    cell = {"font_name": "Arial", "font_size": CELL_SIZE, "text_wrap": True, "valign": "top", "border": 1}
    text = {"font_name": "Arial", "font_size": 10, "text_wrap": True, "valign": "top"}
    head = {**cell, "font_size": 10, "bold": True, "font_color": "#FFFFFF", "valign": "vcenter"}
    ends = {"last": {"bottom": 5}, "after": {"top": 5}}  # the thick line under the last person for whom there is time
    fill = {"bg_color": _YELLOW}
    looks = {
        "title": {"font_name": "Arial", "font_size": 16, "bold": True},
        "section": {"font_name": "Arial", "font_size": 12, "bold": True, "bottom": 2, "bottom_color": _BLUE},
        "text": text,
        "small": {**text, "font_size": CELL_SIZE},
        "strong": {**text, "bold": True},
        "warning": {**text, "font_size": 11, "bold": True, "border": 2, "bg_color": _YELLOW, "valign": "vcenter"},
        "label": {**cell, "font_size": 8, "bold": True, "text_wrap": False, "bg_color": _GREY},
        "id": {**cell, "num_format": "@", "text_wrap": False},
        "head": {**head, "bg_color": _BLUE},
        "head to fill": {**head, "bg_color": _INK},
        "block": {**cell, "font_size": 10, "bold": True, "bg_color": _GREY, "border": 1},
        "cell": {**cell, "num_format": "@"},
        "person": {**cell, "num_format": "@", "bold": True},
        "whole": {**cell, "align": "center"},
        "to fill": {**cell, "num_format": "@", **fill},
        "date": {**cell, "num_format": "dd/mm/yyyy", **fill},
    }
    made = {name: book.add_format(look) for name, look in looks.items()}
    for name in ("cell", "person", "whole", "to fill", "date"):
        for end, line in ends.items():
            made[f"{name}, {end}"] = book.add_format({**looks[name], **line})
    return made


def printed(sheet: Any, edition: Edition, left: str, *, repeat: int | None = None) -> None:
    """A4 landscape, as wide as the page, with the list's name above and the page's number below each page.

    `repeat`: the row that stands on top of each page.
    """
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.3, right=0.3, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    if repeat is not None:
        sheet.repeat_rows(repeat)
    sheet.set_header(f"&L{_plain(left)}&RList {_plain(edition.list_id)}")
    sheet.set_footer(f"&LData to {date_words(edition.data_through)}. Not a real-time alert.&RPage &P of &N")


def _plain(text: str) -> str:
    """Text in a header, where an ampersand begins a command; a header holds 255 characters."""
    return text.replace("&", "and")[:80]


def height(text: str, width: float, size: float = CELL_SIZE) -> float:
    """Points that a text takes in Arial of a size, wrapped in a column so many characters wide.

    Not every program makes a row as high as what it holds, so every height is set.
    """
    room = _PIXELS_A_CHARACTER * width * _POINTS_A_PIXEL  # the padding of a column comes on top
    return 4 + _LINE * size * sum(_lines(part, 0.98 * room / size) for part in text.split("\n"))


def together(widths: Sequence[float]) -> float:
    """The width of several columns merged into one."""
    return sum(width + _PADDING / _PIXELS_A_CHARACTER for width in widths)


def _lines(text: str, room: float) -> int:
    """Lines that a paragraph takes, words kept whole where they fit; `room`: the line's width in font sizes."""
    lines, filled = 1, 0.0
    for word in text.split(" "):
        long = sum(_WIDTH_OF.get(sign, 0.556) for sign in word)
        if filled and filled + _WIDTH_OF[" "] + long > room:
            lines, filled = lines + 1, 0.0
        if long > room:  # a word wider than the column is broken
            broken = int(long / room)
            lines, long = lines + broken, long - broken * room
        filled += long + (_WIDTH_OF[" "] if filled else 0.0)
    return lines


def highest(texts: Sequence[str], widths: Sequence[float], size: float = CELL_SIZE) -> float:
    """The height of a row by its fullest cell, as high as a row can be."""
    return min(HIGHEST, max((height(text, width, size) for text, width in zip(texts, widths, strict=True)), default=15))
