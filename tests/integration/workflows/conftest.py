"""A house for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone

from localfireworks.app import create_app, prepare
from localfireworks.backend import Backend, Engine
from localfireworks.service import build_service
from localfireworks.settings import Settings
from sessions.models import TuningSession
from tests.factories import QWEN, make_account, make_base_model
from tests.integration.workflows.desk import OSS, SERVERLESS, Desk
from tests.integration.workflows.house import Clock, House, Trainer, Wire
from tests.integration.workflows.server_thread import ServerThread
from tests.unit.localfireworks.conftest import Echo, EchoEngine
from workflows import leases
from workflows.answers import Subject


class Roomy(EchoEngine):
    """Echoes with room for whole conversations."""

    def load(self, standin: str, adapter: Path | None) -> Echo:
        return Echo(standin, adapter, context_length=4096)


@contextmanager
def opened(
    folder: Path, account: str = "rehearsal", engine: Engine | None = None, trainer: Trainer | None = None
) -> Iterator[House]:
    """An account without datasets, one base model on the shelf, and nothing running."""
    thread = ServerThread()
    clock, trainer, backend = Clock(timezone.now()), trainer or Trainer(), Backend(engine or Roomy(), 2)
    settings = Settings(folder / "fireworks", account=account, samples=False, token_budget=0, jobs=50)
    service = thread.call(build_service, settings, backend, trainer, lambda: clock().timestamp())
    supervisor = thread.run(prepare(service))
    make_account(name=account)
    make_base_model()
    wire = Wire(create_app(service), thread, f"accounts/{account}")
    with pytest.MonkeyPatch.context() as patch:
        # A test's transaction holds the database: in a long step a beat would only wait for its end.
        patch.setattr(leases, "BEAT_SECONDS", 3600.0)
        yield House(clock, service, supervisor, trainer, wire)
    backend.close()
    thread.call(service.store.close)
    thread.close()


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path) as found:
        yield found


@pytest.fixture
def desk(house: House) -> Desk:
    """A session with an approval of $10 and lines for a serverless model and a tunable base."""
    make_base_model(OSS, serverless=True, tunable=False, servable=False)
    session = house.start()
    TuningSession.objects.filter(pk=session.pk).update(approved_amount="10.00", phase="evaluation")
    desk = Desk(house, session)
    for subject in (SERVERLESS, Subject.base(QWEN)):
        desk.line(f"inference:heldout:{subject.key}")
    return desk
