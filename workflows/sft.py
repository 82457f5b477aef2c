"""Supervised fine-tuning as data: its seven phases."""

from __future__ import annotations

from sessions.states import Phase
from workflows.phases import deployment, evaluation, inspection, planning, report, sweep, training
from workflows.phases.sft import plan, promoting

PHASES = {
    Phase.INSPECTION: inspection.step,
    Phase.PLANNING: planning.step_of(plan.propose),
    Phase.SWEEP: sweep.step_of(promoting.judge),
    Phase.TRAINING: training.step,
    Phase.EVALUATION: evaluation.step,
    Phase.DEPLOYMENT: deployment.step,
    Phase.REPORT: report.step,
}
