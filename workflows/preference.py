"""Preference learning as data: its seven phases, of which the fourth does not apply."""

from __future__ import annotations

from sessions.states import Phase
from workflows.phases import authoring, deployment, planning, report
from workflows.phases.preference import evaluation, inspection, plan, sweep

PHASES = {
    Phase.INSPECTION: inspection.step,
    Phase.PLANNING: planning.step_of(plan.propose),
    Phase.SWEEP: sweep.step,
    Phase.TRAINING: authoring.skipped(
        "preference learning has no full-data run: the sweep trains on all pairs"
    ),
    Phase.EVALUATION: evaluation.step,
    Phase.DEPLOYMENT: deployment.step,
    Phase.REPORT: report.step,
}
