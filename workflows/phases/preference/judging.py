"""Compare two models on the held-out prompts: a judge sees both answers, blind, in both orders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sessions.actions import scoring as writes
from sessions.models import Answer, Artifact, Candidate, Evaluation, TuningSession
from sessions.states import Decision, GateKind
from workflows.answers import PromptSet, Sampling, Subject, collect, prompt_set
from workflows.metrics import pairwise, pairwise_words
from workflows.metrics.pairwise import Judged, Pairwise, Pick
from workflows.outcomes import Ask, Outcome
from workflows.phases import plans
from workflows.phases.datasets import HELDOUT
from workflows.phases.preference import prompts, verdicts
from workflows.work import Work

WIN_RATE = "win_rate"
JUDGE_TOKENS = 200  # of a verdict with its reason
TRIED = 20  # questions that are asked first: does the judge give verdicts at all?
NEXT = (
    "Stop here and start again with another judge, or go on all the same: then all verdicts are asked for "
    "and paid, and those that cannot be read count for nothing."
)
BY_TOKEN = ("serverless", "batch")  # judges and makers of pairs get no deployment of their own


@dataclass(frozen=True)
class Match:
    """Two subjects to be compared. `name` is that of the prompt set of the judge's questions."""

    name: str
    subject: Subject
    baseline: Subject
    metric: str = WIN_RATE


@dataclass(frozen=True)
class Compared:
    """One held-out row that both answered."""

    row: int
    subject: str
    baseline: str


def against_base(candidate: Candidate) -> Match:
    """A tuned model against the base model that it was tuned from."""
    name = f"judge-{candidate.number}"
    return Match(name, Subject.of(candidate), Subject.base(candidate.base_model))


def final(place: int, leader: Candidate, rival: Candidate) -> Match:
    """Two tuned models, for the choice between them."""
    metric = f"{WIN_RATE}:{rival.subject}"
    return Match(f"judge-final-{place}", Subject.of(leader), Subject.of(rival), metric)


def step(work: Work, match: Match) -> Outcome | None:
    """None when the comparison is measured; else what the phase's step returns."""
    if measured(work.session, match):
        return None
    outcome = prompts.asked(work, [match.baseline, match.subject])
    if outcome is not None:
        return outcome
    rows = both_answered(work.session, match.subject.key, match.baseline.key)
    if rows:
        judge = Subject.base(judge_of(work.session)["model"])
        asked = questions(work, match, rows)
        outcome = tried(work, match, asked, judge) or collect(work, asked, [judge], BY_TOKEN)
        if outcome is not None:
            return outcome
        keep_picks(work, match)
    keep(work, match, rows)
    return None


def tried(work: Work, match: Match, asked: PromptSet, judge: Subject) -> Outcome | None:
    """Look at the first verdicts before all are paid: a judge that gives none in the form that can be read is
    a matter for a person. None once it was seen to judge, or a person said to go on."""
    if Evaluation.objects.filter(session=work.session, metric__startswith=WIN_RATE).exists():
        return None
    outcome = collect(work, asked, [judge], BY_TOKEN, first=TRIED)
    if outcome is not None:
        return outcome
    keep_picks(work, match)
    seen = [each for each in answers_of(work.session, match.name)[:TRIED] if each.result]
    unread = [each for each in seen if each.result["pick"] == Pick.INVALID]
    agreed = work.session.gates.filter(decision=Decision.APPROVED, body__unread=judge.key).exists()
    if 2 * len(unread) <= len(seen) or agreed:
        return None
    text = f"{len(unread):,} of the first {len(seen):,} verdicts of {judge.label} cannot be read."
    body = {"text": text, "theirs": unread[0].error or unread[0].text[:300], "whose": "configuration",
            "next": NEXT, "unread": judge.key}  # fmt: skip
    return Ask(GateKind.TROUBLE, f"The judge gives no verdicts: {text}", body)


def measured(session: TuningSession, match: Match) -> Evaluation | None:
    """The comparison's number, once it is there."""
    return Evaluation.objects.filter(session=session, subject=match.subject.key, metric=match.metric).first()


def judge_of(session: TuningSession) -> dict[str, Any]:
    """The judge of the approved plan: `model`, `rubric` and `related` models of its family."""
    found: dict[str, Any] = plans.approved(session).body["judge"]
    return found


def both_answered(session: TuningSession, subject: str, baseline: str) -> list[Compared]:
    """The held-out rows that both subjects answered, in their order. Answers are never changed, so the n-th
    of these is what rows 2n and 2n + 1 of the judge's questions are about."""
    texts: dict[str, dict[int, str]] = {subject: {}, baseline: {}}
    found = Answer.objects.filter(session=session, prompts=prompts.HELDOUT, subject__in=texts, error="")
    for key, row, text in found.exclude(answered_at=None).values_list("subject", "row", "text"):
        texts[key][row] = text
    ours, theirs = texts[subject], texts[baseline]
    return [Compared(row, ours[row], theirs[row]) for row in sorted(ours.keys() & theirs.keys())]


def questions(work: Work, match: Match, rows: Sequence[Compared]) -> PromptSet:
    """The judge's questions as a prompt set: each row with the subject's answer first, then second."""
    sampling = Sampling(
        max_tokens=JUDGE_TOKENS,
        seed=work.session.value("seed"),
        extra={"response_format": verdicts.RESPONSE_FORMAT},
    )
    return prompt_set(work, match.name, in_both_orders(work, rows), sampling)


def in_both_orders(work: Work, rows: Sequence[Compared]) -> Iterator[list[dict[str, str]]]:
    """The messages of each question."""
    rubric, asked = judge_of(work.session)["rubric"], prompts.heldout(work)
    messages = asked.messages({each.row for each in rows})
    for each in rows:
        yield verdicts.comparison(messages[each.row], each.subject, each.baseline, rubric)
        yield verdicts.comparison(messages[each.row], each.baseline, each.subject, rubric)


def answers_of(session: TuningSession, match: str) -> list[Answer]:
    """The judge's answers to a prompt set, in their order."""
    return list(Answer.objects.filter(session=session, prompts=match).order_by("row"))


def keep_picks(work: Work, match: Match) -> None:
    """Read the verdicts, each once."""
    fresh = [each for each in answers_of(work.session, match.name) if each.is_over and not each.result]
    for each in fresh:
        pick, reason = verdicts.read(each.text) if not each.error else (Pick.INVALID, each.error)
        each.result = {"pick": str(pick), "reason": reason}
    if fresh:
        writes.keep_results(work.session, work.clock(), fresh)


def judged(session: TuningSession, match: Match, rows: Sequence[Compared]) -> list[Judged]:
    """What was said of each row."""
    picks = [Pick(each.result["pick"]) for each in answers_of(session, match.name)]
    orders = zip(picks[::2], picks[1::2], strict=True)
    return [
        Judged(each.subject, each.baseline, forward, backward)
        for each, (forward, backward) in zip(rows, orders, strict=True)
    ]


def keep(work: Work, match: Match, rows: Sequence[Compared]) -> None:
    """The win rate with all that belongs to it; nothing when no row has two valid verdicts."""
    found = pairwise.summarize(judged(work.session, match, rows) if rows else [])
    labels = match.subject.label, match.baseline.label
    said = pairwise_words.sentences(found, *labels)
    if not rows:
        said = [f"{labels[0]} against {labels[1]}: no held-out prompt was answered by both."]
    rate = found.win_rate
    writes.keep_evaluation(
        work.session, match.subject.key, match.metric, said[0],
        value=rate.value if rate else 0.5,
        low=rate.low if rate else 0.0,
        high=rate.high if rate else 1.0,
        rows=rate.rows if rate else 0,
        provenance=provenance(work, match, found, said, len(rows)),
    )  # fmt: skip


def provenance(
    work: Work, match: Match, found: Pairwise, said: Sequence[str], compared: int
) -> dict[str, Any]:
    """Where a win rate comes from, and what else the verdicts say (product row 6.2)."""
    judge, asked = judge_of(work.session), prompts.heldout(work)
    heldout = Artifact.objects.get(session=work.session, name=HELDOUT.artifact)
    counts = ("wins", "ties", "losses", "invalid_rows", "invalid_verdicts")
    parts = ("win_rate", "flip_rate", "first_preference", "words", "lengths")
    artifact = Artifact.objects.filter(session=work.session, name=f"prompts/{match.name}.jsonl").first()
    return {
        "baseline": match.baseline.key,
        "match": match.name,
        "judge": judge["model"],
        "rubric_sha256": hashlib.sha256(judge["rubric"].encode()).hexdigest(),
        "related": match.subject.base_model in judge["related"],
        "asked": asked.rows,
        "unanswered": asked.rows - compared,
        "heldout_file": heldout.name,
        "heldout_sha256": heldout.sha256,
        "prompts_sha256": asked.sha256,
        "questions_sha256": artifact.sha256 if artifact else "",
        "seed": work.session.value("seed"),
        "sentences": list(said),
        **{name: getattr(found, name) for name in counts},
        **{name: asdict(part) if (part := getattr(found, name)) else None for name in parts},
        "rows_needed": found.rows_needed,
        "clear": found.is_clear,
    }
