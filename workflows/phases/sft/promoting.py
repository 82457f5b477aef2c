"""The end of phase 3: score the candidates if the person wants that, and ask which one has won."""

from __future__ import annotations

from typing import Any

from sessions.models import Candidate
from sessions.states import GateKind
from workflows import pictures
from workflows.answers import Subject
from workflows.outcomes import Ask, Outcome
from workflows.phases import promotion, scoring, scoring_code, sweep
from workflows.phases.sft import judging
from workflows.work import Work


def judge(work: Work, done: list[Candidate]) -> Outcome:
    """Collect and score answers where an evaluator decides; then the promotion gate."""
    if scoring.strategy_of(work.session):
        outcome = scoring.step(work, subjects(done))
        if outcome is not None:
            return outcome
        body = judging.proposal(judged(work, done))
    else:
        body = promotion.proposal(done, sweep.heldout_rows(work))
    return gate(work, body)


def gate(work: Work, body: dict[str, Any]) -> Ask:
    """The promotion gate with the chart that belongs to it."""
    pictures.scoreboard(work, body["suggested"])
    return Ask(GateKind.PROMOTION, f"Confirm the winner: candidate {body['suggested']} is suggested", body)


def subjects(done: list[Candidate]) -> list[Subject]:
    """The base models as they are, and every candidate that was trained."""
    models = dict.fromkeys(each.base_model for each in done)
    return [*map(Subject.base, models), *map(Subject.of, done)]


def judged(work: Work, done: list[Candidate]) -> judging.Judged:
    """The scores of all of them by row."""
    strategy, keys = scoring.strategy_of(work.session), [each.key for each in subjects(done)]
    return judging.Judged(
        done=done,
        scores={key: scoring.scores(work.session, key) for key in keys},
        rows=sweep.heldout_rows(work),
        evaluator=scoring_code.facts(work, strategy)["label"],
        seed=work.session.value("seed"),
        failed={key: scoring.faults(work.session, key) for key in keys},
        cut={key: scoring.cut_rows(work.session, key) for key in keys},
    )
