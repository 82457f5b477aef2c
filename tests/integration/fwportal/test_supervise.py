"""The supervisor with real processes that are not the portal's: restarts, orphans, ending."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fwportal.supervisor import leftovers
from fwportal.supervisor.child import DELAYS, LOG_LIMIT, Child, Part
from fwportal.supervisor.screen import Screen
from fwportal.supervisor.supervise import Supervisor

PARENT_OF_ONE = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
)
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)"
)
PATIENCE = 120.0  # seconds; only a failing test waits so long
MakeChild = Callable[..., Child]
# The tests of the training engine leave JAX in this process, which warns of any fork. The supervisor never
# shares a process with it, and its children replace themselves at once.
pytestmark = pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[MakeChild]:
    made: list[Child] = []

    def make(code: str, name: str = "part", grace: float = 60.0) -> Child:
        made.append(Child(Part(name, [sys.executable, "-c", code], grace), tmp_path, tmp_path))
        return made[-1]

    yield make
    for child in made:
        child.end(until=0.0)


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor(Screen(io.StringIO()), "logs")


def said(supervisor: Supervisor) -> str:
    stream = supervisor.screen.stream
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def until_over(child: Child) -> None:
    """Waits for the end of the process without reaping it."""
    assert child.process is not None
    os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOWAIT)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"


def test_a_part_that_cannot_live_is_named_with_its_last_words(
    make_child: MakeChild, supervisor: Supervisor
) -> None:
    child = make_child("raise SystemExit('no such catalogue')")
    supervisor.start(child)
    for _death in DELAYS:
        until_over(child)
        supervisor.heal()
        assert child.due_at is not None
        child.due_at = 0.0
        supervisor.heal()
    assert f"ended (exit 1) {len(DELAYS)} times in a row; next try in 10 s." in said(supervisor)
    assert "Last line of logs/part.log: no such catalogue" in said(supervisor)


def test_a_dead_part_is_not_started_before_its_time(make_child: MakeChild, supervisor: Supervisor) -> None:
    child = make_child("pass")
    supervisor.start(child)
    until_over(child)
    supervisor.heal()
    child.due_at = time.monotonic() + 1000
    supervisor.heal()
    assert child.process is None


def test_what_a_dead_part_left_behind_is_gone_before_it_starts_again(
    make_child: MakeChild, tmp_path: Path
) -> None:
    child = make_child(PARENT_OF_ONE)
    child.start()
    until_over(child)
    until(lambda: len(leftovers.found(tmp_path, "part")) == 1)
    assert child.died() == 0
    assert leftovers.found(tmp_path, "part") == []


def test_even_a_leftover_in_a_session_of_its_own_is_found(make_child: MakeChild, tmp_path: Path) -> None:
    child = make_child(PARENT_OF_ONE.replace("'])", "'], start_new_session=True)"))
    child.start()
    until_over(child)
    until(lambda: len(leftovers.found(tmp_path)) == 1)
    assert child.died() == 0
    assert leftovers.found(tmp_path) == []


def test_processes_of_another_data_folder_are_left_alone(make_child: MakeChild, tmp_path: Path) -> None:
    child = make_child("import time; time.sleep(60)")
    child.start()
    assert leftovers.end(tmp_path / "other") == 0
    assert child.died() is None
    assert leftovers.end(tmp_path, "another part") == 0
    assert leftovers.end(tmp_path) == 1


def test_a_part_that_does_not_listen_is_killed_after_its_grace(
    make_child: MakeChild, supervisor: Supervisor
) -> None:
    child = make_child(DEAF, grace=0.3)
    supervisor.start(child)
    until(lambda: child.last_words() == "deaf")
    supervisor.end((("part",),))
    assert child.process is None
    assert leftovers.found(child.folder) == []


def test_parts_end_in_the_order_given(make_child: MakeChild, supervisor: Supervisor) -> None:
    """Each writes when it hears; the second still runs while the first is asked to end."""
    code = "import signal, sys, time\ndef end(*_): print(time.monotonic_ns(), flush=True); sys.exit(0)\n"
    code += "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(60)"
    children = [make_child(code, name) for name in ("redis", "web")]
    supervisor.start(*children)
    until(lambda: [child.last_words() for child in children] == ["ready", "ready"])
    supervisor.end((("web",), ("redis",)))
    heard = {child.part.name: int(child.last_words()) for child in children}
    assert heard["web"] < heard["redis"]


def test_a_signal_only_asks_to_end(supervisor: Supervisor) -> None:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        supervisor.listen()
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: supervisor.asked_to_end)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert supervisor.asked_to_end == 1


def test_a_long_log_is_put_aside(make_child: MakeChild) -> None:
    child = make_child("print('new')")
    child.log.parent.mkdir()
    with child.log.open("wb") as log:
        log.truncate(LOG_LIMIT + 1)
    child.start()
    until_over(child)
    assert child.log.read_text() == "new\n"
    assert child.log.with_suffix(".log.1").stat().st_size == LOG_LIMIT + 1
    assert child.died() == 0
