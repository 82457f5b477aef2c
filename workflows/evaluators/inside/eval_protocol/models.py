"""The shapes that an evaluator reads and fills. Fields as in Eval Protocol; unknown ones are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Self

from .status import ErrorInfo, Status
from .unsupported import missing

__getattr__ = missing("eval_protocol.models")
__all__ = [
    "ChatCompletionContentPartTextParam", "CompletionParams", "ErrorInfo", "EvalMetadata", "EvaluateResult",
    "EvaluationRow", "EvaluationThreshold", "ExecutionMetadata", "InputMetadata", "Message", "MetricResult",
    "Status", "StepOutput",
]  # fmt: skip
CompletionParams = dict[str, Any]


class Shape:
    """Attributes from keywords over the class's own defaults; unknown keywords are kept too. It can be read
    like a dictionary, and dumped like a pydantic model."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    @classmethod
    def model_validate(cls, value: Any, **_options: Any) -> Self:
        return value if isinstance(value, cls) else cls(**value)

    def model_dump(self, *, exclude: Any = (), exclude_none: bool = False, **_options: Any) -> dict[str, Any]:
        """All that was set, nested shapes as dictionaries."""
        known = {name: dumped(value) for name, value in vars(self).items() if name not in exclude}
        return {name: value for name, value in known.items() if not (exclude_none and value is None)}

    def model_dump_json(self, **options: Any) -> str:
        indent = options.pop("indent", None)
        return json.dumps(self.model_dump(**options), indent=indent, default=str, ensure_ascii=False)

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        copied = deepcopy(self) if deep else type(self).__new__(type(self))
        copied.__dict__.update({} if deep else vars(self))
        copied.__dict__.update(update or {})
        return copied

    def get(self, name: str, default: Any = None) -> Any:
        return getattr(self, name, default)

    def keys(self) -> list[str]:
        return list(vars(self))

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except AttributeError as fault:
            raise KeyError(name) from fault

    def __contains__(self, name: object) -> bool:
        return hasattr(self, str(name))

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={each!r}' for name, each in vars(self).items())})"


def dumped(value: Any) -> Any:
    if isinstance(value, Shape):
        return value.model_dump()
    if isinstance(value, dict):
        return {name: dumped(each) for name, each in value.items()}
    return [dumped(each) for each in value] if isinstance(value, list) else value


class ChatCompletionContentPartTextParam(Shape):
    """One part of a message's content."""

    type: str = "text"
    text: str = ""


class Message(Shape):
    """One message of a conversation."""

    role: str = ""
    content: Any = ""
    reasoning_content: str | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: Any = None
    function_call: Any = None
    control_plane_step: dict[str, Any] | None = None
    weight: int | None = None


class MetricResult(Shape):
    """One further number of a result."""

    score: float = 0.0
    reason: str = ""
    is_score_valid: bool = True


class StepOutput(Shape):
    """The reward of one step; kept with a result, and not used."""

    step_index: Any = 0
    base_reward: float = 0.0


class EvaluateResult(Shape):
    """What an evaluator says of one row."""

    score: float | None = None
    reason: str | None = None
    is_score_valid: bool = True
    error: str | None = None
    step_outputs: Any = None
    trajectory_info: Any = None
    final_control_plane_info: Any = None
    agg_score: float | None = None
    standard_error: float | None = None

    def __init__(self, **values: Any) -> None:
        self.metrics: dict[str, Any] = {}
        super().__init__(**values)


class InputMetadata(Shape):
    """Where a row comes from."""

    row_id: str | None = None
    session_data: dict[str, Any] | None = None

    def __init__(self, **values: Any) -> None:
        self.completion_params: dict[str, Any] = {}
        self.dataset_info: dict[str, Any] = {}
        super().__init__(**values)


class ExecutionMetadata(Shape):
    """Names of the run, made of the row's number: the same in every run."""

    invocation_id: str | None = None
    experiment_id: str | None = None
    rollout_id: str | None = None
    run_id: str | None = None
    usage: Any = None
    cost_metrics: Any = None
    duration_seconds: float | None = None
    finish_reason: str | None = None
    tool_call_count: int | None = None
    extra: dict[str, Any] | None = None


class EvaluationThreshold(Shape):
    """What a test run must reach; the portal compares models instead."""

    success: float = 0.0
    standard_error: float | None = None


class EvalMetadata(Shape):
    """What a test run is called."""

    name: str = ""
    description: str | None = None


class EvaluationRow(Shape):
    """One conversation with its answer, what was expected, and the result once there is one."""

    messages: list[Message]
    tools: Any = None
    ground_truth: Any = None
    input_metadata: InputMetadata
    execution_metadata: ExecutionMetadata
    rollout_status: Status
    evaluation_result: EvaluateResult | None = None
    eval_metadata: EvalMetadata | None = None
    pid: int | None = None

    def __init__(self, **values: Any) -> None:
        values.setdefault("input_metadata", InputMetadata())
        values.setdefault("execution_metadata", ExecutionMetadata())
        values.setdefault("rollout_status", Status.rollout_finished())
        values.setdefault("created_at", datetime.now(UTC))
        given = [
            each if isinstance(each, Message) else Message(**each) for each in values.pop("messages", [])
        ]
        super().__init__(messages=given, **values)

    @classmethod
    def of(cls, row: dict[str, Any], number: int) -> EvaluationRow:
        """A row of a dataset: other columns go to `input_metadata.dataset_info`."""
        own = {"messages", "tools", "ground_truth"}
        other = {name: value for name, value in row.items() if name not in own}
        where = InputMetadata(row_id=str(row.get("id", number)), dataset_info=other)
        return cls(input_metadata=where, **{name: row[name] for name in own if name in row})

    def last_assistant_message(self) -> Message | None:
        """The answer, if there is one."""
        return next((each for each in reversed(self.messages) if each.role == "assistant"), None)

    def get_assistant_messages(self) -> list[Message]:
        return [each for each in self.messages if each.role == "assistant"]

    def get_user_messages(self) -> list[Message]:
        return [each for each in self.messages if each.role == "user"]

    def get_first_user_message(self) -> Message | None:
        return next(iter(self.get_user_messages()), None)

    def get_system_message(self) -> Message:
        return next((each for each in self.messages if each.role == "system"), Message(role="system"))

    def get_conversation_length(self) -> int:
        return len(self.messages)

    def get_input_metadata(self, key: str, default: Any = None) -> Any:
        return getattr(self.input_metadata, key, default)

    def is_trajectory_evaluation(self) -> bool:
        return bool(self.evaluation_result and self.evaluation_result.step_outputs)
