"""Writes of the planning phase: the resolved specification and the next plan revision."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction

from sessions.actions.events import change
from sessions.models import Plan, TuningSession
from sessions.specification import Specification


def keep_specification(session: TuningSession, specification: Specification) -> None:
    """The resolved specification in the session's row, if it differs."""
    resolved = specification.to_json()
    if resolved != session.specification_json:
        TuningSession.objects.filter(pk=session.pk).update(specification_json=resolved)
        session.reload()


@transaction.atomic
def add_revision(session: TuningSession, body: dict[str, Any], changes: list[str]) -> Plan:
    """The next revision of the plan; the same content again is the same revision."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    change(session, "plan-made", "A plan was worked out")  # takes the row's lock
    last = Plan.objects.filter(session=session).last()
    if last and last.digest == digest:
        return last
    revision = last.revision + 1 if last else 1
    return Plan.objects.create(
        session=session,
        revision=revision,
        digest=digest,
        body=body,
        changes=changes,
        cost_high=body["estimate"]["high"],
    )
