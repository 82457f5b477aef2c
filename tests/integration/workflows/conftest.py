"""A house for each test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from localfireworks.app import create_app, prepare
from localfireworks.backend import Backend
from localfireworks.service import build_service
from localfireworks.settings import Settings
from tests.factories import make_account, make_base_model
from tests.integration.workflows.house import Clock, House, Trainer, Wire
from tests.unit.localfireworks.conftest import Echo, EchoEngine


class Roomy(EchoEngine):
    """Echoes with room for whole conversations."""

    def load(self, standin: str, adapter: Path | None) -> Echo:
        return Echo(standin, adapter, context_length=4096)


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[House]:
    """An account without datasets, one base model on the shelf, and nothing running."""
    loop = asyncio.new_event_loop()
    clock, trainer, backend = Clock(timezone.now()), Trainer(), Backend(Roomy(), 2)
    settings = Settings(tmp_path / "fireworks", samples=False, token_budget=0, jobs=50)
    service = build_service(settings, backend, trainer, lambda: clock().timestamp())  # type: ignore[arg-type]
    supervisor = loop.run_until_complete(prepare(service))
    make_account()
    make_base_model()
    yield House(clock, service, supervisor, trainer, Wire(create_app(service), loop))
    backend.close()
    service.store.close()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
