"""Phase 5: the tuned models are measured as the base models were, and a person confirms the winner."""

from __future__ import annotations

from typing import Any

from sessions.states import GateKind
from workflows.classification_report import headline
from workflows.outcomes import Ask, Done, Outcome, Skip
from workflows.phases.classification import comparing, measuring
from workflows.phases.classification.sweep import base_subjects
from workflows.phases.classification.training import BENCHMARK_ONLY, fallbacks, measured_model, to_measure
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Ask and measure, then the gate."""
    if work.session.value("benchmark_only"):
        return Skip(BENCHMARK_ONLY)
    tuned = to_measure(work.session)
    outcome = measuring.measured(work, [measured_model(each) for each in tuned])
    if outcome is not None:
        return outcome
    body = comparing.keep(work, base_subjects(work.session), tuned)
    if work.session.winner:
        return Done(words(body))
    gate = proposal(work, body)
    text = f"Confirm the winner: candidate {gate['suggested']} is suggested"
    return Ask(GateKind.PROMOTION, text, gate)


def words(body: dict[str, Any]) -> str:
    """The evaluation in a line: every model with its share of right answers, the best first."""
    told = [f"{each['name']} {headline(each)['value']:.1%}" for each in body["models"]]
    return f"answered rightly: {'; '.join(told)}"


def proposal(work: Work, body: dict[str, Any]) -> dict[str, Any]:
    """What the promotion gate shows. A full-data run stands for the candidate that it repeats."""
    tuned = to_measure(work.session)
    parents = {each.number: (each.parent or each).number for each in tuned}
    ranking = [each for each in body["models"] if each["number"] is not None]
    rows = headline(ranking[0])["rows"]
    among = [each["sentence"] for each in body["comparisons"] if not each["against_base"]]
    return {
        "metric": "right answers",
        "suggested": parents[ranking[0]["number"]],
        "rule": " ".join([f"Most held-out rows answered rightly, of {rows:,}.", *fallbacks(tuned)]),
        "certainty": among[0] if among else "There is no other tuned model to compare with.",
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
