"""The session page with 10,000 events: server time of a page, side by side with one that shows them all.

Target: below 100 ms. In one process, through all middleware, the ways taking turns; then over HTTP from
uvicorn. Run with `make bench`, or `PYTHONPATH=. python benchmarks/session_page.py`.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import httpx

from benchmarks.results import keep

if TYPE_CHECKING:
    from sessions.models import TuningSession

EVENTS = 10_000
CANDIDATES = 8
POINTS = 200
ROUNDS = 30
TABS = ("", "?tab=events", "?tab=training", "?tab=scoreboard")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(FWPORTAL_DATA=folder, DJANGO_SETTINGS_MODULE="fwportal.settings", LOG_LEVEL="ERROR")
        django.setup()
        numbers: dict[str, Any] = {"events": EVENTS, "candidates": CANDIDATES}
        session = filled()
        numbers |= in_process(session)
        numbers |= over_http(session)
    keep("session_page", numbers)


def filled() -> TuningSession:
    """A session in the middle of its sweep, with a long log and eight curves."""
    from django.core.management import call_command
    from django.utils import timezone

    from sessions.models import Event, TuningSession
    from tests import factories
    from workflows.charts import draw_losses

    call_command("migrate", verbosity=0)
    session = factories.make_session(status="running", approved_amount="10")
    factories.make_plan(session)
    factories.set_phase(session, "sweep")
    now = timezone.now()
    Event.objects.bulk_create(
        Event(session=session, seq=seq, at=now, phase="sweep", kind="epoch", text=f"Candidate 1: step {seq}")
        for seq in range(2, EVENTS + 1)
    )
    TuningSession.objects.filter(pk=session.pk).update(event_seq=EVENTS)
    curve = [{"step": step, "train_loss": 2 / step, "lr": 1e-4} for step in range(1, POINTS + 1)]
    rows = [
        factories.make_candidate(session, number, state="active", launched_at=now, curve=curve)
        for number in range(1, CANDIDATES + 1)
    ]
    chart(session, draw_losses(rows))
    session.refresh_from_db()
    return session


def chart(session: TuningSession, text: str) -> None:
    from sessions.models import Artifact

    row = Artifact(session=session, name="charts/losses.svg", media_type="image/svg+xml", sha256="0" * 64)
    row.bytes = len(text)
    row.path.parent.mkdir(parents=True)
    row.path.write_text(text)
    row.save()


def in_process(session: TuningSession) -> dict[str, Any]:
    """Median and worst milliseconds of each way; the ways take turns."""
    from django.test import Client

    client = Client(headers={"host": "127.0.0.1"})
    address = f"/s/{session.public_id}/"
    ways: dict[str, Callable[[], int]] = {
        f"page_{tab.removeprefix('?tab=') or 'default'}": lambda tab=tab: len(
            client.get(address + tab).content
        )
        for tab in TABS
    }
    ways["part_header"] = lambda: len(client.get(f"{address}part/header/").content)
    ways["naive_all_events"] = lambda: len(naive(session))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    sizes = {name: way() for name, way in ways.items()}  # warm
    for number in range(ROUNDS):
        for name, way in ways.items():
            if name.startswith("naive") and number >= 3:
                continue
            begun = time.perf_counter()
            way()
            taken[name].append(1000 * (time.perf_counter() - begun))
    found: dict[str, Any] = {}
    for name, times in taken.items():
        found[f"{name}_median_ms"] = round(statistics.median(times), 1)
        found[f"{name}_worst_ms"] = round(max(times), 1)
        found[f"{name}_kb"] = round(sizes[name] / 1000)
    return found


def naive(session: TuningSession) -> str:
    """The events tab as a page without paging would render it."""
    from django.template.loader import render_to_string

    rows = list(session.events.select_related("actor").order_by("-seq"))
    return render_to_string("session/tab_events.html", {"events": rows, "run": session, "live": True})


def over_http(session: TuningSession) -> dict[str, Any]:
    """Milliseconds from request to the last byte, from a server process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [
        sys.executable,
        "-m",
        "uvicorn",
        "fwportal.asgi:application",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    server = subprocess.Popen(argv, cwd=Path(__file__).parents[1])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_for(client)
            times = [fetch(client, f"/s/{session.public_id}/?tab=events") for _round in range(ROUNDS + 3)][3:]
    finally:
        server.terminate()
        server.wait()
    return {
        "http_events_median_ms": round(statistics.median(times), 1),
        "http_events_worst_ms": round(max(times), 1),
    }


def wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            client.get("/static/img/favicon.svg")
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        return
    raise RuntimeError("the web did not start within 30 s")


def fetch(client: httpx.Client, address: str) -> float:
    begun = time.perf_counter()
    client.get(address).raise_for_status()
    return 1000 * (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
