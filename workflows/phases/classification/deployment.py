"""Phase 6: the winner's deployment; none where base models were only measured."""

from __future__ import annotations

from workflows.outcomes import Outcome, Skip
from workflows.phases import deployment
from workflows.phases.classification.training import BENCHMARK_ONLY
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Deploy the winner and ask it once, or say why there is nothing to deploy."""
    return Skip(BENCHMARK_ONLY) if work.session.value("benchmark_only") else deployment.step(work)
