"""Banking77's 3,080 test rows asked of four base models while the worker is killed five times: is each row
asked once, and what is asked again?

The worker is that of `manage.py up`; local Fireworks is a process of its own, which writes down every
completion that comes in; each model has a temporary deployment and 32 completions under way. In the place of
the stand-ins, which would think for an hour here, an engine answers that looks the label up and is right in
half of the rows: it is the asking that is measured. The worker's whole process group gets SIGKILL at five
random moments, each while completions are under way. Afterwards both books are compared: the requests that
local Fireworks got, by model and row, and our rows.

What is asserted: every row has one answer of each model. Nothing that was stored is asked again. Only what
was under way when a worker died (32 requests) is asked twice.

Run with `make bench`, or `PYTHONPATH=. python benchmarks/classification.py`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import httpx
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.results import keep
from tests.system.portal import ROOT, Portal, answers, wait_until

SHARED = ROOT.parent / "shared" / "data"
MODELS = ("qwen3-8b", "qwen3p5-9b", "llama-v3p1-8b-instruct", "ministral-3-3b-instruct-2512")
KILLS, SEED = 5, 42
PATIENCE = 3600.0  # seconds; only a fault, or a very busy machine, takes so long
INSTRUCTION = (
    "Run classification fine-tuning on accounts/rehearsal/datasets/banking-train, "
    "eval on accounts/rehearsal/datasets/banking-test, using {models}. Just benchmark, don't fine-tune. "
    "Get answers by live merge."
)
Line = dict[str, Any]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, local_fireworks(Path(folder)) as (address, record):
        rows = upload(address, "banking-train"), upload(address, "banking-test")
        environment = {"FWPORTAL_FIREWORKS_URL": address, "FWPORTAL_REFRESH_SECONDS": "1"}
        portal = Portal(Path(folder) / "data", environment)
        portal.launch()
        try:
            wait_until(lambda: portal.health().get("status") == "ok", PATIENCE, "the portal", portal.said)
            began = time.perf_counter()
            session, under_way = run(portal, record, rows[1] * len(MODELS))
            numbers: dict[str, Any] = {
                "models": len(MODELS),
                "rows": rows[1],
                "seconds": round(time.perf_counter() - began),
                **compared(portal, record, session, under_way),
            }
        finally:
            portal.remove()
    keep("classification", numbers)


def run(portal: Portal, record: Path, requests: int) -> tuple[str, list[int]]:
    """A benchmark from its instruction to its end; the session, and how many requests each kill cut off."""
    words = INSTRUCTION.format(models=", ".join(MODELS))
    command = ("session", "create", "--json", "--instruction", words)

    def made() -> str:
        """The id, once the worker has fetched the lists of models and datasets."""
        try:
            return str(json.loads(portal.manage(*command))["id"])
        except AssertionError:
            return ""

    session = wait_until(made, PATIENCE, "the session", portal.said)
    portal.manage("session", "events", session, "--wait")
    portal.manage("session", "update", session, "--instruction", "Approved, proceed.")
    draw = random.Random(SEED)
    moments = sorted(draw.sample(range(requests // 20, requests * 19 // 20), KILLS))
    under_way = [killed(portal, record, moment) for moment in moments]
    portal.manage("session", "events", session, "--wait")
    return session, under_way


def killed(portal: Portal, record: Path, moment: int) -> int:
    """SIGKILL for the worker and its children when so many requests came and some are under way."""

    def due() -> bool:
        came, over = books(record)
        return came >= moment and came > over and portal.pid("worker") is not None

    wait_until(due, PATIENCE, f"{moment} requests", portal.logs)
    leader = portal.pid("worker")
    assert leader is not None
    os.killpg(leader, signal.SIGKILL)
    came, over = books(record)
    wait_until(lambda: portal.pid("worker") not in (None, leader), PATIENCE, "a new worker", portal.logs)
    return came - over


def compared(portal: Portal, record: Path, session: str, under_way: list[int]) -> dict[str, Any]:
    """The books of both sides."""
    os.environ.update(FWPORTAL_DATA=str(portal.data), DJANGO_SETTINGS_MODULE="fwportal.settings")
    django.setup()
    from sessions.models import Answer, TuningSession
    from workflows.answers.live import AT_ONCE

    found = TuningSession.objects.get(public_id=session)
    stored = Counter(
        Answer.objects.filter(session=found, answered_at__isnull=False, error="").values_list(
            "subject", "row"
        )
    )
    asked = Counter((line["model"], line["seed"]) for line in lines(record) if line["over"] in (None, 200))
    twice = sum(count - 1 for count in asked.values())
    numbers: dict[str, Any] = {
        "status": str(found.status),
        "kills": len(under_way),
        "under_way_when_killed": under_way,
        "accuracy": {
            each.subject.rpartition("/")[2]: round(each.value, 4)
            for each in found.evaluations.filter(metric="accuracy")
        },
        "answers_stored": len(stored),
        "rows_with_two_answers": sum(count > 1 for count in stored.values()),
        "requests_received": asked.total(),
        "rows_asked_once": sum(count == 1 for count in asked.values()),
        "requests_repeated": twice,
        "requests_repeated_at_the_most_by_design": len(under_way) * AT_ONCE,
        "rows_we_say_may_be_billed_twice": Answer.objects.filter(session=found, attempt__gt=1).count(),
    }
    assert found.status == "succeeded", numbers
    assert set(stored.values()) == {1}, numbers
    assert len(stored) == len(asked) == len(MODELS) * found.artifacts.get(name="heldout.jsonl").detail["rows"]
    assert twice <= numbers["requests_repeated_at_the_most_by_design"], numbers
    assert twice <= numbers["rows_we_say_may_be_billed_twice"] * len(under_way), numbers
    return numbers


def lines(record: Path) -> list[Line]:
    """One for each completion that was asked for; `over` is the status of its answer, None where the caller
    was gone before that."""
    found: dict[int, Line] = {}
    for text in record.read_text().splitlines():
        line = json.loads(text)
        found.setdefault(line["number"], {"over": None}).update(line)
    return [line for line in found.values() if "model" in line]


def books(record: Path) -> tuple[int, int]:
    """How many completions were asked for, and how many of them are over."""
    text = record.read_text()
    return text.count('"model"'), text.count('"over"')


@contextmanager
def local_fireworks(folder: Path) -> Iterator[tuple[str, Path]]:
    """The address of a local Fireworks of its own, and its record of completions."""
    port, record = free_port(), folder / "completions.jsonl"
    record.touch()
    command = [sys.executable, __file__, "--serve", str(folder / "fireworks"), str(port), str(record)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as server:
        try:
            wait_until(lambda: answers(port), PATIENCE, "local Fireworks")
            yield f"http://127.0.0.1:{port}", record
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def upload(address: str, name: str, every: int = 1) -> int:
    """A file of Banking77 as a dataset, all its rows or every so many; how many these are."""
    whole = (SHARED / f"{name.replace('banking', 'banking77')}.jsonl").read_bytes()
    content = b"".join(whole.splitlines(keepends=True)[::every])
    rows, dataset = content.count(b"\n"), f"/v1/accounts/rehearsal/datasets/{name}"
    with httpx.Client(base_url=address, headers={"Authorization": "Bearer any"}, timeout=60) as person:
        body = {"datasetId": name, "dataset": {"exampleCount": str(rows), "format": "CHAT"}}
        person.post("/v1/accounts/rehearsal/datasets", json=body).raise_for_status()
        person.post(f"{dataset}:upload", files={"file": ("rows.jsonl", content)}).raise_for_status()
    return rows


class Recorder:
    """Writes down each completion that comes in, with the row's seed, and how it ended."""

    def __init__(self, app: ASGIApp, record: Path) -> None:
        self.app, self.out, self.number = app, record.open("a", buffering=1), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/chat/completions"):
            await self.app(scope, receive, send)
            return
        self.number += 1
        number, body = self.number, b""

        async def read() -> Message:
            nonlocal body
            message = await receive()
            if message["type"] == "http.request":
                body += message.get("body", b"")
                if not message.get("more_body"):
                    asked = json.loads(body)
                    model = asked["model"].partition("#")[0]
                    self.note(number=number, model=model, seed=asked["seed"])
            return message

        async def tell(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self.note(number=number, over=message["status"])

        await self.app(scope, read, tell)

    def note(self, **facts: Any) -> None:
        self.out.write(json.dumps(facts) + "\n")


def serve(data: Path, port: int, record: Path) -> None:
    """What `python -m localfireworks` does, with the recorder in front."""
    from localfireworks.app import create_app
    from localfireworks.backend import Backend
    from localfireworks.fault_middleware import BreakableHttp
    from localfireworks.processes import Processes
    from localfireworks.service import build_service
    from localfireworks.settings import Settings
    from tests.integration.workflows.classification.oracle import OracleEngine

    settings = Settings(data, samples=False)
    data.mkdir(parents=True)
    backend = Backend(OracleEngine(truth=truth()), settings.loaded_models)
    service = build_service(settings, backend, Processes(settings.job_command), time.time)
    app = Recorder(create_app(service), record)
    uvicorn.run(app, host="127.0.0.1", port=port, http=BreakableHttp, log_level="warning", lifespan="on")


def truth() -> dict[str, str]:
    """The label of every test message."""
    rows = map(json.loads, (SHARED / "banking77-test.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["messages"][-2]["content"]: row["messages"][-1]["content"] for row in rows}


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve(Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
