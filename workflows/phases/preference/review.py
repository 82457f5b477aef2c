"""A look at the pairs that were made, before they are uploaded and trained on.

The source document has one approval and the comparison, so nobody is asked here by rule: a sample is on the
Data tab. A session waits only when that was asked for, or when screening left out more than
`making.REVIEW_SHARE` of the prompts, which the plan says. The answer is to train on the pairs, or to go back
to the plan; what was answered and paid for by then is not paid for again.
"""

from __future__ import annotations

from typing import Any

from sessions.models import Artifact, Gate, TuningSession
from sessions.specification import Option, Question
from sessions.states import Decision, GateKind
from workflows.outcomes import Ask, Outcome
from workflows.phases import planning, questions
from workflows.phases.preference import making, plan
from workflows.work import Work

FIELD = "review_pairs"
TRAIN, CHANGE = "train", "change"
OPTIONS = (
    Option(TRAIN, "Train on these pairs", "They are uploaded as a new dataset, and the jobs start."),
    Option(CHANGE, "Change something first", "The plan comes back: other models, another screening."),
)
TITLE = "The pairs that were made"
NEXT = "Nothing is uploaded or trained before you answer."
HINT = "Train on these pairs."


def step(work: Work) -> Outcome | None:
    """None when there are pairs to train on that nobody needs to see first, or a person has."""
    session = work.session
    if making.wanted(session) is None:
        return None
    if wants_another_plan(session):
        return planning.asked(work, plan.propose)
    outcome = making.step(work)
    return outcome if outcome is not None else question(session)


def wants_another_plan(session: TuningSession) -> bool:
    """Whether the last word was to change something: at the pairs, or at the plan that came back."""
    last = Gate.objects.filter(session=session).exclude(decision=Decision.OPEN)
    last = last.filter(kind=GateKind.PLAN) | last.filter(body__has_key=FIELD)
    gate = last.last()
    if gate is None or gate.kind == GateKind.PLAN:
        return gate is not None and gate.decision == Decision.CHANGES
    return bool(gate.answer.get(FIELD) == CHANGE)


def question(session: TuningSession) -> Ask | None:
    """The question about these pairs; None when it was answered, or need not be asked."""
    made = Artifact.objects.get(session=session, name=making.PAIRS)
    seen = f"{made.sha256} {made.detail['strong']} {made.detail['weak']}"
    answered = Gate.objects.filter(session=session, decision=Decision.ANSWERED)
    if answered.filter(**{f"body__{FIELD}": seen}).exists() or not is_needed(session, made.detail):
        return None
    told = yield_of(made.detail)
    asked = Question(FIELD, f"Train on these {made.detail['pairs']:,} pairs?", OPTIONS, told)
    ask = questions.page([asked])
    assert ask is not None  # noqa: S101  # one question is always a gate
    words = {"title": TITLE, "next": NEXT, "hint": HINT}
    return Ask(ask.kind, f"Look at the pairs: {told}", {**ask.body, **words, FIELD: seen})


def yield_of(made: dict[str, Any]) -> str:
    """How many prompts gave a pair, and why the others did not."""
    left = [(rows, words) for words, rows in made["counts"].items() if words != making.WORDS[making.KEPT]]
    why = ", ".join(f"{rows:,} because {words}" for rows, words in left)
    told = f"{made['pairs']:,} of {made['prompts']:,} prompts gave a pair."
    return f"{told} Left out: {why}." if why else told


def is_needed(session: TuningSession, made: dict[str, Any]) -> bool:
    """Whether a person wants to see them, or too few prompts gave one."""
    said = session.value(FIELD)
    if said:
        return bool(said != TRAIN)
    return bool(made["prompts"] - made["pairs"] > making.REVIEW_SHARE * made["prompts"])
