"""One session of a real portal as a person at a terminal and an open page see it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from tests.system.portal import Portal

ACCOUNT = "v1/accounts/rehearsal"
JOBS, DATASETS, DEPLOYMENTS = "supervisedFineTuningJobs", "datasets", "deployments"
PATIENCE = 240.0  # seconds; only a failing test, or a very busy machine, waits so long
INSTRUCTION = (
    "Run SFT with qwen3-8b, LoRA ranks 8 and 16, learning rate 1e-4 and 1 epoch. "
    "Use 20 samples for HP tuning."
)
COLOURS = ("red", "green", "blue", "white")


def write_rows(path: Path, count: int = 45) -> Path:
    """Short chat rows, all different."""
    rows = (
        [
            {"role": "user", "content": f"Number {at}: which colour?"},
            {"role": "assistant", "content": COLOURS[at % len(COLOURS)]},
        ]
        for at in range(count)
    )
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in rows))
    return path


def remote(portal: Portal, collection: str) -> list[dict[str, Any]]:
    """Everything that local Fireworks lists in one collection."""
    address = f"http://127.0.0.1:{portal.port + 1}/{ACCOUNT}/{collection}"
    answer = httpx.get(address, params={"pageSize": 200}, headers={"Authorization": "Bearer any"}, timeout=30)
    found: list[dict[str, Any]] = answer.raise_for_status().json().get(collection, [])
    return found


@dataclass
class Run:
    """A session by its id, driven by the command line."""

    portal: Portal
    id: str

    @classmethod
    def create(cls, portal: Portal, file: Path, instruction: str = INSTRUCTION) -> Run:
        arguments = ("session", "create", "--instruction", instruction, "--file", str(file), "--json")
        made = json.loads(portal.manage(*arguments))
        assert made["not_understood"] == []
        return cls(portal, made["id"])

    def get(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.portal.manage("session", "get", self.id, "--json"))
        return found

    def events(self, *options: str) -> list[dict[str, Any]]:
        lines = self.portal.manage("session", "events", self.id, "--json", *options).splitlines()
        return [json.loads(line) for line in lines]

    def waits_for(self, words: str) -> None:
        """Until the session rests; it must be at the gate that asks with these words."""
        last = self.events("--wait")[-1]
        assert (last["kind"], words in last["text"]) == ("asked", True), last

    def reply(self, words: str) -> None:
        self.portal.manage("session", "update", self.id, "--instruction", words)

    def ends(self, status: str) -> list[dict[str, Any]]:
        """Until the session rests; it must have ended so. Its events."""
        events = self.events("--wait")
        assert events[-1]["text"] == f"Session {status}", events[-3:]
        return events

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.portal.manage("session", "report", self.id, "--json"))
        return found

    def made(self, collection: str) -> list[dict[str, Any]]:
        """What this session made at local Fireworks."""
        return [each for each in remote(self.portal, collection) if f"-{self.id}-" in each["name"]]

    def until_job(self, number: int, *states: str) -> None:
        """Until the job of this candidate is in one of these states."""

        def reached() -> bool:
            jobs = [job for job in self.made(JOBS) if f"-job-{number}-" in job["name"]]
            return any(job["state"].removeprefix("JOB_STATE_") in states for job in jobs)

        self.portal.until(reached, PATIENCE, f"job {number} to be {states}")


@dataclass
class Page:
    """The event stream of an open page, read as a browser reads it: after every break it comes back with the
    last id it saw."""

    address: str
    numbers: list[int] = field(default_factory=list)
    breaks: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        while not self.over.is_set() and not self.closed.is_set():
            last = {"Last-Event-ID": str(self.numbers[-1])} if self.numbers else {}
            try:
                with httpx.stream("GET", self.address, headers=last, timeout=20) as answer:
                    self.take(answer.raise_for_status().iter_lines())
            except httpx.HTTPError:
                self.breaks += 1
            self.closed.wait(0.1)

    def take(self, lines: Iterator[str]) -> None:
        """Count a message when its empty line came: half a message is none."""
        message: dict[str, str] = {}
        for line in lines:
            if line:
                name, _, value = line.partition(": ")
                message[name] = value
                continue
            if "id" in message:
                self.numbers.append(int(message["id"]))
            if message.get("event") == "end":
                self.over.set()
            if self.over.is_set() or self.closed.is_set():
                return
            message = {}


@contextmanager
def open_page(run: Run) -> Iterator[Page]:
    """A page that reads the session's stream for as long as the block lasts."""
    page = Page(f"{run.portal.address}/s/{run.id}/stream/")
    thread = threading.Thread(target=page.read, daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.closed.set()
        thread.join(30)


def by_the_token(costs: dict[str, Any]) -> dict[str, Any]:
    """The money of a report without what a deployment costs by the second."""
    timed = [each for each in costs["lines"] if each["item"].startswith("deployment:")]
    spent = sum((Decimal(each["actual"] or 0) for each in timed), Decimal(0))
    lines = [{**each, "actual": "", "gap": ""} if each in timed else each for each in costs["lines"]]
    return {**costs, "actual": str(Decimal(costs["actual"]) - spent), "lines": lines}


def masked(report: dict[str, Any]) -> Any:
    """A report without what must differ between two runs of the same inputs: ids, times, durations."""
    served = report["served"] or {}
    same = {
        **report,
        "costs": by_the_token(report["costs"]),
        "phases": [{**each, "took": ""} for each in report["phases"]],
        "served": {**served, "proof": {**served.get("proof", {}), "seconds": 0}},
    }
    text = json.dumps(same, sort_keys=True).replace(report["session"], "SESSION")
    text = re.sub(r"-20\d{12}\b", "-STAMP", text)
    return json.loads(re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", "WHEN", text))
