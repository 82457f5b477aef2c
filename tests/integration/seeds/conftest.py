"""The source documents' account, and a person who types at the portal's pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.factories import BIG_QWEN, make_base_model
from tests.integration.seeds.journey import Journey
from tests.integration.workflows.conftest import opened


@pytest.fixture
def journey(db: None, tmp_path: Path, client: Client, settings: Settings) -> Iterator[Journey]:
    """Two base models on the shelf of the account that the documents name."""
    settings.FIREWORKS = {**settings.FIREWORKS, "account": "myacct"}
    with opened(tmp_path, "myacct") as house:
        make_base_model(BIG_QWEN, display_name="Qwen3 32B", parameters=32_800_000_000)
        yield Journey(client, house)
