"""Fault switches on a real socket: what a client sees when its connection is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.integration.localfireworks.conftest import LocalServer

DATASETS = "/v1/accounts/rehearsal/datasets"
SWITCHES = [
    {"id": "lost", "kind": "lost-answer", "method": "POST", "path": DATASETS, "count": 1},
    {"id": "cut", "kind": "cut-answer", "method": "GET", "path": "/v1/accounts", "count": 1},
    {"id": "reset", "kind": "reset", "method": "DELETE", "path": f"{DATASETS}/*", "count": 1},
]


@pytest.fixture
def server(new_server: Callable[..., LocalServer], tmp_path: Path) -> LocalServer:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps(SWITCHES))
    made = new_server(options=("--no-samples", "--faults", str(file)))
    made.start()
    return made


def test_connections_really_break_before_and_after_the_effect(server: LocalServer) -> None:
    body = {"datasetId": "d", "dataset": {"exampleCount": "3"}}
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        server.http.post(DATASETS, json=body)
    assert server.http.post(DATASETS, json=body).json()["code"] == 6  # the lost one was made
    with pytest.raises(httpx.ReadError):
        server.http.delete(f"{DATASETS}/d")
    assert server.http.get(f"{DATASETS}/d").status_code == 200  # the reset one was not
    assert server.http.delete(f"{DATASETS}/d").status_code == 200
    with (
        server.http.stream("GET", "/v1/accounts") as half,
        pytest.raises(httpx.RemoteProtocolError, match="without sending complete"),
    ):
        half.read()
    assert half.status_code == 200


def test_switches_survive_a_restart(server: LocalServer) -> None:
    server.http.post("/admin/faults", json={"id": "mine", "kind": "unavailable", "path": DATASETS})
    assert server.http.get(DATASETS).status_code == 503
    server.stop()
    server.options = ("--no-samples",)
    server.start()
    kept = {each["id"]: each["hits"] for each in server.http.get("/admin/faults").json()["faults"]}
    assert kept == {"cut": 0, "lost": 0, "reset": 0, "mine": 1}
    assert server.http.get(DATASETS).status_code == 503
