"""Tear down a deployment on a person's word: delete, then look until it is gone."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sessions.actions import spending
from sessions.actions.events import note
from sessions.models import Resource, TuningSession
from sessions.models.event import Level
from sessions.states import ResourceState
from workflows import uptime
from workflows.connect import belongs_here, connect
from workflows.fireworks import deployments, names
from workflows.fireworks.client import Fireworks
from workflows.fireworks.errors import FireworksError, NotFound

log = logging.getLogger(__name__)


def tear_down(pk: int) -> None:
    """One try; the sweep asks again while the deployment is still there."""
    resource = Resource.objects.select_related("session").get(pk=pk)
    if resource.state == ResourceState.GONE or resource.delete_asked_at is None:
        return
    if not belongs_here(resource.session):
        return
    try:
        with closing(connect(resource.session)) as fireworks:
            if ended(fireworks, resource.name):
                record(resource.session, resource, timezone.now())
    except FireworksError as error:
        log.warning("tearing down %s: %s", resource.name, error)
        complain(resource.session, f"{names.short(resource.name)} is not torn down yet: {error}")


def complain(session: TuningSession, text: str) -> None:
    """Say once what keeps a deployment from going; the next tries say it again only in other words."""
    if not session.events.filter(kind="tear-down-refused", text=text).exists():
        note(session, "tear-down-refused", text, level=Level.WARN)


def ended(fireworks: Fireworks, name: str) -> bool:
    """Whether a deployment is there no more; asks for its end once when it is."""
    try:
        found = deployments.get(fireworks, name)
        if not found.gone and not found.ending:
            deployments.delete(fireworks, name)
    except NotFound:
        return True
    return found.gone


def never_made(resource: Resource, now: datetime) -> None:
    """The deployment was refused: what was set aside for it is free again."""
    with transaction.atomic():
        if spending.gone(resource, now):
            uptime.settle(resource, now, gone=True)


def record(session: TuningSession, resource: Resource, now: datetime) -> None:
    """The deployment was seen to be gone; of two workers that see it, one says so."""
    text = f"{names.short(resource.name)} is gone and costs nothing"
    with transaction.atomic():
        if spending.gone(resource, now):
            uptime.settle(resource, now, gone=True)
            note(session, "torn-down", text, level=Level.GOOD)
