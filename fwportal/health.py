"""`GET /healthz`: whether the portal can do its work, for people, probes and tests."""

from __future__ import annotations

import platform
from functools import cache
from typing import Any

import celery
import django
import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

import fwportal
from fwportal import heartbeat


@login_not_required
@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    report = state()
    return JsonResponse(report, status=200 if report["status"] == "ok" else 503)


def state() -> dict[str, Any]:
    """`status` is `ok` only when database and broker answer and a worker has beaten in the last 15 s."""
    data, (broker, workers) = database(), broker_and_workers()
    report: dict[str, Any] = {
        "status": "ok" if (data, broker) == ("ok", "ok") and workers else "degraded",
        "database": data,
        "broker": broker,
        "workers": workers,
        "versions": {
            "portal": fwportal.__version__,
            "python": platform.python_version(),
            "django": django.__version__,
            "celery": celery.__version__,
        },
        "rehearsal": settings.FIREWORKS["rehearsal"],
    }
    if settings.FIREWORKS["rehearsal"]:
        report["fireworks"] = settings.FIREWORKS["base_url"]
    return report


def database() -> str:
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return "unreachable"
    return "migrations missing" if migrations_on_disk() - applied.keys() else "ok"


@cache
def migrations_on_disk() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations or ())


def broker_and_workers() -> tuple[str, int]:
    try:
        return "ok", heartbeat.alive()
    except redis.RedisError:
        return "unreachable", 0
