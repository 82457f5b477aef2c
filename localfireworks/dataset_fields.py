"""The body of a dataset and where it came from (fireworks-api.md, 2)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from localfireworks.errors import invalid
from localfireworks.names import check_display_name
from localfireworks.service import Message

Format = Literal["FORMAT_UNSPECIFIED", "CHAT", "COMPLETION", "RL"]


class Splitted(Message):
    source_dataset_id: str


class Transformed(Message):
    source_dataset_id: str
    original_format: str = "FORMAT_UNSPECIFIED"
    filter: str | None = None


class EvaluationResult(Message):
    evaluation_job_id: str


class Origin(Message):
    """Where the rows came from: one of these fields."""

    user_uploaded: dict[str, Any] | None = None
    eval_protocol: dict[str, Any] | None = None
    external_url: str | None = None
    splitted: Splitted | None = None
    transformed: Transformed | None = None
    evaluation_result: EvaluationResult | None = None


ORIGINS = tuple(field.alias or name for name, field in Origin.model_fields.items())


class DatasetFields(Origin):
    """The part of a dataset a client may give."""

    display_name: str = ""
    format: Format = "FORMAT_UNSPECIFIED"
    example_count: int = Field(0, ge=0, le=2**63 - 1)
    source_job_name: str = ""

    def origin(self) -> dict[str, Any]:
        """The one origin that was given, uploaded by the user when none was."""
        given = self.model_dump(by_alias=True, exclude_none=True, include=set(Origin.model_fields))
        if len(given) > 1:
            raise invalid(f"a dataset has one origin, not {' and '.join(sorted(given))}")
        return given or {"userUploaded": {}}


class DatasetCreate(Message):
    dataset: DatasetFields = Field(default_factory=DatasetFields)
    dataset_id: str
    source_dataset_id: str = ""


class DatasetPatch(Origin):
    """Metadata; what is left out stays. An origin takes the place of the one before."""

    display_name: str | None = None
    format: Format | None = None
    example_count: int | None = Field(None, ge=0, le=2**63 - 1)
    source_job_name: str | None = None

    def apply(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body of a dataset with the changes."""
        if self.display_name is not None:
            check_display_name(self.display_name)
        changed = self.model_dump(by_alias=True, exclude_none=True)
        given = [name for name in ORIGINS if name in changed]
        if len(given) > 1:
            raise invalid(f"a dataset has one origin, not {' and '.join(given)}")
        if self.example_count is not None:
            changed["exampleCount"] = str(self.example_count)
        kept = {name: value for name, value in body.items() if not (given and name in ORIGINS)}
        return kept | changed
