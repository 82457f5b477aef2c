"""Datasets: both ways to upload, signed URLs, states, deletion."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localfireworks.datasets import at_most
from localfireworks.errors import ApiError
from localfireworks.inspection import inspect
from tests.unit.localfireworks.conftest import QWEN, Server

LINE = b'{"messages":[{"role":"user","content":"a b"},{"role":"assistant","content":"c"}]}\n'


async def endpoint(server: Server, id_: str = "d", **sizes: int) -> dict[str, str]:
    """Signed upload URLs of a new dataset, by file name without suffix."""
    await server.post("/datasets", {"datasetId": id_, "dataset": {"exampleCount": 3}})
    wanted = {f"{name}.jsonl": str(size) for name, size in sizes.items()}
    answer = await server.post(f"/datasets/{id_}:getUploadEndpoint", {"filenameToSize": wanted})
    return {name.removesuffix(".jsonl"): url for name, url in answer["filenameToSignedUrls"].items()}


async def put(server: Server, url: str, content: bytes, **headers: str) -> httpx.Response:
    """An upload as a client does it: both signed headers, no key."""
    length = f"{len(content)},{len(content)}"
    own = {"content-type": "application/octet-stream", "x-goog-content-length-range": length}
    sent = own | {name.replace("_", "-"): value for name, value in headers.items()}
    request = server.http.build_request("PUT", url, content=content, headers=sent)
    if "authorization" not in sent:
        del request.headers["authorization"]
    return await server.http.send(request)


async def test_a_dataset_begins_uploading_and_counts_are_text(server: Server) -> None:
    body = {
        "datasetId": "d",
        "dataset": {"displayName": "D", "exampleCount": "7", "userUploaded": {}, "zz": 1},
    }
    made = await server.post("/datasets", body)
    assert made["name"] == "accounts/rehearsal/datasets/d"
    assert (made["state"], made["exampleCount"], made["userUploaded"]) == ("UPLOADING", "7", {})
    assert made["createTime"].endswith("Z")
    assert await server.refused("/datasets", body) == (409, "accounts/rehearsal/datasets/d already exists")


@pytest.mark.parametrize("id_", ["", "-a", "a-", "1a", "A", "a_b", "a" * 64])
async def test_illegal_ids_are_refused(server: Server, id_: str) -> None:
    status, message = await server.refused("/datasets", {"datasetId": id_, "dataset": {}})
    assert (status, "invalid datasetId" in message) == (400, True)


async def test_a_long_display_name_is_refused_in_the_words_of_the_service(server: Server) -> None:
    body = {"datasetId": "d", "dataset": {"displayName": "x" * 64}}
    message = (await server.refused("/datasets", body))[1]
    assert message.startswith("invalid resource: display_name must be fewer than 64 characters")


async def test_multipart_upload_makes_ready(server: Server) -> None:
    await server.post("/datasets", {"datasetId": "d", "dataset": {}})
    files = {"file": ("rows.jsonl", LINE * 4)}
    response = await server.http.post("/v1/accounts/rehearsal/datasets/d:upload", files=files)
    answer = response.json()
    assert (answer["bytes"], answer["object"], answer["filename"]) == (len(LINE) * 4, "file", "rows.jsonl")
    ready = await server.get("/datasets/d")
    assert (ready["state"], ready["exampleCount"], ready["averageTurnCount"]) == ("READY", "4", 2.0)
    assert int(ready["estimatedTokenCount"]) > 0
    again = await server.http.post("/v1/accounts/rehearsal/datasets/d:upload", files=files)
    assert (again.status_code, again.json()["code"]) == (400, 9)


@pytest.mark.parametrize("name", ["rows.json", "ROWS.JSONL", ".jsonl", "a\\b.jsonl"])
async def test_file_names_must_be_flat_lowercase_jsonl(server: Server, name: str) -> None:
    await server.post("/datasets", {"datasetId": "d", "dataset": {}})
    wanted = {"filenameToSize": {name: "10"}}
    assert (await server.refused("/datasets/d:getUploadEndpoint", wanted))[0] == 400


async def test_an_empty_file_and_an_empty_set_are_refused(server: Server) -> None:
    await server.post("/datasets", {"datasetId": "d", "dataset": {}})
    empty = {"filenameToSize": {"a.jsonl": "0"}}
    assert await server.refused("/datasets/d:getUploadEndpoint", empty) == (400, "file 'a.jsonl' is empty")
    assert (await server.refused("/datasets/d:getUploadEndpoint", {"filenameToSize": {}}))[0] == 400


async def test_shards_go_up_by_signed_urls_and_come_down_again(server: Server) -> None:
    urls = await endpoint(server, a=len(LINE) * 2, b=len(LINE))
    assert (await put(server, urls["a"], LINE * 2)).status_code == 200
    assert (await put(server, urls["b"], LINE)).status_code == 200
    await server.post("/datasets/d:validateUpload")
    assert (await server.get("/datasets/d"))["state"] == "READY"
    await server.post("/datasets/d:validateUpload")
    down = (await server.get("/datasets/d:getDownloadEndpoint"))["filenameToSignedUrls"]
    del server.http.headers["Authorization"]
    assert (await server.http.get(down["a.jsonl"])).content == LINE * 2
    late = await server.http.put(
        urls["a"],
        content=LINE * 2,
        headers={
            "content-type": "application/octet-stream",
            "x-goog-content-length-range": f"{len(LINE) * 2},{len(LINE) * 2}",
        },
    )
    assert late.status_code == 412


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content_type": "application/json"}, 400, "MalformedSecurityHeader"),
        ({"x_goog_content_length_range": "1,9"}, 400, "MalformedSecurityHeader"),
        ({"x_goog_content_length_range": "9,9"}, 403, "SignatureDoesNotMatch"),
        ({"authorization": "Bearer any"}, 400, "InvalidArgument"),
        ({"x_api_key": "any"}, 400, "InvalidArgument"),
    ],
)
async def test_storage_refuses_what_was_not_signed(
    server: Server, headers: dict[str, str], status: int, code: str
) -> None:
    urls = await endpoint(server, a=len(LINE))
    response = await put(server, urls["a"], LINE, **headers)
    assert (response.status_code, f"<Code>{code}</Code>" in response.text) == (status, True)


async def test_storage_refuses_another_length_a_later_hour_and_an_older_set(server: Server) -> None:
    urls = await endpoint(server, a=len(LINE))
    short = await put(server, urls["a"], LINE[:-1], x_goog_content_length_range=f"{len(LINE)},{len(LINE)}")
    assert "EntityTooSmall" in short.text
    server.clock.now += 3601
    assert "ExpiredToken" in (await put(server, urls["a"], LINE)).text
    server.clock.now -= 3601
    await server.post("/datasets/d:getUploadEndpoint", {"filenameToSize": {"b.jsonl": len(LINE)}})
    assert (await put(server, urls["a"], LINE)).status_code == 404
    assert (await server.http.get("/storage/other/thing")).status_code == 400


async def test_a_validation_that_comes_too_early_wedges_the_dataset(server: Server) -> None:
    urls = await endpoint(server, a=len(LINE))
    assert (await server.refused("/datasets/d:validateUpload"))[0] == 400
    status, _ = await server.refused("/datasets/d:getUploadEndpoint", {"filenameToSize": {"a.jsonl": 5}})
    assert status == 405
    assert (await put(server, urls["a"], LINE)).status_code == 200
    assert (await server.refused("/datasets/d:validateUpload"))[0] == 400
    files = {"file": ("rows.jsonl", LINE)}
    whole = await server.http.post("/v1/accounts/rehearsal/datasets/d:upload", files=files)
    assert whole.status_code == 405
    assert (await server.get("/datasets/d"))["state"] == "UPLOADING"


async def test_metadata_can_be_patched_and_the_dataset_deleted(server: Server) -> None:
    name = await server.dataset("d")
    patched = await server.http.patch("/v1/" + name, json={"displayName": "New", "format": "RL"})
    assert (patched.json()["displayName"], patched.json()["format"]) == ("New", "RL")
    change = {"evaluationResult": {"evaluationJobId": "e"}, "exampleCount": "7", "sourceJobName": "j"}
    patched = (await server.http.patch("/v1/" + name, json=change)).json()
    assert (patched["exampleCount"], patched["evaluationResult"]) == ("7", {"evaluationJobId": "e"})
    assert "userUploaded" not in patched
    assert (await server.http.delete("/v1/" + name)).json() == {}
    assert (await server.refused("/datasets/d", method="DELETE"))[0] == 404


@pytest.mark.parametrize(
    "origin",
    [
        {"userUploaded": {}},
        {"evalProtocol": {}},
        {"externalUrl": "gs://bucket/rows"},
        {"splitted": {"sourceDatasetId": "s"}},
        {"transformed": {"sourceDatasetId": "s", "originalFormat": "CHAT"}},
        {"evaluationResult": {"evaluationJobId": "e"}},
    ],
)
async def test_each_origin_is_kept(server: Server, origin: dict[str, Any]) -> None:
    made = await server.post("/datasets", {"datasetId": "d", "dataset": {"format": "CHAT", **origin}})
    assert {key: made.get(key) for key in origin} == origin
    assert ("userUploaded" in made) == ("userUploaded" in origin)
    listed = await server.get("/datasets", filter=f"{next(iter(origin))}:*", readMask="name")
    assert len(listed["datasets"]) == (next(iter(origin.values())) != {})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"userUploaded": {}, "evalProtocol": {}}, "one origin"),
        ({"format": "PAIRS"}, "format"),
        ({"exampleCount": "-1"}, "exampleCount"),
        ({"splitted": {}}, "sourceDatasetId"),
    ],
)
async def test_faulty_fields_are_refused(server: Server, fields: dict[str, Any], said: str) -> None:
    status, message = await server.refused("/datasets", {"datasetId": "d", "dataset": fields})
    assert (status, said in message) == (400, True)
    name = await server.dataset("d")
    assert (await server.http.patch("/v1/" + name, json=fields)).status_code == 400


async def test_a_dataset_made_from_another_has_its_rows(server: Server) -> None:
    source = await server.dataset("d", rows=4)
    made = await server.post("/datasets", {"datasetId": "e", "dataset": {}, "sourceDatasetId": source})
    assert (made["state"], made["exampleCount"]) == ("READY", "4")
    assert made["transformed"] == {"sourceDatasetId": source, "originalFormat": "FORMAT_UNSPECIFIED"}
    lineage = await server.get("/datasets/e:getDownloadEndpoint", downloadLineage=True)
    assert list(lineage["filenameToSignedUrls"]) == ["e/data.jsonl", "d/data.jsonl"]
    missing = {"datasetId": "f", "dataset": {}, "sourceDatasetId": "none"}
    assert (await server.refused("/datasets", missing))[0] == 404


async def test_a_dataset_is_split_into_ready_parts(server: Server) -> None:
    source = await server.dataset("d", rows=5)
    parts = (await server.post("/datasets/d:splitDataset", {"chunkSize": 2}))["datasets"]
    assert [part["exampleCount"] for part in parts] == ["2", "2", "1"]
    assert {part["splitted"]["sourceDatasetId"] for part in parts} == {source}
    assert {part["state"] for part in parts} == {"READY"}
    assert (await server.refused("/datasets/d:splitDataset", {"chunkSize": 2}))[0] == 409
    assert (await server.refused("/datasets/d:splitDataset", {"chunkSize": 0}))[0] == 400
    lineage = await server.get("/datasets/d-part-1:getDownloadEndpoint", downloadLineage=True)
    assert set(lineage["filenameToSignedUrls"]) == {"d-part-1/d-part-1.jsonl", "d/data.jsonl"}


async def test_parts_are_ready_together_and_take_nothing_else_meanwhile(server: Server) -> None:
    await server.dataset("d", rows=4)
    split = asyncio.create_task(server.post("/datasets/d:splitDataset", {"chunkSize": 2}))
    seen = set()
    while not split.done():
        rows = server.service.store.page("datasets", "rehearsal")[1:]
        seen.add(tuple((row.state, row.private["rows"]) for row in rows))
        await asyncio.sleep(0)
    await split
    assert seen - {()} <= {(("UPLOADING", 0),) * 2, (("READY", 2),) * 2}
    assert (("UPLOADING", 0),) * 2 in seen
    sizes = {"filenameToSize": {"other.jsonl": 5}}
    assert (await server.refused("/datasets/d-part-1:getUploadEndpoint", sizes))[0] == 400


async def test_a_split_that_fails_leaves_nothing(server: Server) -> None:
    await server.dataset("d", rows=4)
    for path in server.service.settings.folder("datasets").rglob("*.jsonl"):
        path.unlink()
    with pytest.raises(FileNotFoundError):
        await server.post("/datasets/d:splitDataset", {"chunkSize": 2})
    assert [each["name"] for each in (await server.get("/datasets"))["datasets"]] == [
        "accounts/rehearsal/datasets/d"
    ]
    assert {
        path.name for path in server.service.settings.folder("datasets").iterdir() if any(path.iterdir())
    } == {"d"}


async def test_a_dataset_in_use_cannot_be_deleted(server: Server) -> None:
    await server.job()
    status, message = await server.refused("/datasets/for-job-1", method="DELETE")
    assert (status, "in use by" in message) == (400, True)


def test_inspection_counts_pairs_twice_and_survives_broken_lines(tmp_path: Path) -> None:
    pair: dict[str, Any] = {
        "input": {"messages": [{"role": "user", "content": "q"}]},
        "preferred_output": [{"role": "assistant", "content": "good"}],
        "non_preferred_output": [{"role": "assistant", "content": "bad"}],
    }
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(pair)}\nnot json\n\n{json.dumps(pair)}\n")
    seen: list[Any] = []

    def count(rows: Any) -> int:
        seen.extend(rows)
        return len(seen)

    assert inspect([path], count).rows == 3
    assert [row["messages"][-1]["content"] for row in seen] == ["good", "bad"] * 2


def test_inspection_survives_fields_of_the_wrong_type(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINE)

    def count(_: Any) -> int:
        raise ValueError("weight is no number")

    assert inspect([path], count).tokens == 0


async def test_a_job_reads_the_files_of_its_dataset(server: Server) -> None:
    await server.job(baseModel=QWEN)
    job = json.loads((server.runs.started[0] / "job.json").read_text())
    assert [Path(path).name for path in job["dataset"]] == ["data.jsonl"]
    assert job["dataset"][0].startswith(str(server.service.settings.data))


async def test_parallel_uploads_of_one_file_do_not_mix(server: Server) -> None:
    urls = await endpoint(server, a=8)
    halfway, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"aaaa"
        halfway.set()
        await go_on.wait()
        yield b"aaaa"

    class Live(httpx.AsyncByteStream):
        def __aiter__(self) -> AsyncIterator[bytes]:
            return slow()

    headers = {"content-type": "application/octet-stream", "x-goog-content-length-range": "8,8"}
    request = httpx.Request("PUT", urls["a"], stream=Live(), headers=headers)
    first = asyncio.create_task(server.http.send(request))
    await halfway.wait()
    assert (await put(server, urls["a"], b"bbbbbbbb")).status_code == 200
    folder = next(server.service.settings.folder("datasets").rglob("a.jsonl")).parent
    assert (folder / "a.jsonl").read_bytes() == b"bbbbbbbb"
    go_on.set()
    assert (await first).status_code == 200
    assert [path.read_bytes() for path in folder.iterdir()] == [b"aaaaaaaa"]


@pytest.mark.parametrize(("size", "code"), [(7, "EntityTooSmall"), (9, "EntityTooLarge")])
async def test_an_upload_of_another_length_leaves_nothing(server: Server, size: int, code: str) -> None:
    urls = await endpoint(server, a=8)
    refused = await put(server, urls["a"], b"x" * size, x_goog_content_length_range="8,8")
    assert (refused.status_code, code in refused.text) == (400, True)
    assert [path for path in server.service.settings.folder("datasets").rglob("*") if path.is_file()] == []


async def test_a_multipart_body_is_counted_while_it_is_read() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"12345", "more_body": True}

    counted = at_most(10, receive)
    assert [len((await counted())["body"]) for _ in range(2)] == [5, 5]
    with pytest.raises(ApiError, match="150 MB"):
        await counted()
