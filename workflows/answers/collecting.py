"""Collect the answers of several subjects to one prompt set, a slice of work at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sessions.actions import answering
from sessions.costs.inference import TOKEN_WAYS
from sessions.models import Serving
from workflows.answers import approved, settling, temporary
from workflows.answers.asking import Asking, Refused
from workflows.answers.prompts import PromptSet
from workflows.answers.subjects import Subject
from workflows.answers.ways import DEPLOYING, WAYS, next_way, order_of, why_none
from workflows.fireworks.errors import FireworksError
from workflows.outcomes import Failed, Failure, Outcome, Wait
from workflows.work import Work

SLICE_SECONDS = 18.0  # no new request is begun after that; those under way are waited for


def collect(
    work: Work, prompts: PromptSet, subjects: Sequence[Subject], order: Sequence[str] = (), *, first: int = 0
) -> Outcome | None:
    """Get on with the answers of every subject for about twenty seconds at the most.

    None when every row of every subject is over and nothing of ours serves them any more; else what the
    phase step returns: Wait, or Failed when no way is left. Raises what the client raises, and
    NotApproved or ApprovalExceeded when the plan does not cover a subject. `order` are names of `ways`;
    the specification's `serving_order` unless given.
    """
    order = tuple(order) or order_of(work.session)
    until = work.clock() + timedelta(seconds=SLICE_SECONDS)
    waits = []
    try:
        for subject in subjects:
            outcome = advanced(work, prompts, subject, order, until, first)
            if isinstance(outcome, Failed):
                return outcome  # the session stops everything that is its own
            if outcome:
                waits.append(outcome.seconds)
    except Exception:
        with suppress(FireworksError):  # the first fault is the one to tell
            tidied(work, prompts.name)
        raise
    if not tidied(work, prompts.name):
        waits.append(work.poll_seconds)
    return Wait(min(waits)) if waits else None


def tidied(work: Work, prompts: str) -> bool:
    """Whether no temporary deployment stands that nobody needs; asks for the end of what does."""
    return temporary.tidied(work, prompts, needed(work, prompts))


def needed(work: Work, prompts: str) -> set[str]:
    """The purposes of the temporary deployments that still have rows to answer."""
    servings = Serving.objects.filter(session=work.session, prompts=prompts, way__in=DEPLOYING, ended_at=None)
    return {
        DEPLOYING[each.way].purpose_of(Subject(each.subject, each.model, settling.base_of(each)), prompts)
        for each in servings
    }


def advanced(
    work: Work, prompts: PromptSet, subject: Subject, order: Sequence[str], until: datetime, first: int = 0
) -> Wait | Failed | None:
    """One subject's slice, by the first way that is not refused. None when it is over."""
    serving = Serving.objects.filter(session=work.session, prompts=prompts.name, subject=subject.key).first()
    if serving is None:
        way = next_way(order, subject, {})
        if not way:
            return no_way(order, subject, {})
        serving = begun(work, prompts, subject, way)
    serving.session = work.session  # what is written for it names this worker's lease
    while not serving.is_over:
        try:
            if serving.way in TOKEN_WAYS:
                approved.cover(work, serving)
            waiting = WAYS[serving.way].step(Asking(work, prompts, subject, serving, until, first))
        except Refused as refusal:
            refused = {**serving.refused, serving.way: str(refusal)}
            way = next_way(order, subject, refused)
            if not way:
                answering.store(work.session, work.clock(), refusal.opened)
                return no_way(order, subject, refused)
            text = refusal_text(subject, serving.way, way, refusal)
            answering.turn(serving, work.clock(), way, str(refusal), text, refusal.opened)
            continue
        if waiting is None and 0 < first < prompts.rows:
            return None
        if waiting is None:
            settling.finish(work, prompts, subject, serving)
            continue
        return waiting
    return None


def begun(work: Work, prompts: PromptSet, subject: Subject, way: str) -> Serving:
    """The subject's row and the reservation of its line; the lease is kept before anything is written."""
    work.keep_lease()
    serving = Serving(
        session=work.session,
        prompts=prompts.name,
        subject=subject.key,
        model=subject.model,
        rows=prompts.rows,
        way=way,
        begun_at=work.clock(),
    )
    text = f"Asking {subject.label} the {prompts.rows:,} {prompts.words}, by {WAYS[way].LABEL}"
    return answering.begin(work.session, serving, settling.item(prompts.name, subject.key), text)


def refusal_text(subject: Subject, way: str, following: str, refusal: Refused) -> str:
    """The event of a fallback."""
    words = str(refusal).rstrip(".")
    return f"{subject.label}: {WAYS[way].LABEL} was refused ({words}); going on by {WAYS[following].LABEL}"


def no_way(order: Sequence[str], subject: Subject, refused: Mapping[str, str]) -> Failed:
    """Nothing serves this subject; the reasons are named way by way."""
    reasons = why_none(order, subject, refused)
    failure = Failure(
        "configuration",
        f"No way is left to get answers of {subject.label}: {reasons}.",
        "Choose other base models or another order of serving, and start again.",
        "; ".join(refused.values()),
        retry_safe=True,
    )
    return Failed(failure)
