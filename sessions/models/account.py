"""What the pages know of the account; a worker keeps these rows fresh (reading a page calls nobody)."""

from __future__ import annotations

from django.db import models

# Rules in the place of models, for one task of a rehearsal each: nothing else may ask them.
STANDIN = "accounts/fireworks/models/standin-"


class Account(models.Model):
    """The one account whose key the portal holds."""

    name = models.CharField(max_length=100, unique=True)
    rehearsal = models.BooleanField()
    suspend_state = models.CharField(max_length=60, blank=True)
    trouble = models.TextField(blank=True)  # the provider's words when the last refresh failed
    refreshed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class BaseModel(models.Model):
    """A model of the catalogue that can be tuned or served."""

    name = models.CharField(max_length=200, unique=True)
    display_name = models.CharField(max_length=120, blank=True)
    parameters = models.BigIntegerField(null=True)
    context_length = models.PositiveIntegerField(null=True)
    training_context_length = models.PositiveIntegerField(null=True)
    tunable = models.BooleanField(default=False)  # LoRA, by SFT and by DPO
    servable = models.BooleanField(default=False)  # a LoRA of it can be served
    serverless = models.BooleanField(default=False)
    raw = models.JSONField(default=dict)
    refreshed_at = models.DateTimeField()
    listed = models.BooleanField(default=True)

    class Meta:
        ordering = ("parameters", "name")

    def __str__(self) -> str:
        return self.display_name or self.name

    @property
    def short_name(self) -> str:
        return self.name.rsplit("/", 1)[-1]

    @property
    def answers(self) -> bool:
        """Whether it answers by the token, to anything: a person can name it to judge or to make pairs."""
        return self.serverless and not self.name.startswith(STANDIN)


class RemoteDataset(models.Model):
    """A dataset of the account, as last seen."""

    name = models.CharField(max_length=200, unique=True)
    display_name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=60)
    examples = models.BigIntegerField(null=True)
    tokens = models.BigIntegerField(null=True)
    created_time = models.CharField(max_length=40, blank=True)
    refreshed_at = models.DateTimeField()
    listed = models.BooleanField(default=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.display_name or self.name

    @property
    def short_name(self) -> str:
        return self.name.rsplit("/", 1)[-1]
