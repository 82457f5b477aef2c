"""Start the sandbox and listen to it: the side of it that is trusted."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
RUNNER = HERE / "sandboxed" / "evaluation_runner" / "__main__.py"
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
LONGEST_LINE = 8_000_000  # bytes of one answer of the sandbox
CHUNK = 1 << 16
UNCONFINED = (
    "this machine cannot confine evaluators, so the code was not run ({}); see Evaluators in "
    "docs/local-fireworks.md, or start the server with --unconfined-evaluators"
)


class Broken(Exception):
    """The sandbox ended without saying everything. Says why in one line."""


class Unconfined(Broken):
    """The machine cannot confine foreign code, so it was not run."""


@dataclass(frozen=True)
class Limits:
    """What foreign code may use: seconds of CPU and in all, bytes of memory and of one file."""

    cpu: int
    wall: float
    memory: int = 2 << 30
    file: int = 64 << 20


BUILD = Limits(cpu=60, wall=120)
SCORE = Limits(cpu=900, wall=1800)


def python_paths() -> list[str]:
    """Where the interpreter and its packages are."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = {sysconfig.get_path(name) for name in names}
    found |= {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent)}
    return sorted(found)


def converse(
    source: Path,
    entries: Sequence[dict[str, str]],
    rows: Path | None,
    limits: Limits,
    *,
    unconfined: bool = False,
) -> Iterator[dict[str, Any]]:
    """Run entries of the code in `source` on a file of rows; gives each object the sandbox says.

    What the code prints goes to our standard error. Raises Broken when the sandbox fails or is ended;
    Unconfined when the machine offers none, unless the code may run `unconfined`.
    """
    home = Path(tempfile.mkdtemp(prefix="evaluation-"))
    try:
        work, task, rules = home / "work", home / "task.json", home / "rules.json"
        work.mkdir()
        task.write_text(
            json.dumps({"root": str(source), "entries": list(entries), "rows": str(rows) if rows else None})
        )
        readable = [*SYSTEM, *python_paths(), str(HERE / "sandboxed"), str(source), str(task)]
        readable += [str(rows)] if rows else []
        refusal = home / "refusal"
        told = {"readable": readable, "writable": [str(work)], "unconfined": unconfined}
        rules.write_text(json.dumps(asdict(limits) | told | {"refusal": str(refusal)}))
        try:
            yield from _listen(_start(rules, task, work), limits)
        except Broken as error:
            if refusal.exists():
                raise Unconfined(UNCONFINED.format(refusal.read_text())) from error
            raise
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(rules: Path, task: Path, work: Path) -> subprocess.Popen[bytes]:
    confined = [sys.executable, "-I", "-S", str(HERE / "confine.py"), str(rules), "--"]
    environment = {"HOME": str(work), "TMPDIR": str(work), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [*confined, sys.executable, "-I", "-B", str(RUNNER), str(task)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=work,
        env=environment,
        bufsize=0,
        process_group=0,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # it may have left its group


def _lines(pipe: IO[bytes], deadline: float) -> Iterator[bytes]:
    """Lines until the end of the pipe. TimeoutError at the deadline, whoever may still hold its other end."""
    held = b""
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not ready.select(left):
                raise TimeoutError
            chunk = os.read(pipe.fileno(), CHUNK)
            *whole, held = (held + chunk).split(b"\n")
            yield from whole
            if len(held) > LONGEST_LINE:
                raise Broken(f"the evaluator gave a result of more than {LONGEST_LINE} bytes")
            if not chunk:
                break
    if held:
        yield held


def _listen(process: subprocess.Popen[bytes], limits: Limits) -> Iterator[dict[str, Any]]:
    deadline = time.monotonic() + limits.wall
    assert process.stdout is not None  # noqa: S101 - tells the type checker what PIPE means
    try:
        for line in _lines(process.stdout, deadline):
            yield _value(line)
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise Broken(f"the evaluator took longer than {limits.wall:g} seconds") from error
    finally:
        _kill(process)
        process.stdout.close()
        process.wait()
    if code:
        raise Broken(_why(code, limits))


def _value(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Broken("the evaluator wrote into the channel of its results")
    return value


def _why(code: int, limits: Limits) -> str:
    ended = -code if code < 0 else code - 128
    if ended in (signal.SIGXCPU, signal.SIGKILL):
        return f"the evaluator was ended: more than {limits.cpu} seconds of CPU, or killed"
    if ended > 0:
        return f"the evaluator was ended by signal {ended}"
    return f"the evaluator ended with status {code}: its log says why"
