"""The ways to serve, and the order in which they are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sessions.models import TuningSession
from workflows.answers import batch, live_merge, multi_lora, serverless
from workflows.answers.asking import DeploymentWay, Way
from workflows.answers.subjects import Subject

DEPLOYING: Mapping[str, DeploymentWay] = {each.NAME: each for each in (multi_lora, live_merge)}
WAYS: Mapping[str, Way] = {serverless.NAME: serverless, batch.NAME: batch, **DEPLOYING}
ORDER = tuple(WAYS)


def order_of(session: TuningSession) -> tuple[str, ...]:
    """The order that the specification says, else the cheapest first."""
    return tuple(session.value("serving_order") or ORDER)


def next_way(order: Sequence[str], subject: Subject, refused: Mapping[str, str]) -> str:
    """The first way of the order that was not refused and may serve the subject; empty when there is none."""
    fit = (name for name in order if name not in refused and not WAYS[name].unfit(subject))
    return next(fit, "")


def why_none(order: Sequence[str], subject: Subject, refused: Mapping[str, str]) -> str:
    """Why no way is left, way by way."""
    reasons = ((name, refused.get(name) or WAYS[name].unfit(subject)) for name in order)
    return "; ".join(f"{WAYS[name].LABEL}: {words.rstrip('.')}" for name, words in reasons)
