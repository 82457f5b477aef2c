"""Answers to the held-out prompts, scored by the session's evaluator: collected once, kept by row."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sessions.actions import scoring as writes
from sessions.models import Answer, Artifact, BaseModel, TuningSession
from sessions.specification import Specification, Workflow
from sessions.texts import text_of
from workflows.answers import PromptSet, Sampling, Subject, collect, prompt_set
from workflows.data.tokens import BYTES_PER_TOKEN, HIGH, text_bytes
from workflows.evaluators import isolation, packages
from workflows.evaluators.samples import Sample, samples_in, written
from workflows.evaluators.scoring import SLICE, result_of, scored
from workflows.metrics import bootstrap
from workflows.outcomes import Outcome, Wait
from workflows.phases import authoring, plans, scoring_code
from workflows.phases.datasets import HELDOUT
from workflows.work import Work

PROMPTS, METRIC = "heldout", "score"
EXPECTED = f"prompts/{PROMPTS}-expected.jsonl"  # beside the prompts, for the page
STRATEGIES = {"evaluator", "generated"}  # those that score answers
STEP_SECONDS = 20.0  # after which a step lets others look: a cancelled session must not score on
FEWEST_TOKENS, MOST_TOKENS = 64, 1024  # of an answer
STANDIN_TOKENS = 2048  # what a stand-in holds (docs/local-engine.md)
LIMITLESS = 10**9  # where nothing is known of what a model holds
MESSAGE_TOKENS = 8  # of a message besides its text: its role and its marks, in any of the templates
CUT_AT = "length"  # how the models say that an answer ended at its most tokens


def strategy_of(said: TuningSession | Specification) -> str:
    """The strategy that scores answers; empty where validation loss alone decides. In preference learning the
    evaluator's name says it all."""
    if said.value("workflow") == Workflow.PREFERENCE:
        return "evaluator" if said.value("evaluator") else ""
    strategy = str(said.value("strategy") or "")
    return strategy if strategy in STRATEGIES else ""


def samples(heldout: Path) -> list[Sample]:
    """The rows that can be asked and scored, in their order: row n of the prompt set is the n-th of them."""
    return [each for each in samples_in(heldout) if each is not None]


def answer_tokens(found: Sequence[Sample], held: int) -> int:
    """The most tokens of an answer: what is wanted, no more than MOST_TOKENS, and no more than models that
    hold so many tokens have left after a prompt, since Fireworks refuses what may not fit. Prompts that leave
    less than FEWEST_TOKENS count for nothing here."""
    return fitted(min(MOST_TOKENS, wanted_tokens(found)), [held - prompt_tokens(each) for each in found])


def wanted_tokens(found: Sequence[Sample]) -> int:
    """Half as many tokens again as the longest reference has, so that no answer is cut where it was not."""
    longest = max((text_bytes(each.answer) for each in found), default=0)
    return max(FEWEST_TOKENS, most_tokens(longest) * 3 // 2)


def most_tokens(size: int) -> int:
    """How many tokens a text of so many UTF-8 bytes has at the most, by the estimate of data/tokens.py."""
    return math.ceil(size * HIGH / BYTES_PER_TOKEN)


def fitted(wanted: int, rooms: Sequence[int]) -> int:
    """So many tokens, or what the least room leaves; rooms below FEWEST_TOKENS count for nothing."""
    return min(wanted, min((each for each in rooms if each >= FEWEST_TOKENS), default=wanted))


def prompt_tokens(sample: Sample) -> int:
    """About how many tokens its prompt has, rather too many than too few."""
    return tokens_of(sample.prompt)


def tokens_of(messages: Sequence[Mapping[str, Any]]) -> int:
    """About how many tokens these messages have, rather too many than too few."""
    texts = [text_of(each.get("content")) for each in messages]
    return sum(most_tokens(text_bytes(each)) + MESSAGE_TOKENS for each in texts) + MESSAGE_TOKENS


def tokens_held(session: TuningSession, models: Sequence[str]) -> int:
    """How many tokens the models hold, prompt and answer together; stand-ins in a rehearsal."""
    if session.rehearsal:
        return STANDIN_TOKENS
    known = BaseModel.objects.filter(name__in=models, context_length__gt=0)
    return min((each.context_length or LIMITLESS for each in known), default=LIMITLESS)


def planned_tokens(session: TuningSession) -> int:
    """The most tokens of an answer where the approved plan says it, as that of preference learning does; else
    0."""
    if session.workflow != Workflow.PREFERENCE:
        return 0
    return int(plans.approved(session).body["judge"]["answer_tokens"])


def asked(work: Work, found: Sequence[Sample]) -> PromptSet:
    """The held-out prompts as they are asked, without their answers."""
    if not Artifact.objects.filter(session=work.session, name=EXPECTED).exists():
        told = ({"row": row, "expected": written(each.expected)} for row, each in enumerate(found))
        work.keep(EXPECTED, "application/jsonl", "".join(f"{json.dumps(each)}\n" for each in told))
    held = tokens_held(work.session, work.session.value("base_models") or ())
    tokens = planned_tokens(work.session) or answer_tokens(found, held)
    sampling = Sampling(max_tokens=tokens, seed=work.session.value("seed"))
    return prompt_set(work, PROMPTS, (each.prompt for each in found), sampling)


def step(work: Work, subjects: Sequence[Subject]) -> Outcome | None:
    """None when every subject's answers are scored and measured; else what the phase's step returns."""
    found = samples(Artifact.objects.get(session=work.session, name=HELDOUT.artifact).path)
    prompts = asked(work, found)
    outcome = collect(work, prompts, subjects)
    if outcome is not None:
        return outcome
    until = time.monotonic() + STEP_SECONDS
    for subject in subjects:
        while waiting := open_answers(work.session, subject.key):
            score_slice(work, found, waiting, until)
            if time.monotonic() > until:
                return Wait(0.0)
        measure(work, prompts, subject)
    return None


def answers(session: TuningSession, subject: str) -> Any:
    """The answers of one subject to the held-out prompts."""
    return Answer.objects.filter(session=session, prompts=PROMPTS, subject=subject)


def open_answers(session: TuningSession, subject: str) -> list[Answer]:
    """The next answers without a result; a row that will have no answer needs none."""
    return list(answers(session, subject).filter(result={}, error="").order_by("row")[:SLICE])


def score_slice(work: Work, found: Sequence[Sample], waiting: Sequence[Answer], until: float) -> None:
    """Run the evaluator on these answers, and keep what it gave up to `until` (of the monotonic clock)."""
    rows = [found[each.row].answered(each.text) for each in waiting]
    try:
        evaluator = scoring_code.evaluator(work, strategy_of(work.session))
        score = authoring.scorer(pause=max(1.0, until - time.monotonic()))
        results = scored(evaluator, rows, score, lambda: time.monotonic() > until)
    except (isolation.NotIsolated, packages.NotInstalled) as fault:
        raise authoring.NeedsIsolation(str(fault)) from fault
    over = waiting[: len(results)]
    for each, result in zip(over, results, strict=True):
        each.result = result_of(result)
    writes.keep_results(work.session, work.clock(), over)


def scores(session: TuningSession, subject: str) -> dict[int, float]:
    """The scores of one subject by row of the prompt set."""
    rows = answers(session, subject).values_list("row", "result")
    return {row: result["score"] for row, result in rows if "score" in result}


def faults(session: TuningSession, subject: str) -> frozenset[int]:
    """The rows of one subject that were answered and that the evaluator could not score."""
    rows = answers(session, subject).values_list("row", "result")
    return frozenset(row for row, result in rows if "fault" in result)


def cut_rows(session: TuningSession, subject: str) -> frozenset[int]:
    """The rows whose answer one subject could not finish, since it reached the most tokens."""
    rows = answers(session, subject).values_list("row", "detail")
    return frozenset(row for row, detail in rows if detail.get("finish_reason") == CUT_AT)


def measure(work: Work, prompts: PromptSet, subject: Subject) -> None:
    """The mean score with its interval, how many rows have none, and where all of it comes from."""
    values = list(scores(work.session, subject.key).values())
    rows = list(answers(work.session, subject.key).values_list("error", "detail"))
    unanswered = sum(bool(error) for error, _ in rows)
    cut = len(cut_rows(work.session, subject.key))
    told = provenance(work, prompts, subject) | {
        "asked": prompts.rows,
        "unanswered": unanswered,
        "failed": prompts.rows - unanswered - len(values),
        "cut": cut,
        "ways": dict(Counter(str(detail.get("way", "")) for _, detail in rows)),
    }
    if not values:
        work.tell("not-scored", f"{subject.label}: not one of {prompts.rows:,} answers has a score")
        return
    found = bootstrap.score_mean(values, seed=work.session.value("seed"))
    text = f"{subject.label}: mean score {found.value:.3f} on {found.rows:,} of {prompts.rows:,} rows"
    if cut:
        text += f"; {cut:,} of its answers were cut at {prompts.sampling.max_tokens:,} tokens"
    writes.keep_evaluation(
        work.session, subject.key, METRIC, text,
        value=found.value, low=found.low, high=found.high, rows=found.rows,
        provenance={**told, "interval": found.method},
    )  # fmt: skip


def provenance(work: Work, prompts: PromptSet, subject: Subject) -> dict[str, Any]:
    """Where a score comes from (product row 2.11)."""
    strategy = strategy_of(work.session)
    heldout = Artifact.objects.get(session=work.session, name=HELDOUT.artifact)
    code = Artifact.objects.get(session=work.session, name=code_name(strategy))
    return {
        "model": subject.model,
        "heldout_file": heldout.name,
        "heldout_sha256": heldout.sha256,
        "prompts_sha256": prompts.sha256,
        "evaluator": scoring_code.facts(work, strategy)["label"],
        "evaluator_file": code.name,
        "evaluator_sha256": code.sha256,
        "seed": work.session.value("seed"),
    }


def code_name(strategy: str) -> str:
    """The file with the code that scores, as it is shown."""
    return authoring.CODE if strategy == "generated" else scoring_code.SHOWN
