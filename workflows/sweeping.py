"""The sweep: the safety net under every lost wake-up."""

from __future__ import annotations

from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from sessions.actions import moves
from sessions.models import ProposedReading, Resource, TuningSession, Upload
from sessions.states import ResourceState
from workflows.readings import LOST_AFTER

AT_ONCE = 200
GRACE = timedelta(seconds=15)  # a large file is read for seconds: until then its own message counts


def sweep() -> None:
    """Send an `advance` for every due session, an inspection for every unread upload, a tear-down for every
    deployment that is to go, and a call for every reading that nobody asked for or whose worker is gone.

    The messages expire before the next sweeps send theirs, so that a busy worker's queue does not grow.
    """
    now = timezone.now()
    due = TuningSession.objects.filter(moves.due(now)).order_by("wake_at")
    for public_id in due.values_list("public_id", flat=True)[:AT_ONCE]:
        current_app.send_task("workflows.advance", args=[public_id], expires=5)
    unread = Upload.objects.filter(inspection__isnull=True, created_at__lt=now - GRACE).order_by("created_at")
    for token in unread.values_list("token", flat=True)[:AT_ONCE]:
        current_app.send_task("workflows.inspect_upload", args=[token], expires=5)
    unwanted = Resource.objects.filter(delete_asked_at__isnull=False).exclude(state=ResourceState.GONE)
    for resource in unwanted.values_list("pk", flat=True)[:AT_ONCE]:
        current_app.send_task("workflows.tear_down", args=[resource], expires=5)
    here = Q(session__rehearsal=settings.FIREWORKS["rehearsal"])  # the others wait for their own account
    late = Q(asked_at=None) & here | Q(asked_at__lt=now - LOST_AFTER)
    readings = ProposedReading.objects.filter(late, answered_at=None, decision="")
    for reading in readings.values_list("pk", flat=True)[:AT_ONCE]:
        current_app.send_task("workflows.read_words", args=[reading], expires=5)
