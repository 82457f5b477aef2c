"""What a phase step is given: the session, the client, the clock and the workspace."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from sessions.actions import moves
from sessions.actions.events import note
from sessions.models import Artifact, Gate, PhaseRun, Resource, TuningSession
from sessions.models.evidence import workspace
from sessions.states import Decision, GateKind
from workflows.fireworks.client import Fireworks
from workflows.fireworks.wire import Exchange


@dataclass
class Work:
    """One step's tools. `clock` gives the time in UTC; `now` is the time at which the step began;
    `seen` are the calls made so far, for showing them as curl commands."""

    session: TuningSession
    fireworks: Fireworks
    clock: Callable[[], datetime]
    now: datetime
    seen: list[Exchange] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The session's workspace, made when it is first asked for."""
        folder = workspace(self.session)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def poll_seconds(self) -> float:
        """How long to wait before looking at a remote thing again: a rehearsal moves faster."""
        return 1.5 if self.session.rehearsal else 10.0

    def keep_lease(self) -> None:
        """Called right before something is made; raises LeaseLost when another worker took over."""
        moves.renew(self.session, self.clock())

    def tell(self, kind: str, text: str, **options: Any) -> None:
        """One line in the event log."""
        note(self.session, kind, text, **options)

    def phase_age(self) -> float:
        """Seconds since the current phase began."""
        started = PhaseRun.objects.get(session=self.session, phase=self.session.phase).started_at
        return (self.now - started).total_seconds() if started else 0.0

    def waited_for(self, resource: Resource) -> float:
        """Seconds that a remote thing took so far: since it was made, or since a person last said to go on
        after trouble, or that more may be spent. Time in which a person decides is not the provider's."""
        since = resource.created_at or self.now
        gates = Gate.objects.filter(
            session=self.session,
            kind__in=(GateKind.TROUBLE, GateKind.SPEND),
            decision=Decision.APPROVED,
            decided_at__gt=since,
        )
        last: datetime | None = gates.values_list("decided_at", flat=True).last()
        return (self.now - (last or since)).total_seconds()

    def keep(self, name: str, media_type: str, content: bytes | str | None = None, **detail: Any) -> Artifact:
        """Record a file of the workspace, after writing it when `content` is given."""
        path = self.folder / name
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(path.name + ".part")
            fresh.write_bytes(content.encode() if isinstance(content, str) else content)
            fresh.replace(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        artifact, _ = Artifact.objects.update_or_create(
            session=self.session,
            name=name,
            defaults={
                "media_type": media_type,
                "bytes": path.stat().st_size,
                "sha256": digest,
                "detail": detail,
            },
        )
        return artifact

    def resource(self, purpose: str) -> Resource | None:
        """The remote thing of this session that serves a purpose, if it was ever intended."""
        return Resource.objects.filter(session=self.session, purpose=purpose).first()


def rates_path() -> Path | None:
    """The price table that overrides the dated one of the portal, if one is configured."""
    override = getattr(settings, "RATES_FILE", "")
    return Path(override) if override else None
