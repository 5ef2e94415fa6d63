"""The part of the config that says for what the records flow, and so which opt-outs apply to them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from casefinding.definitions.basics import Shape


class Flow(Shape):
    """Why records leave the practice. Type 1 opt-outs keep people out of every secondary use, and of no direct care.

    The national data opt-out applies where the legal basis says so (section 251 support with its standard condition),
    not to direct care, consent, a legal requirement or anonymous data: whoever runs the flow says which it is.
    """

    purpose: Literal["secondary use", "direct care"] = "secondary use"
    national_data_opt_out: Literal["needed", "not needed"] = Field(alias="national data opt-out")

    @model_validator(mode="after")
    def _no_opt_out_of_own_care(self) -> Self:
        if self.purpose == "direct care" and self.national_data_opt_out == "needed":
            raise ValueError("the national data opt-out does not apply to direct care: write 'not needed'")
        return self


def read_flow(path: Path) -> Flow | None:
    """The flow that a config states, or a file that holds nothing but `flow`; None for a config without one.

    Raises ConfigError for what is wrong with either.
    """
    from casefinding.definitions.read import read_config
    from casefinding.definitions.strict import parse_file
    from casefinding.errors import ConfigError

    parsed = parse_file(path)
    if parsed.problems or not isinstance(parsed.value, dict) or set(parsed.value) != {"flow"}:
        return read_config(path).flow
    try:
        return Flow.model_validate(parsed.value["flow"])
    except ValidationError as wrong:
        first = wrong.errors()[0]
        said = ".".join(str(part) for part in ("flow", *first["loc"]))
        raise ConfigError(
            f"{said}: {first['msg']}",
            where=str(path),
            hint="flow: {purpose: secondary use, national data opt-out: needed}, or not needed",
        ) from None
