"""The answer to "which base models do you support?", from the rows that a worker keeps fresh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from django.conf import settings

from sessions import queries
from sessions.costs import Rates
from sessions.models import BaseModel
from sessions.specification import ModelName

STALE_AFTER = timedelta(minutes=10)


@cache
def rates() -> Rates:
    """The rates table in use, read once a process."""
    return Rates.load(getattr(settings, "RATES_FILE", None) or None)


@dataclass(frozen=True)
class Offer:
    """A base model with what it costs and what can be done with it. Prices in USD per 1M training tokens."""

    model: BaseModel
    sft: Decimal | None
    dpo: Decimal | None

    @property
    def title(self) -> str:
        """The name shown, without what stands behind it in brackets."""
        return (self.model.display_name or self.model.short_name).partition(" (")[0]

    @property
    def aside(self) -> str:
        """What the name says in brackets: in rehearsal, that the model is a stand-in, and how large."""
        return self.model.display_name.partition(" (")[2].removesuffix(")").removesuffix(" parameters")

    @property
    def methods(self) -> tuple[str, ...]:
        return ("SFT", "DPO") if self.model.tunable else ()

    @property
    def train_context(self) -> int | None:
        return self.model.training_context_length or self.model.context_length

    @property
    def size(self) -> str:
        """Parameters in short: 8.2B."""
        count = self.model.parameters
        if not count:
            return ""
        span, letter = (10**12, "T") if count >= 10**12 else (10**9, "B") if count >= 10**9 else (10**6, "M")
        number = count / span
        return f"{number:.0f}{letter}" if number >= 100 else f"{number:.1f}".removesuffix(".0") + letter

    @property
    def words(self) -> str:
        """What a search looks through."""
        return f"{self.model.display_name} {self.model.name} {self.size}"


@dataclass(frozen=True)
class Catalogue:
    """The base models as last listed."""

    offers: Sequence[Offer]
    as_of: datetime | None
    stale: bool
    trouble: str

    @property
    def tunable(self) -> list[Offer]:
        return [offer for offer in self.offers if offer.model.tunable]

    @property
    def served(self) -> list[ModelName]:
        """Models that answer by the token: those that may make pairs and judge."""
        rows = [offer.model for offer in self.offers if offer.model.answers]
        return [ModelName(row.name, row.display_name) for row in rows]

    @property
    def others(self) -> list[Offer]:
        return [offer for offer in self.offers if not offer.model.tunable]


def offers(models: Iterable[BaseModel], table: Rates) -> list[Offer]:
    return [
        Offer(each, table.training("lora_sft", each.parameters), table.training("lora_dpo", each.parameters))
        for each in models
    ]


def load(now: datetime) -> Catalogue:
    """What the pages show of base models, and how old it is."""
    found = offers(queries.base_models(), rates())
    as_of = max((offer.model.refreshed_at for offer in found), default=None)
    account = queries.account()
    stale = as_of is not None and now - as_of > STALE_AFTER
    return Catalogue(found, as_of, stale, account.trouble if account else "")


def names(catalogue: Catalogue) -> list[ModelName]:
    """The tunable models as an instruction's words are compared with them."""
    return [ModelName(offer.model.name, offer.model.display_name) for offer in catalogue.tunable]
