"""Batch inference inside the server: a task a job, which asks the backend for several lines at a time.

The task reads `job.json` of its folder and writes `answers.jsonl`, `progress.json` and `result.json`, like a
training process. Started again, it asks for what is not answered yet.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from localfireworks.batch_files import Answer, AnswerFile, Tally, read_rows
from localfireworks.batch_requests import BadLine, answer_line, failed, read_line
from localfireworks.models import find_model
from localfireworks.service import Service

log = logging.getLogger("localfireworks")
WIDTH = 128  # requests of one job that the backend answers together


class BatchRuns:
    """Starts, finds and ends the tasks; a folder stands for its task."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._tasks: dict[Path, asyncio.Task[None]] = {}

    def start(self, folder: Path) -> bool:
        if self.alive(folder):
            return False
        task = asyncio.get_running_loop().create_task(run(self.service, folder))
        task.add_done_callback(_tell)
        self._tasks[folder] = task
        return True

    def alive(self, folder: Path) -> bool:
        task = self._tasks.get(folder)
        return task is not None and not task.done()

    def end(self, folder: Path, *, force: bool = False) -> None:
        del force
        if self.alive(folder):
            self._tasks[folder].cancel()


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("A batch inference job broke off: %r", error, exc_info=error)


class Work:
    """What is left of one job."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self.folder = service, folder
        self.job: dict[str, Any] = json.loads((folder / "job.json").read_text())
        self.file = AnswerFile(folder)
        self.tally = self.file.tally()
        self.seen: set[str] = set()

    def open_lines(self) -> Iterator[tuple[int, bytes]]:
        """Lines to ask for: neither answered here nor by the jobs that this one continues."""
        skipped = set(self.job["answered"])
        for number, line in read_rows([Path(path) for path in self.job["dataset"]]):
            if number in skipped:
                continue
            again = self._repeated(number, line)
            if number not in self.tally.done:
                if again is not None:
                    self.keep(again)
                else:
                    yield number, line

    def _repeated(self, number: int, line: bytes) -> Answer | None:
        """The error of a line whose custom_id an earlier line had."""
        try:
            custom_id, _ = read_line(number, line)
        except BadLine:
            return None
        if custom_id in self.seen:
            return failed(number, custom_id, "INVALID_ARGUMENT", f"custom_id {custom_id!r} appears twice")
        self.seen.add(custom_id)
        return None

    def keep(self, answer: Answer) -> None:
        self.file.add(answer)
        self.tally.add(answer)
        self.report("running")

    def report(self, phase: str) -> None:
        write(self.folder / "progress.json", progress(self.tally, self.job["total"], phase))


def progress(tally: Tally, total: int, phase: str) -> dict[str, Any]:
    done = tally.succeeded + tally.failed
    return {
        "phase": phase,
        "percent": 100 * done // max(1, total),
        "total": total,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "input_tokens": tally.prompt,
        "output_tokens": tally.completion,
    }


def write(path: Path, value: dict[str, Any]) -> None:
    """Replace the file whole."""
    beside = path.with_suffix(".new")
    beside.write_bytes(orjson.dumps(value))
    beside.replace(path)


async def run(service: Service, folder: Path) -> None:
    """Answer everything that is left, then write the result."""
    work = Work(service, folder)
    target = find_model(service, work.job["model"])
    if target is None:
        message = f"{work.job['model']} was deleted"
        write(folder / "result.json", {"ok": False, "code": "NOT_FOUND", "message": message})
        return
    work.report("running")
    defaults, name = work.job["defaults"], work.job["name"]
    waiting: set[asyncio.Task[Answer]] = set()
    try:
        for number, line in work.open_lines():
            asked = answer_line(service, target, defaults, number, line, name)
            waiting.add(asyncio.ensure_future(asked))
            if len(waiting) == WIDTH:
                waiting = await _some(work, waiting)
        while waiting:
            waiting = await _some(work, waiting)
    finally:
        for each in waiting:
            each.cancel()
    work.report("writing")
    write(folder / "result.json", {"ok": True, "succeeded": work.tally.succeeded})


async def _some(work: Work, waiting: set[asyncio.Task[Answer]]) -> set[asyncio.Task[Answer]]:
    done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in done:
        work.keep(each.result())
    return rest
