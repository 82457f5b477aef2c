"""A file that a person gave to the portal, data or an evaluator; a worker inspects it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from sessions.models.fields import token

DATA_SUFFIX = ".jsonl"
EVALUATOR_SUFFIXES = (".py", ".zip", ".tar.gz", ".tgz")


class Upload(models.Model):
    """The file lies in the data folder under a name of ours; the person's name for it is only text."""

    token = models.CharField(max_length=40, unique=True, default=token, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=200)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    inspection = models.JSONField(null=True)  # empty until a worker has read the file
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.filename

    @property
    def path(self) -> Path:
        suffix = ".evaluator" if self.is_evaluator else DATA_SUFFIX
        return Path(settings.DATA) / "uploads" / f"{self.token}{suffix}"

    @property
    def is_evaluator(self) -> bool:
        """Whether it is code that scores answers; else it is data."""
        return self.filename.lower().endswith(EVALUATOR_SUFFIXES)

    @property
    def reference(self) -> str:
        """How a specification names this file."""
        return f"upload:{self.token}"
