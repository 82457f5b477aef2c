"""What every page says: whether this is a rehearsal, whose account it is, how much waits for a person."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from sessions import queries


def portal(request: HttpRequest) -> dict[str, Any]:
    """The template variable `portal`. Rows are read only when the page uses them."""
    signed_in = request.user.is_authenticated if hasattr(request, "user") else False
    shown: dict[str, Any] = {"rehearsal": settings.FIREWORKS["rehearsal"], "can_sign_out": False}
    if signed_in:
        shown |= {
            "account": SimpleLazyObject(queries.account),
            "account_name": SimpleLazyObject(queries.account_name),
            "needs_you": SimpleLazyObject(partial(queries.needs_you_count, request.user, timezone.now())),
            "can_sign_out": not settings.LOCAL,
        }
    return {"portal": shown}
