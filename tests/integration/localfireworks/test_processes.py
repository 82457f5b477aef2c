"""Jobs in processes of their own: they outlive the server, are found again, and end when told."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localfireworks.processes import Processes
from tests.integration.localfireworks.conftest import PATIENCE, LocalServer, until

TINY = Path(__file__).with_name("tiny_job.py")
TINY_COMMAND = ("--job-command", shlex.join((sys.executable, str(TINY))))
SUCCEEDS, DIES_ONCE, WAITS = 1, 2, 3


@pytest.fixture
def server(new_server: Callable[..., LocalServer]) -> LocalServer:
    made = new_server(options=TINY_COMMAND)
    made.start()
    return made


def begin(server: LocalServer, id_: str, behaviour: int) -> dict[str, Any]:
    return server.job(
        id_,
        dataset="accounts/rehearsal/datasets/support-replies",
        baseModel="accounts/fireworks/models/qwen3-8b",
        learningRate=behaviour,
    )


def tries(server: LocalServer, id_: str) -> int:
    return len(next(server.data.glob(f"jobs/{id_}-*/tries")).read_text())


def let_go(server: LocalServer, id_: str) -> None:
    (next(server.data.glob(f"jobs/{id_}-*")) / "go").touch()


def test_a_job_runs_to_its_model(server: LocalServer) -> None:
    begin(server, "a", SUCCEEDS)
    done = server.reaches("a", "COMPLETED", "FAILED")
    assert (done["state"], done["jobProgress"]["inputTokens"]) == ("JOB_STATE_COMPLETED", 100)
    assert server.call("GET", "/models/a")["kind"] == "HF_PEFT_ADDON"


def test_a_process_that_dies_is_tried_once_more(server: LocalServer) -> None:
    begin(server, "a", DIES_ONCE)
    assert server.reaches("a", "COMPLETED", "FAILED")["state"] == "JOB_STATE_COMPLETED"
    assert tries(server, "a") == 2


def test_a_killed_server_leaves_its_jobs_alone_and_the_next_one_adopts_them(server: LocalServer) -> None:
    begin(server, "a", WAITS)
    server.reaches("a", "RUNNING")
    pid = server.pid("a")
    server.stop(signal.SIGKILL)
    server.start()
    assert server.look("a")["state"] == "JOB_STATE_RUNNING"
    let_go(server, "a")
    server.reaches("a", "COMPLETED")
    assert (tries(server, "a"), server.pid("a")) == (1, pid)


def test_a_job_that_ended_while_no_server_ran_is_completed(server: LocalServer) -> None:
    begin(server, "a", WAITS)
    server.reaches("a", "RUNNING")
    server.stop(signal.SIGKILL)
    let_go(server, "a")
    until(lambda: list(server.data.glob("jobs/a-*/result.json")), "the job to end")
    server.start()
    server.reaches("a", "COMPLETED")
    assert tries(server, "a") == 1


def test_an_orderly_stop_ends_the_jobs_and_the_next_start_continues_them(server: LocalServer) -> None:
    begin(server, "a", WAITS)
    server.reaches("a", "RUNNING")
    folder = next(server.data.glob("jobs/a-*"))
    assert server.stop() == -signal.SIGTERM
    assert not Processes(("true",)).alive(folder)
    server.start()
    until(lambda: tries(server, "a") == 2, "the job to run again")
    let_go(server, "a")
    server.reaches("a", "COMPLETED")


def test_cancel_ends_the_process(server: LocalServer) -> None:
    begin(server, "a", WAITS)
    server.reaches("a", "RUNNING")
    folder = next(server.data.glob("jobs/a-*"))
    server.call("POST", "/supervisedFineTuningJobs/a:cancel")
    server.reaches("a", "CANCELLED")
    assert not Processes(("true",)).alive(folder)


def test_a_suspended_account_pauses_the_process_and_resume_continues_it(server: LocalServer) -> None:
    begin(server, "a", WAITS)
    server.reaches("a", "RUNNING")
    folder = next(server.data.glob("jobs/a-*"))
    server.http.patch("/admin/account", json={"suspendState": "CREDIT_DEPLETED"}).raise_for_status()
    server.reaches("a", "PAUSED")
    until(lambda: not Processes(("true",)).alive(folder), "the process to end")
    server.http.patch("/admin/account", json={"suspendState": "UNSUSPENDED"}).raise_for_status()
    server.call("POST", "/supervisedFineTuningJobs/a:resume")
    until(lambda: tries(server, "a") == 2, "the job to run again")
    let_go(server, "a")
    server.reaches("a", "COMPLETED")
    assert tries(server, "a") == 2, "resumed once, it ran to its end"


def test_a_third_job_waits_for_a_free_place(server: LocalServer) -> None:
    for id_ in ("a", "b", "c"):
        begin(server, id_, WAITS)
    server.reaches("a", "RUNNING")
    server.reaches("b", "RUNNING")
    assert server.look("c")["state"] == "JOB_STATE_PENDING"
    let_go(server, "a")
    server.reaches("c", "RUNNING")


def test_a_folder_has_one_process_at_most(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"learning_rate": 3}')
    first, second = (Processes((sys.executable, str(TINY))) for _ in range(2))
    assert first.start(tmp_path)
    assert second.alive(tmp_path)
    assert not second.start(tmp_path)
    until((tmp_path / "progress.json").exists, "the process to work")
    second.end(tmp_path, force=True)
    until(lambda: not second.alive(tmp_path), "the process to end")
    assert not first.alive(tmp_path)


def test_a_taken_port_and_a_used_folder_are_said_in_one_line(
    server: LocalServer, new_server: Callable[..., LocalServer]
) -> None:
    for port, words in ((server.port, "cannot listen"), (0, "another server uses")):
        run = subprocess.run(
            [sys.executable, "-m", "localfireworks", "--data", str(server.data), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert run.returncode == 1
        assert words in run.stderr
        assert run.stderr.count("\n") == 1
