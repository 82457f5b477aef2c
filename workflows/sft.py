"""Supervised fine-tuning as data: its seven phases."""

from __future__ import annotations

from sessions.states import Phase
from workflows.phases import deployment, evaluation, inspection, planning, report, sweep, training

PHASES = {
    Phase.INSPECTION: inspection.step,
    Phase.PLANNING: planning.step,
    Phase.SWEEP: sweep.step,
    Phase.TRAINING: training.step,
    Phase.EVALUATION: evaluation.step,
    Phase.DEPLOYMENT: deployment.step,
    Phase.REPORT: report.step,
}
