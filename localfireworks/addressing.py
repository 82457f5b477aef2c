"""Which model a request means (fireworks-api.md, 6.4): serverless names, all ways to name a deployment."""

from __future__ import annotations

from localfireworks import replicas
from localfireworks.errors import InferenceError
from localfireworks.models import Servable, find_model
from localfireworks.names import NAME, resource_name
from localfireworks.service import Service
from localfireworks.store import Resource


def unknown(model: str) -> InferenceError:
    message = f"Model not found, inaccessible, and/or not deployed: {model}"
    return InferenceError(404, "NOT_FOUND", message, "model")


def _deployment(service: Service, given: str) -> Resource | None:
    name = given if NAME.fullmatch(given) else resource_name(service.account, replicas.COLLECTION, given)
    row = service.store.get(name)
    usable = row is not None and row.collection == replicas.COLLECTION and row.state in ("CREATING", "READY")
    return row if usable else None


def _named_deployment(model: str, header: str | None) -> tuple[str, str]:
    """Model part and deployment part; either may be empty."""
    head, _, tail = model.partition("#")
    if tail:
        return head, tail
    match = NAME.fullmatch(head)
    if match and match[2] == replicas.COLLECTION:
        return "", head
    return head, header or ""


def target_of(service: Service, model: str, header: str | None) -> Servable:
    """The model to answer with; 404 when not served, 503 while its deployment wakes.

    Forms: `accounts/A/deployments/D`, `<model>#accounts/A/deployments/D`, `<model>#D`, a model with the
    header `fireworks-deployment`, and the bare name of a serverless model.
    """
    name, deployment = _named_deployment(model, header)
    target = find_model(service, name) if name else None
    if not deployment:
        if target is None or target.base.price is None or target.adapter is not None:
            raise unknown(model)
        return target
    row = _deployment(service, deployment)
    if row is None or (name and (target is None or target.name != row.body["baseModel"])):
        raise unknown(model)
    served = find_model(service, row.body["baseModel"])
    if served is None or row.state == "CREATING":
        raise unknown(model)
    if not replicas.used(service, row):
        raise InferenceError(
            503, "DEPLOYMENT_SCALING_UP", f"{row.name} was scaled to zero and is waking up: try again shortly"
        )
    return served
