"""The real local Fireworks in a process of its own, and our client on it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from workflows.fireworks import datasets, jobs
from workflows.fireworks.client import Fireworks
from workflows.fireworks.errors import FireworksError
from workflows.fireworks.names import full_name
from workflows.fireworks.retrying import NO_RETRIES

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
QWEN = "accounts/fireworks/models/qwen3-8b"
COLOURS = ("red", "green", "blue", "white")


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """The first true answer of `look`; fails when none comes for long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = look()
        if answer:
            return answer
        time.sleep(0.1)
    return pytest.fail(f"waited in vain for {what}")


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a running local Fireworks with its samples."""
    data = tmp_path_factory.mktemp("fireworks")
    port = free_port()
    command = [sys.executable, "-m", "localfireworks", "--data", str(data), "--port", str(port)]
    log = (data / "server.log").open("wb")
    process = subprocess.Popen([*command, "--token-budget", "20000"], cwd=ROOT, stderr=log)
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"), "local Fireworks to start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)
        log.close()


def answers(base: str) -> bool:
    with Fireworks(base, "any", retries=NO_RETRIES) as probe:
        try:
            return bool(probe.verify())
        except FireworksError:
            return False


@pytest.fixture
def fireworks(address: str) -> Iterator[Fireworks]:
    """A client that owns what begins with `fwp-`."""
    with Fireworks(address, "any", owns=lambda name: "/fwp-" in name) as client:
        client.verify()
        yield client


def fresh(purpose: str) -> str:
    return f"fwp-{purpose}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    samples = [
        [
            {"role": "user", "content": f"Number {at}: which colour?"},
            {"role": "assistant", "content": COLOURS[at % 4]},
        ]
        for at in range(60)
    ]
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in samples))
    return path


def uploaded(fireworks, path, count, **options):
    made = datasets.create(fireworks, datasets.dataset_body(fresh("rows"), count))
    return datasets.upload(fireworks, made.name, path, **options)


def training(dataset, **more):
    model = full_name("rehearsal", "models", fresh("model"))
    return jobs.Training(dataset=dataset, output_model=model, base_model=QWEN, learning_rate=1e-4, **more)
