"""The calls of a report, run as a person would run them: under new names, from the shell and from Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.sdk.world import QWEN, World
from workflows.creating import creation
from workflows.fireworks import datasets, jobs, sdk
from workflows.fireworks.client import Fireworks
from workflows.fireworks.wire import Exchange

TURNS = [{"role": "user", "content": "It's?"}, {"role": "assistant", "content": 'so "it" is'}]
ROW = json.dumps({"messages": TURNS}) + "\n"


@pytest.fixture(params=["one call", "a signed URL"])
def made(request, address: str, world: World, tmp_path: Path) -> tuple[str, list[Exchange]]:
    """The prefix of the names, and the calls that made a dataset and a job on it."""
    seen: list[Exchange] = []
    prefix, path = f"{world.fresh('again')}-", tmp_path / "train.jsonl"
    path.write_text(ROW * 4)
    with Fireworks(address, "any", owns=lambda name: True, observe=seen.append) as client:
        client.verify()
        rows = datasets.create(client, datasets.dataset_body(f"{prefix}rows", 4, "It's mine")).name
        datasets.upload(client, rows, path, small=1 << 20 if request.param == "one call" else 0)
        model = f"accounts/{client.account}/models/{prefix}model"
        jobs.create(client, f"{prefix}job", jobs.Training(rows, model, base_model=QWEN, learning_rate=1e-4))
    return prefix, seen


def there(ours: Fireworks, prefix: str) -> tuple[bool, str, str]:
    job = jobs.get(ours, f"{prefix}job")
    return datasets.get(ours, f"{prefix}rows").ready, job.dataset, job.base_model


def test_the_program_makes_the_same_again(made, address, ours, tmp_path):
    prefix, seen = made
    calls = [Exchange(**each) for each in creation(seen)["calls"]]
    text = sdk.program(calls, address, "any").replace(prefix, f"p-{prefix}")
    subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True)
    ready, rows, base = there(ours, f"p-{prefix}")
    assert (ready, rows.endswith(f"/p-{prefix}rows"), base) == (True, True, QWEN)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("jq"), reason="needs curl and jq")
def test_the_shell_makes_the_same_again(made, ours, tmp_path):
    prefix, seen = made
    text = creation(seen)["curl"].replace(prefix, f"s-{prefix}")
    environment = {"FIREWORKS_API_KEY": "any", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    subprocess.run(["bash", "-euc", text], cwd=tmp_path, env=environment, check=True)
    ready, rows, base = there(ours, f"s-{prefix}")
    assert (ready, rows.endswith(f"/s-{prefix}rows"), base) == (True, True, QWEN)


def test_what_was_asked_twice_is_shown_once_and_no_secret_at_all():
    call = Exchange("POST", "https://x.test/v1/a", {}, {"wandbConfig": {"apiKey": "s3cret"}}, 0, 5)
    shown = creation([call, call])
    assert len(shown["calls"]) == 1
    program = sdk.program([Exchange(**each) for each in shown["calls"]])
    assert "s3cret" not in shown["curl"] + program
    assert "Fireworks()  # reads FIREWORKS_API_KEY" in program
