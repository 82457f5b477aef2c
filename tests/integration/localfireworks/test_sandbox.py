"""What foreign code can do in the sandbox of evaluators, tried with real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from localfireworks.evalkit.isolation import Broken, Limits, converse
from tests.integration.localfireworks.conftest import PATIENCE, ROOT, until

LIMITS = Limits(cpu=30, wall=60)
SECRET = "what the server keeps to itself"


def run(tmp_path: Path, code: str, limits: Limits = LIMITS) -> list[dict[str, Any]]:
    """Results of an evaluator over one row, which holds the path of a secret."""
    source, rows, secret = tmp_path / "source", tmp_path / "rows.jsonl", tmp_path / "secret"
    source.mkdir(parents=True)
    secret.write_text(SECRET)
    (source / "main.py").write_text(code)
    rows.write_text(json.dumps({"messages": [], "secret": str(secret)}) + "\n")
    entries = [{"name": "score", "file": "main.py", "function": "evaluate"}]
    return [said["result"] for said in converse(source, entries, rows, limits) if "row" in said]


def error_of(tmp_path: Path, body: str, **limits: Any) -> str:
    """How an evaluator with this body fails."""
    code = "import os, socket, subprocess, sys, tempfile\n\ndef evaluate(messages, secret):\n    "
    (result,) = run(tmp_path, code + body, Limits(**{"cpu": 30, "wall": 60, **limits}))
    assert not result["is_score_valid"], result
    return str(result["error"])


def can_separate() -> bool:
    """Whether this machine grants user namespaces."""
    child = os.fork()
    if child == 0:
        from localfireworks.evalkit import confine

        os._exit(confine.LIBC.unshare(confine.NEW_USER) != 0)
    return os.waitpid(child, 0)[1] == 0


def has_landlock() -> bool:
    from localfireworks.evalkit import confine

    return bool(confine.LIBC.syscall(confine.CREATE_RULESET, None, 0, 1) >= 1)


@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
@pytest.mark.parametrize(
    "body",
    ["open(secret)", "open(secret, 'w')", "os.remove(secret)", "os.listdir('/')", "open('/tmp/x', 'w')"],
)
def test_it_sees_and_changes_nothing_on_disk(tmp_path: Path, body: str):
    assert "PermissionError" in error_of(tmp_path, body)
    assert (tmp_path / "secret").read_text() == SECRET


@pytest.mark.skipif(not can_separate(), reason="this machine grants no user namespaces")
@pytest.mark.parametrize(
    "body",
    [
        "socket.create_connection(('127.0.0.1', 9), 1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "os.kill(os.getppid(), 9) or os.kill(99999, 9)",
    ],
)
def test_it_reaches_no_network_and_no_process(tmp_path: Path, body: str):
    error = error_of(tmp_path, body)
    assert any(each in error for each in ("PermissionError", "OSError", "ProcessLookupError"))


def test_it_has_a_folder_of_its_own_and_no_secrets_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FIREWORKS_API_KEY", SECRET)
    body = """
    with open('mine', 'w') as file: file.write('x')
    with tempfile.NamedTemporaryFile() as file: file.write(b'x')
    return 0.5 if os.listdir('.') == ['mine'] and not any('KEY' in name for name in os.environ) else 0
"""
    code = "import os, tempfile\n\ndef evaluate(messages, **row):" + body
    assert run(tmp_path, code)[0]["score"] == 0.5


def test_memory_has_an_end(tmp_path: Path):
    assert "MemoryError" in error_of(tmp_path, "bytearray(3 << 30)")


def test_a_file_has_an_end(tmp_path: Path):
    assert "File too large" in error_of(
        tmp_path, "open('big', 'wb', 0).write(bytes(9)) + open('big', 'ab', 0).write(b'x')", file=9
    )


@pytest.mark.parametrize(
    ("code", "limits", "said"),
    [
        ("def evaluate(messages, **row):\n    while True: pass", {"cpu": 1}, "1 seconds of CPU"),
        ("import time\ndef evaluate(messages, **row):\n    time.sleep(99)", {"wall": 0.5}, "longer than 0.5"),
        ("import os\ndef evaluate(messages, **row):\n    os._exit(3)", {}, "status 3"),
        ("import os\ndef evaluate(messages, **row):\n    os.abort()", {}, "ended by signal"),
        ("raise ValueError('at import')", {}, "status 1"),
    ],
)
def test_what_does_not_end_well_is_told(tmp_path: Path, code: str, limits: dict[str, Any], said: str):
    with pytest.raises(Broken, match=said):
        run(tmp_path, code, Limits(**{"cpu": 30, "wall": 60, **limits}))


def test_what_it_prints_is_no_result(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    code = 'def evaluate(messages, **row):\n    print(\'{"row": 0, "result": {}}\')\n    return 1'
    assert [result["score"] for result in run(tmp_path, code)] == [1.0]
    assert '"row": 0' in capfd.readouterr().err


@pytest.mark.skipif(not can_separate(), reason="this machine grants no user namespaces")
def test_what_leaves_its_session_ends_at_the_deadline_too(tmp_path: Path):
    code = (
        "import ctypes, os, time\ndef evaluate(messages, **row):\n"
        "    os.setsid()\n    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n"  # no death signal
        "    if os.fork(): os._exit(0)\n    time.sleep(600)"
    )
    assert run(tmp_path, code) == []
    with pytest.raises(Broken, match="longer than 1 "):
        run(tmp_path / "b", code.replace("if os.fork()", "if False"), Limits(cpu=30, wall=1))


DENIED = """
import ctypes, os, struct, sys
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, int(sys.argv[1])), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)), 0, 0) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""  # a seccomp filter: one system call is not permitted, as in a container
UNSHARE = {"x86_64": 272, "aarch64": 97}
LANDLOCK = 444


@pytest.mark.skipif(os.uname().machine not in UNSHARE, reason="the number of unshare is not known here")
@pytest.mark.parametrize("call", [UNSHARE.get(os.uname().machine), LANDLOCK])
def test_without_confinement_nothing_runs_unless_the_server_allows_it(tmp_path: Path, call: int):
    snippets = {"main.py": "print('I ran')\ndef evaluate(messages, **row): return 1"}
    entries = [{"name": "score", "file": "main.py", "function": "evaluate"}]
    job = {"kind": "build", "archive": None, "snippets": snippets, "entries": entries}
    work = [sys.executable, "-c", DENIED, str(call), sys.executable, "-m", "localfireworks.evalkit.work"]
    found = []
    for unconfined in (False, True):
        folder = tmp_path / str(unconfined)
        folder.mkdir()
        (folder / "job.json").write_text(json.dumps(job | {"unconfined": unconfined}))
        done = subprocess.run([*work, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True)
        found.append((json.loads((folder / "result.json").read_text()), "I ran" in done.stderr))
    (refused, ran), allowed = found
    assert (refused["code"], ran) == ("FAILED_PRECONDITION", False)
    assert "--unconfined-evaluators" in refused["message"]
    assert allowed == ({"ok": True}, True)


@pytest.mark.skipif(not can_separate(), reason="this machine grants no user namespaces")
def test_nothing_outlives_the_process_that_asked(tmp_path: Path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "main.py").write_text(
        "import subprocess, sys\ndef evaluate(messages, **row):\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], process_group=0)\n"
        "    while True: pass"
    )
    (tmp_path / "in.jsonl").write_text('{"messages": []}\n')
    entries = [{"name": "score", "file": "main.py", "function": "evaluate"}]
    job = {"kind": "evaluation", "entries": entries, "source": str(tmp_path / "source")}
    (tmp_path / "job.json").write_text(json.dumps(job | {"dataset": [str(tmp_path / "in.jsonl")]}))
    program = [sys.executable, "-m", "localfireworks.evalkit.work", str(tmp_path)]
    with subprocess.Popen(program, cwd=ROOT) as work:
        family = until(
            lambda: len(found := psutil.Process(work.pid).children(recursive=True)) >= 3 and found,
            "its child",
        )
        work.kill()
    _, left = psutil.wait_procs(family, timeout=PATIENCE)
    assert left == []
