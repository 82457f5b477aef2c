"""The calls that every kind of job has: list, get, delete, cancel, resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import jobs
from localfireworks.errors import already_exists, precondition
from localfireworks.listing import read_mask, stored_page
from localfireworks.names import timestamp
from localfireworks.service import Service, base_url, found, ok, own_account, service_of
from localfireworks.store import Resource

Render = Callable[[Service, Resource, str], dict[str, Any]]


@dataclass(frozen=True)
class JobCalls:
    """The calls of one collection. `render` gives a job as the API shows it, with links below a base URL;
    `computed` names the fields that it makes, while a job's body has the others. `verbs` names the custom
    calls among :cancel and :resume that the collection has."""

    collection: str
    render: Render
    computed: frozenset[str]
    order: str = "name"
    verbs: tuple[str, ...] = ("cancel", "resume")

    async def list_jobs(self, request: Request) -> Response:
        service, base = service_of(request), base_url(request)
        page = stored_page(
            service.store,
            self.collection,
            own_account(request),
            request.query_params,
            lambda job: self.render(service, job, base),
            order=self.order,
            computed=self.computed,
        )
        return ok(page)

    async def get(self, request: Request) -> Response:
        body = self.render(service_of(request), found(request, self.collection), base_url(request))
        return ok(read_mask(body, request.query_params.get("readMask")))

    async def delete(self, request: Request) -> Response:
        """The process is ended first; until then the job is DELETING."""
        service, job = service_of(request), found(request, self.collection)
        jobs.move(service, job, jobs.DELETING)
        return ok({})

    async def cancel(self, request: Request) -> Response:
        service, job = service_of(request), found(request, self.collection)
        if job.state in jobs.TERMINAL:
            raise precondition(f"{job.name} is {job.state}: nothing to cancel")
        if job.state not in jobs.ENDING:
            jobs.move(service, job, jobs.CANCELLING)
        return ok({})

    async def resume(self, request: Request) -> Response:
        """Continue a stopped job from its last checkpoint."""
        service, job = service_of(request), found(request, self.collection)
        if job.state not in {jobs.PAUSED, jobs.FAILED, jobs.CANCELLED}:
            raise precondition(
                f"{job.name} is {job.state}: only a paused, failed or cancelled job can be resumed"
            )
        if (name := jobs.fields_of(job).get("outputModel")) and taken(service, name, job):
            raise already_exists(f"output_model {name}")
        for key in ("completed", "progress"):
            job.private.pop(key, None)
        jobs.move(service, job, jobs.RE_QUEUEING, running=False, retries=0)
        return ok(self.render(service, job, base_url(request)))

    def routes(self) -> list[Route]:
        """All of them; a kind's own verbs must come before these."""
        parent = parent_path(self.collection)
        one = parent + "/{id:rid}"
        custom = {"cancel": self.cancel, "resume": self.resume}
        return [
            Route(parent, self.list_jobs),
            *(Route(f"{one}:{verb}", custom[verb], methods=["POST"]) for verb in self.verbs),
            Route(one, self.get),
            Route(one, self.delete, methods=["DELETE"]),
        ]


def taken(service: Service, name: str, job: Resource) -> bool:
    """Whether something else than this job made the model, or will."""
    maker, made = jobs.active_maker(service, name), service.store.get(name)
    by_other = maker is not None and maker.name != job.name
    return by_other or (made is not None and made.body.get("fineTuningJob") != job.name)


def parent_path(collection: str) -> str:
    return "/v1/accounts/{account}/" + collection


def signed_file(service: Service, job: Resource, base: str, file: str) -> str:
    """A link to a file of the job's folder; it leads nowhere until the job has written the file."""
    return service.signer.sign(base, "GET", f"jobs/{job.collection}/{job.account}/{job.id}/{file}")


def completed_time(job: Resource) -> dict[str, Any]:
    """`completedTime`, once the job is over."""
    over = "completed" in job.private and job.state in jobs.TERMINAL
    return {"completedTime": timestamp(job.private["completed"])} if over else {}


def progress_of(service: Service, job: Resource) -> dict[str, Any]:
    """The job process's own account of how far it is."""
    kept = job.private.get("progress")
    if kept is not None:
        return dict(kept)
    return jobs.read_state(jobs.job_folder(service, job), "progress.json")
