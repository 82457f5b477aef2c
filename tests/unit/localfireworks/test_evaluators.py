"""Evaluators: creating, uploading, building, asking about; the builds themselves are on paper."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.localfireworks.conftest import Server

CODE = b"not really an archive"
SNIPPETS = {
    "name": "short",
    "type": "CODE_SNIPPETS",
    "codeSnippets": {
        "language": "python",
        "fileContents": {"main.py": "def evaluate(messages): return 1"},
        "entryFile": "main.py",
        "entryFunc": "evaluate",
    },
}


async def create(server: Server, id_: str = "e", **fields: Any) -> dict[str, Any]:
    evaluator = {"displayName": "E", "entryPoint": "pkg/main.py::evaluate", **fields}
    return await server.post("/evaluatorsV2", {"evaluator": evaluator, "evaluatorId": id_})


async def upload(server: Server, id_: str = "e", name: str = "code.tar.gz") -> None:
    """The archive on its place by a signed URL, without a key."""
    sizes = {"filenameToSize": {name: str(len(CODE))}}
    url = (await server.post(f"/evaluators/{id_}:getUploadEndpoint", sizes))["filenameToSignedUrls"][name]
    length = f"{len(CODE)},{len(CODE)}"
    headers = {"content-type": "application/octet-stream", "x-goog-content-length-range": length}
    request = server.http.build_request("PUT", url, content=CODE, headers=headers)
    del request.headers["authorization"]
    assert (await server.http.send(request)).status_code == 200


def finish(server: Server, **result: Any) -> dict[str, Any]:
    """End the last build that was started; what it was asked to do."""
    folder = server.runs.started[-1]
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "log.txt").write_text("built\n")
    server.runs.living.discard(folder)
    server.tick()
    return json.loads((folder / "job.json").read_text())


async def active(server: Server, id_: str = "e") -> str:
    """Full name of an evaluator that is ACTIVE."""
    made = await create(server, id_, criteria=[SNIPPETS])
    server.tick()
    finish(server, ok=True)
    return str(made["name"])


async def test_code_goes_up_is_built_and_comes_back(server: Server) -> None:
    made = await create(server, requirements="numpy", commitHash="abc", source={"type": "TYPE_UPLOAD"})
    assert (made["name"], made["state"]) == ("accounts/rehearsal/evaluators/e", "BUILDING")
    assert (made["commitHash"], made["source"]["type"]) == ("abc", "TYPE_UPLOAD")
    server.tick()
    assert server.runs.started == []
    assert (await server.get("/evaluators/e:getBuildLogEndpoint"))["buildLogSignedUri"] == ""
    await upload(server)
    assert await server.post("/evaluators/e:validateUpload") == {}
    server.tick()
    assert (await server.get("/evaluators/e"))["state"] == "BUILDING"
    job = finish(server, ok=True)
    assert job["entries"] == [{"name": "score", "file": "pkg/main.py", "function": "evaluate"}]
    assert job["archive"].endswith("/code.tar.gz")
    assert (await server.get("/evaluators/e"))["state"] == "ACTIVE"
    assert await server.post("/evaluators/e:validateUpload") == {}
    del server.http.headers["Authorization"]
    server.http.headers["X-Api-Key"] = "k"
    source = (await server.get("/evaluators/e:getSourceCodeSignedUrl"))["filenameToSignedUrls"]
    log = (await server.get("/evaluators/e:getBuildLogEndpoint"))["buildLogSignedUri"]
    del server.http.headers["X-Api-Key"]
    assert (await server.http.get(source["code.tar.gz"])).content == CODE
    assert (await server.http.get(log)).text == "built\n"


async def test_a_failed_build_says_why_and_new_code_is_a_new_attempt(server: Server) -> None:
    await create(server)
    await upload(server)
    await server.post("/evaluators/e:validateUpload")
    server.tick()
    finish(server, ok=False, code="INVALID_ARGUMENT", message="requirements.txt is missing in the archive")
    failed = await server.get("/evaluators/e")
    assert (failed["state"], failed["status"]["code"]) == ("BUILD_FAILED", "INVALID_ARGUMENT")
    status, message = await server.refused("/evaluators/e:validateUpload")
    assert (status, "prepareCodeUpload" in message) == (400, True)
    path = "/v1/accounts/rehearsal/evaluators/e"
    again = await server.http.patch(path, params={"prepareCodeUpload": "true"}, json={"commitHash": "2"})
    assert (again.json()["state"], again.json()["commitHash"]) == ("BUILDING", "2")
    assert again.json()["entryPoint"] == "pkg/main.py::evaluate"
    await upload(server)
    await server.post("/evaluators/e:validateUpload")
    server.tick()
    finish(server, ok=True)
    assert (await server.get("/evaluators/e"))["state"] == "ACTIVE"
    assert len(set(server.runs.started)) == 2


async def test_inline_code_is_built_at_once(server: Server) -> None:
    await create(server, criteria=[SNIPPETS], entryPoint="")
    server.tick()
    job = finish(server, ok=True)
    assert job["snippets"] == SNIPPETS["codeSnippets"]["fileContents"]
    assert job["entries"] == [{"name": "short", "file": "main.py", "function": "evaluate"}]
    assert (await server.get("/evaluators/e"))["state"] == "ACTIVE"
    changed = SNIPPETS | {"codeSnippets": {"fileContents": {"other.py": ""}}}
    path = "/v1/accounts/rehearsal/evaluators/e"
    assert (await server.http.patch(path, json={"criteria": [changed]})).json()["state"] == "BUILDING"
    assert (await server.http.patch(path, json={"displayName": "New"})).json()["displayName"] == "New"


async def test_a_build_that_breaks_off_is_tried_twice(server: Server) -> None:
    await create(server, criteria=[SNIPPETS])
    for _ in range(4):
        server.tick()
        server.runs.living.clear()
    assert len(server.runs.started) == 2
    failed = await server.get("/evaluators/e")
    assert (failed["state"], failed["status"]["code"]) == ("BUILD_FAILED", "INTERNAL")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"displayName": "x" * 64}, 400, "display_name"),
        ({"description": "x" * 1000}, 400, "description"),
        ({"entryPoint": "main.py"}, 400, "path/file.py::function"),
        ({"source": {"type": "TYPE_GITHUB"}}, 501, "no network"),
        ({"source": {"type": "TYPE_OTHER"}}, 400, "source.type"),
        ({"criteria": [{"codeSnippets": {"language": "ruby"}}]}, 400, "only Python"),
    ],
)
async def test_faulty_evaluators_are_refused(
    server: Server, fields: dict[str, Any], status: int, said: str
) -> None:
    refusal = await server.refused("/evaluatorsV2", {"evaluator": fields, "evaluatorId": "e"})
    assert (refusal[0], said in refusal[1]) == (status, True)


@pytest.mark.parametrize("sizes", [{}, {"a.zip": "5"}, {"a.tar.gz": "5", "b.tar.gz": "5"}, {"a.tgz": "0"}])
async def test_only_one_archive_can_be_uploaded(server: Server, sizes: dict[str, str]) -> None:
    await create(server)
    assert (await server.refused("/evaluators/e:getUploadEndpoint", {"filenameToSize": sizes}))[0] == 400


async def test_what_is_not_there_cannot_be_built(server: Server) -> None:
    await create(server, entryPoint="")
    assert (await server.refused("/evaluators/e:validateUpload"))[0] == 400
    await upload(server)
    assert "entry_point is required" in (await server.refused("/evaluators/e:validateUpload"))[1]


async def test_evaluators_are_listed_and_deleted(server: Server) -> None:
    await create(server, "b")
    await active(server, "a")
    assert (await server.refused("/evaluatorsV2", {"evaluator": {}, "evaluatorId": "a"}))[0] == 409
    listed = await server.get("/evaluators", filter='state="ACTIVE"', readMask="name,state")
    assert listed["evaluators"] == [{"name": "accounts/rehearsal/evaluators/a", "state": "ACTIVE"}]
    assert (await server.http.delete("/v1/accounts/rehearsal/evaluators/a")).json() == {}
    assert (await server.refused("/evaluators/a", method="GET"))[0] == 404
    assert not server.runs.started[-1].exists()
