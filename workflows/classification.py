"""Classification as data: its seven phases."""

from __future__ import annotations

from sessions.states import Phase
from workflows.phases import inspection, planning, report
from workflows.phases.classification import deployment, evaluation, plan, sweep, training

PHASES = {
    Phase.INSPECTION: inspection.step,
    Phase.PLANNING: planning.step_of(plan.propose),
    Phase.SWEEP: sweep.step,
    Phase.TRAINING: training.step,
    Phase.EVALUATION: evaluation.step,
    Phase.DEPLOYMENT: deployment.step,
    Phase.REPORT: report.step,
}
