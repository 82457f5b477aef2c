"""Deployments: ask what would come, create, read, delete. Source: facts sheet 6.

They cost money while they stand, so they scale to zero by default and are the one thing we delete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .client import Fireworks
from .creating import create_once
from .fields import Status, given, integer, mapping, moment, text
from .names import full_name
from .wire import Json

COLLECTION = "deployments"
READY, FAILED = "READY", "FAILED"
GONE = frozenset({"DELETED", "DELETING"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to deploy. A LoRA as `base_model` is merged into its base at start (live merge).

    `scale_to_zero` is a duration such as "300s", the least the API takes. The `default` shape lets the
    provider choose GPU type, count and precision; it is left out when an accelerator is named.
    """

    base_model: str
    display_name: str = ""
    shape: str = "default"
    accelerator_type: str = ""
    accelerator_count: int | None = None
    min_replicas: int = 0
    max_replicas: int = 1
    scale_to_zero: str = "300s"
    max_context_length: int | None = None
    addons: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as Fireworks shows it; `raw` keeps every field."""

    name: str
    state: str
    base_model: str = ""
    accelerator_type: str = ""
    accelerator_count: int | None = None
    replicas: int | None = None
    ready_replicas: int | None = None
    status: Status = field(default_factory=Status)
    created: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ready(self) -> bool:
        """State READY. That is no proof of serving: ask for one token (facts sheet 6.5)."""
        return self.state == READY

    @property
    def failed(self) -> bool:
        """Whether it will not come up."""
        return self.state == FAILED

    @property
    def ending(self) -> bool:
        """Whether its end was asked for already."""
        return self.state in GONE

    @property
    def gone(self) -> bool:
        """Whether it is deleted and costs nothing any more; DELETING with replicas is not yet."""
        return self.state == "DELETED" or (self.state in GONE and not self.replicas)


def deployment_body(wanted: Wanted) -> Json:
    """The flat create body; what is not set is left to the provider."""
    body: Json = {
        "baseModel": wanted.base_model,
        "minReplicaCount": wanted.min_replicas,
        "maxReplicaCount": wanted.max_replicas,
        "autoscalingPolicy": {"scaleToZeroWindow": wanted.scale_to_zero},
    }
    optional = {
        "displayName": wanted.display_name[:63],
        "deploymentShape": "" if wanted.accelerator_type and wanted.shape == "default" else wanted.shape,
        "acceleratorType": wanted.accelerator_type,
        "acceleratorCount": wanted.accelerator_count,
        "maxContextLength": wanted.max_context_length,
        "enableAddons": wanted.addons or None,
    }
    return body | given(optional)


def parse(raw: Mapping[str, Any]) -> Deployment:
    """A deployment from its JSON; a state we do not know is kept as it is."""
    return Deployment(
        name=text(raw, "name"),
        state=text(raw, "state"),
        base_model=text(raw, "baseModel"),
        accelerator_type=text(raw, "acceleratorType"),
        accelerator_count=integer(raw, "acceleratorCount"),
        replicas=integer(raw, "replicaCount"),
        ready_replicas=integer(mapping(raw, "replicaStats"), "readyReplicaCount"),
        status=Status.of(raw),
        created=moment(raw, "createTime"),
        raw=raw,
    )


def validate_only(fireworks: Fireworks, wanted: Wanted) -> Deployment:
    """What a create would give (GPU type and count), without creating. Raises `Permanent` when refused."""
    path, query = fireworks.path(COLLECTION), {"validateOnly": "true"}
    return parse(fireworks.call("POST", path, query=query, body=deployment_body(wanted)).json)


def create(fireworks: Fireworks, identifier: str, wanted: Wanted) -> Deployment:
    """Create under our id, or adopt our own earlier one. Raises `Conflict`, `NeedsPerson`, …"""
    body, path = deployment_body(wanted), fireworks.path(COLLECTION)
    found, _ = create_once(
        full_name(fireworks.account, COLLECTION, identifier),
        {"baseModel": wanted.base_model},
        ("baseModel",),
        lambda: fireworks.call("POST", path, query={"deploymentId": identifier}, body=body).json,
        lambda: fireworks.get(f"{path}/{identifier}"),
        fireworks.retries,
    )
    return parse(found)


def get(fireworks: Fireworks, name: str) -> Deployment:
    """One deployment by id or full name. Raises `NotFound`."""
    return parse(fireworks.get(fireworks.path(COLLECTION, name)))


def list_all(fireworks: Fireworks) -> Iterator[Deployment]:
    """All deployments of the account, page by page (filters are not to be trusted, facts sheet 1.4)."""
    for raw in fireworks.pages(fireworks.path(COLLECTION), COLLECTION):
        yield parse(raw)


def scale(fireworks: Fireworks, name: str, replicas: int) -> None:
    """Set the number of replicas of a deployment of ours."""
    fireworks.call("PATCH", fireworks.path(COLLECTION, name, "scale"), body={"replicaCount": replicas})


def delete(fireworks: Fireworks, name: str) -> None:
    """Delete a deployment of ours, also one that was used within the last hour.

    Raises `NotFound` when it is not there. Look with `get` until it is gone.
    """
    fireworks.call("DELETE", fireworks.path(COLLECTION, name), query={"ignoreChecks": "true"})
