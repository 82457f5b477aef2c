"""Evaluators that mean harm: each is stopped or refused, it is said in words, and nothing else notices."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.evaluators.conftest import Write
from workflows.evaluators.inside.launcher import has_spare_user
from workflows.evaluators.isolation import NOBODY, WEAKER, laid_out, score
from workflows.evaluators.limits import MEBIBYTE, Limits
from workflows.evaluators.results import PAUSED
from workflows.evaluators.syscalls import CLONE

pytestmark = [pytest.mark.integration]
PATIENT = Limits(wall=300, load=300, row=120, processor=8, memory=256 * MEBIBYTE, processes=8)
TIGHT = replace(PATIENT, file=MEBIBYTE)
SHORT = replace(PATIENT, row=2)  # for what hangs; the row before it must not take so long
ROWS = [{"messages": [], "n": at} for at in range(3)]


def acting(deed: str) -> str:
    """An evaluator that is well-behaved but for its second row."""
    indented = deed.replace("\n", "\n                ")
    return f"""
        import ctypes, mmap, os, signal, socket, subprocess, sys, time
        from pathlib import Path
        libc = ctypes.CDLL(None, use_errno=True)
        def call(name, *arguments):
            if getattr(libc, name)(*arguments) < 0:
                raise OSError(ctypes.get_errno(), name + ": " + os.strerror(ctypes.get_errno()))
        def evaluate(messages, n, **row):
            if n == 1:
                {indented}
            return 0.5
    """


DEEDS = {
    "opens a socket": ('socket.create_connection(("192.0.2.1", 80), 5)', "Network is unreachable"),
    "looks up a name": ('socket.getaddrinfo("example.org", 80)', "gaierror"),
    "allocates 8 GB": ("bytearray(8 * 2**30)", "MemoryError"),
    "forks without end": ("while True:\n    if not os.fork(): time.sleep(60)", "temporarily unavailable"),
    "starts a program": ('subprocess.run(["/bin/sh", "-c", "id"])', "No such file"),
    "writes over its input": ('Path("/job/rows.jsonl").write_text("x")', "Read-only file system"),
    "writes over its code": ('Path(__file__).write_text("x")', "Read-only file system"),
    "fills the disk": ('Path("big").write_bytes(b"x" * 2**22)', "OSError"),
    "reads the password file": ('Path("/etc/passwd").read_text()', "No such file"),
    "reads another process": ('Path("/proc/1/environ").read_bytes()', "No such file"),
    "kills what it can see": ("os.kill(1, signal.SIGKILL)", "Error"),
    "keeps memory in descriptors": ('os.memfd_create("kept")', "Operation not permitted"),
    "keeps memory in nobody's hands": ('call("shmget", 0, 2**20, 0o1600)', "shmget: Operation not permitted"),
    "keeps memory in messages": ('call("msgget", 0, 0o1600)', "msgget: Operation not permitted"),
    "keeps memory out of sight": ("mmap.mmap(-1, 2**20)", "Operation not permitted"),
    "maps a device for memory": ('open("/dev/zero", "r+b")', "No such file"),
    "enters a namespace": ('call("unshare", 0x10000000)', "unshare: Operation not permitted"),
    "starts a namespace": (
        f'call("syscall", {CLONE[os.uname().machine == "aarch64"]}, 0x10000011, 0, 0, 0, 0)',
        "syscall: Operation not permitted",
    ),
    "fills the folder with names": (
        "for at in range(10_000): Path(str(at)).touch()",
        "No space left on device",
    ),
    "raises SystemExit": ("sys.exit(3)", "SystemExit: 3"),
    "returns nothing": ("return None", "no score"),
    "returns text": ('return "good"', "it returned str, which is no score"),
    "returns infinity": ('return float("inf")', "not a finite number"),
    "returns seven": ("return 7", "not from 0 to 1"),
}


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("deed", "words"), DEEDS.values(), ids=DEEDS)
def test_a_deed_costs_its_own_row_only(write: Write, deed: str, words: str) -> None:
    found = score(write(acting(deed)), ROWS, limits=TIGHT)

    assert [each.score for each in found.rows] == [0.5, None, 0.5]
    assert words in found.rows[1].fault
    assert not found.fault
    assert_nothing_is_left()


ENDINGS = {
    "sleeps for ever": ("time.sleep(1e6)", "hung in row 2"),
    "spins for ever": ("while True: pass", "hung in row 2"),
    "forks and catches": (
        "while True:\n    try: os.fork()\n    except OSError: pass",
        "hung in row 2",
    ),
    "prints 1 GB": ('for _ in range(1000): print("x" * 10**6)', "printed more than 1 MB"),
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed in row 2 (SIGSEGV)"),
    "leaves": ("os._exit(7)", "ended in row 2 with exit status 7"),
    "forges results": ('os.write(3, b\'{"row": 2, "score": 1}\\n\')', "nobody had asked for"),
    "floods the results": ('os.write(3, b"x" * 10**6)', "longer than 64 kB"),
    "talks nonsense": ('os.write(3, b"[1, 2\\n")', "no JSON"),
}


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("deed", "words"), ENDINGS.values(), ids=ENDINGS)
def test_what_cannot_go_on_is_stopped(write: Write, deed: str, words: str) -> None:
    found = score(write(acting(deed)), ROWS, limits=SHORT if "hung" in words else PATIENT)

    assert found.rows[0].score == 0.5
    assert words in found.fault
    assert found.rows[1].fault == found.fault
    assert found.rows[2].fault == "not reached"
    assert len(found.printed) <= 16 * 1024
    assert_nothing_is_left()


@pytest.mark.usefixtures("walls")
def test_a_run_is_paused_behind_a_row(write: Write) -> None:
    """What was scored is kept, and the row that was at work has no fault of its own."""
    found = score(write(acting("time.sleep(60)")), ROWS, limits=Limits(row=30, pause=0.1))
    assert (found.fault, [each.score for each in found.rows]) == (PAUSED, [0.5, None, None])
    assert_nothing_is_left()


@pytest.mark.usefixtures("walls")
def test_processor_time_is_limited(write: Write) -> None:
    limits = Limits(wall=60, row=30, processor=1)
    found = score(write(acting("while True: pass")), ROWS, limits=limits)
    assert found.fault == "it used up its 1 s of processor time in row 2"


@pytest.mark.usefixtures("walls")
def test_many_processes_share_one_limit_on_memory(write: Write) -> None:
    deed = (
        "for _ in range(4):\n    if not os.fork():\n        keep = b'x' * 100 * 2**20\n        time.sleep(60)"
    )
    found = score(write(acting(f"{deed}\ntime.sleep(60)")), ROWS, limits=TIGHT)
    assert found.fault == "it used more than 256 MB of memory"
    assert_nothing_is_left()


@pytest.mark.usefixtures("walls")
def test_what_evaluators_use_is_not_refused(write: Write) -> None:
    """Threads, processes, pipes, an event loop, and memory of its own under the filter of system calls."""
    source = """
        import asyncio, mmap, os, threading
        async def evaluate(messages, n, **row):
            done = []
            thread = threading.Thread(target=done.append, args=(1,))
            thread.start()
            thread.join()
            child = os.fork() or os._exit(0)
            private = mmap.mmap(-1, 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            await asyncio.sleep(0)
            return done == [1] and os.waitpid(child, 0)[1] == 0 and private[0] == 0
    """
    found = score(write(source), ROWS, limits=TIGHT)
    assert (found.scores, found.fault) == ([1.0, 1.0, 1.0], "")


@pytest.mark.usefixtures("walls")
def test_nothing_is_inherited(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIREWORKS_API_KEY", "fw_secret")
    with (tmp_path / "secret").open("w+") as file:
        os.set_inheritable(file.fileno(), True)
        source = """
            import os
            def evaluate(messages, descriptor, outside, **row):
                try:
                    os.fstat(descriptor)
                except OSError:
                    print(sorted(os.environ), os.path.exists(outside), os.getuid() != 0)
                    return True
        """
        row = {"messages": [], "descriptor": file.fileno(), "outside": str(tmp_path)}
        found = score(write(source), [row], limits=TIGHT)

    assert found.scores == [1.0]
    assert found.printed == "['HOME', 'LANG', 'PATH', 'TMPDIR'] False True\n"


@pytest.mark.usefixtures("walls")
def test_a_private_folder_is_there(write: Write) -> None:
    source = """
        open("x", "w").write("y")
        def evaluate(messages):
            return open("x").read() == "y"
    """
    assert score(write(source), ROWS, limits=TIGHT).scores == [1.0, 1.0, 1.0]


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' (line 1 of evaluator.py)"),
        ("def evaluate(", "SyntaxError"),
        ("x = 1", "neither a function evaluate"),
        ("import time; time.sleep(60)", "hung in loading"),
    ],
)
def test_what_does_not_load_says_so(write: Write, source: str, words: str) -> None:
    patience = 1 if "sleep" in source else 60  # only who sleeps is to be waited for in vain
    found = score(write(source), ROWS, limits=Limits(load=patience))
    assert words in found.fault
    assert not found.scores


@pytest.mark.usefixtures("walls")
def test_walls_are_used_where_they_can_be_had(write: Write) -> None:
    assert not score(write("def evaluate(messages): return 1"), ROWS, mode=WEAKER).weaker


@pytest.mark.usefixtures("walls")
def test_links_are_refused_in_words(write: Write) -> None:
    evaluator = write("def evaluate(messages): return open('/job/code/key').read() and 1")
    (evaluator.folder / "key").symlink_to("/etc/hostname")
    found = score(evaluator, ROWS)
    assert found.fault == "key in its folder is a symbolic link; put the file itself there"
    assert [each.fault for each in found.rows] == [found.fault, "not reached", "not reached"]


@pytest.mark.usefixtures("walls")
def test_rows_with_half_characters_come_in_and_go_out(write: Write) -> None:
    source = "def evaluate(messages, n): return {'score': len(n) == 2, 'reason': n}"
    found = score(write(source), [{"messages": [], "n": "\ud800\0"}])
    assert (found.scores, found.rows[0].reason, found.fault) == ([1.0], "\ufffd\ufffd", "")


def nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.usefixtures("walls")
def test_a_row_that_is_nested_too_deeply_is_told(write: Write) -> None:
    found = score(write("def evaluate(messages): return 1"), [{"messages": nested(100_000)}])
    assert found.fault.startswith("row 1 cannot be handed to it: ")


def test_the_job_is_for_nobody_else(write: Write, tmp_path: Path) -> None:
    """Its folder is closed to all but us, or where we are root, to all but whom the code runs as."""
    place = tmp_path / "place"
    place.mkdir(0o700)
    laid_out(place, write("def evaluate(messages): return 1"), ROWS)

    mine = {each.stat().st_uid for each in (place, *place.rglob("*"))}
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert mine == {NOBODY if has_spare_user() else os.geteuid()}
    assert not any(each.stat().st_mode & stat.S_IWOTH for each in place.rglob("*"))


WITHOUT_NAMESPACES = """
import sys
from dataclasses import replace
from pathlib import Path
from workflows.evaluators.isolation import Evaluator, NotIsolated, score
evaluator = Evaluator(Path(sys.argv[1]))
try:
    score(evaluator, [{"messages": []}])
except NotIsolated as refusal:
    print(refusal)
weaker = score(evaluator, [{"messages": []}], mode="weaker")
print(weaker.scores, weaker.weaker, weaker.fault)
"""


def test_without_the_kernel_feature_it_is_refused(write: Write) -> None:
    """A process that may make no further user namespaces: refused, or weaker where that is allowed."""
    place = write("def evaluate(messages): return 1").folder
    shut = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" -c "$1" "$2"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", shut, sys.executable, WITHOUT_NAMESPACES]
    if not shutil.which("unshare") or subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        command = [sys.executable, "-c", WITHOUT_NAMESPACES]  # here it is so without our help
    home = Path(__file__).parents[3]
    ran = subprocess.run([*command, str(place)], cwd=home, capture_output=True, text=True, check=False)

    refusal, weaker = ran.stdout.splitlines()
    assert refusal.startswith("Evaluators cannot be kept apart here: ")
    assert "FWPORTAL_EVALUATOR_ISOLATION=weaker" in refusal
    assert weaker == "[1.0] True "


def assert_nothing_is_left() -> None:
    """No process of an evaluator outlives its run."""
    mine = psutil.Process().children(recursive=True)
    assert not [each for each in mine if each.status() != psutil.STATUS_ZOMBIE]
