"""A session in its evaluation, and the worker that collects its answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import orjson

from sessions.actions import moves
from sessions.models import Answer, Serving, TuningSession
from tests.factories import QWEN, make_candidate, make_ledger_line
from tests.integration.workflows.house import ACCOUNT, JOBS, Fault, House, chat
from workflows.answers import PromptSet, Sampling, Subject, collect, prompt_set
from workflows.outcomes import Outcome, Wait
from workflows.work import Work

LEASE = moves.LEASE / timedelta(seconds=1) + 1
OSS = "accounts/fireworks/models/gpt-oss-20b"
CHAT = "/inference/v1/chat/completions"
SERVERLESS = Subject.base(OSS)
ROWS = 80


def questions(rows: int = ROWS) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"Number {at}: which colour?"}] for at in range(rows)]


def prompts(work: Work) -> PromptSet:
    return prompt_set(work, "heldout", questions(), Sampling(max_tokens=16, seed=42))


@dataclass
class Desk:
    """A session in its evaluation, and the worker that collects."""

    house: House
    session: TuningSession
    order: tuple[str, ...] = ("serverless", "batch")

    def line(self, item: str, high: str = "1.00") -> None:
        make_ledger_line(self.session, item, group="Inference", phase="evaluation", high=high)

    def work(self) -> Work:
        moves.wait(self.session, self.house.clock(), self.house.clock()) if self.session.lease else None
        session = moves.claim(self.session.public_id, self.house.clock())
        assert session
        seen: list[Any] = []
        self.session = session
        fireworks = self.house.connect(session, seen.append)
        return Work(session, fireworks, self.house.clock, self.house.clock(), seen)

    def step(self, *subjects: Subject) -> Outcome | None:
        work = self.work()
        return collect(work, prompts(work), subjects, self.order)

    def all(self, *subjects: Subject) -> None:
        """Steps until every answer is there."""
        for _ in range(60):
            outcome = self.step(*subjects)
            if outcome is None:
                return
            assert isinstance(outcome, Wait), outcome
            self.house.pass_time()
        raise AssertionError([event.text for event in self.session.events.all()][-20:])

    def answers(self, subject: Subject) -> list[Answer]:
        return list(Answer.objects.filter(session=self.session, subject=subject.key))

    def serving(self, subject: Subject) -> Serving:
        return Serving.objects.get(session=self.session, subject=subject.key)

    def asked(self) -> Counter[str]:
        """How often each question was asked over the wire."""
        pairs = zip(self.house.wire.requests, self.house.wire.bodies, strict=True)
        bodies = [orjson.loads(body) for (method, path), body in pairs if path == CHAT]
        return Counter(body["messages"][-1]["content"] for body in bodies)


def tuned(desk: Desk, *ranks: int) -> list[Subject]:
    """Candidates of one base model that local Fireworks trained, each with a line of the approved plan."""
    dataset = desk.house.dataset("training", chat(10))
    for number, rank in enumerate(ranks, 1):
        model = f"{ACCOUNT}/models/tuned-{number}"
        with desk.house.person() as person:
            body = {
                "dataset": dataset,
                "baseModel": QWEN,
                "outputModel": model,
                "loraRank": rank,
                "epochs": 1,
            }
            path = f"/v1/{ACCOUNT}/supervisedFineTuningJobs"
            person.post(
                path, json=body, params={"supervisedFineTuningJobId": f"tuned-{number}"}
            ).raise_for_status()
        make_candidate(desk.session, number, state="done", model=model, lora_rank=rank)
        desk.line(f"inference:heldout:candidate:{number}")
    while any(job["state"] != "JOB_STATE_COMPLETED" for job in desk.house.remote(JOBS)):
        desk.house.pass_time()
    return [Subject.of(each) for each in desk.session.candidates.all()]


def strike(desk: Desk, at: int, act: Any) -> None:
    """What happens to the completion of that number, counted from 1; the others are answered."""
    calls = count(1)
    hit = lambda ask: act(ask) if next(calls) == at else ask()  # noqa: E731
    desk.house.wire.faults.append(Fault("POST", CHAT, hit, times=10_000))
