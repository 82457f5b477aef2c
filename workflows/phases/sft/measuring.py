"""How a plan measures its candidates: by the loss inside the jobs, or by an evaluator that scores answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sessions.costs import NO_COMPLETIONS, Line
from sessions.specification import CandidateConfig, Specification
from workflows.evaluators.samples import Sample
from workflows.phases import scoring, scoring_code, scoring_lines
from workflows.phases.datasets import HELDOUT
from workflows.work import Work

OF_INTEREST = ("kind", "label", "words", "samples", "means", "requirements", "sha256", "weaker")


@dataclass(frozen=True)
class Measured:
    """What measuring adds to a plan. `words` say what candidates are compared by; `evaluator` and `ways`, how
    answers would be served, are empty where the loss alone decides."""

    words: str = "validation loss"
    lines: Sequence[Line] = (NO_COMPLETIONS,)
    risks: Sequence[str] = ()
    evaluator: dict[str, Any] = field(default_factory=dict)
    ways: list[dict[str, Any]] = field(default_factory=list)


def measured(
    work: Work,
    specification: Specification,
    configs: Sequence[CandidateConfig],
    parts: dict[str, Any],
    *,
    final_run: bool,
) -> Measured:
    """Bring in or write the evaluator, try it, and price what it will score. Raises FieldError."""
    strategy = scoring.strategy_of(specification)
    if not strategy:
        return Measured()
    heldout = work.folder / HELDOUT.artifact
    told = scoring_code.prepared(work, strategy, heldout)
    found = scoring.samples(heldout)
    held = scoring.tokens_held(work.session, specification.value("base_models"))
    most = scoring.answer_tokens(found, held)
    load = scoring_lines.load_of(found, parts["heldout"]["tokens"], most)
    priced = scoring_lines.lines(work, configs, load, final_run=final_run)
    return Measured(
        words=f"the mean score of an evaluator ({told['label']})",
        lines=priced.lines,
        ways=priced.ways,
        risks=[*risks(told, rows=parts["heldout"]["rows"], scored=len(found)), *cut(found, most, held)],
        evaluator={name: told[name] for name in OF_INTEREST if name in told},
    )


def cut(found: Sequence[Sample], most: int, held: int) -> list[str]:
    """Whether answers may be cut: because the models hold no more, or since no more is asked for."""
    wanted = scoring.wanted_tokens(found)
    if most >= wanted:
        return []
    why = "that is the most that is asked for"
    if most < scoring.MOST_TOKENS:
        why = f"the models hold {held:,}, prompt and answer together"
    words = (
        f"Answers may have {most:,} tokens, and {wanted:,} would leave room for all of them: {why}. "
        "Longer ones are cut and score lower."
    )
    return [words]


def risks(told: dict[str, Any], *, rows: int, scored: int) -> list[str]:
    """What to know before scores decide."""
    found = [*told.get("warnings", ())]
    found += [f"The evaluator does not check “{each}”." for each in told.get("unchecked", ())]
    if scored < rows:
        found.append(f"{rows - scored} held-out rows have no answer to compare with and are not scored.")
    if told.get("weaker"):
        found.append("The evaluator runs without walls around network and files, as the operator allows.")
    return found
