"""Column types used more than once."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Any

from django.db import models

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without the look-alikes l, o, 0 and 1


def short_id() -> str:
    """Eight characters for addresses and remote names; begins with a letter as Fireworks ids must."""
    return secrets.choice(ALPHABET[:24]) + "".join(secrets.choice(ALPHABET) for _ in range(7))


def token() -> str:
    """An unguessable token, for a form or an upload."""
    return secrets.token_urlsafe(18)


def money(**options: Any) -> models.DecimalField[Any, Any]:
    """US dollars with six decimals: a token costs less than a cent."""
    return models.DecimalField(max_digits=16, decimal_places=6, **options)


def word(words: type[StrEnum], **options: Any) -> models.CharField[Any, Any]:
    """A column that holds one of our own words."""
    return models.CharField(max_length=20, choices=[(each.value, each.value) for each in words], **options)
