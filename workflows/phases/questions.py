"""What must be asked before a session can go on: one page with all questions (product row 1.5)."""

from __future__ import annotations

from typing import Any

from sessions.models import BaseModel, RemoteDataset
from sessions.specification import FieldError, ModelName, Option, Question, missing
from sessions.states import GateKind
from workflows.outcomes import Ask
from workflows.work import Work


def supported() -> list[ModelName]:
    """The models that can be tuned, and whose tuned form can be served."""
    rows = BaseModel.objects.filter(listed=True, tunable=True, servable=True)
    return [ModelName(row.name, row.display_name) for row in rows]


def unanswered(work: Work) -> Ask | None:
    """The gate for what is missing and has no default; None when nothing is."""
    ready = RemoteDataset.objects.filter(listed=True, state="READY")
    datasets = [(row.name, str(row)) for row in ready]
    return page(missing(work.session.specification, supported(), datasets))


# A reply in words that would answer a question about a field, where the usual one would not.
REPLIES = {
    "labels": "Labels are: billing, technical.",
    "max_candidates": "At most 4 candidates.",
    "heldout_rows": "Hold out 50 rows.",
    "drop_bad_rows": "Drop bad rows.",
}


class Refusal(FieldError):
    """A value that cannot be used, with answers that could be."""

    def __init__(self, field: str, fault: str, remedy: str, options: tuple[Option, ...] = ()) -> None:
        super().__init__(field, fault, remedy)
        self.options = options


def refused(fault: FieldError) -> Ask | None:
    """The gate that shows a value which cannot be used, and asks for another."""
    options = fault.options if isinstance(fault, Refusal) else ()
    return page([Question(fault.field, fault.fault, options, fault.remedy)])


def choice(field: str, text: str, help_text: str, *options: tuple[str, str]) -> Ask | None:
    """One question with a few answers."""
    return page([Question(field, text, tuple(Option(value, label) for value, label in options), help_text)])


def page(questions: list[Question]) -> Ask | None:
    """All questions at one gate."""
    if not questions:
        return None
    count = "A question needs" if len(questions) == 1 else f"{len(questions)} questions need"
    body: dict[str, Any] = {"questions": [each.to_json() for each in questions]}
    if hint := REPLIES.get(questions[0].field):
        body["hint"] = hint
    return Ask(GateKind.QUESTIONS, f"{count} an answer", body)
