"""The life of deployments: loading, waking, scaling to zero, another merge, removal (fireworks-api.md, 6).

`private` holds `replicas` (serving now), `desired`, `since` (when the present start began), `last_used`,
`billed` (GPU time is recorded up to there), `merged` (the LoRA merged in place of `baseModel`'s) and
`merging` (the one that will be).
"""

from __future__ import annotations

from localfireworks import usage
from localfireworks.backend import Key
from localfireworks.guard import guarded
from localfireworks.models import LOADED, Servable, find_model
from localfireworks.names import seconds_of
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "deployments"
DAY = 86_400.0
KEEP_DELETED_SECONDS = 7 * DAY
IDLE_REMOVAL_SECONDS = 7 * DAY
BILLING_SECONDS = 60.0
LIVE = ("CREATING", "READY", "UPDATING")


def begin(service: Service, row: Resource) -> None:
    """Ask for the first replicas; the row is not yet stored."""
    wanted = min(max(1, row.body["minReplicaCount"]), row.body["maxReplicaCount"])
    merged = row.private.get("merged")
    row.private = {"replicas": 0, "desired": wanted, "since": service.clock()}
    if merged:
        row.private["merged"] = merged


def change(service: Service, row: Resource, state: str) -> None:
    """Store the row in a new state, unless its state changed meanwhile."""
    was, row.state = row.state, state
    service.save(row, was=was)


def served(service: Service, row: Resource) -> Servable | None:
    """What the deployment itself answers with: its base model, or the LoRA merged into it."""
    return find_model(service, row.private.get("merged") or row.body["baseModel"])


def key_of(service: Service, row: Resource) -> Key | None:
    target = served(service, row)
    return target.key if target else None


def addons(service: Service, row: Resource) -> list[Resource]:
    """The deployedModels on a deployment."""
    rows = service.store.in_states("deployedModels", LOADED)
    return [each for each in rows if each.body["deployment"] == row.name]


def bill(service: Service, row: Resource) -> None:
    """Record the GPU time up to now; the row is not yet stored."""
    now, private = service.clock(), row.private
    if private.get("replicas"):
        gpus = private["replicas"] * int(row.body["acceleratorCount"])
        usage.record_gpus(service, row, private.get("billed", now), now, gpus)
    private["billed"] = now


def bill_all(service: Service, *, downtime: bool = False) -> None:
    """Record the GPU time of all deployments; `downtime`: let the time go by unbilled, no server ran."""
    for row in service.store.in_states(COLLECTION, LIVE):
        if row.private.get("replicas"):
            with guarded(row.name), service.store.transaction():
                if downtime:
                    row.private["billed"] = service.clock()
                bill(service, row)
                service.store.save(row, was=row.state)


def scale(service: Service, row: Resource, wanted: int) -> None:
    """Set the number of replicas: fewer at once, more after their start."""
    bill(service, row)
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
    if row.private["replicas"] == 0 and row.private["desired"] == 0 and row.body["maxReplicaCount"] > 0:
        row.private |= {"desired": max(1, row.body["minReplicaCount"]), "since": service.clock()}
    service.save(row)
    return bool(row.private["replicas"])


def merge(service: Service, row: Resource, model: str) -> None:
    """Put another LoRA in the place of the merged one; the old one answers until the new one is loaded."""
    row.private |= {"merging": model, "since": service.clock()}
    change(service, row, "UPDATING")


def remove(service: Service, row: Resource) -> None:
    """Delete so that it can still be undone."""
    bill(service, row)
    row.private |= {"replicas": 0, "desired": 0}
    row.deleted = service.clock()
    change(service, row, "DELETED")
    key = key_of(service, row)
    if key is not None:
        service.backend.unload(key)


def _start(service: Service, row: Resource) -> None:
    """Bring the wanted replicas up once the model is loaded and the shortest start is over."""
    name = row.private.get("merging")
    target = find_model(service, name) if name else served(service, row)
    if target is None:
        _fail(service, row, "NOT_FOUND", f"{name or row.body['baseModel']} not found")
        return
    load = service.backend.load(target.key)
    if not load.done() or service.clock() - row.private["since"] < service.settings.deploy_seconds:
        return
    if fault := load.exception():
        _fail(service, row, "INTERNAL", f"the model could not be loaded: {fault}")
        return
    bill(service, row)
    row.private |= {"replicas": row.private["desired"], "awake": service.clock()}
    if merging := row.private.pop("merging", None):
        row.private["merged"] = merging
    change(service, row, "READY")


def _fail(service: Service, row: Resource, code: str, message: str) -> None:
    bill(service, row)
    row.private |= {"replicas": 0, "desired": 0, "status": {"code": code, "message": message}}
    change(service, row, "FAILED")


def _idle(service: Service, row: Resource) -> None:
    """After the window without a request: to zero; after days without one: removed."""
    private = row.private
    if private["replicas"] and service.clock() - private.get("billed", 0.0) >= BILLING_SECONDS:
        with service.store.transaction():
            bill(service, row)
            service.store.save(row, was=row.state)
    if row.body["minReplicaCount"] > 0:
        return
    idle = service.clock() - max(private.get("last_used", 0.0), private.get("awake", 0.0))
    window = seconds_of(row.body["autoscalingPolicy"]["scaleToZeroWindow"], "scaleToZeroWindow")
    if idle > IDLE_REMOVAL_SECONDS:
        remove(service, row)
    elif private["replicas"] and 0 < window < idle:
        scale(service, row, 0)


def tick(service: Service) -> None:
    """One look at every deployment."""
    for row in service.store.in_states(COLLECTION, LIVE):
        with guarded(row.name):
            waits = row.state != "READY" or row.private["replicas"] < row.private["desired"]
            (_start if waits else _idle)(service, row)
    for row in service.store.in_states(COLLECTION, ("DELETED",)):
        if row.deleted is not None and service.clock() - row.deleted > KEEP_DELETED_SECONDS:
            service.store.delete(row.name)
