"""What befalls jobs from outside: the suspension of their account, and fault switches of kind `job-…`.

A job is looked at once, when it leaves VALIDATING; which fault it has is kept in its row. No process runs
for a job that is RUNNING by a fault.
"""

from __future__ import annotations

from localfireworks import faults, jobs
from localfireworks.account_state import is_suspended
from localfireworks.service import Service
from localfireworks.store import Resource

RESUMABLE = ("supervisedFineTuningJobs", "dpoJobs")
EXHAUSTED = {"code": "RESOURCE_EXHAUSTED", "message": "no capacity for the training shape of this job"}
MASKED = {"code": "INTERNAL", "message": "Internal error"}
INVALID = {
    "code": "INVALID_ARGUMENT",
    "message": "DATASET_INVALID: no valid rows are left after tokenization",
}


class JobFaults:
    """Strikes jobs; the supervisor asks before it checks and before it starts one."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def check(self, job: Resource) -> dict[str, str] | None:
        """At the end of VALIDATING: draw the job's fault; a failure status when it strikes at once."""
        struck = faults.drawn(self.service.store, "POST", f"/v1/{job.name}", faults.JOB_KINDS)
        if not struck:
            return None
        job.private["fault"] = struck[0].kind
        job.private["fault_seconds"] = struck[0].parameters.seconds
        return INVALID if struck[0].kind == "job-dataset-invalid" else None

    def step(self, job: Resource, runner: jobs.Runner) -> bool:
        """Whether a fault has this job in its hand, so that it must not be started."""
        if is_suspended(self.service):
            self._hold(job, runner)
            return True
        kind = job.private.get("fault")
        if not kind or kind == "job-dataset-invalid":
            return False
        if kind == "job-exhausted":
            jobs.move(self.service, job, jobs.FAILED, EXHAUSTED, fault="")
        elif job.state in jobs.QUEUED:
            jobs.move(self.service, job, jobs.RUNNING)
        elif self._over(job, kind):
            self._strike(job, kind)
        return True

    def _hold(self, job: Resource, runner: jobs.Runner) -> None:
        """The account is suspended: what runs is ended. Jobs that have :resume wait for it, PAUSED; the
        others are queued, and go on by themselves when the account is well again."""
        runner.end(jobs.job_folder(self.service, job))
        if job.collection in RESUMABLE:
            status = {"code": "OK", "message": "The account is suspended."}
            jobs.move(self.service, job, jobs.PAUSED, status, running=False)
        elif job.private.get("running"):
            jobs.move(self.service, job, jobs.RE_QUEUEING, running=False)

    def _over(self, job: Resource, kind: str) -> bool:
        """Whether the time in RUNNING is over; a stall of 0 seconds never is."""
        seconds = float(job.private["fault_seconds"])
        endless = kind == "job-stall" and seconds == 0
        return not endless and self.service.clock() - job.private["entered"] >= seconds

    def _strike(self, job: Resource, kind: str) -> None:
        if kind == "job-internal":
            jobs.move(self.service, job, jobs.FAILED, MASKED, fault="")
        elif kind == "job-paused":
            status = {"code": "OK", "message": "The job was paused."}
            jobs.move(self.service, job, jobs.PAUSED, status, fault="")
        elif kind == "job-requeued":
            jobs.move(self.service, job, jobs.RE_QUEUEING, fault="")
        else:  # the stall is over: it trains from where it is
            job.private["fault"] = ""
            self.service.save(job)
