"""All examples together."""

from __future__ import annotations

from tests.integration.sdk import examples_data, examples_evaluation, examples_jobs, examples_serving
from tests.integration.sdk.examples import EXAMPLES

__all__ = ["EXAMPLES", "examples_data", "examples_evaluation", "examples_jobs", "examples_serving"]
