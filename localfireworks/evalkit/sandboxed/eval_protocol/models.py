"""A row to be evaluated and what came of it. Unknown fields are kept."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Open(BaseModel):
    """Keeps fields that it does not know."""

    model_config = ConfigDict(extra="allow")


class Message(Open):
    role: str
    content: str | list[dict[str, Any]] | None = ""
    name: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[Any] | None = None
    tool_call_id: str | None = None


class MetricResult(Open):
    """One part of a score, from 0 to 1."""

    score: float = Field(ge=0, le=1)
    reason: str = ""
    is_score_valid: bool = True
    data: dict[str, Any] = Field(default_factory=dict)


class EvaluateResult(Open):
    """The score of a row, from 0 to 1, and why."""

    score: float
    is_score_valid: bool = True
    reason: str | None = None
    metrics: dict[str, MetricResult] = Field(default_factory=dict)
    error: str | None = None


class InputMetadata(Open):
    row_id: str | None = None
    completion_params: dict[str, Any] = Field(default_factory=dict)
    dataset_info: dict[str, Any] = Field(default_factory=dict)


class RolloutStatus(Open):
    code: int = 0
    message: str = ""
    details: list[dict[str, Any]] = Field(default_factory=list)


class ExecutionMetadata(Open):
    invocation_id: str | None = None
    experiment_id: str | None = None
    rollout_id: str | None = None
    run_id: str | None = None


class EvaluationRow(Open):
    """A conversation with its answer, and the place for its score."""

    messages: list[Message] = Field(default_factory=list)
    tools: list[dict[str, Any]] | None = None
    ground_truth: Any = None
    input_metadata: InputMetadata = Field(default_factory=InputMetadata)
    rollout_status: RolloutStatus = Field(default_factory=RolloutStatus)
    execution_metadata: ExecutionMetadata = Field(default_factory=ExecutionMetadata)
    evaluation_result: EvaluateResult | None = None

    def last_assistant_message(self) -> Message | None:
        return next((each for each in reversed(self.messages) if each.role == "assistant"), None)

    def last_user_message(self) -> Message | None:
        return next((each for each in reversed(self.messages) if each.role == "user"), None)

    def get_system_message(self) -> Message:
        found = (each for each in self.messages if each.role == "system")
        return next(found, Message(role="system", content=""))

    def get_assistant_messages(self) -> list[Message]:
        return [each for each in self.messages if each.role == "assistant"]

    def get_user_messages(self) -> list[Message]:
        return [each for each in self.messages if each.role == "user"]
