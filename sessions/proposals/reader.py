"""Which model of the account is asked to read, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from sessions import catalogue, prices
from sessions.costs.rates import TokenPrice
from sessions.models import BaseModel
from sessions.models.account import STANDIN
from sessions.specification import short_name

REHEARSAL_READER = "accounts/fireworks/models/standin-reader"
# Smaller ones leave out settings, or make some up; above this the price decides.
CAPABLE = 100_000_000_000


@dataclass(frozen=True)
class Reader:
    """A model that answers by the token. `price` is None where nobody knows it: then it is not asked."""

    model: str
    price: TokenPrice | None

    @property
    def label(self) -> str:
        return short_name(self.model)


def reader(*, rehearsal: bool) -> Reader | None:
    """The cheapest served model of those that read well, else the largest; None when none is served.

    In rehearsal only the stand-in that reads by rule: the other stand-ins never learnt to. Every model that
    Fireworks serves by the token follows a JSON schema (facts sheet 7.1).
    """
    served = BaseModel.objects.filter(listed=True, serverless=True)
    if rehearsal:
        return known(REHEARSAL_READER) if served.filter(name=REHEARSAL_READER).exists() else None
    rows = list(served.exclude(name__startswith=STANDIN))
    readers = [(row, known(row.name)) for row in rows]
    priced = [(row, each) for row, each in readers if each.price is not None] or readers
    capable = [each for row, each in priced if (row.parameters or 0) >= CAPABLE]
    if capable:
        return min(capable, key=costly)
    return max(priced, key=lambda pair: pair[0].parameters or 0)[1] if priced else None


def known(model: str) -> Reader:
    return Reader(model, prices.by_token(catalogue.rates(), model))


def costly(each: Reader) -> tuple[bool, object, str]:
    """For the order by price: prompts are longer than answers, so both are added up."""
    unknown = each.price is None
    return unknown, 0 if each.price is None else each.price.input + each.price.output, each.model
