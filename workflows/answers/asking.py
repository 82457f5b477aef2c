"""What a way of serving is given, and what every way is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sessions.actions import answering
from sessions.actions.answering import Open
from sessions.models import Answer, Serving
from workflows.answers.prompts import PromptSet
from workflows.answers.subjects import Subject
from workflows.fireworks.deployments import Wanted
from workflows.outcomes import Wait
from workflows.work import Work


class Refused(Exception):
    """A way does not work for a subject; the text has the provider's words. The next way is taken, and the
    answers in `opened` are stored together with that: what came of the rows, and which are open again."""

    def __init__(self, words: str, opened: Sequence[Answer] = ()) -> None:
        super().__init__(words)
        self.opened = opened


@dataclass
class Asking:
    """One subject and one prompt set in one step. No new request is begun after `until`; with `first` only
    so many rows are asked, from the beginning on."""

    work: Work
    prompts: PromptSet
    subject: Subject
    serving: Serving
    until: datetime
    first: int = 0

    def open_rows(self) -> list[Open]:
        """The rows that have no answer yet."""
        rows = min(self.first or self.prompts.rows, self.prompts.rows)
        return answering.open_rows(self.work.session, self.prompts.name, self.subject.key, rows)

    @property
    def answered(self) -> bool:
        """Whether the subject answered any row so far."""
        known = Answer.objects.filter(
            session=self.work.session, prompts=self.prompts.name, subject=self.subject.key
        )
        return known.filter(answered_at__isnull=False, error="").exists()

    @property
    def time_is_up(self) -> bool:
        return self.work.clock() >= self.until


class Way(Protocol):
    """One way to come by a subject's answers, as a module."""

    NAME: str  # the word in the specification and in the rows
    LABEL: str  # in plans and events

    def unfit(self, subject: Subject, /) -> str:
        """Why this way cannot serve the subject at all; empty when it may."""

    def step(self, asking: Asking, /) -> Wait | None:
        """Get on for one slice; None when every row is over. Raises Refused, and what the client raises."""


class DeploymentWay(Way, Protocol):
    """A way that needs a temporary deployment of ours."""

    def purpose_of(self, subject: Subject, prompts: str, /) -> str:
        """What the deployment is for; subjects of the same purpose share it."""

    def wanted(self, model: str, /) -> Wanted:
        """What would be deployed for a model."""
