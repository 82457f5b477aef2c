"""The shapes that an evaluator reads and fills. Fields as in Eval Protocol; unknown ones are kept."""

from __future__ import annotations

from typing import Any


class Shape:
    """Attributes from keywords over the class's own defaults; unknown keywords are kept too."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def model_dump(self, **_options: Any) -> dict[str, Any]:
        """All that was set, nested shapes as dictionaries."""
        return {name: dumped(value) for name, value in vars(self).items()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={each!r}' for name, each in vars(self).items())})"


def dumped(value: Any) -> Any:
    if isinstance(value, Shape):
        return value.model_dump()
    return [dumped(each) for each in value] if isinstance(value, list) else value


class Message(Shape):
    """One message of a conversation."""

    role: str = ""
    content: Any = ""
    reasoning_content: str | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: Any = None


class MetricResult(Shape):
    """One further number of a result."""

    score: float = 0.0
    reason: str = ""
    is_score_valid: bool = True


class EvaluateResult(Shape):
    """What an evaluator says of one row."""

    score: float | None = None
    reason: str | None = None
    is_score_valid: bool = True
    error: str | None = None

    def __init__(self, **values: Any) -> None:
        self.metrics: dict[str, Any] = {}
        super().__init__(**values)


class InputMetadata(Shape):
    """Where a row comes from."""

    row_id: str | None = None

    def __init__(self, **values: Any) -> None:
        self.completion_params: dict[str, Any] = {}
        self.dataset_info: dict[str, Any] = {}
        super().__init__(**values)


class EvaluationRow(Shape):
    """One conversation with its answer, what was expected, and the result once there is one."""

    messages: list[Message]
    tools: Any = None
    ground_truth: Any = None
    input_metadata: InputMetadata
    evaluation_result: EvaluateResult | None = None

    def __init__(self, **values: Any) -> None:
        values.setdefault("input_metadata", InputMetadata())
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

    def get_system_message(self) -> Message:
        return next((each for each in self.messages if each.role == "system"), Message(role="system"))
