"""Phase 5: the tuned models are measured as the base models were, and a person confirms the winner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sessions.models import Candidate
from sessions.states import GateKind
from workflows.classification_report import BETTER, EVEN, WORSE, headline, with_base
from workflows.outcomes import Ask, Done, Failed, Outcome, Skip
from workflows.phases.classification import comparing, measuring, reads
from workflows.phases.classification.sweep import base_subjects
from workflows.phases.classification.training import BENCHMARK_ONLY, fallbacks, measured_model, to_measure
from workflows.work import Work

TUNING = {
    BETTER: "Tuning helped: the suggested model is clearly better than its base model.",
    WORSE: "Tuning did harm: the base model as it is answers better than the suggested one.",
    EVEN: "That tuning helped is not shown: the suggested model is not clearly better than its base model.",
}


def step(work: Work) -> Outcome:
    """Ask and measure, then the gate."""
    if work.session.value("benchmark_only"):
        return Skip(BENCHMARK_ONLY)
    tuned = to_measure(work.session)
    outcome = measuring.measured(work, [measured_model(each) for each in tuned])
    if outcome is not None:
        return outcome
    thin = reads.thin(work, [measured_model(each) for each in tuned])
    kept = [each for each in tuned if each.subject not in thin]
    if not kept:
        return Failed(reads.not_measured(work, measured_model(tuned[0]), thin[tuned[0].subject]))
    body = comparing.keep(work, base_subjects(work.session), kept)
    if work.session.winner:
        return Done(words(body))
    gate = proposal(tuned, body, thin.values())
    text = f"Confirm the winner: candidate {gate['suggested']} is suggested"
    return Ask(GateKind.PROMOTION, text, gate)


def words(body: dict[str, Any]) -> str:
    """The evaluation in a line: every model with its share of right answers, the best first."""
    told = [f"{each['name']} {headline(each)['value']:.1%}" for each in body["models"]]
    return f"answered rightly: {'; '.join(told)}"


def proposal(tuned: Sequence[Candidate], body: dict[str, Any], thin: Iterable[str] = ()) -> dict[str, Any]:
    """What the promotion gate shows. A full-data run stands for the candidate that it repeats; `thin` tells
    of models that are not measured."""
    parents = {each.number: (each.parent or each).number for each in tuned}
    ranking = [each for each in body["models"] if each["number"] is not None]
    among = [each["sentence"] for each in body["comparisons"] if not each["against_base"]]
    rule = f"Largest share of held-out rows answered rightly{of_rows(ranking)}."
    return {
        "metric": "right answers",
        "suggested": parents[ranking[0]["number"]],
        "rule": " ".join([rule, *fallbacks(tuned), *thin]),
        "certainty": among[0] if among else "There is no other tuned model to compare with.",
        **against_base(body, ranking[0]["subject"]),
        "ranking": [
            {
                "number": parents[each["number"]],
                "name": each["name"],
                **headline(each),
            }
            for each in ranking
        ],
        "comparisons": [each["sentence"] for each in body["comparisons"]],
    }


def of_rows(ranking: Sequence[dict[str, Any]]) -> str:
    """`, of 400`; where models answered other numbers of rows, that each share is of those it answered."""
    rows = {headline(each)["rows"] for each in ranking}
    return f", of {rows.pop():,}" if len(rows) == 1 else ", each of the rows that Fireworks did not refuse"


def against_base(body: dict[str, Any], subject: str) -> dict[str, Any]:
    """Whether tuning helped the suggested model: for the gate."""
    found = with_base(body, subject)
    return {
        "base": {"name": found.base["name"], **headline(found.base)},
        "against_base": TUNING[found.outcome],
        "base_is_better": found.outcome != BETTER,
    }
