"""Batch inference, evaluators and the jobs that run them."""

from __future__ import annotations

from typing import Any

from tests.integration.sdk.examples import Asked, ask, example, has, is_empty, is_named
from tests.integration.sdk.world import World


@example("batch_inference_jobs.create")
def _(world: World) -> Asked:
    asked = world.batch_asked()
    name = world.name("batchInferenceJobs", asked["batch_inference_job_id"])
    return ask(is_named(name, output_dataset_id=asked["output_dataset_id"]), **asked)


@example("batch_inference_jobs.get")
def _(world: World) -> Asked:
    name = world.name("batchInferenceJobs", world.answered())

    def right(job: Any) -> bool:
        done = job.job_progress
        counts = (done.total_input_requests, done.successfully_processed_requests, done.failed_requests)
        return job.name == name and counts == (3, 3, 0)

    return ask(right, world.answered())


@example("batch_inference_jobs.list")
def _(world: World) -> Asked:
    return ask(has(world.name("batchInferenceJobs", world.answered())), filter='state="JOB_STATE_COMPLETED"')


@example("batch_inference_jobs.delete")
def _(world: World) -> Asked:
    return ask(is_empty, world.batch())
