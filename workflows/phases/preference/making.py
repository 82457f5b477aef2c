"""Delta learning: pairs from the answers of a strong and a weak model to the training prompts.

What is learned is the difference between the two (Geng et al. 2025, "The Delta Learning Hypothesis"). Each
prompt is asked of both with a seed of its own; what would teach nothing or harm is left out and counted. The
held-out prompts are not asked here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from sessions.models import Answer, Artifact, TuningSession
from workflows.answers import PromptSet, Sampling, Subject, collect, prompt_set
from workflows.data.preference.features import refuses
from workflows.data.preference.rows import OTHER, PREFERRED, text_of
from workflows.data.preference.splits import TRAIN
from workflows.outcomes import Failed, Failure, Outcome
from workflows.phases import datasets, plans
from workflows.phases.datasets import Part
from workflows.phases.preference import samples
from workflows.phases.preference.judging import BY_TOKEN
from workflows.phases.preference.prompts import prompts_in
from workflows.work import Work

PROMPTS, QUESTIONS = "pairs", "prompts/pairs.jsonl"
PAIRS, PROVENANCE, SUMMARY = "pairs.jsonl", "pairs-provenance.jsonl", "pairs-made.json"
PART = Part(PAIRS, "dataset-pairs", "preference pairs made")
TEMPERATURE = 0.7  # some variety; at 0 a small model repeats itself
LEAST_PAIRS = 3
REVIEW_SHARE = 0.5  # of the prompts without a pair: above it a person is asked before anything is trained
KEPT = "kept"
CHANGEABLE = ("strong", "weak", "screening")
WORDS = {
    KEPT: "kept",
    "unanswered": "one model gave no answer",
    "empty": "an answer was empty",
    "identical": "both answers were the same",
    "refused": "an answer declined the task",
    "cut_off": "an answer was cut off",
}
# What the specification's `screening` leaves out beside what makes no pair at all.
SCREENED = {"faulty": frozenset(), "refused": {"refused"}, "cut_off": {"refused", "cut_off"}}
USUAL_SCREENING = "refused"


@dataclass(frozen=True)
class Sides:
    """What both models said to one prompt; None where one gave no answer."""

    strong: Answer | None
    weak: Answer | None

    def outcome(self, screening: str = USUAL_SCREENING) -> str:
        """Why no pair comes of it, or KEPT. One of WORDS; `screening` one of SCREENED."""
        texts = [each.text.strip() if each and not each.error else None for each in (self.strong, self.weak)]
        if None in texts:
            return "unanswered"
        strong, weak = (text or "" for text in texts)
        if not strong or not weak:
            return "empty"
        if " ".join(strong.split()) == " ".join(weak.split()):
            return "identical"
        found = "refused" if refuses(strong) or refuses(weak) else "cut_off" if cut_off(self) else KEPT
        return found if found in SCREENED[screening] else KEPT


def wanted(session: TuningSession) -> Mapping[str, Any] | None:
    """The strong and the weak model of the approved plan; None when the dataset has pairs."""
    found: Mapping[str, Any] | None = plans.approved(session).body.get("makers")
    return found


def training_part(session: TuningSession) -> Part:
    """What the candidates train on: the pairs that were made, else those that were brought."""
    return PART if wanted(session) else datasets.TRAIN


def step(work: Work) -> Outcome | None:
    """None when the pairs are there, or none are to be made; else what the phase's step returns."""
    makers = wanted(work.session)
    if makers is None or are_made(work.session, makers):
        return None
    asked = questions(work)
    strong, weak = (Subject.base(makers[side]) for side in ("strong", "weak"))
    outcome = collect(work, asked, [strong, weak], BY_TOKEN)
    if outcome is not None:
        return outcome
    return written(work, asked, strong, weak, makers["screening"])


def are_made(session: TuningSession, makers: Mapping[str, Any]) -> bool:
    """Whether the pairs are there as the approved plan wants them: it may have been changed since."""
    made = Artifact.objects.filter(session=session, name=PAIRS).first()
    return made is not None and all(made.detail[name] == makers[name] for name in CHANGEABLE)


def questions(work: Work) -> PromptSet:
    """The training prompts as a prompt set."""
    path = Artifact.objects.get(session=work.session, name=TRAIN).path
    tokens = plans.approved(work.session).body["makers"]["max_tokens"]
    sampling = Sampling(max_tokens=tokens, seed=work.session.value("seed"), temperature=TEMPERATURE)
    return prompt_set(work, PROMPTS, prompts_in(path), sampling)


def written(work: Work, asked: PromptSet, strong: Subject, weak: Subject, screening: str) -> Outcome | None:
    """Write pairs, provenance, sample and summary. Answers are never changed, so a step that is repeated
    after a crash writes the same bytes; the pairs are recorded last."""
    sides = both(work.session, asked, strong, weak)
    outcomes = [each.outcome(screening) for each in sides]
    messages = asked.messages(range(asked.rows))
    counts = Counter(outcomes)
    kept = [row for row, outcome in enumerate(outcomes) if outcome == KEPT]
    traces = [trace(row, sides[row], outcomes[row], strong, weak) for row in range(asked.rows)]
    work.keep(PROVENANCE, "application/jsonl", lines(traces))
    shown = samples.drawn(
        messages, [(each.strong, each.weak) for each in sides], outcomes, asked.sampling.seed
    )
    work.keep(samples.SAMPLE, "application/json", json.dumps(shown, ensure_ascii=False))
    if len(kept) < LEAST_PAIRS:
        return Failed(too_few(counts, len(sides)))
    summary = {
        "strong": strong.model,
        "weak": weak.model,
        "screening": screening,
        "sampling": asdict(asked.sampling),
        "prompts": asked.rows,
        "prompts_sha256": asked.sha256,
        "counts": {WORDS[name]: counts[name] for name in WORDS if counts[name]},
        "cut_off": sum(cut_off(sides[row]) for row in kept),
        "pairs": len(kept),
    }
    work.keep(SUMMARY, "application/json", json.dumps(summary, ensure_ascii=False, indent=1))
    rows = lines([pair(messages[row], sides[row]) for row in kept])
    work.keep(PAIRS, "application/jsonl", rows, rows=len(kept), **summary)
    work.tell("pairs-made", told(counts, len(kept), asked.rows))
    return None


def told(counts: Counter[str], kept: int, prompts: int) -> str:
    """What came of the prompts, in a line."""
    dropped = ", ".join(f"{counts[name]:,}: {WORDS[name]}" for name in WORDS if name != KEPT and counts[name])
    return f"{kept:,} pairs of {prompts:,} prompts" + (f" ({dropped})" if dropped else "")


def both(session: TuningSession, asked: PromptSet, strong: Subject, weak: Subject) -> list[Sides]:
    """The answers to each prompt, in order."""
    found = Answer.objects.filter(session=session, prompts=PROMPTS).exclude(answered_at=None)
    known = {(each.subject, each.row): each for each in found}
    return [Sides(known.get((strong.key, row)), known.get((weak.key, row))) for row in range(asked.rows)]


def pair(prompt: Sequence[Mapping[str, Any]], sides: Sides) -> dict[str, Any]:
    """A row of the dataset."""
    assert sides.strong is not None  # noqa: S101  # kept rows have both
    assert sides.weak is not None  # noqa: S101
    return {
        "input": {"messages": [{"role": each["role"], "content": text_of(each)} for each in prompt]},
        PREFERRED: [{"role": "assistant", "content": sides.strong.text}],
        OTHER: [{"role": "assistant", "content": sides.weak.text}],
    }


def trace(row: int, sides: Sides, outcome: str, strong: Subject, weak: Subject) -> dict[str, Any]:
    """Where one pair comes from, or why there is none."""
    parts = (("strong", strong, sides.strong), ("weak", weak, sides.weak))
    facts = ("seed", "way", "finish_reason", "prompt_tokens", "completion_tokens")
    found = {
        name: {
            "model": subject.model,
            **({key: answer.detail.get(key) for key in facts} if answer else {}),
            **({"error": answer.error} if answer and answer.error else {}),
        }
        for name, subject, answer in parts
    }
    return {"row": row, "outcome": WORDS[outcome], **found}


def cut_off(sides: Sides) -> bool:
    """Whether an answer ended at its limit."""
    return any(
        each is not None and each.detail.get("finish_reason") == "length"
        for each in (sides.strong, sides.weak)
    )


def lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as JSONL."""
    return b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in rows)


def too_few(counts: Counter[str], prompts: int) -> Failure:
    """Not enough pairs to train on."""
    dropped = "; ".join(f"{rows:,}: {WORDS[name]}" for name, rows in sorted(counts.items()) if name != KEPT)
    return Failure(
        "data",
        f"Of {prompts:,} prompts {counts[KEPT]} gave a pair; Fireworks needs {LEAST_PAIRS} ({dropped}).",
        "Add prompts that can be answered, or bring a dataset of preference pairs.",
        retry_safe=True,
    )
