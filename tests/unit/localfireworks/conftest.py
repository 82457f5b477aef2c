"""A server without sockets, processes or JAX: its parts are passed in, its clock is ours."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from localfireworks.app import create_app, prepare, tick
from localfireworks.backend import Backend
from localfireworks.jobs import Supervisor
from localfireworks.judge import JudgingEngine
from localfireworks.service import Service, build_service
from localfireworks.settings import Settings

ROOT = "/v1/accounts/rehearsal"
KEY = {"Authorization": "Bearer any"}
QWEN = "accounts/fireworks/models/qwen3-8b"
SERVERLESS = "accounts/fireworks/models/gpt-oss-20b"


@dataclass
class Clock:
    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Word:
    text: str
    token_id: int = 7
    logprob: float = -0.5
    finish_reason: str | None = None


@dataclass
class Echo:
    """Answers with the words of the last message; a token is a word."""

    standin: str
    adapter: Path | None
    context_length: int = 40
    calls: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0

    def count_prompt_tokens(self, messages: Sequence[dict[str, Any]], tools: Any) -> int:
        return sum(len(str(message["content"]).split()) for message in messages) + len(tools or ())

    def generate(self, messages: Sequence[dict[str, Any]], **given: Any) -> Iterator[Word]:
        self.calls.append(given)
        name = f"{self.standin}{'+' + self.adapter.name if self.adapter else ''}"
        words = [name, *str(messages[-1]["content"]).split()][: given["max_tokens"]]
        reason = "length" if len(words) == given["max_tokens"] else "stop"
        for number, word in enumerate(words):
            self.written += 1
            yield Word(f"{word} ", finish_reason=reason if number == len(words) - 1 else None)


@dataclass
class EchoEngine:
    loaded: list[Echo] = field(default_factory=list)

    def load(self, standin: str, adapter: Path | None) -> Echo:
        if standin == "broken":
            raise ValueError("no such weights")
        self.loaded.append(Echo(standin, adapter))
        return self.loaded[-1]

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int:
        if isinstance(source, Path):
            return len(source.read_bytes().split())
        return sum(len(json.dumps(row).split()) for row in source)


@dataclass
class Runs:
    """Job processes that live on paper: the test writes their files and ends them."""

    started: list[Path] = field(default_factory=list)
    living: set[Path] = field(default_factory=set)
    asked: list[tuple[Path, bool]] = field(default_factory=list)

    def start(self, folder: Path, command: Sequence[str] = ()) -> bool:
        self.started.append(folder)
        self.living.add(folder)
        return True

    def alive(self, folder: Path) -> bool:
        return folder in self.living

    def end(self, folder: Path, *, force: bool = False) -> None:
        self.asked.append((folder, force))
        if force:
            self.living.discard(folder)

    def report(self, folder: Path, phase: str, **more: Any) -> None:
        (folder / "progress.json").write_text(json.dumps({"phase": phase, **more}))

    def finish(self, folder: Path, **result: Any) -> None:
        if result.get("ok"):
            (folder / "adapter").mkdir()
            (folder / "adapter" / "adapter_config.json").write_text('{"r": 8, "target_modules": ["q_proj"]}')
        (folder / "result.json").write_text(json.dumps(result))
        self.living.discard(folder)


@dataclass
class Server:
    service: Service
    supervisor: Supervisor
    http: httpx.AsyncClient
    clock: Clock
    runs: Runs
    engine: EchoEngine

    def tick(self, seconds: float = 1.0, times: int = 1) -> None:
        for _ in range(times):
            self.clock.now += seconds
            tick(self.service, self.supervisor)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        response = await self.http.get(ROOT + path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        response = await self.http.post(ROOT + path, json=body or {}, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def refused(
        self, path: str, body: Any = None, method: str = "POST", **query: Any
    ) -> tuple[int, str]:
        """HTTP status and message of a refusal; its form is checked on the way."""
        response = await self.http.request(method, ROOT + path, json=body or {}, params=query)
        assert response.status_code >= 400, response.text
        assert set(response.json()) == {"code", "message", "details"}
        return response.status_code, response.json()["message"]

    async def dataset(self, id_: str, rows: int = 5, text: str = "one two three") -> str:
        """A READY dataset by multipart upload; its full name."""
        await self.post("/datasets", {"datasetId": id_, "dataset": {"exampleCount": str(rows)}})
        row = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}]}
        content = "\n".join([json.dumps(row)] * rows).encode()
        files = {"file": ("data.jsonl", content)}
        response = await self.http.post(f"{ROOT}/datasets/{id_}:upload", files=files)
        assert response.status_code == 200, response.text
        return f"accounts/rehearsal/datasets/{id_}"

    async def job(self, id_: str = "job-1", **more: Any) -> dict[str, Any]:
        """A started job on a fresh dataset; a process stands behind it."""
        body = {"dataset": await self.dataset(f"for-{id_}"), "baseModel": QWEN, **more}
        made = await self.post("/supervisedFineTuningJobs", body, supervisedFineTuningJobId=id_)
        self.tick(times=3)
        return made

    async def state(self, id_: str = "job-1") -> str:
        return str((await self.get(f"/supervisedFineTuningJobs/{id_}"))["state"]).removeprefix("JOB_STATE_")

    async def trained(self, id_: str = "job-1", **more: Any) -> str:
        """A completed job; the full name of its model."""
        made = await self.job(id_, **more)
        folder = self.runs.started[-1]
        self.runs.report(folder, "writing", percent=100, input_tokens=1000, total_tokens=1000)
        self.runs.finish(folder, ok=True, tokens=1_000_000)
        self.tick(times=3)
        assert await self.state(id_) == "COMPLETED"
        return str(made["outputModel"])

    async def settled(self) -> None:
        """Wait for the generation thread, then look again: a deployment that loads becomes READY."""
        self.tick(2)
        await self.service.backend.call(("small", None), lambda model: None)
        self.tick(2)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A server's folder, in memory where the system has such a place: SQLite waits for a disk at every start
    and end."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


@pytest.fixture
async def server(data_folder: Path) -> AsyncIterator[Server]:
    clock, runs, engine = Clock(), Runs(), EchoEngine()
    settings = Settings(data_folder, samples=False, token_budget=2_000_000)
    service = build_service(settings, Backend(JudgingEngine(engine), 2), runs, clock)  # type: ignore[arg-type]
    supervisor = await prepare(service)
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://local", headers=KEY) as http:
        yield Server(service, supervisor, http, clock, runs, engine)
    service.backend.close()
    service.store.close()
