"""Candidates, what was measured of them, and the files behind the numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import models

from sessions.models.fields import money, word
from sessions.models.session import TuningSession
from sessions.states import CANDIDATE_OVER, CandidateState


class Role(StrEnum):
    SWEEP = "sweep"
    FINAL = "final"  # the winning configuration, trained on all the data


class Candidate(models.Model):
    """One configuration to train. The final run is a candidate too, with the role `final`."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="candidates")
    number = models.PositiveIntegerField()
    role = word(Role, default=Role.SWEEP)
    base_model = models.CharField(max_length=200)
    lora_rank = models.PositiveSmallIntegerField()
    learning_rate = models.FloatField()
    epochs = models.PositiveSmallIntegerField()

    state = word(CandidateState, default=CandidateState.PLANNED)
    attempt = models.PositiveSmallIntegerField(default=1)
    job = models.CharField(max_length=200, blank=True)  # full resource names
    model = models.CharField(max_length=200, blank=True)
    remote_state = models.CharField(max_length=60, blank=True)  # the provider's own word
    percent = models.PositiveSmallIntegerField(default=0)
    tokens = models.BigIntegerField(null=True)  # trained tokens, as the provider counts them
    curve = models.JSONField(default=list)  # points {step, train_loss?, eval_loss?, lr?}
    train_loss = models.FloatField(null=True)
    validation_loss = models.FloatField(null=True)
    cost = money(null=True)  # as the provider states it
    detail = models.JSONField(default=dict)  # failure, rehearsal rows used, …
    launched_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("session", "number"), name="candidates_are_numbered"),)

    def __str__(self) -> str:
        return f"candidate {self.number}"

    @property
    def is_over(self) -> bool:
        return self.state in CANDIDATE_OVER


class Evaluation(models.Model):
    """One measured number: of which candidate, on how many rows, from which source (product row 6.2)."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="evaluations")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="evaluations")
    metric = models.CharField(max_length=60)
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    rows = models.PositiveIntegerField()
    provenance = models.JSONField(default=dict)  # job, dataset, file, hash, seed

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("candidate", "metric"), name="one_value_of_each_metric"),
        )

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"


class Artifact(models.Model):
    """A file of the session's workspace, with its hash."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="artifacts")
    name = models.CharField(max_length=120)  # relative path inside the workspace
    media_type = models.CharField(max_length=60)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("session", "name"), name="one_artifact_a_name"),)

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return workspace(self.session) / self.name


def workspace(session: TuningSession) -> Path:
    """The folder that holds the session's files."""
    return Path(settings.DATA) / "sessions" / session.public_id
