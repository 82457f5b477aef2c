"""What was used and what it costs, by the hour: serverless tokens, GPU time of deployments, training.

Costs are exact decimals with nine places, so sums of shown amounts are the shown sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from localfireworks.models import Servable
from localfireworks.rates import HOUR, NANO, amount_of, gpu_cost, serverless_cost
from localfireworks.service import Service
from localfireworks.store import Resource

SERVERLESS, DEDICATED, TRAINING = "SERVERLESS", "DEDICATED_DEPLOYMENT", "TRAINING"
KINDS = (SERVERLESS, DEDICATED, TRAINING)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Used:
    """One hour of one kind, model and subject (deployment or job). Tokens are those of the stand-ins."""

    hour: int
    kind: str
    model: str
    subject: str
    cost: Decimal
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    trained: int = 0
    accelerator_seconds: Decimal = ZERO
    gpu: str = ""


def used(service: Service, start: float, end: float) -> list[Used]:
    """All that was used in the hours that begin in [start, end)."""
    return [
        Used(
            hour,
            kind,
            model,
            subject,
            cost=Decimal(amounts["cost"]),
            accelerator_seconds=Decimal(amounts.get("seconds", "0")),
            gpu=amounts.get("gpu", ""),
            **{name: amounts.get(name, 0) for name in ("prompt", "cached", "completion", "trained")},
        )
        for hour, kind, model, subject, amounts in service.store.usage(start, end)
    ]


def month_begin(now: float) -> float:
    """The first second of the calendar month, UTC."""
    day = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return day.timestamp()


def spent_this_month(service: Service) -> Decimal:
    now = service.clock()
    return sum((each.cost for each in used(service, month_begin(now), now + 1)), ZERO)


def _record(
    service: Service, at: float, kind: str, model: str, subject: str, cost: Decimal, **amounts: Any
) -> None:
    """Add to the hour's row: whole numbers and decimals are summed, texts are kept."""
    key = (int(at // HOUR) * HOUR, kind, model, subject)
    kept = service.store.usage_of(key)
    for name, amount in {**amounts, "cost": cost.quantize(NANO)}.items():
        if isinstance(amount, Decimal):
            kept[name] = str(Decimal(kept.get(name, "0")) + amount)
        elif isinstance(amount, int):
            kept[name] = kept.get(name, 0) + amount
        else:
            kept[name] = amount
    service.store.keep_usage(key, kept)


def record_tokens(
    service: Service,
    target: Servable,
    prompt: int,
    completion: int,
    *,
    cached: int = 0,
    share: Decimal = Decimal(1),
) -> None:
    """Serverless inference; `share` 0.5 for batches. A deployment's tokens cost nothing beside its GPUs."""
    price = target.base.price
    if target.deployment or price is None:
        return
    cost = share * serverless_cost(price, prompt, cached, completion)
    counts = {"prompt": prompt, "cached": cached, "completion": completion}
    _record(service, service.clock(), SERVERLESS, target.name, "", cost, **counts)


def record_training(service: Service, job: Resource, base: str, tokens: int, cost: dict[str, Any]) -> None:
    """A finished job, at its final cost (Money)."""
    _record(service, service.clock(), TRAINING, base, job.name, amount_of(cost), trained=tokens)


def record_gpus(service: Service, deployment: Resource, start: float, end: float, gpus: int) -> None:
    """So many GPUs of a deployment from `start` to `end`, cut at the hours."""
    kind, model = deployment.body["acceleratorType"], deployment.body["baseModel"]
    for begin, stop in _hours(start, end):
        seconds = (Decimal(str(round(stop - begin, 3))) * gpus).normalize()
        cost = gpu_cost(kind, seconds, begin)
        _record(service, begin, DEDICATED, model, deployment.name, cost, seconds=seconds, gpu=kind)


def _hours(start: float, end: float) -> Iterator[tuple[float, float]]:
    while start < end:
        stop = min(end, (start // HOUR + 1) * HOUR)
        yield start, stop
        start = stop
