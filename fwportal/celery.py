"""The Celery application: it delivers wake-ups, and each worker leaves a heartbeat in Redis."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fwportal.settings")

app = Celery("fwportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("workflows.tasks",)


@heartbeat_sent.connect
def note_heartbeat(sender: Any, **_: Any) -> None:
    """Every 2 s, from the worker's own loop: a worker whose loop hangs stops being counted."""
    from fwportal import heartbeat

    heartbeat.note(sender.eventer.hostname)


@worker_ready.connect
def refresh_soon(sender: Any, **_: Any) -> None:
    """Beat's first refresh is a minute away, and a page without models and datasets is of no use.

    More than once, since local Fireworks starts at the same time and may not answer the first.
    """
    for seconds in (0, 3, 10):
        sender.app.send_task("workflows.refresh", countdown=seconds, expires=seconds + 20)
