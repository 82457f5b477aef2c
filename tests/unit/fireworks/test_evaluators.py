"""Evaluators and the jobs that run them."""

from __future__ import annotations

import pytest

from workflows.fireworks import errors, evaluation_jobs, evaluators

BASE, MADE_AT = "/v1/accounts/acme/evaluators", "/v1/accounts/acme/evaluatorsV2"
JOBS = "/v1/accounts/acme/evaluationJobs"
AUTHORED = evaluators.Authored("main.py::evaluate", "sha256-1", "Numbers", requirements="numpy\n")
THERE = {
    "name": "accounts/acme/evaluators/e",
    "state": "BUILDING",
    "entryPoint": "main.py::evaluate",
    "commitHash": "sha256-1",
}
ACTIVE = {**THERE, "state": "ACTIVE"}
STORE = "https://store.test/code.tar.gz?sig=s"
WANTED = evaluation_jobs.Evaluation(
    evaluator="accounts/acme/evaluators/e",
    input_dataset="accounts/acme/datasets/answered",
    output_dataset="accounts/acme/datasets/scored",
    display_name="held-out",
)
JOB = {
    "name": "accounts/acme/evaluationJobs/j",
    "state": "JOB_STATE_COMPLETED",
    "evaluator": WANTED.evaluator,
    "inputDataset": WANTED.input_dataset,
    "outputDataset": WANTED.output_dataset,
}


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "code.tar.gz"
    path.write_bytes(b"not really an archive")
    return path


def test_the_body_is_wrapped_and_goes_to_the_second_version(remote):
    remote.on(f"POST {MADE_AT}", THERE)
    made = evaluators.create(remote.client(), "e", AUTHORED)
    assert (made.name, made.active, made.failed) == (THERE["name"], False, False)
    assert remote.body(f"POST {MADE_AT}") == {
        "evaluatorId": "e",
        "evaluator": {
            "displayName": "Numbers",
            "entryPoint": "main.py::evaluate",
            "requirements": "numpy\n",
            "commitHash": "sha256-1",
            "source": {"type": "TYPE_UPLOAD"},
        },
    }


def test_the_same_code_is_adopted_and_other_code_is_a_conflict(remote):
    remote.on(f"POST {MADE_AT}", (409, {"code": 6}))
    remote.on(f"GET {BASE}/e", THERE, {**THERE, "commitHash": "sha256-2"})
    assert evaluators.create(remote.client(), "e", AUTHORED).content_hash == "sha256-1"
    with pytest.raises(errors.Conflict, match="commitHash"):
        evaluators.create(remote.client(), "e", AUTHORED)


def test_code_goes_to_storage_without_a_key_and_then_the_build_starts(remote, archive):
    remote.on(f"GET {BASE}/e", THERE).on("PUT /code.tar.gz", {}).on(f"POST {BASE}/e:validateUpload", {})
    remote.on(f"POST {BASE}/e:getUploadEndpoint", {"filenameToSignedUrls": {"code.tar.gz": STORE}})
    evaluators.upload(remote.client(), "e", archive)
    assert remote.body(f"POST {BASE}/e:getUploadEndpoint") == {"filenameToSize": {"code.tar.gz": "21"}}
    put = remote.calls("PUT /code.tar.gz")[0]
    assert put.content == archive.read_bytes()
    assert put.headers["x-goog-content-length-range"] == "21,21"
    assert "authorization" not in put.headers
    assert [request.method for request in remote.requests] == ["GET", "POST", "PUT", "POST"]


def test_built_code_is_not_uploaded_again(remote, archive):
    remote.on(f"GET {BASE}/e", ACTIVE)
    evaluators.upload(remote.client(), "e", archive)
    assert len(remote.requests) == 1


@pytest.mark.parametrize("urls", [{"filenameToSignedUrls": {}}, {}])
def test_an_answer_without_our_url_is_a_bad_one(remote, archive, urls):
    remote.on(f"GET {BASE}/e", THERE).on(f"POST {BASE}/e:getUploadEndpoint", urls)
    with pytest.raises(errors.BadAnswer):
        evaluators.upload(remote.client(), "e", archive)


@pytest.mark.parametrize(("now", "passes"), [(ACTIVE, True), (THERE, False)])
def test_a_refused_validation_is_fine_when_it_was_built_meanwhile(remote, archive, now, passes):
    remote.on(f"GET {BASE}/e", THERE, now).on("PUT /code.tar.gz", {})
    remote.on(f"POST {BASE}/e:getUploadEndpoint", {"filenameToSignedUrls": {"code.tar.gz": STORE}})
    remote.on(f"POST {BASE}/e:validateUpload", (400, {"code": 9, "message": "already validated"}))
    if passes:
        evaluators.upload(remote.client(), "e", archive)
    else:
        with pytest.raises(errors.Permanent, match="already validated"):
            evaluators.upload(remote.client(), "e", archive)


@pytest.mark.parametrize(
    ("now", "passes"), [(THERE, True), (ACTIVE, True), ({**THERE, "state": "BUILD_FAILED"}, False)]
)
def test_code_that_is_there_already_is_not_sent_again(remote, archive, now, passes):
    """The answer to an earlier upload was lost."""
    remote.on(f"GET {BASE}/e", THERE, now)
    remote.on(f"POST {BASE}/e:getUploadEndpoint", (400, {"code": 9, "message": "it is being built"}))
    if passes:
        evaluators.upload(remote.client(), "e", archive)
    else:
        with pytest.raises(errors.Permanent, match="being built"):
            evaluators.upload(remote.client(), "e", archive)
    assert not remote.calls("PUT /code.tar.gz")


def test_what_we_may_not_fill_ourselves_is_no_code_that_is_there(remote, archive):
    remote.on(f"GET {BASE}/e", THERE)
    with pytest.raises(errors.CallForbidden):
        evaluators.upload(remote.client(owns=lambda name: False), "e", archive)


def test_logs_and_source(remote):
    remote.on(f"GET {BASE}/e:getBuildLogEndpoint", {"buildLogSignedUri": STORE}, {})
    remote.on(f"GET {BASE}/e:getSourceCodeSignedUrl", {"filenameToSignedUrls": {"code.tar.gz": STORE}})
    remote.on(f"GET {BASE}/e", {**THERE, "state": "BUILD_FAILED", "status": {"message": "no numpy"}})
    client = remote.client()
    assert [evaluators.build_log_url(client, "e") for _ in range(2)] == [STORE, ""]
    assert evaluators.source_urls(client, "e") == {"code.tar.gz": STORE}
    found = evaluators.get(client, "e")
    assert (found.failed, found.status.message) == (True, "no numpy")


def test_an_evaluation_is_started_under_our_id(remote):
    remote.on(f"POST {JOBS}", JOB)
    assert evaluation_jobs.create(remote.client(), "j", WANTED).name == JOB["name"]
    assert remote.body(f"POST {JOBS}") == {
        "evaluationJobId": "j",
        "evaluationJob": {
            "evaluator": WANTED.evaluator,
            "inputDataset": WANTED.input_dataset,
            "outputDataset": WANTED.output_dataset,
            "displayName": "held-out",
        },
    }


def test_a_taken_evaluation_of_other_rows_is_a_conflict(remote):
    remote.on(f"POST {JOBS}", (409, {"code": 6})).on(f"GET {JOBS}/j", JOB, {**JOB, "inputDataset": "other"})
    assert evaluation_jobs.create(remote.client(), "j", WANTED).name == JOB["name"]
    with pytest.raises(errors.Conflict, match="inputDataset"):
        evaluation_jobs.create(remote.client(), "j", WANTED)


def test_metrics_are_numbers_and_the_rest_is_left_out(remote):
    remote.on(f"GET {JOBS}/j", {**JOB, "metrics": {"score": 0.75, "text": "0.5", "bad": None, "nan": "NaN"}})
    job = evaluation_jobs.get(remote.client(), "j")
    assert (job.succeeded, job.metrics) == (True, {"score": 0.75, "text": 0.5})


def test_the_list_and_the_log(remote):
    remote.on(f"GET {JOBS}", {"evaluationJobs": [JOB]})
    remote.on(f"GET {JOBS}/j:getExecutionLogEndpoint", {"executionLogSignedUri": STORE}, {})
    client = remote.client()
    assert [job.name for job in evaluation_jobs.list_all(client)] == [JOB["name"]]
    assert [evaluation_jobs.log_url(client, "j") for _ in range(2)] == [STORE, ""]
