"""The life of a job, of any kind: states, the process behind it, its progress, its end.

`tick` looks at rows and processes and does what is missing; it may be called at any moment, also by a
server that knows nothing of an earlier one.
"""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from localfireworks.errors import ApiError
from localfireworks.guard import caught, guarded
from localfireworks.service import Service
from localfireworks.store import Resource

log = logging.getLogger("localfireworks")
PREFIX = "JOB_STATE_"
CREATING, VALIDATING, PENDING, RUNNING, WRITING, COMPLETED, FAILED, CANCELLING, CANCELLED = (
    PREFIX + word
    for word in (
        "CREATING",
        "VALIDATING",
        "PENDING",
        "RUNNING",
        "WRITING_RESULTS",
        "COMPLETED",
        "FAILED",
        "CANCELLING",
        "CANCELLED",
    )
)
RE_QUEUEING, PAUSED, DELETING = PREFIX + "RE_QUEUEING", PREFIX + "PAUSED", PREFIX + "DELETING"
TERMINAL = frozenset({COMPLETED, FAILED, CANCELLED, PREFIX + "EARLY_STOPPED", PREFIX + "EXPIRED"})
ACTIVE = (CREATING, VALIDATING, PENDING, RE_QUEUEING, RUNNING, WRITING, CANCELLING, DELETING)
UNFINISHED = (*ACTIVE, PAUSED)
QUEUED = frozenset({PENDING, RE_QUEUEING})
ENDING = frozenset({CANCELLING, DELETING})
# Every collection of jobs there is.
COLLECTIONS = ("supervisedFineTuningJobs", "dpoJobs", "batchInferenceJobs", "evaluationJobs")
INPUT_FIELDS = (
    "dataset",
    "evaluationDataset",
    "warmStartFrom",
    "inputDatasetId",
    "model",
    "inputDataset",
    "evaluator",
)
RETRIES = 1
GRACE_SECONDS = 5.0
OK_STATUS = {"code": "OK", "message": ""}
INTERNAL_STATUS = {"code": "INTERNAL", "message": "Internal error"}


class Runner(Protocol):
    """What does the work of a job, in its folder: by the files there it says how far it is."""

    def start(self, folder: Path) -> bool: ...
    def alive(self, folder: Path) -> bool: ...
    def end(self, folder: Path, *, force: bool = False) -> None: ...


def processes_of(service: Service) -> Runner:
    return service.processes


def let_be(service: Service, job: Resource) -> None:
    del service, job


def go_on(service: Service, job: Resource, runner: Runner) -> bool:
    del service, job, runner
    return False


@dataclass(frozen=True)
class JobKind:
    """What differs between kinds of job."""

    collection: str
    check: Callable[[Service, Resource], dict[str, str] | None]  # a failure status, or None when fit to run
    specification: Callable[[Service, Resource], dict[str, Any]]  # the content of job.json
    complete: Callable[[Service, Resource, dict[str, Any]], None]  # store what a good result brings
    runner: Callable[[Service], Runner] = processes_of
    lane: str = "training"  # `settings.jobs` limits how many run at a time in each lane
    abandon: Callable[[Service, Resource], None] = let_be  # keep what a cancelled job has so far
    # Before anything else is done with a job that was VALIDATING: whether nothing may be done with it now.
    step: Callable[[Service, Resource, Runner], bool] = go_on


class Interference(Protocol):
    """What may happen to a job from outside: a fault switch, a suspended account."""

    def check(self, job: Resource) -> dict[str, str] | None:
        """At the end of VALIDATING: a failure status, or None."""

    def step(self, job: Resource, runner: Runner) -> bool:
        """Before it is started or followed: whether nothing else may be done with it now."""


class Undisturbed:
    def check(self, job: Resource) -> dict[str, str] | None:
        del job
        return None

    def step(self, job: Resource, runner: Runner) -> bool:
        del job, runner
        return False


def job_folder(service: Service, job: Resource) -> Path:
    return service.settings.folder("jobs", job.private["folder"]).resolve()


def read_state(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of the job process; `{}` when absent or half written."""
    try:
        value = json.loads((folder / name).read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def fields_of(job: Resource) -> dict[str, Any]:
    """A job's fields, those of a nested `trainingConfig` among them."""
    return {**job.body, **job.body.get("trainingConfig", {})}


def active_job(service: Service, test: Callable[[dict[str, Any]], bool]) -> Resource | None:
    """An unfinished job whose fields pass the test."""
    for collection in COLLECTIONS:
        for job in service.store.in_states(collection, UNFINISHED):
            if test(fields_of(job)):
                return job
    return None


def active_user(service: Service, name: str) -> Resource | None:
    """An unfinished job that reads the named dataset or model."""
    return active_job(service, lambda fields: any(fields.get(field) == name for field in INPUT_FIELDS))


def active_maker(service: Service, name: str) -> Resource | None:
    """An unfinished job that will make the named model."""
    return active_job(service, lambda fields: fields.get("outputModel") == name)


def move(
    service: Service, job: Resource, state: str, status: dict[str, str] | None = None, **private: Any
) -> bool:
    """Change the state if nobody else did; whether it was changed."""
    was, now = job.state, service.clock()
    job.state = state
    job.body["status"] = status or OK_STATUS
    stops = bool(job.private.get("running")) and not private.get("running", True)
    job.private |= {"entered": now, **private}
    if state in TERMINAL:
        job.private["completed"] = now
    if stops:  # from now on the row says how far it is
        job.private["progress"] = read_state(job_folder(service, job), "progress.json")
    return service.save(job, was=was)


class Supervisor:
    """Moves every active job forward; at most `settings.jobs` processes at a time."""

    def __init__(
        self, service: Service, kinds: tuple[JobKind, ...], interference: Interference | None = None
    ) -> None:
        self.service, self.kinds = service, kinds
        self.interference = interference or Undisturbed()
        self.runners = {kind.collection: kind.runner(service) for kind in kinds}

    def recover(self) -> None:
        """After a start: processes that live are kept; those that died with the machine run again."""
        for kind, job in self._active():
            folder = job_folder(self.service, job)
            lost = job.private.get("running") and not self.runners[kind.collection].alive(folder)
            if lost and not read_state(folder, "result.json") and job.state not in ENDING:
                move(self.service, job, RE_QUEUEING, running=False)

    def tick(self) -> None:
        """One look at every active job."""
        jobs = self._active()
        running = Counter(kind.lane for kind, job in jobs if job.private.get("running"))
        for kind, job in jobs:
            was_running = bool(job.private.get("running"))
            self._guarded_step(kind, job, free=running[kind.lane] < self.service.settings.jobs)
            running[kind.lane] += bool(job.private.get("running")) - was_running

    def suspend(self) -> list[Path]:
        """Before the server ends: ask the processes to end, so that they continue at the next start."""
        folders = []
        for kind, job in self._active():
            if not job.private.get("running"):
                continue
            folders.append(job_folder(self.service, job))
            self.runners[kind.collection].end(folders[-1])
            if job.state not in ENDING:
                move(self.service, job, RE_QUEUEING, running=False)
        return folders

    def _active(self) -> list[tuple[JobKind, Resource]]:
        store = self.service.store
        jobs = [(kind, job) for kind in self.kinds for job in store.in_states(kind.collection, ACTIVE)]
        return sorted(jobs, key=lambda pair: pair[1].created)

    def _guarded_step(self, kind: JobKind, job: Resource, *, free: bool) -> None:
        """A step whose fault stays with this job: the machine's trouble is tried again, any other ends it."""
        with caught() as outcome:
            self._step(kind, job, free=free)
        fault = outcome.fault
        if isinstance(fault, OSError | sqlite3.Error):
            log.error("A step of %s failed; it is tried again.", job.name, exc_info=fault)
        elif isinstance(fault, ApiError):
            log.warning("%s fails: %s", job.name, fault)
            self._break_off(kind, job, {"code": fault.status, "message": fault.message})
        elif fault is not None:
            log.error("A step of %s failed.", job.name, exc_info=fault)
            self._break_off(kind, job, INTERNAL_STATUS)

    def _break_off(self, kind: JobKind, job: Resource, status: dict[str, str]) -> None:
        """FAILED with the status; what the broken step left in the row is not kept."""
        with guarded(job.name):
            fresh = self.service.store.get(job.name)
            if fresh is None or fresh.state in (*TERMINAL, DELETING):
                return
            self.runners[kind.collection].end(job_folder(self.service, fresh), force=True)
            move(self.service, fresh, FAILED, status, running=False)
            job.private["running"] = False

    def _step(self, kind: JobKind, job: Resource, *, free: bool) -> None:
        if job.state in ENDING:
            self._end(kind, job)
        elif self.service.clock() - job.private["entered"] < self._shortest(job):
            return
        elif job.state == CREATING:
            move(self.service, job, VALIDATING)
        elif job.state == VALIDATING:
            fault = kind.check(self.service, job) or self.interference.check(job)
            move(self.service, job, FAILED if fault else PENDING, fault)
        elif self._taken(kind, job, self.runners[kind.collection]):
            return
        elif job.private.get("running"):
            self._follow(kind, job)
        elif free:
            self._start(kind, job)

    def _taken(self, kind: JobKind, job: Resource, runner: Runner) -> bool:
        """Whether something else than its work is done with a job now."""
        return self.interference.step(job, runner) or kind.step(self.service, job, runner)

    def _shortest(self, job: Resource) -> float:
        return self.service.settings.state_seconds if job.state in (CREATING, VALIDATING) else 0.0

    def _start(self, kind: JobKind, job: Resource) -> None:
        folder = job_folder(self.service, job)
        (folder / "result.json").unlink(missing_ok=True)
        specification = kind.specification(self.service, job)
        (folder / "job.json").write_text(json.dumps(specification, indent=1))
        # Recorded before the start: a server that is killed between the two finds the lock free and
        # starts again, never a process it does not know of.
        job.private["running"] = True
        if self.service.save(job):
            self.runners[kind.collection].start(folder)

    def _follow(self, kind: JobKind, job: Resource) -> None:
        folder = job_folder(self.service, job)
        alive = self.runners[kind.collection].alive(folder)
        phase = read_state(folder, "progress.json").get("phase")
        result = {} if alive else read_state(folder, "result.json")
        if alive or result.get("ok"):
            self._advance(kind, job, "writing" if result else phase, result)
        elif result:
            self._fail(job, result)
        else:
            self._crashed(job, folder)

    def _crashed(self, job: Resource, folder: Path) -> None:
        """The process ended without a result: once more, then the masked failure of the service."""
        log.warning("The process of %s ended without a result; see %s", job.name, folder / "log.txt")
        retries = job.private.get("retries", 0)
        if retries < RETRIES:
            move(self.service, job, RE_QUEUEING, running=False, retries=retries + 1)
        else:
            move(self.service, job, FAILED, INTERNAL_STATUS, running=False)

    def _advance(self, kind: JobKind, job: Resource, phase: str | None, result: dict[str, Any]) -> None:
        """One state forward towards what the process reports, so that no state is skipped."""
        if job.state in QUEUED and phase in {"running", "writing"}:
            move(self.service, job, RUNNING)
        elif job.state == RUNNING and phase == "writing":
            move(self.service, job, WRITING)
        elif job.state == WRITING and result:
            kind.complete(self.service, job, result)

    def _fail(self, job: Resource, result: dict[str, Any]) -> None:
        reason, message = result.get("reason", ""), str(result.get("message", "Internal error"))
        text = f"{reason}: {message}" if reason else message
        status = {"code": str(result.get("code", "INTERNAL")), "message": text}
        move(self.service, job, FAILED, status, running=False)

    def _end(self, kind: JobKind, job: Resource) -> None:
        folder, runner = job_folder(self.service, job), self.runners[kind.collection]
        late = self.service.clock() - job.private["entered"] > GRACE_SECONDS
        if runner.alive(folder):
            runner.end(folder, force=late)
        elif job.state == DELETING:
            self.service.store.delete(job.name)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            kind.abandon(self.service, job)
            status = {"code": "CANCELLED", "message": "The job was cancelled."}
            move(self.service, job, CANCELLED, status, running=False)
