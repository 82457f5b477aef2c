"""Plans and gates: what was proposed, and who decided what about it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from sessions.models.fields import money, word
from sessions.models.session import TuningSession
from sessions.states import Decision, GateKind


class Plan(models.Model):
    """One revision of the plan. It is never changed: a change makes the next revision."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="plans")
    revision = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    body = models.JSONField()  # sentence, specification, candidates, estimate, risks, splits
    changes = models.JSONField(default=list)  # what differs from the revision before, in words
    cost_high = money(null=True)  # the amount that an approval covers; empty when nothing could be priced
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("revision",)
        constraints = (models.UniqueConstraint(fields=("session", "revision"), name="one_plan_a_revision"),)

    def __str__(self) -> str:
        return f"plan {self.revision}"


class Gate(models.Model):
    """A decision that a person must make, and later the record of it."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="gates")
    kind = word(GateKind)
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="gates")
    body = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    decision = word(Decision, default=Decision.OPEN, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reply = models.TextField(blank=True)  # the person's own words
    answer = models.JSONField(default=dict)

    class Meta:
        ordering = ("opened_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("session",), condition=models.Q(decision=""), name="one_open_gate_a_session"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.decision or 'open'}"

    @property
    def is_open(self) -> bool:
        return bool(self.decision == Decision.OPEN)
