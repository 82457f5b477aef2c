"""How a row's answer came about, as Eval Protocol says it. Every row that is scored has its answer."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class ErrorInfo:
    """Details of a status; none are given here."""

    REASON_TERMINATION_REASON, REASON_EXTRA_INFO = "TERMINATION_REASON", "EXTRA_INFO"
    DOMAIN = "evalprotocol.io"


class Status:
    """A code, a message and details."""

    class Code(IntEnum):
        """The codes that evaluators ask about."""

        OK = 0
        CANCELLED = 1
        UNKNOWN = 2
        INVALID_ARGUMENT = 3
        INTERNAL = 13
        FINISHED = 100
        RUNNING = 101
        SCORE_INVALID = 102

    def __init__(self, code: Any = Code.FINISHED, message: str = "", details: Any = ()) -> None:
        self.code, self.message, self.details = code, message, list(details)

    @classmethod
    def rollout_finished(cls, *_: Any, **_options: Any) -> Status:
        return cls(cls.Code.FINISHED, "Rollout finished")

    eval_finished = rollout_finished

    @classmethod
    def error(cls, error_message: str = "", *_: Any, **_options: Any) -> Status:
        return cls(cls.Code.INTERNAL, error_message)

    rollout_error = error

    @classmethod
    def score_invalid(cls, message: str = "", *_: Any, **_options: Any) -> Status:
        return cls(cls.Code.SCORE_INVALID, message)

    def is_running(self) -> bool:
        return bool(self.code == Status.Code.RUNNING)

    def is_finished(self) -> bool:
        return bool(self.code == Status.Code.FINISHED)

    def is_error(self) -> bool:
        return bool(0 < self.code < Status.Code.FINISHED)

    def is_stopped(self) -> bool:
        return False

    def get_termination_reason(self) -> Any:
        return None

    def __repr__(self) -> str:
        return f"Status(code={int(self.code)}, message={self.message!r})"
