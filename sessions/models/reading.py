"""Readings of a person's words that a language model proposes: asked for once, on a person's approval."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from sessions.models.fields import money, word
from sessions.models.session import TuningSession
from sessions.states import ReadingEnd

INSTRUCTION, REPLY = "instruction", "reply"


class ProposedReading(models.Model):
    """The row is the approval: who pays at the most how much for which words. A worker sends `request` as it
    stands, marks the row before, and keeps the answer in it before anything is shown of it."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="proposed_readings")
    source = models.CharField(max_length=20)  # instruction, reply
    text = models.TextField()  # the person's words
    lost = models.JSONField()  # characters that were not understood, as pairs of begin and end
    understood = models.JSONField(default=dict)  # entries that a reply gave all the same, by field
    model = models.CharField(max_length=200)
    request = models.JSONField()  # the body of the completion, without its model
    amount = money()  # what the approval covers (USD)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()

    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)  # empty though asked: the outcome is not known
    answer = models.TextField(blank=True)
    error = models.TextField(blank=True)  # why there is no answer
    detail = models.JSONField(default=dict)  # finish_reason, prompt_tokens, completion_tokens

    decision = word(ReadingEnd, default=ReadingEnd.OPEN, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    taken = models.JSONField(default=list)  # names of the fields that the person took

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("session",), condition=models.Q(decision=""), name="one_open_reading_a_session"
            ),
        )

    def __str__(self) -> str:
        return f"{self.text[:40]} read by {self.model}"

    @property
    def item(self) -> str:
        """The ledger line that pays for it."""
        return f"reading:{self.pk}"

    @property
    def is_over(self) -> bool:
        """Whether there is an answer, or it is known why there is none."""
        return self.answered_at is not None
