"""The body of a batch inference job and the rules for its values (fireworks-api.md, 7.2)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from localfireworks.bodies import read_json
from localfireworks.errors import invalid
from localfireworks.names import check_display_name
from localfireworks.service import Message


class InferenceParameters(Message):
    """What holds for every request whose own body does not say otherwise."""

    max_tokens: int | None = Field(None, ge=0)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=0)
    n: int | None = Field(None, ge=0, le=128)
    extra_body: str = ""

    def fields(self) -> dict[str, Any]:
        """As fields of a chat completion; a 0 that stands for "not set" is left out."""
        given = {
            "max_tokens": self.max_tokens or None,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "n": self.n or None,
        }
        return extra_fields(self.extra_body) | {
            key: value for key, value in given.items() if value is not None
        }


class BatchFields(Message):
    """All fields a client may send."""

    model: str = ""
    input_dataset_id: str = ""
    output_dataset_id: str = ""
    display_name: str = ""
    inference_parameters: InferenceParameters = Field(default_factory=InferenceParameters)
    precision: str = "PRECISION_UNSPECIFIED"
    continued_from_job_name: str = ""


def extra_fields(text: str) -> dict[str, Any]:
    """`extraBody`, a JSON object written as a string; INVALID_ARGUMENT when it is anything else."""
    try:
        value = read_json(text) if text else {}
    except ValueError as error:
        raise invalid(f"invalid inference_parameters.extra_body: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise invalid("invalid inference_parameters.extra_body: give a JSON object as a string")
    return value


def check_fields(fields: BatchFields) -> None:
    """All that can be said without looking at other resources; INVALID_ARGUMENT for the first fault."""
    check_display_name(fields.display_name)
    extra_fields(fields.inference_parameters.extra_body)
    if not fields.continued_from_job_name:
        for name, value in (("model", fields.model), ("input_dataset_id", fields.input_dataset_id)):
            if not value:
                raise invalid(f"{name} is required, unless continued_from_job_name is given")
