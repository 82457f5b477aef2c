"""Evaluator authoring as data: its seven phases."""

from __future__ import annotations

from sessions.states import Phase
from workflows.phases import authoring, authoring_registration, authoring_report

NO_TRAINING = authoring.skipped("an evaluator is written; nothing is trained")

PHASES = {
    Phase.INSPECTION: authoring.inspect,
    Phase.PLANNING: authoring.plan,
    Phase.SWEEP: NO_TRAINING,
    Phase.TRAINING: NO_TRAINING,
    Phase.EVALUATION: authoring.write,
    Phase.DEPLOYMENT: authoring_registration.step,
    Phase.REPORT: authoring_report.step,
}
