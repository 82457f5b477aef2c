"""The two ledgers of a session: remote resources, and money."""

from __future__ import annotations

from django.db import models

from sessions.models.fields import money, word
from sessions.models.session import TuningSession
from sessions.states import Phase, ResourceState


class Resource(models.Model):
    """A remote thing of this session. The row is there before the call that makes the thing, so that
    nothing is ever made that nobody remembers; only what stands here may be changed or deleted."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="resources")
    kind = models.CharField(max_length=30)  # dataset, job, model, deployment
    purpose = models.CharField(max_length=330)  # e.g. "dataset-train", "job-3"
    name = models.CharField(max_length=200, unique=True)
    state = word(ResourceState, default=ResourceState.INTENDED)
    request = models.JSONField(default=dict)
    intended_at = models.DateTimeField()
    created_at = models.DateTimeField(null=True)
    delete_asked_at = models.DateTimeField(null=True)  # a person wants it gone
    gone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("intended_at", "id")
        constraints = (models.UniqueConstraint(fields=("session", "purpose"), name="one_resource_a_purpose"),)

    def __str__(self) -> str:
        return self.name


class LedgerLine(models.Model):
    """One line of money: estimated in the plan, reserved before the spend, actual afterwards (USD)."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="ledger")
    item = models.CharField(max_length=330)  # e.g. "training:candidate:3"
    label = models.CharField(max_length=160)
    group = models.CharField(max_length=40)  # Training, Inference, Deployment
    phase = word(Phase)
    position = models.PositiveSmallIntegerField(default=0)
    low = money(null=True)  # empty: not calculated
    expected = money(null=True)
    high = money(null=True)
    how = models.TextField(blank=True)
    reserved = money(null=True)
    actual = money(null=True)
    gap = models.TextField(blank=True)  # why actual differs from the estimate

    class Meta:
        ordering = ("position", "id")
        constraints = (models.UniqueConstraint(fields=("session", "item"), name="one_line_an_item"),)

    def __str__(self) -> str:
        return self.label
