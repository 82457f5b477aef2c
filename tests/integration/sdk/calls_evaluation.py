"""Batch inference, evaluators and the jobs that run them."""

from __future__ import annotations

import json

from tests.integration.sdk.table import (
    ACCOUNT,
    AT,
    CODE,
    HELD,
    HOME,
    LIST,
    NOTHING,
    QWEN,
    TRAIN,
    Case,
    ours,
    sdk,
    upload_urls,
)
from workflows.fireworks import batch_jobs, evaluation_jobs, evaluators

_BATCH = f"{AT}/batchInferenceJobs"
_EVALUATORS, _EVALUATIONS = f"{AT}/evaluators", f"{AT}/evaluationJobs"
BATCH_WANTED = batch_jobs.Batch(
    model=QWEN,
    input_dataset=TRAIN,
    output_dataset=HELD,
    max_tokens=64,
    top_p=0.9,
    top_k=40,
    choices=2,
    extra={"seed": 7},
    display_name="answers",
)
BATCH = (
    Case("GET", _BATCH, ours(batch_jobs.list_all), sdk("batch_inference_jobs.list", **LIST), "7.2"),
    Case("GET", f"{_BATCH}/{{job}}", ours(batch_jobs.get, "b"), sdk("batch_inference_jobs.get", "b"), "7.2"),
    Case(
        "POST",
        _BATCH,
        ours(batch_jobs.create, "b", BATCH_WANTED),
        sdk(
            "batch_inference_jobs.create",
            batch_inference_job_id="b",
            model=QWEN,
            input_dataset_id=TRAIN,
            output_dataset_id=HELD,
            display_name="answers",
            inference_parameters={
                "max_tokens": 64,
                "temperature": 0.0,
                "top_p": 0.9,
                "top_k": 40,
                "n": 2,
                "extra_body": json.dumps({"context_length_exceeded_behavior": "error", "seed": 7}),
            },
        ),
        "7.2",
    ),
)

AUTHORED = evaluators.Authored("main.py::evaluate", "sha256-1", "Numbers", "Compares", "numpy\n", TRAIN)
SCORED = evaluation_jobs.Evaluation(f"accounts/{ACCOUNT}/evaluators/e", TRAIN, HELD, "held-out")
EVALUATORS = (
    Case("GET", f"{_EVALUATORS}/{{evaluator}}", ours(evaluators.get, "e"), sdk("evaluators.get", "e"), "8"),
    Case(
        "GET",
        f"{_EVALUATORS}/{{evaluator}}:getSourceCodeSignedUrl",
        ours(evaluators.source_urls, "e"),
        sdk("evaluators.get_source_code_endpoint", "e"),
        "8",
        answers={f"GET {HOME}/evaluators/e:getSourceCodeSignedUrl": upload_urls("table.py")},
    ),
    Case(
        "GET",
        f"{_EVALUATORS}/{{evaluator}}:getBuildLogEndpoint",
        ours(evaluators.build_log_url, "e"),
        sdk("evaluators.get_build_log_endpoint", "e"),
        "8",
    ),
    Case(
        "POST",
        f"{AT}/evaluatorsV2",
        ours(evaluators.create, "e", AUTHORED),
        sdk(
            "evaluators.create",
            evaluator_id="e",
            evaluator={
                "display_name": "Numbers",
                "description": "Compares",
                "entry_point": "main.py::evaluate",
                "requirements": "numpy\n",
                "default_dataset": TRAIN,
                "commit_hash": "sha256-1",
                "source": {"type": "TYPE_UPLOAD"},
            },
        ),
        "8",
    ),
    Case(
        "POST",
        f"{_EVALUATORS}/{{evaluator}}:getUploadEndpoint",
        ours(evaluators.upload, "e", CODE),
        sdk(
            "evaluators.get_upload_endpoint",
            "e",
            filename_to_size={"table.py": str(CODE.stat().st_size)},
        ),
        "8",
        answers={f"POST {HOME}/evaluators/e:getUploadEndpoint": upload_urls("table.py")},
    ),
    Case(
        "POST",
        f"{_EVALUATORS}/{{evaluator}}:validateUpload",
        ours(evaluators.upload, "e", CODE),
        sdk("evaluators.validate_upload", "e", body=NOTHING),
        "8",
        answers={f"POST {HOME}/evaluators/e:getUploadEndpoint": upload_urls("table.py")},
    ),
    Case("GET", _EVALUATIONS, ours(evaluation_jobs.list_all), sdk("evaluation_jobs.list", **LIST), "8"),
    Case(
        "GET", f"{_EVALUATIONS}/{{job}}", ours(evaluation_jobs.get, "j"), sdk("evaluation_jobs.get", "j"), "8"
    ),
    Case(
        "GET",
        f"{_EVALUATIONS}/{{job}}:getExecutionLogEndpoint",
        ours(evaluation_jobs.log_url, "j"),
        sdk("evaluation_jobs.get_log_endpoint", "j"),
        "8",
    ),
    Case(
        "POST",
        _EVALUATIONS,
        ours(evaluation_jobs.create, "j", SCORED),
        sdk(
            "evaluation_jobs.create",
            evaluation_job_id="j",
            evaluation_job={
                "evaluator": SCORED.evaluator,
                "input_dataset": TRAIN,
                "output_dataset": HELD,
                "display_name": "held-out",
            },
        ),
        "8",
    ),
)

CASES = (*BATCH, *EVALUATORS)
