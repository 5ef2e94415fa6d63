"""Self-contained pages: no outside request, no script, everything escaped, a content policy that says so."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from casefinding.explain import wording
from casefinding.report import words
from casefinding.report.shapes import DRAFT

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        long_date=wording.date_words,
        number=wording.number_words,
        chance=words.chance_of,
        against=words.against,
        missing=words.missing,
        invitation=words.invitation,
        first_upper=words.first_upper,
    )
    environment.globals.update(
        why=words.why,
        draft=DRAFT,
        chance_in_full=lambda line: words.chance_of(line, of=True),
        to_do=words.to_do,
        notes=words.notes,
        task_text=words.task_text,
    )
    return environment


def page(template: str, **content: object) -> str:
    """A page from a template, as text; the style sheet is inlined and allowed by its digest alone."""
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return _environment().get_template(template).render(style=style, policy=policy, **content)
