"""Datasets: bodies as the facts sheet says, both upload ways, downloads."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from workflows.data.staging import StagingError
from workflows.fireworks import datasets, errors, signed

BASE = "/v1/accounts/acme/datasets"
UPLOADING = {"name": "accounts/acme/datasets/d", "state": "UPLOADING", "exampleCount": "3"}
READY = {**UPLOADING, "state": "READY"}
STORE = "https://store.test/bucket/rows.jsonl?X-Signature=secret"


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a":1}\n{"a":2}\n{"a":3}\n')
    return path


def test_the_create_body_is_wrapped_and_counts_in_text():
    assert datasets.dataset_body("d", 3, "My data") == {
        "datasetId": "d",
        "dataset": {"exampleCount": "3", "userUploaded": {}, "format": "CHAT", "displayName": "My data"},
    }
    assert "format" not in datasets.dataset_body("d", 3, format_="")["dataset"]
    assert len(datasets.dataset_body("d", 3, "x" * 80)["dataset"]["displayName"]) == 63


def test_a_dataset_is_read_with_unknown_words_kept():
    raw = {
        "name": "n",
        "state": "HIBERNATING",
        "exampleCount": "12",
        "estimatedTokenCount": "900",
        "novelty": 1,
    }
    found = datasets.parse(raw)
    assert (found.state, found.ready, found.examples, found.estimated_tokens) == (
        "HIBERNATING",
        False,
        12,
        900,
    )
    assert found.raw["novelty"] == 1
    assert "HIBERNATING" in datasets.unready_reason(found)


def test_creating_twice_adopts_the_first(remote):
    remote.on(f"POST {BASE}", (409, {"code": 6, "message": "exists"})).on(f"GET {BASE}/d", UPLOADING)
    assert datasets.create(remote.client(), datasets.dataset_body("d", 3)).state == "UPLOADING"


def test_the_same_id_with_other_content_is_a_conflict(remote):
    remote.on(f"POST {BASE}", (409, {"code": 6, "message": "exists"})).on(f"GET {BASE}/d", UPLOADING)
    with pytest.raises(errors.Conflict, match="exampleCount is '3', not '4'"):
        datasets.create(remote.client(), datasets.dataset_body("d", 4))


def test_a_small_file_goes_in_one_part_named_file(remote, rows):
    remote.on(f"GET {BASE}/d", UPLOADING, READY).on(f"POST {BASE}/d:upload", {"id": "d", "bytes": 24})
    assert datasets.upload(remote.client(), "d", rows).ready
    sent = remote.calls(f"POST {BASE}/d:upload")[0]
    assert sent.headers["content-type"].startswith("multipart/form-data")
    assert b'name="file"; filename="rows.jsonl"' in sent.content
    assert rows.read_bytes() in sent.content


def test_a_ready_dataset_is_not_uploaded_again(remote, rows):
    remote.on(f"GET {BASE}/d", READY)
    assert datasets.upload(remote.client(), "d", rows).ready
    assert [request.method for request in remote.requests] == ["GET"]


def test_a_refused_upload_sends_the_whole_file_again(remote, rows):
    remote.on(f"GET {BASE}/d", UPLOADING, READY).on(f"POST {BASE}/d:upload", (429, {}), {})
    datasets.upload(remote.client(), "d", rows)
    assert [rows.read_bytes() in sent.content for sent in remote.calls(f"POST {BASE}/d:upload")] == [
        True,
        True,
    ]


def test_a_lost_upload_answer_is_settled_by_looking(remote, rows):
    remote.on(f"GET {BASE}/d", UPLOADING, READY).on(f"POST {BASE}/d:upload", httpx.ReadTimeout("t"))
    assert datasets.upload(remote.client(), "d", rows).ready
    assert len(remote.calls(f"POST {BASE}/d:upload")) == 1


def test_a_lost_upload_that_did_not_arrive_stays_unknown(remote, rows):
    remote.on(f"GET {BASE}/d", UPLOADING).on(f"POST {BASE}/d:upload", httpx.ReadTimeout("t"))
    with pytest.raises(errors.OutcomeUnknown):
        datasets.upload(remote.client(), "d", rows)


def test_a_large_file_goes_endpoint_then_bytes_then_validation(remote, rows):
    remote.on(f"GET {BASE}/d", UPLOADING, READY)
    remote.on(f"POST {BASE}/d:getUploadEndpoint", {"filenameToSignedUrls": {"rows.jsonl": STORE}})
    remote.on("PUT /bucket/rows.jsonl", (503, b""), (200, b"")).on(f"POST {BASE}/d:validateUpload", {})
    assert datasets.upload(remote.client(), "d", rows, small=5).ready
    order = [f"{each.method} {each.url.path.rsplit(':', 1)[-1]}" for each in remote.requests]
    assert order == [
        f"GET {BASE}/d",
        "POST getUploadEndpoint",
        "PUT /bucket/rows.jsonl",
        "PUT /bucket/rows.jsonl",
        "POST validateUpload",
        f"GET {BASE}/d",
    ]
    assert remote.body(f"POST {BASE}/d:getUploadEndpoint") == {"filenameToSize": {"rows.jsonl": "24"}}
    put = remote.calls("PUT /bucket/rows.jsonl")[-1]
    assert put.content == rows.read_bytes()
    assert put.headers["content-type"] == "application/octet-stream"
    assert put.headers["x-goog-content-length-range"] == "24,24"
    assert put.headers["content-length"] == "24"
    assert "authorization" not in put.headers
    assert put.url.query == b"X-Signature=secret"


def test_bytes_that_did_not_arrive_are_never_validated(remote, rows):
    remote.on(f"GET {BASE}/d", UPLOADING)
    remote.on(f"POST {BASE}/d:getUploadEndpoint", {"filenameToSignedUrls": {"rows.jsonl": STORE}})
    remote.on("PUT /bucket/rows.jsonl", (403, b"<Error>expired</Error>"))
    with pytest.raises(signed.LinkExpired) as caught:
        datasets.upload(remote.client(), "d", rows, small=5)
    assert "secret" not in str(caught.value)
    assert remote.calls(f"POST {BASE}/d:validateUpload") == []


def test_a_download_is_streamed_hashed_and_kept(remote, tmp_path):
    remote.on(
        f"GET {BASE}/d:getDownloadEndpoint",
        {
            "filenameToSignedUrls": {
                "b.jsonl": "https://store.test/b",
                "a.jsonl": "https://store.test/a",
                "x.idx": "https://store.test/x",
            }
        },
    )
    remote.on("GET /a", (200, b'{"a":1}')).on("GET /b", (200, b'{"b":1}\n'))
    target = tmp_path / "work" / "data.jsonl"
    told: list[int] = []
    first = datasets.download(remote.client(), "d", target, progress=told.append)
    content = b'{"a":1}\n{"b":1}\n'
    assert target.read_bytes() == content
    assert (first.bytes, first.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert told[-1] == len(content)
    assert all(
        "authorization" not in each.headers for each in remote.requests if each.url.host == "store.test"
    )
    count = len(remote.requests)
    again = datasets.download(remote.client(), "d", target)
    assert (again.kept, again.sha256, len(remote.requests)) == (True, first.sha256, count)


def test_a_download_over_the_limit_leaves_nothing(remote, tmp_path):
    remote.on(
        f"GET {BASE}/d:getDownloadEndpoint", {"filenameToSignedUrls": {"a.jsonl": "https://store.test/a"}}
    )
    remote.on("GET /a", (200, b"x" * 100))
    with pytest.raises(StagingError, match="larger than 10 bytes"):
        datasets.download(remote.client(), "d", tmp_path / "t", limit=10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://store.test/a",
        "https://127.0.0.1/a",
        "http://localhost/a",
        "file:///etc/passwd",
        "https://store.test:x/",
    ],
)
def test_signed_urls_to_odd_places_are_refused_unseen(remote, tmp_path, url):
    remote.on(f"GET {BASE}/d:getDownloadEndpoint", {"filenameToSignedUrls": {"a.jsonl": f"{url}?sig=secret"}})
    with pytest.raises(errors.BadAnswer) as caught:
        datasets.download(remote.client(), "d", tmp_path / "t")
    assert "secret" not in str(caught.value)
    assert len(remote.requests) == 1


def test_a_fireworks_on_this_machine_may_sign_for_this_machine(remote, tmp_path):
    remote.on(
        f"GET {BASE}/d:getDownloadEndpoint", {"filenameToSignedUrls": {"a.jsonl": "http://127.0.0.1:9/a"}}
    )
    remote.on("GET /a", (200, b"{}\n"))
    client = remote.client(base_url="http://127.0.0.1:9")
    assert datasets.download(client, "d", tmp_path / "t").bytes == 3
