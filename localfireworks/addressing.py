"""Which model a request means (fireworks-api.md, 6.4): serverless names, all ways to name a deployment."""

from __future__ import annotations

from dataclasses import replace

from localfireworks import replicas
from localfireworks.errors import InferenceError
from localfireworks.models import Servable, find_model, loads_of
from localfireworks.names import NAME, resource_name
from localfireworks.service import Service
from localfireworks.store import Resource

SERVING = ("READY", "UPDATING")


def unknown(model: str) -> InferenceError:
    message = f"Model not found, inaccessible, and/or not deployed: {model}"
    return InferenceError(404, "NOT_FOUND", message, "model")


def _deployment(service: Service, given: str) -> Resource | None:
    """A deployment that was ready once, by its full name or its id."""
    name = given if NAME.fullmatch(given) else resource_name(service.account, replicas.COLLECTION, given)
    row = service.store.get(name)
    usable = row is not None and row.collection == replicas.COLLECTION and row.state in SERVING
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


def _default_deployment(service: Service, target: Servable | None) -> str:
    """Where the bare name of a LoRA model leads: to its default deployed model."""
    loads = loads_of(service, target.name) if target and target.adapter is not None else []
    return next((row.body["deployment"] for row in loads if row.body["default"]), "")


def _on(service: Service, row: Resource, target: Servable | None) -> Servable | None:
    """What a deployment answers with: its own model, or the named LoRA that is loaded onto it."""
    own = replicas.served(service, row)
    if target is None or (own is not None and own.name == target.name):
        return own
    for load in loads_of(service, target.name):
        if load.body["deployment"] == row.name and load.state == "DEPLOYED":
            return target
    return None


def target_of(service: Service, model: str, header: str | None) -> Servable:
    """The model to answer with; 404 when not served, 503 while its deployment wakes.

    Forms: `accounts/A/deployments/D`, `<model>#accounts/A/deployments/D`, `<model>#D`, a model with the
    header `fireworks-deployment`, and bare names: of a serverless model, or of a LoRA model whose deployed
    model is the default one. For multi-LoRA `<model>` is the LoRA and the deployment that of its base.
    """
    name, deployment = _named_deployment(model, header)
    target = find_model(service, name) if name else None
    if name and target is None:
        raise unknown(model)
    deployment = deployment or _default_deployment(service, target)
    if not deployment:
        if target is None or target.base.price is None or target.adapter is not None:
            raise unknown(model)
        return target
    row = _deployment(service, deployment)
    answers = _on(service, row, target) if row else None
    if row is None or answers is None:
        raise unknown(model)
    if not replicas.used(service, row):
        raise InferenceError(
            503, "DEPLOYMENT_SCALING_UP", f"{row.name} was scaled to zero and is waking up: try again shortly"
        )
    return replace(answers, deployment=row.name)
