"""`GET /healthz` says what works, in both directions."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

import fwportal
from fwportal import health, heartbeat

pytestmark = pytest.mark.django_db
DEAD_REDIS = "redis://127.0.0.1:9/0"


def test_without_a_broker_it_answers_503_and_says_so(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = DEAD_REDIS
    answer = client.get("/healthz")
    body = answer.json()
    assert answer.status_code == 503
    assert (body["status"], body["database"], body["broker"]) == ("degraded", "ok", "unreachable")
    assert body["workers"] == 0


def test_with_a_broker_and_a_worker_that_beats_it_is_well(
    client: Client, redis_server: str, settings: Settings
) -> None:
    settings.REDIS_URL = redis_server
    assert client.get("/healthz").status_code == 503
    heartbeat.note("celery@here")
    heartbeat.note("celery@there")
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["workers"] == 2


def test_a_worker_that_stopped_beating_is_not_counted(redis_server: str, settings: Settings) -> None:
    settings.REDIS_URL = redis_server
    heartbeat.note("celery@here")
    heartbeat.connection(redis_server).zincrby(heartbeat.KEY, -heartbeat.ALIVE_SECONDS - 1, "celery@here")
    assert heartbeat.alive() == 0


def test_a_heartbeat_survives_a_broker_that_is_away(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://:a-password@127.0.0.1:9/0"
    heartbeat.note("celery@here")
    assert "no heartbeat written" in caplog.text
    assert "a-password" not in caplog.text


def test_a_database_behind_the_code_is_named() -> None:
    recorder = MigrationRecorder.Migration.objects
    assert health.database() == "ok"
    recorder.filter(app="tuning").delete()
    assert health.database() == "migrations missing"


def test_in_rehearsal_it_gives_the_address_of_local_fireworks(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = DEAD_REDIS
    settings.FIREWORKS = {**settings.FIREWORKS, "base_url": "http://127.0.0.1:8101", "rehearsal": True}
    body = client.get("/healthz").json()
    assert (body["rehearsal"], body["fireworks"]) == (True, "http://127.0.0.1:8101")


def test_on_a_real_account_it_gives_no_address(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = DEAD_REDIS
    settings.FIREWORKS = {**settings.FIREWORKS, "rehearsal": False}
    body = client.get("/healthz").json()
    assert body["rehearsal"] is False
    assert "fireworks" not in body


def test_it_only_reads(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


def test_the_version_is_that_of_the_project(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = DEAD_REDIS
    project = tomllib.loads((Path(fwportal.__file__).parents[1] / "pyproject.toml").read_text())
    assert client.get("/healthz").json()["versions"]["portal"] == project["project"]["version"]
