"""What a training job cost, worked out where it tells no cost itself."""

from __future__ import annotations

from decimal import Decimal

from sessions.costs import Pricing, Rates
from sessions.models import BaseModel, Candidate
from sessions.specification import Workflow
from workflows.work import rates_path

MILLION, MICRO = Decimal(1_000_000), Decimal("0.000001")


def cost(candidate: Candidate) -> Decimal | None:
    """USD by the tokens that a preference job trained on, as its metrics tell; None where it tells its cost,
    or where tokens or rate are not known."""
    if candidate.session.workflow != Workflow.PREFERENCE or not candidate.tokens:
        return None
    sizes = dict(BaseModel.objects.values_list("name", "parameters"))
    rate = Pricing(Rates.load(rates_path()), sizes, "lora_dpo").rate(candidate.base_model)
    return None if rate is None else (Decimal(candidate.tokens) * rate / MILLION).quantize(MICRO)
