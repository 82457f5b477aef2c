"""Keep the rows of the account, its datasets and the base models fresh, so that pages call nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from sessions.models import Account, BaseModel, RemoteDataset
from workflows.connect import connect
from workflows.fireworks import accounts, datasets, models
from workflows.fireworks.client import Fireworks
from workflows.fireworks.errors import FireworksError

log = logging.getLogger(__name__)


def refresh() -> None:
    """Read the account and the two lists. A fault is kept in the provider's words and shown on the pages."""
    now = timezone.now()
    try:
        with closing(connect()) as fireworks:
            if not settings.FIREWORKS["account"]:  # the key may be another account's by now
                fireworks.account = fireworks.verify()
            account = read_account(fireworks, now)
            read_models(fireworks, now)
            read_datasets(fireworks, now)
    except FireworksError as error:
        log.warning("refresh: %s", error)
        rows = Account.objects.filter(rehearsal=settings.FIREWORKS["rehearsal"])
        if not rows.update(trouble=str(error)):
            name = settings.FIREWORKS["account"] or "unknown"
            Account.objects.create(name=name, rehearsal=settings.FIREWORKS["rehearsal"], trouble=str(error))
        return
    Account.objects.exclude(pk=account.pk).delete()


def read_account(fireworks: Fireworks, now: datetime) -> Account:
    """The account of the key."""
    found = accounts.get(fireworks)
    account, _ = Account.objects.update_or_create(
        name=fireworks.account,
        defaults={
            "rehearsal": settings.FIREWORKS["rehearsal"],
            "suspend_state": found.suspend_state,
            "trouble": "",
            "refreshed_at": now,
        },
    )
    return account


def read_models(fireworks: Fireworks, now: datetime) -> None:
    """The catalogue of base models, seen whole or not at all. A model that is not listed any more is kept and
    marked."""
    listed = list(models.list_public(fireworks))
    with transaction.atomic():
        keep_models(listed, now)


def keep_models(listed: Iterable[models.Model], now: datetime) -> None:
    """The rows of the catalogue."""
    seen: set[str] = set()
    for model in listed:
        BaseModel.objects.update_or_create(
            name=model.name,
            defaults={
                "display_name": model.display_name[:120],
                "parameters": model.parameters,
                "context_length": model.context_length,
                "training_context_length": model.training_context_length,
                "tunable": model.tunable,
                "servable": model.servable_after,
                "serverless": bool(model.supports_serverless),
                "raw": dict(model.raw),
                "refreshed_at": now,
                "listed": True,
            },
        )
        seen.add(model.name)
    BaseModel.objects.exclude(name__in=seen).update(listed=False)


def read_datasets(fireworks: Fireworks, now: datetime) -> None:
    """The account's datasets."""
    seen: set[str] = set()
    for dataset in datasets.list_all(fireworks):
        RemoteDataset.objects.update_or_create(
            name=dataset.name,
            defaults={
                "display_name": dataset.display_name[:120],
                "state": dataset.state[:60],
                "examples": dataset.examples,
                "tokens": dataset.estimated_tokens,
                "created_time": dataset.created.isoformat() if dataset.created else "",
                "refreshed_at": now,
                "listed": True,
            },
        )
        seen.add(dataset.name)
    RemoteDataset.objects.exclude(name__in=seen).update(listed=False)
