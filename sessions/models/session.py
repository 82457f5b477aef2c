"""The session: the row that is the workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from sessions.models.fields import money, short_id, token, word
from sessions.specification import Specification
from sessions.states import ALIVE, Phase, PhaseState, Status

if TYPE_CHECKING:
    from sessions.models.evidence import Candidate


class TuningSession(models.Model):
    """One tuning run from form to report (product rows 1.1 and 1.2)."""

    public_id = models.CharField(max_length=12, unique=True, default=short_id, editable=False)
    form_token = models.CharField(max_length=40, unique=True, default=token, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=120)
    workflow = models.CharField(max_length=20)
    instruction = models.TextField(blank=True)
    entered = models.JSONField(default=dict)  # as typed, so that a new session can start from it
    specification_json = models.JSONField(default=dict)
    not_understood = models.JSONField(default=list)
    rehearsal = models.BooleanField()

    status = word(Status, default=Status.QUEUED)
    phase = word(Phase, default=Phase.INSPECTION)
    ending = word(Status, default="", blank=True)  # decided, while the report is still being written
    failure = models.JSONField(null=True, blank=True)
    winner = models.ForeignKey("Candidate", null=True, on_delete=models.PROTECT, related_name="+")
    approved_amount = money(null=True)

    wake_at = models.DateTimeField(null=True, db_index=True)
    lease = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    event_seq = models.PositiveIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(
                fields=("wake_at",), name="session_due", condition=models.Q(status__in=sorted(ALIVE))
            ),
        )

    def __str__(self) -> str:
        return f"{self.public_id} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("session", args=(self.public_id,))

    def reload(self) -> None:
        """Read the row again, all but the lease: who lost it must not go on under the successor's."""
        held = self.lease
        self.refresh_from_db()
        self.lease = held

    @property
    def specification(self) -> Specification:
        """What is to be run, each value with its origin."""
        return Specification.from_json(self.specification_json)

    @property
    def is_over(self) -> bool:
        return self.status not in ALIVE

    def value(self, name: str, default: Any = None) -> Any:
        """One value of the specification, without its origin; `default` where nobody has set it."""
        return self.specification.value(name, default)

    @property
    def result(self) -> Candidate | None:
        """The candidate whose model is the result: the winner's full-data run, else the winner."""
        if self.winner is None:
            return None
        return self.candidates.filter(role="final", parent=self.winner, state="done").first() or self.winner


class PhaseRun(models.Model):
    """One of the seven phases in one session: when it began, when it ended, and what is to be said of it."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="phases")
    phase = word(Phase)
    position = models.PositiveSmallIntegerField()
    state = word(PhaseState, default=PhaseState.PENDING)
    note = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("session", "phase"), name="one_run_of_each_phase"),)

    def __str__(self) -> str:
        return f"{self.phase}: {self.state}"
