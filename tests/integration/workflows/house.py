"""The engine on a whole local Fireworks in one process: its routes, database, files and job life are the real
ones; the clock, the wire between the two and the program behind a job are passed in."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from django.db import connection

from fwportal.middleware import owner
from localfireworks.app import tick
from localfireworks.jobs import Supervisor
from localfireworks.service import Service
from sessions import replies
from sessions.intake import shelf
from sessions.models import Gate, TuningSession
from sessions.states import Decision
from tests.factories import make_dataset, make_session, make_specification
from tests.integration.workflows.server_thread import ServerThread
from workflows import engine
from workflows.connect import connect
from workflows.fireworks.client import Fireworks
from workflows.fireworks.retrying import Retries

ACCOUNT = "accounts/rehearsal"
JOBS, DATASETS, DEPLOYMENTS = "supervisedFineTuningJobs", "datasets", "deployments"
AT_ONCE = Retries(sleep=lambda _seconds: None, sleep_among=lambda _seconds: asyncio.sleep(0))
SHORT_GRID = {"lora_ranks": (8,), "learning_rates": (1e-4,), "epochs": 2}
LOOKS = 400  # a session that does not rest after so many looks never will


class Killed(BaseException):
    """kill -9: nothing that catches exceptions may notice."""


@dataclass
class Clock:
    """One clock for both sides; it moves only when told."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Fault:
    """What happens to requests whose method and path match, and how often."""

    method: str
    ending: str
    act: Callable[[Callable[[], httpx.Response]], httpx.Response]
    times: int = 1


@dataclass
class Wire(httpx.BaseTransport):
    """Carries requests to the application, remembers them, and breaks where told."""

    app: Any
    thread: ServerThread
    account: str = ACCOUNT
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    in_transaction: list[bool] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        self.requests.append((request.method, request.url.path))
        self.bodies.append(content)
        self.in_transaction.append(connection.in_atomic_block)
        ask = partial(self.ask, request, content)
        fault = next((each for each in self.faults if strikes(each, request)), None)
        if fault is None:
            return ask()
        fault.times -= 1
        return fault.act(ask)

    def ask(self, request: httpx.Request, content: bytes) -> httpx.Response:
        return self.thread.run(self._ask(request, content))

    async def _ask(self, request: httpx.Request, content: bytes) -> httpx.Response:
        inner = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        answer = await httpx.ASGITransport(self.app).handle_async_request(inner)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)

    def calls(self, method: str, part: str) -> list[str]:
        """Paths of the requests of one method that have `part` in their path."""
        return [path for asked, path in self.requests if asked == method and part in path]

    def created(self, collection: str) -> list[dict[str, Any]]:
        """Bodies of the creating requests of a collection."""
        pairs = zip(self.requests, self.bodies, strict=True)
        made = ("POST", f"/v1/{self.account}/{collection}")
        return [json.loads(body) for asked, body in pairs if asked == made]

    def lose(self, method: str, ending: str, times: int = 1) -> None:
        """The request is done and its answer lost."""
        self.faults.append(Fault(method, ending, lost, times))

    def refuse(self, method: str, ending: str, status: int, times: int = 1, **body: Any) -> None:
        """The request is answered with an error and not done."""
        self.faults.append(Fault(method, ending, lambda _ask: httpx.Response(status, json=body), times))

    def kill(self, method: str, ending: str, *, after: bool) -> None:
        """The worker dies right before, or right after, the request is done."""
        self.faults.append(Fault(method, ending, partial(die, after=after)))


def strikes(fault: Fault, request: httpx.Request) -> bool:
    return (
        fault.times > 0 and request.method == fault.method and request.url.path.endswith(fault.ending)
    )  # fmt: skip


def lost(ask: Callable[[], httpx.Response]) -> httpx.Response:
    ask()
    raise httpx.ReadError("connection reset by peer")


def die(ask: Callable[[], httpx.Response], *, after: bool) -> httpx.Response:
    if after:
        ask()
    raise Killed


@dataclass
class Trainer:
    """Job processes on paper. The loss is a plain function of rank, rows and epochs, so that it is known
    beforehand which candidate wins; `hold` keeps jobs running until `finish`."""

    hold: bool = False
    failures: dict[int, dict[str, Any]] = field(default_factory=dict)  # by LoRA rank
    running: list[Path] = field(default_factory=list)

    def start(self, folder: Path, command: Sequence[str] = ()) -> bool:
        if command:  # not training: the program itself, to its end
            subprocess.run([*command, str(folder)], check=True, capture_output=True)
            return True
        self.running.append(folder)
        progress(folder, "running", 40, 0)
        if not self.hold:
            self.finish(folder)
        return True

    def alive(self, folder: Path) -> bool:
        return folder in self.running

    def end(self, folder: Path, *, force: bool = False) -> None:
        if folder in self.running:
            self.running.remove(folder)

    def finish(self, folder: Path | None = None) -> None:
        """The end of one process, by default the one that began first."""
        folder = folder or self.running[0]
        self.running.remove(folder)
        job = json.loads((folder / "job.json").read_text())
        failure = self.failures.get(job["lora_rank"])
        if failure:
            (folder / "result.json").write_text(json.dumps({"ok": False, **failure}))
            return
        rows = sum(Path(path).read_text().count("\n") for path in job["dataset"])
        write_lines(folder / "metrics.jsonl", curve(job, rows))
        tokens = 10 * rows * job["epochs"]
        progress(folder, "writing", 100, tokens, rows_used=rows, rows_total=rows)
        (folder / "adapter").mkdir(exist_ok=True)
        adapter = {"r": job["lora_rank"], "target_modules": ["q_proj"]}
        (folder / "adapter" / "adapter_config.json").write_text(json.dumps(adapter))
        (folder / "result.json").write_text(json.dumps({"ok": True, "tokens": tokens}))


def curve(job: dict[str, Any], rows: int) -> Iterator[dict[str, Any]]:
    """Lines of the metrics file: one step and one evaluation an epoch."""
    for epoch in range(1, job["epochs"] + 1):
        loss = 2.0 + job["lora_rank"] / 100 - epoch / 10 - rows / 1000
        yield {"step": epoch, "train/loss": loss}
        yield {"step": epoch, "eval/loss": loss + 0.25, "epoch": epoch}


def write_lines(path: Path, rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def progress(folder: Path, phase: str, percent: int, tokens: int, **more: Any) -> None:
    facts = {"phase": phase, "percent": percent, "input_tokens": tokens, **more}
    (folder / "progress.json").write_text(json.dumps(facts))


def chat(count: int, words: str = "colour") -> list[dict[str, Any]]:
    """Distinct chat rows."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"Number {at}: which {words}?"},
                {"role": "assistant", "content": ("red", "green", "blue")[at % 3]},
            ]
        }
        for at in range(count)
    ]


@dataclass
class House:
    """Both sides of the wire."""

    clock: Clock
    service: Service
    supervisor: Supervisor
    trainer: Trainer
    wire: Wire

    def connect(self, session: TuningSession | None = None, observe: Any = None) -> Fireworks:
        """The portal's own client, with its own rule of what it may touch, over this wire."""
        return connect(session, observe, transport=self.wire, retries=AT_ONCE)

    def pass_time(self, seconds: float = 2.0) -> None:
        """Local Fireworks goes on by one look at everything."""
        self.clock.pass_by(seconds)
        self.wire.thread.call(tick, self.service, self.supervisor)
        self.wire.thread.run(self.loaded())

    async def loaded(self) -> None:
        """Waits behind any load that a look began, and any batch."""
        await self.service.backend.call(("small", None), lambda _model: None)

    def advance(self, session: TuningSession) -> None:
        """One wake-up of the session."""
        engine.advance(session.public_id, connect_for=self.connect, clock=self.clock)
        session.refresh_from_db()

    def drive(self, session: TuningSession, until: Callable[[], bool] = lambda: False) -> None:
        """Wake-ups while time passes, until the session waits for a person, is over, or `until` is true."""
        for _ in range(LOOKS):
            self.advance(session)
            if session.wake_at is None or until():
                return
            self.pass_time()
        raise AssertionError([event.text for event in session.events.all()][-20:])

    def gate(self, session: TuningSession) -> Gate:
        return session.gates.get(decision=Decision.OPEN)

    def reply(self, session: TuningSession, words: str, **form: list[str]) -> replies.Outcome:
        """A typed reply at the open gate, or the fields of a button's form."""
        gate = self.gate(session)
        digest = gate.plan.digest if gate.plan else ""
        entered = {"action": ["reply"], "reply": [words], "plan_digest": [digest], **form}
        outcome = replies.act(replies.Entered(gate, owner(), entered, self.clock(), shelf().context))
        session.refresh_from_db()
        return outcome

    def dataset(self, identifier: str, rows: list[dict[str, Any]]) -> str:
        """A READY dataset of the account that no session made; its full name."""
        name = f"{self.wire.account}/{DATASETS}/{identifier}"
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        with self.person() as person:
            body = {"datasetId": identifier, "dataset": {"exampleCount": str(len(rows)), "format": "CHAT"}}
            person.post(f"/v1/{self.wire.account}/{DATASETS}", json=body).raise_for_status()
            person.post(f"/v1/{name}:upload", files={"file": ("rows.jsonl", content)}).raise_for_status()
        make_dataset(name, examples=len(rows))
        return name

    def person(self) -> httpx.Client:
        """Somebody with the same account and no portal; leaves no trace on the portal's wire."""
        quiet = Wire(self.wire.app, self.wire.thread)
        key = {"Authorization": "Bearer any"}
        return httpx.Client(transport=quiet, base_url="http://127.0.0.1:9", headers=key)

    def state(self, name: str) -> str:
        """The state of one thing, also of a deleted one."""
        with self.person() as person:
            return str(person.get(f"/v1/{name}").raise_for_status().json()["state"])

    def remote(self, collection: str) -> list[dict[str, Any]]:
        """What the account holds of one collection, oldest first."""
        with self.person() as person:
            found = person.get(f"/v1/{self.wire.account}/{collection}").raise_for_status().json()
        return sorted(found.get(collection, []), key=lambda each: each["name"])

    def start(self, rows: int = 40, **values: Any) -> TuningSession:
        """A session on a dataset of its own with one candidate; a value of None is not given at all."""
        if "dataset" not in values:
            values["dataset"] = self.dataset("rows", chat(rows))
        given = make_specification(**{**SHORT_GRID, **values})
        left_out = [name for name, value in values.items() if value is None]
        return make_session(specification=given.without(*left_out), wake_at=self.clock())

    def approved(self, **values: Any) -> TuningSession:
        """A session whose plan was just approved."""
        session = self.start(**values)
        self.drive(session)
        self.reply(session, "Approved, proceed.")
        return session

    def finished(self, **values: Any) -> TuningSession:
        """A session driven to its end, the suggested winner confirmed."""
        session = self.approved(**values)
        self.drive(session)
        self.reply(session, "Proceed with the winning config.")
        self.drive(session)
        return session


def report(session: TuningSession) -> dict[str, Any]:
    """The session's report.json."""
    text = session.artifacts.get(name="report.json").path.read_text()
    found: dict[str, Any] = json.loads(text)
    return found
