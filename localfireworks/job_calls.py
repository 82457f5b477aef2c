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
from localfireworks.store import Resource, Shown

Render = Callable[[Service, Resource, str], dict[str, Any]]


@dataclass(frozen=True)
class JobCalls:
    """The calls of one collection. `render` gives a job as the API shows it, with links below a base URL and
    how far it is now; `shown` gives it as its row alone says. `verbs` names the custom calls among :cancel
    and :resume that the collection has."""

    collection: str
    render: Render
    shown: Shown
    order: str = "name"
    verbs: tuple[str, ...] = ("cancel", "resume")

    async def list_jobs(self, request: Request) -> Response:
        service, base = service_of(request), base_url(request)
        page = stored_page(
            service.store,
            self.collection,
            own_account(request),
            request.query_params,
            self.shown,
            lambda job: self.render(service, job, base),
            order=self.order,
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
        job.private.pop("completed", None)
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


def file_path(job: Resource, file: str) -> str:
    """Where the storage has a file of the job's folder; filters and orders see it instead of the link."""
    return f"jobs/{job.collection}/{job.account}/{job.id}/{file}"


def signed_file(service: Service, job: Resource, base: str, file: str) -> str:
    """A link to a file of the job's folder; it leads nowhere until the job has written the file."""
    return service.signer.sign(base, "GET", file_path(job, file))


def completed_time(job: Resource) -> dict[str, Any]:
    """`completedTime`, once the job is over."""
    over = "completed" in job.private and job.state in jobs.TERMINAL
    return {"completedTime": timestamp(job.private["completed"])} if over else {}


def progress_of(service: Service, job: Resource) -> dict[str, Any]:
    """The job's own account of how far it is: what it writes while it runs, what was kept of that later."""
    if job.private.get("running"):
        return jobs.read_state(jobs.job_folder(service, job), "progress.json")
    return kept_progress(job)


def kept_progress(job: Resource) -> dict[str, Any]:
    return dict(job.private.get("progress") or {})
