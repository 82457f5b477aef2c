"""Every call that our client may make. The manifest's rows and this table cover each other."""

from __future__ import annotations

from tests.integration.sdk import calls_data, calls_evaluation, calls_serving, calls_training

CASES = (*calls_data.CASES, *calls_training.CASES, *calls_evaluation.CASES, *calls_serving.CASES)
