"""The phases of evaluator authoring: read the data, write the evaluator, try it on real samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from sessions.actions.planning import keep_specification
from sessions.models import Artifact
from sessions.specification import FIELDS, Entry, Origin
from sessions.spreadsheets import csv_line
from workflows.evaluators import isolation
from workflows.evaluators.authoring import Authored, CannotTell, author
from workflows.evaluators.kinds import unchecked
from workflows.evaluators.limits import Limits
from workflows.evaluators.results import Scored
from workflows.evaluators.samples import look, samples_in
from workflows.evaluators.trial import REFERENCE, Answer
from workflows.fireworks.errors import NeedsPerson
from workflows.outcomes import Done, Outcome, Skip
from workflows.phases import inspection, questions
from workflows.work import Work

CODE, SPECIFICATION = "outputs/evaluator.py", "outputs/eval_spec.md"
SCORES, FACTS = "outputs/evaluator_scores.csv", "outputs/evaluator.json"
LONGEST_CELL = 2_000
MADE_FROM = ("criterion", "seed")  # of the specification: another value makes other files
OTHER_WORDS = "Choose what would do, or say it in other words."
NOTHING_SPENT = "the evaluator is written and tried on this machine; nothing is spent"


class NeedsIsolation(NeedsPerson):
    """Evaluators cannot be kept apart on this machine, and the operator has not allowed less."""


def inspect(work: Work) -> Outcome:
    """Phase 1: ask for what is missing, and bring the data in. Rows without an answer are left out later."""
    asked = questions.unanswered(work)
    if asked:
        return asked
    found = inspection.look(work, work.session.value("dataset"), inspection.DATA, "inspection")
    return Done(inspection.words(found))


def plan(work: Work) -> Outcome:
    """Phase 2: no plan, since nothing costs; the defaults that are used are kept beside what was said."""
    settle(work)
    return Skip(NOTHING_SPENT)


def settle(work: Work) -> None:
    """Keep the seed that is used, where nobody said one."""
    specification = work.session.specification
    used = {"seed": Entry(FIELDS["seed"].default, Origin.DEFAULT)}
    keep_specification(work.session, specification.with_entries(used | dict(specification.entries)))


def skipped(reason: str) -> Callable[[Work], Outcome]:
    """A phase that does not apply."""
    return lambda _work: Skip(reason)


def write(work: Work) -> Outcome:
    """Phase 5: write the evaluator, or ask in other words when no rule does what was said."""
    settle(work)
    try:
        ensure(work)
    except CannotTell as fault:
        return asked_again(fault)
    except isolation.NotIsolated as fault:
        raise NeedsIsolation(str(fault)) from fault
    facts = Artifact.objects.get(session=work.session, name=FACTS).detail
    return Done(f"checks {facts['label']}; {facts['words']}")


def ensure(work: Work) -> None:
    """Write the evaluator from the staged data, once for one criterion; the seed is settled.

    Raises CannotTell or NotIsolated."""
    if not current(work):
        keep(work, authored(work, work.folder / inspection.DATA))


def current(work: Work) -> bool:
    """Whether the files were made from what counts as right, and with the seed, that hold now."""
    written = Artifact.objects.filter(session=work.session, name=FACTS).first()
    made_from = written.detail if written else {}
    return all(name in made_from and made_from[name] == work.session.value(name) for name in MADE_FROM)


def authored(work: Work, data: Path) -> Authored:
    """The evaluator for what counts as right in this session. Raises CannotTell or NotIsolated."""
    seen = look(samples_in(data), seed=work.session.value("seed"))
    return author(seen, work.session.value("criterion"), scorer())


def scorer(pause: float = 0.0) -> Callable[[isolation.Evaluator, Iterable[Mapping[str, Any]]], Scored]:
    """How this portal runs evaluators: apart, as its operator has set. `pause`: seconds after which a run
    ends behind a row."""
    return partial(isolation.score, limits=Limits(pause=pause), mode=str(settings.EVALUATORS["isolation"]))


def asked_again(fault: CannotTell) -> Outcome:
    """The gate that says what cannot be checked, with what can."""
    help_text = OTHER_WORDS if fault.offers else "Say it in other words."
    options = [(each, each) for each in fault.offers]
    ask = questions.choice("criterion", f"{fault} What counts as right?", help_text, *options)
    assert ask is not None  # noqa: S101  # one question is always a gate
    return ask


def keep(work: Work, found: Authored) -> None:
    """Both files, the scores behind them, and what the page says of them. The last one marks them all."""
    work.keep(CODE, "text/x-python", found.code)
    work.keep(SPECIFICATION, "text/markdown", found.specification)
    work.keep(SCORES, "text/csv", scores_csv(found.trial.answers))
    facts = about(found) | {name: work.session.value(name) for name in MADE_FROM}
    work.keep(FACTS, "application/json", json.dumps(facts, ensure_ascii=False, indent=1), **facts)
    work.tell("evaluator-written", f"{CODE} checks {found.trial.kind.label}; {facts['words']}")


def about(found: Authored) -> dict[str, Any]:
    """What is to be said of a written evaluator."""
    trial = found.trial
    samples = sum(each.what == REFERENCE for each in trial.answers)
    means = trial.to_json()["means"]
    low = max(score for what, score in means.items() if what != REFERENCE and score is not None)
    words = (
        f"on {samples} real samples right answers score {means[REFERENCE]:.2f}, wrong ones {low:.2f} at most"
    )
    return {
        **trial.to_json(),
        "criterion": found.criterion,
        "unchecked": unchecked(trial.kind, found.criterion),
        "rejected": [each.to_json() for each in found.rejected],
        "samples": samples,
        "weaker": trial.scored.weaker,
        "words": words,
    }


def scores_csv(answers: Iterable[Answer]) -> str:
    """Every answer that was scored, by line of the data. Cells that a spreadsheet would run are quoted, and
    long ones cut: one beyond 131,072 characters cannot be read again."""
    lines = (
        (each.sample.line, each.what, shortened(each.text), each.result.score, shortened(each.result.reason))
        for each in answers
    )
    return "".join(map(csv_line, (("line", "answer", "text", "score", "reason"), *lines)))


def shortened(words: str) -> str:
    return words if len(words) <= LONGEST_CELL else words[:LONGEST_CELL] + "…"
