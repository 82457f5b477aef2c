"""The life of deployments: loading, waking, scaling to zero, removal (fireworks-api.md, 6.2 and 6.5).

`private` holds `replicas` (serving now), `desired`, `since` (when the present start began), `last_used`.
"""

from __future__ import annotations

from localfireworks.backend import Key
from localfireworks.models import find_model
from localfireworks.names import seconds_of
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "deployments"
DAY = 86_400.0
KEEP_DELETED_SECONDS = 7 * DAY
IDLE_REMOVAL_SECONDS = 7 * DAY


def begin(service: Service, row: Resource) -> None:
    """Ask for the first replicas; the row is not yet stored."""
    wanted = max(1, row.body["minReplicaCount"])
    row.private = {"replicas": 0, "desired": wanted, "since": service.clock()}


def change(service: Service, row: Resource, state: str) -> None:
    """Store the row in a new state, unless its state changed meanwhile."""
    was, row.state = row.state, state
    service.save(row, was=was)


def key_of(service: Service, row: Resource) -> Key | None:
    target = find_model(service, row.body["baseModel"])
    return target.key if target else None


def scale(service: Service, row: Resource, wanted: int) -> None:
    """Set the number of replicas: fewer at once, more after their start."""
    row.private["desired"] = wanted
    if wanted <= row.private["replicas"]:
        row.private["replicas"] = wanted
    else:
        row.private["since"] = service.clock()
    key = key_of(service, row)
    if wanted == 0 and key is not None:
        service.backend.unload(key)
    service.save(row)


def used(service: Service, row: Resource) -> bool:
    """Note a request; whether a replica is there to answer it. A sleeping deployment begins to wake."""
    row.private["last_used"] = service.clock()
    if row.private["replicas"] == 0 and row.private["desired"] == 0:
        row.private |= {"desired": max(1, row.body["minReplicaCount"]), "since": service.clock()}
    service.save(row)
    return bool(row.private["replicas"])


def remove(service: Service, row: Resource) -> None:
    """Delete so that it can still be undone."""
    row.private |= {"replicas": 0, "desired": 0}
    row.deleted = service.clock()
    change(service, row, "DELETED")
    key = key_of(service, row)
    if key is not None:
        service.backend.unload(key)


def _start(service: Service, row: Resource) -> None:
    """Bring the wanted replicas up once the model is loaded and the shortest start is over."""
    key = key_of(service, row)
    if key is None:
        row.private["status"] = {"code": "NOT_FOUND", "message": f"{row.body['baseModel']} not found"}
        change(service, row, "FAILED")
        return
    load = service.backend.load(key)
    if not load.done() or service.clock() - row.private["since"] < service.settings.deploy_seconds:
        return
    if fault := load.exception():
        row.private["status"] = {"code": "INTERNAL", "message": f"the model could not be loaded: {fault}"}
        change(service, row, "FAILED")
        return
    row.private |= {"replicas": row.private["desired"], "awake": service.clock()}
    change(service, row, "READY")


def _idle(service: Service, row: Resource) -> None:
    """After the window without a request: to zero; after days without one: removed."""
    if row.body["minReplicaCount"] > 0:
        return
    private = row.private
    idle = service.clock() - max(private.get("last_used", 0.0), private.get("awake", 0.0))
    window = seconds_of(row.body["autoscalingPolicy"]["scaleToZeroWindow"], "scaleToZeroWindow")
    if idle > IDLE_REMOVAL_SECONDS:
        remove(service, row)
    elif private["replicas"] and 0 < window < idle:
        scale(service, row, 0)


def tick(service: Service) -> None:
    """One look at every deployment."""
    for row in service.store.in_states(COLLECTION, ("CREATING", "READY")):
        if row.state == "CREATING" or row.private["replicas"] < row.private["desired"]:
            _start(service, row)
        else:
            _idle(service, row)
    for row in service.store.in_states(COLLECTION, ("DELETED",)):
        if row.deleted is not None and service.clock() - row.deleted > KEEP_DELETED_SECONDS:
            service.store.delete(row.name)
