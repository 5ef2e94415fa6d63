"""The part of the config that says for what the records flow, and so which opt-outs apply to them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

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
