"""Batch inference: the body, adoption, and the unordered rows that come back."""

from __future__ import annotations

import json

import pytest

from workflows.fireworks import batch_jobs, batch_results, errors

BASE = "/v1/accounts/acme/batchInferenceJobs"
WANTED = batch_jobs.Batch(
    model="accounts/fireworks/models/qwen3-8b",
    input_dataset="accounts/acme/datasets/asked",
    output_dataset="accounts/acme/datasets/answered",
    max_tokens=64,
    extra={"seed": 7},
    display_name="base",
)
BODY = {
    "model": "accounts/fireworks/models/qwen3-8b",
    "inputDatasetId": "accounts/acme/datasets/asked",
    "outputDatasetId": "accounts/acme/datasets/answered",
    "displayName": "base",
    "inferenceParameters": {
        "maxTokens": 64,
        "temperature": 0.0,
        "extraBody": '{"context_length_exceeded_behavior": "error", "seed": 7}',
    },
}
THERE = {**BODY, "name": "accounts/acme/batchInferenceJobs/b", "state": "JOB_STATE_RUNNING"}
STORE = "https://store.test/answered"
ANSWER = {
    "model": "qwen3-8b",
    "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1},
}


def test_the_body_is_flat_and_says_what_else_in_text(remote):
    remote.on(f"POST {BASE}", THERE)
    assert batch_jobs.create(remote.client(), "b", WANTED).name == THERE["name"]
    assert dict(remote.requests[0].url.params) == {"batchInferenceJobId": "b"}
    assert remote.body(f"POST {BASE}") == BODY


def test_a_lost_create_is_adopted_and_another_one_is_a_conflict(remote):
    remote.on(f"POST {BASE}", (409, {"code": 6}))
    other = {**THERE, "inferenceParameters": {**BODY["inferenceParameters"], "maxTokens": 8}}
    remote.on(f"GET {BASE}/b", THERE, other)
    assert batch_jobs.create(remote.client(), "b", WANTED).name == THERE["name"]
    with pytest.raises(errors.Conflict, match=r"inferenceParameters\.maxTokens is 8, not 64"):
        batch_jobs.create(remote.client(), "b", WANTED)


@pytest.mark.parametrize(
    ("state", "over", "succeeded", "expired"),
    [
        ("JOB_STATE_COMPLETED", True, True, False),
        ("JOB_STATE_EXPIRED", True, False, True),
        ("JOB_STATE_DREAMING", False, False, False),
    ],
)
def test_a_job_is_read_with_its_counts(remote, state, over, succeeded, expired):
    progress = {
        "percent": 50,
        "totalInputRequests": "10",
        "successfullyProcessedRequests": 4,
        "failedRequests": 1,
    }
    remote.on(f"GET {BASE}/b", {**THERE, "state": state, "jobProgress": progress})
    job = batch_jobs.get(remote.client(), "b")
    assert (job.over, job.succeeded, job.expired) == (over, succeeded, expired)
    assert (job.progress.requests, job.progress.succeeded, job.progress.failed) == (10, 4, 1)
    assert (job.model, job.input_dataset) == (WANTED.model, WANTED.input_dataset)


def test_all_jobs_are_listed(remote):
    remote.on(
        f"GET {BASE}", {"batchInferenceJobs": [THERE], "nextPageToken": "2"}, {"batchInferenceJobs": [THERE]}
    )
    assert len(list(batch_jobs.list_all(remote.client()))) == 2


def outputs(remote, **files):
    urls = {name.replace("_", "."): f"{STORE}/{name}?sig=s" for name in files}
    remote.on("GET /v1/accounts/acme/datasets/answered:getDownloadEndpoint", {"filenameToSignedUrls": urls})
    for name, content in files.items():
        remote.on(f"GET /answered/{name}", content)


def test_rows_of_both_files_are_matched_by_their_id(remote):
    results = [{"custom_id": "b", "response": ANSWER}, {"custom_id": "a", "response": {"body": ANSWER}}]
    failures = [{"custom_id": "c", "error": {"message": "too long"}}, {"custom_id": 4, "error": "gone"}]
    written = ["".join(json.dumps(row) + "\n" for row in rows) for rows in (results, failures)]
    outputs(remote, results_jsonl=written[0].rstrip() + "\n\n", error_jsonl=written[1].rstrip())
    rows = {row.custom_id: row for row in batch_results.fetch(remote.client(), "answered")}
    assert set(rows) == {"a", "b", "c", "4"}
    assert (rows["a"].answer.text, rows["b"].answer.prompt_tokens) == ("yes", 5)
    assert (rows["c"].answer, rows["c"].error, rows["4"].error) == (None, "too long", "gone")
    assert "authorization" not in remote.requests[-1].headers


@pytest.mark.parametrize("row", [{"custom_id": "a"}, {"custom_id": "a", "response": None, "error": None}])
def test_a_row_without_an_answer_is_a_failure(row):
    found = batch_results.row(json.dumps(row).encode(), failed=False, where="d/f")
    assert (found.answer, found.error) == (None, "no answer and no explanation")


@pytest.mark.parametrize("line", [b'{"response": {}}', b"{cut", b"[]", b'"text"'])
def test_a_line_that_is_no_row_is_a_bad_answer(line):
    with pytest.raises(errors.BadAnswer, match="d/f"):
        batch_results.row(line, failed=False, where="d/f")


def test_the_error_file_never_gives_answers():
    line = json.dumps({"custom_id": "a", "response": ANSWER, "error": {"message": "late"}}).encode()
    assert batch_results.row(line, failed=True, where="d/error").answer is None
