"""What a model of the catalogue costs by the token."""

from __future__ import annotations

from sessions.costs.rates import Rates, TokenPrice
from sessions.models import BaseModel


def by_token(rates: Rates, model: str) -> TokenPrice | None:
    """Serverless price of a base model and of what is tuned from it: by its name, else by its size."""
    row = BaseModel.objects.filter(name=model).first()
    details = (row.raw.get("baseModelDetails") or {}) if row else {}
    return rates.serverless(model, row.parameters if row else None, mixture=bool(details.get("moe")))
