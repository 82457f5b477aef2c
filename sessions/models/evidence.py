"""Candidates, what was measured of them, and the files behind the numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import models

from sessions.models.fields import money, word
from sessions.models.session import TuningSession
from sessions.specification import short_name
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
    beta = models.FloatField(null=True)  # of DPO; lambda of ORPO
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+"
    )  # of a final run

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

    @property
    def label(self) -> str:
        """How a candidate is named to people."""
        return "Full-data run" if self.role == Role.FINAL else f"Candidate {self.number}"

    @property
    def subject(self) -> str:
        """How answers and evaluations name this candidate's model."""
        return f"candidate:{self.number}"


class Answer(models.Model):
    """What one subject answered to one prompt. The row is there before the call, so that no completion that
    was paid for is asked for again: who finds it unanswered after a crash asks under the next `attempt`."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="answers")
    prompts = models.CharField(max_length=60)  # which prompt set: heldout, pairs, judge-3
    subject = models.CharField(max_length=220)  # who is asked: base:accounts/…, candidate:3
    row = models.PositiveIntegerField()  # of the prompt set, from 0
    attempt = models.PositiveSmallIntegerField(default=1)
    text = models.TextField(blank=True)
    error = models.TextField(blank=True)  # why there will be no answer
    detail = models.JSONField(default=dict)  # finish_reason, prompt_tokens, completion_tokens, way, seed
    result = models.JSONField(default=dict)  # what was made of it: score and reason, label, verdict
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)  # empty: asked, and the outcome is not known

    class Meta:
        ordering = ("row",)
        constraints = (
            models.UniqueConstraint(
                fields=("session", "prompts", "subject", "row"), name="one_answer_to_each_prompt"
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject} on {self.prompts} {self.row}"

    @property
    def is_over(self) -> bool:
        return self.answered_at is not None


class Serving(models.Model):
    """How one subject comes by its answers to one prompt set. The row is made together with the reservation
    of what the answers may cost; without it the client asks no serverless model anything."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="servings")
    prompts = models.CharField(max_length=60)
    subject = models.CharField(max_length=220)
    model = models.CharField(max_length=200)  # the full name that is asked
    rows = models.PositiveIntegerField()  # of the prompt set
    way = models.CharField(max_length=20)  # serverless, batch, multi_lora, live_merge
    refused = models.JSONField(default=dict)  # ways that did not work, with the words of the refusal
    address = models.CharField(max_length=620, blank=True)  # the form that a deployment answered to
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # every row is over, and the cost is settled

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("session", "prompts", "subject"), name="one_serving_a_subject_and_prompt_set"
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject} on {self.prompts} by {self.way}"

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


class Evaluation(models.Model):
    """One measured number: of which subject, on how many rows, from which source (product row 6.2).

    A subject is a candidate's model (`candidate:3`) or a base model as it is (`base:accounts/…`)."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="evaluations")
    candidate = models.ForeignKey(Candidate, null=True, on_delete=models.CASCADE, related_name="evaluations")
    subject = models.CharField(max_length=220)
    metric = models.CharField(max_length=60)
    value = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    rows = models.PositiveIntegerField()
    provenance = models.JSONField(default=dict)  # job, dataset, file, hash, seed

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("session", "subject", "metric"), name="one_value_of_each_metric"),
        )

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"

    @property
    def who(self) -> str:
        """The subject in words."""
        if self.candidate:
            return self.candidate.label
        return f"{short_name(self.subject.removeprefix('base:'))}, untuned"

    @property
    def untuned(self) -> Evaluation | None:
        """The same of the candidate's base model as it is, where that was measured."""
        if self.candidate is None:
            return None
        alike = Evaluation.objects.filter(session_id=self.session_id, metric=self.metric)
        return alike.filter(subject=f"base:{self.candidate.base_model}").first()


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
