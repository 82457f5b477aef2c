"""The held-out rows are put to models, each row once a model, and the answers are read by two rules."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from sessions.actions import scoring as writes
from sessions.models import Answer, Artifact, TuningSession
from workflows.answers import PromptSet, Sampling, Subject, collect, prompt_set
from workflows.data.labels_prompt import Prompt
from workflows.outcomes import Outcome, Wait
from workflows.phases import plans
from workflows.phases.classification.data import rows_of, truths
from workflows.work import Work

PROMPTS = "heldout"
SLICE = 2000  # answers read between two looks at the clock
STEP_SECONDS = 15.0  # after which a step lets others look


def prompt_of(session: TuningSession) -> Prompt:
    """How models are asked, as it was approved."""
    told = plans.approved(session).body["labels"]
    return Prompt(tuple(told["set"]), told["multi"], told["prompt"])


def asked(work: Work) -> PromptSet:
    """The held-out rows without their answers, as every model is asked them."""
    sampling = Sampling(max_tokens=prompt_of(work.session).max_tokens, seed=work.session.value("seed"))
    return prompt_set(work, PROMPTS, conversations(work), sampling)


def conversations(work: Work) -> Iterator[list[dict[str, Any]]]:
    """What is asked, row by row."""
    path = Artifact.objects.get(session=work.session, name="heldout.jsonl").path
    return (each["messages"][:-1] for each in rows_of(path))


def step(work: Work, subjects: Sequence[Subject]) -> Outcome | None:
    """None when every row of every subject is answered and read; else what the phase's step returns."""
    outcome = collect(work, asked(work), subjects, work.session.value("serving_order") or ())
    if outcome is not None:
        return outcome
    until = time.monotonic() + STEP_SECONDS
    prompt, right = prompt_of(work.session), truths(work)
    while unread := list(open_answers(work.session, subjects)[:SLICE]):
        for each in unread:
            each.result = reading(prompt, each, right[each.row])
        writes.keep_results(work.session, work.clock(), unread)
        if time.monotonic() > until:
            return Wait(0.0)
    return None


def open_answers(session: TuningSession, subjects: Sequence[Subject]) -> Any:
    """The answers that were not read yet."""
    keys = [each.key for each in subjects]
    return Answer.objects.filter(session=session, prompts=PROMPTS, subject__in=keys, result={})


def answers(session: TuningSession, subject: str) -> Any:
    """The answers of one model, in the order of the rows."""
    return Answer.objects.filter(session=session, prompts=PROMPTS, subject=subject).order_by("row")


def reading(prompt: Prompt, answer: Answer, right: tuple[str, ...]) -> dict[str, Any]:
    """The labels of an answer by the lenient and the strict rule (None: outside the set; of several
    labels OUTSIDE is one: another label is listed as well), and the truth."""
    lenient, strict = prompt.lenient(answer.text), prompt.strict(answer.text)
    return {
        "labels": None if lenient is None else list(lenient),
        "strict": None if strict is None else list(strict),
        "right": list(right),
    }
