"""The event log: one row for each thing that happened, in an order without gaps."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.db import models

from sessions.models.fields import word
from sessions.models.session import TuningSession
from sessions.states import Phase


class Level(StrEnum):
    INFO = "info"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Event(models.Model):
    """`seq` counts from 1 within a session. It is drawn under the lock of the session's row, so events
    become visible in their order and a reader that remembers the last one misses none."""

    session = models.ForeignKey(TuningSession, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    phase = word(Phase)
    kind = models.CharField(max_length=40)
    level = word(Level, default=Level.INFO)
    text = models.TextField()
    data = models.JSONField(default=dict)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("seq",)
        constraints = (
            models.UniqueConstraint(fields=("session", "seq"), name="events_count_without_doubles"),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.text}"
