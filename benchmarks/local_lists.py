"""Local Fireworks with 10,000 datasets and 10,000 finished jobs: server time of list and get.

Target: each below 20 ms. Through the whole application in one process, side by side with a list that reads
and renders every row: `first` after the start, `written` right after a write to the same collection, and then
with nothing written in between; after that over HTTP from a server process. `core_ms` is what a core worked,
which says more where others use the machine. Run with `make bench`, or
`PYTHONPATH=. python benchmarks/local_lists.py`.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.results import keep
from localfireworks import sft
from localfireworks.app import create_app, prepare
from localfireworks.backend import Backend, JaxEngine
from localfireworks.listing import answer, next_token, page_size
from localfireworks.processes import Processes
from localfireworks.service import Service, build_service
from localfireworks.settings import Settings

ROWS = 10_000
ROUNDS = 20
TARGET_MS = 20
ROOT = "/v1/accounts/rehearsal"
DATASETS, JOBS = f"{ROOT}/datasets", f"{ROOT}/supervisedFineTuningJobs"
KEY = {"Authorization": "Bearer any"}
BASE = "accounts/fireworks/models/qwen3-8b"
LAST_PAGE = next_token({"orderBy": "display_name"}, ROWS - 200, ROWS)
CALLS = {
    "datasets_get": f"{DATASETS}/d04321",
    "datasets_list": DATASETS,
    "datasets_list_200": f"{DATASETS}?pageSize=200",
    "datasets_filter_equal": f'{DATASETS}?filter=display_name="Set 77"',
    "datasets_filter_contains_order": (
        f"{DATASETS}?filter=display_name:7 AND state=READY&orderBy=example_count desc"
    ),
    "datasets_order_stored_field": f"{DATASETS}?orderBy=display_name desc",
    "datasets_order_two_fields": f"{DATASETS}?orderBy=state,display_name desc",
    "datasets_order_equal_rows": f"{DATASETS}?orderBy=state desc,format",
    "datasets_read_mask": f"{DATASETS}?pageSize=200&readMask=name,state,exampleCount",
    "datasets_order_rendered_field": f"{DATASETS}?orderBy=status",
    "datasets_filter_rendered_field": f'{DATASETS}?filter=status.code="OK" AND encryption_state:PLAIN',
    "datasets_order_last_page": f"{DATASETS}?orderBy=display_name&pageSize=200&pageToken={LAST_PAGE}",
    "jobs_get": f"{JOBS}/j04321",
    "jobs_list": JOBS,
    "jobs_list_newest": f"{JOBS}?orderBy=create_time desc",
    "jobs_list_200": f"{JOBS}?pageSize=200",
    "jobs_filter_state": f"{JOBS}?filter=state=JOB_STATE_COMPLETED",
    "jobs_order_two_fields": f"{JOBS}?orderBy=base_model,learning_rate desc",
    "jobs_order_rendered_field": f"{JOBS}?orderBy=status",
    "jobs_order_completed": f"{JOBS}?orderBy=completed_time desc",
    "jobs_order_two_equal": f"{JOBS}?orderBy=estimated_cost,encryption_state desc",
    "jobs_order_two_rendered": f"{JOBS}?orderBy=job_progress.percent,completed_time desc",
    "jobs_filter_rendered": (
        f'{JOBS}?filter=job_progress.percent=100 AND completed_time>"2026-01-01T00:00:00Z" OR status:none'
    ),
    "jobs_filter_model_order": f'{JOBS}?filter=base_model="{BASE}" AND epochs>2&orderBy=learning_rate desc',
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        service = build_service(
            Settings(Path(folder), samples=False),
            Backend(JaxEngine(Path(folder)), 1),
            Processes(("true",)),
            time.time,
        )
        fill(service)
        numbers: dict[str, Any] = {"datasets": ROWS, "jobs": ROWS, "target_ms": TARGET_MS}
        numbers |= asyncio.run(in_process(service))
        service.backend.close()
        service.store.close()
        numbers |= over_http(Path(folder))
    keep("local_lists", numbers)


def fill(service: Service) -> None:
    """Rows with the fields and states that real ones end with."""
    with service.store.transaction():
        service.store.keep_fact("created", str(service.clock()))
        for number in range(ROWS):
            dataset(service, number)
            job(service, number)


def dataset(service: Service, number: int) -> None:
    body = {
        "displayName": f"Set {number % 500}",
        "format": "CHAT",
        "exampleCount": str(number % 3000),
        "estimatedTokenCount": str(number * 7),
        "averageTurnCount": 3.0,
        "createdBy": "rehearsal@localhost",
        "sourceJobName": "",
        "userUploaded": {},
    }
    row = service.new("datasets", f"d{number:05}", "READY", body)
    row.created = row.updated = row.created + number
    row.private = {"files": {"data.jsonl": 1000}, "generation": 1, "rows": number % 3000}
    service.store.insert(row)


def job(service: Service, number: int) -> None:
    body = {
        "dataset": f"accounts/rehearsal/datasets/d{number:05}",
        "baseModel": BASE if number % 3 else "accounts/fireworks/models/qwen3-32b",
        "warmStartFrom": "",
        "outputModel": f"accounts/rehearsal/models/m{number:05}",
        "displayName": f"Job {number}",
        "evaluationDataset": "",
        "evalAutoCarveout": True,
        "epochs": number % 5 + 1,
        "learningRate": 1e-4 * (number % 11 + 1),
        "loraRank": 8,
        "maxContextLength": 256_000,
        "batchSizeSamples": 0,
        "createdBy": "rehearsal@localhost",
        "status": {"code": "OK", "message": ""},
    }
    row = service.new("supervisedFineTuningJobs", f"j{number:05}", "JOB_STATE_COMPLETED", body)
    row.created = row.updated = row.created + number
    row.private = {
        "entered": row.created,
        "completed": row.created,
        "folder": f"j{number:05}",
        "base": BASE,
        "rows": 100,
        "budget": 200_000,
        "cost": {"currencyCode": "USD", "units": "0", "nanos": 1},
        "progress": {"percent": 100, "input_tokens": 1000, "total_tokens": 1000, "updated": row.created},
    }
    service.store.insert(row)


async def in_process(service: Service) -> dict[str, Any]:
    """Median and worst milliseconds of each call, after what a start does."""
    before, begun = memory_mb(), time.perf_counter()
    await prepare(service)
    gc.freeze()  # as `python -m localfireworks` does
    found: dict[str, Any] = {
        "start_rows_to_memory_ms": round(1000 * (time.perf_counter() - begun)),
        "rows_in_memory_mb": memory_mb() - before,
    }
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://local", headers=KEY) as http:

        async def fetch(address: str) -> None:
            (await http.get(address)).raise_for_status()

        for name, address in CALLS.items():
            found |= {f"{name}_first_{unit}": value for unit, value in (await timed(fetch, address)).items()}
        taken = await rounds(service, fetch)
        naive_ = [await timed(naive, service) for _ in range(3)]
        found |= {f"naive_jobs_filter_state_{unit}": min(each[unit] for each in naive_) for unit in naive_[0]}
    for name, times in taken.items():
        for unit in times[0]:
            values = [each[unit] for each in times]
            found[f"{name}_median_{unit}"] = round(statistics.median(values), 2)
            found[f"{name}_worst_{unit}"] = max(values)
    return found


async def rounds(
    service: Service, fetch: Callable[[str], Awaitable[None]]
) -> dict[str, list[dict[str, float]]]:
    """Every call in turn: right after both collections were written to, and once more."""
    taken: dict[str, list[dict[str, float]]] = {}
    for number in range(ROUNDS):
        for name, address in CALLS.items():
            for row in ("datasets/d00777", "supervisedFineTuningJobs/j00777"):
                changed = service.store.get(f"accounts/rehearsal/{row}")
                assert changed is not None
                changed.body["displayName"] = f"Written {number}"
                service.save(changed)
            taken.setdefault(f"{name}_written", []).append(await timed(fetch, address))
            taken.setdefault(name, []).append(await timed(fetch, address))
    return taken


async def timed(way: Callable[[Any], Awaitable[None]], what: Any) -> dict[str, float]:
    """Milliseconds on the clock, and those that the core worked: others may use the machine meanwhile."""
    begun, worked = time.perf_counter(), time.thread_time()
    await way(what)
    return {
        "ms": round(1000 * (time.perf_counter() - begun), 2),
        "core_ms": round(1000 * (time.thread_time() - worked), 2),
    }


async def naive(service: Service) -> None:
    """The same list by reading and rendering all rows."""
    rows = service.store.page("supervisedFineTuningJobs", "rehearsal")
    bodies = [sft.render(service, row, "http://local") for row in rows]
    chosen = [body for body in bodies if body["state"] == "JOB_STATE_COMPLETED"]
    answer("supervisedFineTuningJobs", chosen[: page_size({})], {}, offset=0, total=len(chosen))


def memory_mb() -> int:
    """The peak so far: rows are the only thing that grows it here."""
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def over_http(data: Path) -> dict[str, Any]:
    """From request to the last byte, from `python -m localfireworks` in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "localfireworks", "--data", str(data), "--port", str(port)]
    server = subprocess.Popen(command, cwd=Path(__file__).parents[1], stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, headers=KEY) as http:
            wait_for(http)
            found = {}
            for name, address in CALLS.items():
                times = [ask(http, address) for _ in range(ROUNDS + 1)][1:]
                found[f"http_{name}_median_ms"] = round(statistics.median(times), 2)
        return found
    finally:
        server.terminate()
        server.wait()


def wait_for(http: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            http.get("/healthz")
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        return
    raise RuntimeError("local Fireworks did not start within 30 s")


def ask(http: httpx.Client, address: str) -> float:
    begun = time.perf_counter()
    http.get(address).raise_for_status()
    return 1000 * (time.perf_counter() - begun)


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    main()
