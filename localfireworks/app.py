"""The ASGI application: all routes, the key check, and the loop that moves jobs and deployments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from localfireworks import (
    accounts,
    admin,
    batch_jobs,
    batch_work,
    billing,
    billing_costs,
    chat,
    completions,
    dataset_lineage,
    datasets,
    deployed_models,
    deployments,
    dpo,
    dpo_work,
    evaluation_jobs,
    evaluation_work,
    evaluator_builds,
    evaluators,
    model_uploads,
    models,
    page,
    quotas,
    replicas,
    sft,
    sft_work,
    shapes,
    storage,
)
from localfireworks.account_limits import AccountLimits
from localfireworks.errors import HANDLERS, ApiError, InferenceError, is_inference
from localfireworks.fault_middleware import FaultSwitches, Sleep
from localfireworks.guard import guarded
from localfireworks.hosts import HostCheck
from localfireworks.job_faults import JobFaults
from localfireworks.jobs import GRACE_SECONDS, Supervisor
from localfireworks.request_ids import RequestIds
from localfireworks.samples import add_samples
from localfireworks.service import Service
from localfireworks.signing import StorageError
from localfireworks.store import Shown
from localfireworks.token_limits import TokenLimits

KINDS = (sft_work.KIND, dpo_work.KIND, batch_work.KIND, evaluation_work.KIND)
MOVING: tuple[Callable[[Service], None], ...] = (replicas.tick, deployed_models.tick, evaluator_builds.tick)
SHELVES: dict[str, Shown] = {
    datasets.COLLECTION: datasets.render,
    models.COLLECTION: models.render,
    sft_work.COLLECTION: sft.shown,
    dpo_work.COLLECTION: dpo.shown,
    batch_work.COLLECTION: batch_jobs.shown,
    evaluation_work.COLLECTION: evaluation_jobs.shown,
}
OPEN_PATHS = frozenset({"/", "/healthz", "/favicon.ico"})


class KeyCheck:
    """Any non-empty key is a key of the account; storage and the human page take none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._allowed(Request(scope)):
            await self.app(scope, receive, send)
        else:
            await self._refusal(scope["path"])(scope, receive, send)

    def _allowed(self, request: Request) -> bool:
        path = request.url.path
        if path in OPEN_PATHS or path.startswith(("/storage/", "/admin/")):
            return True
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return bool(
            (scheme.lower() == "bearer" and token.strip()) or request.headers.get("x-api-key", "").strip()
        )

    def _refusal(self, path: str) -> JSONResponse:
        message = "no API key: send Authorization: Bearer <key>"
        if is_inference(path):
            return JSONResponse(InferenceError(401, "UNAUTHORIZED", message).body(), 401)
        return JSONResponse(ApiError("UNAUTHENTICATED", message).body(), 401)


async def prepare(service: Service) -> Supervisor:
    """Before the first request: samples at the first start, and the jobs of an earlier server."""
    if service.store.fact("created") is None:
        if service.settings.samples:
            await add_samples(service)
        service.store.keep_fact("created", str(service.clock()))
    fill_shelves(service)
    supervisor = Supervisor(service, KINDS, JobFaults(service))
    supervisor.recover()
    replicas.bill_all(service, downtime=True)
    return supervisor


def fill_shelves(service: Service) -> None:
    """Read into memory what may have many rows; else the first filtered or sorted list would do it."""
    for collection, shown in SHELVES.items():
        service.store.shelf(collection, service.account, shown)


def tick(service: Service, supervisor: Supervisor) -> None:
    """One step of everything that moves by itself."""
    with guarded("all jobs"):
        supervisor.tick()
    for part in MOVING:
        with guarded("the background loop"):
            part(service)
    service.ticked = service.clock()


async def run_forever(service: Service, supervisor: Supervisor) -> None:
    while True:
        tick(service, supervisor)
        await asyncio.sleep(service.settings.tick_seconds)


async def end_processes(service: Service, folders: list[Path]) -> None:
    """Wait for asked processes, then stop asking."""
    for _ in range(int(GRACE_SECONDS / service.settings.tick_seconds)):
        if not any(service.processes.alive(folder) for folder in folders):
            return
        await asyncio.sleep(service.settings.tick_seconds)
    for folder in folders:
        service.processes.end(folder, force=True)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    service: Service = app.state.service
    supervisor = await prepare(service)
    loop = asyncio.create_task(run_forever(service, supervisor))
    try:
        yield
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
        await end_processes(service, supervisor.suspend())
        service.backend.close()
        service.store.close()


def create_app(service: Service, sleep: Sleep = asyncio.sleep) -> Starlette:
    """The application around one service; its lifespan runs the background loop. `sleep` is for latency."""
    parts = (
        page,
        admin,
        accounts,
        quotas,
        billing,
        billing_costs,
        model_uploads,
        models,
        dataset_lineage,
        datasets,
        storage,
        sft,
        dpo,
        batch_jobs,
        evaluators,
        evaluation_jobs,
        shapes,
        deployments,
        deployed_models,
        chat,
        completions,
    )
    app = Starlette(
        routes=[route for part in parts for route in part.routes],
        middleware=[
            Middleware(RequestIds),
            Middleware(HostCheck),
            Middleware(FaultSwitches, sleep=sleep),
            Middleware(KeyCheck),
            Middleware(AccountLimits),
            Middleware(TokenLimits),
        ],
        exception_handlers=HANDLERS | {StorageError: storage.on_storage_error},
        lifespan=lifespan,
    )
    app.state.service = service
    return app
