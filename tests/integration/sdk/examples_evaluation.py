"""Batch inference, evaluators and the jobs that run them."""

from __future__ import annotations

from typing import Any

from tests.integration.sdk.examples import Asked, ask, example, has, is_empty, is_named
from tests.integration.sdk.world import CODE, World


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


@example("evaluators.create")
def _(world: World) -> Asked:
    id_ = world.fresh("judge")
    snippets = {"file_contents": {"main.py": CODE}, "entry_file": "main.py", "entry_func": "evaluate"}
    criterion = {"name": "mark", "type": "CODE_SNIPPETS", "code_snippets": {**snippets, "language": "python"}}
    right = is_named(world.name("evaluators", id_), state="BUILDING", display_name="Marks")
    return ask(right, evaluator_id=id_, evaluator={"display_name": "Marks", "criteria": [criterion]})


@example("evaluators.get")
def _(world: World) -> Asked:
    return ask(is_named(world.name("evaluators", world.evaluator()), state="ACTIVE"), world.evaluator())


@example("evaluators.list")
def _(world: World) -> Asked:
    return ask(has(world.name("evaluators", world.evaluator())))


@example("evaluators.update")
def _(world: World) -> Asked:
    id_ = world.built()
    right = is_named(world.name("evaluators", id_), state="BUILDING", description="Again")
    return ask(right, id_, description="Again", prepare_code_upload=True)


@example("evaluators.delete")
def _(world: World) -> Asked:
    return ask(is_empty, world.empty_evaluator())


@example("evaluators.get_upload_endpoint")
def _(world: World) -> Asked:
    sizes = {"code.tar.gz": "100"}
    right = lambda urls: set(urls.filename_to_signed_urls) == set(sizes)  # noqa: E731
    return ask(right, world.empty_evaluator(), filename_to_size=sizes)


@example("evaluators.validate_upload")
def _(world: World) -> Asked:
    return ask(is_empty, world.filled_evaluator(), body={})


@example("evaluators.get_build_log_endpoint")
def _(world: World) -> Asked:
    return ask(lambda log: log.build_log_signed_uri.startswith("http"), world.evaluator())


@example("evaluators.get_source_code_endpoint")
def _(world: World) -> Asked:
    return ask(lambda urls: list(urls.filename_to_signed_urls) == ["code.tar.gz"], world.evaluator())


@example("evaluation_jobs.create")
def _(world: World) -> Asked:
    asked = world.evaluation_asked()
    name = world.name("evaluationJobs", asked["evaluation_job_id"])
    return ask(is_named(name, **asked["evaluation_job"]), **asked)


@example("evaluation_jobs.get")
def _(world: World) -> Asked:
    name = world.name("evaluationJobs", world.scored())

    def right(job: Any) -> bool:
        return job.name == name and job.state == "JOB_STATE_COMPLETED" and 1.0 in job.metrics.values()

    return ask(right, world.scored())


@example("evaluation_jobs.list")
def _(world: World) -> Asked:
    return ask(has(world.name("evaluationJobs", world.scored())))


@example("evaluation_jobs.get_log_endpoint")
def _(world: World) -> Asked:
    def right(log: Any) -> bool:
        return log.execution_log_signed_uri.startswith("http") and log.content_type.startswith("text/plain")

    return ask(right, world.scored())


@example("evaluation_jobs.delete")
def _(world: World) -> Asked:
    return ask(is_empty, world.evaluation())
