"""Foreign code to run apart, as a folder on disk."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.workflows.conftest import house
from workflows.evaluators.isolation import Evaluator, unavailable

__all__ = ["house"]  # a whole local Fireworks, as in the tests of workflows
Write = Callable[..., Evaluator]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """An evaluator from its source."""

    def evaluator(source: str, **more: str) -> Evaluator:
        folder = tmp_path / "code"
        folder.mkdir()
        (folder / "evaluator.py").write_text(textwrap.dedent(source))
        return Evaluator(folder, **more)

    return evaluator


@pytest.fixture
def walls() -> None:
    """Skips where this system cannot build the walls; the refusal is tested everywhere."""
    if reason := unavailable():
        pytest.skip(f"no isolation on this system: {reason}")
