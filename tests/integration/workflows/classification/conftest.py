"""A house whose models know the tickets, so that tuned ones are better than untuned ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import BIG_QWEN, make_base_model
from tests.integration.workflows.classification.oracle import OracleEngine
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import House


@pytest.fixture
def knowing(db: None, tmp_path: Path) -> Iterator[House]:
    """Two base models on the shelf."""
    with opened(tmp_path, engine=OracleEngine.of(tickets(200))) as found:
        make_base_model(BIG_QWEN, display_name="Qwen3 32B", parameters=32_800_000_000)
        yield found
