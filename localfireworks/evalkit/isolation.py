"""Start the sandbox and listen to it: the side of it that is trusted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RUNNER = HERE / "sandboxed" / "evaluation_runner" / "__main__.py"
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
LONGEST_LINE = 2_000_000  # characters of one answer of the sandbox


class Broken(Exception):
    """The sandbox ended without saying everything. Says why in one line."""


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
    source: Path, entries: Sequence[dict[str, str]], rows: Path | None, limits: Limits
) -> Iterator[dict[str, Any]]:
    """Run entries of the code in `source` on a file of rows; gives each object the sandbox says.

    What the code prints goes to our standard error. Raises Broken when the sandbox fails or is ended.
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
        rules.write_text(json.dumps(asdict(limits) | {"readable": readable, "writable": [str(work)]}))
        yield from _listen(_start(rules, task, work), limits)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(rules: Path, task: Path, work: Path) -> subprocess.Popen[str]:
    confined = [sys.executable, "-I", "-S", str(HERE / "confine.py"), str(rules), "--"]
    environment = {"HOME": str(work), "TMPDIR": str(work), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [*confined, sys.executable, "-I", "-B", str(RUNNER), str(task)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=work,
        env=environment,
        encoding="utf-8",
        errors="replace",
        process_group=0,
    )


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _listen(process: subprocess.Popen[str], limits: Limits) -> Iterator[dict[str, Any]]:
    clock = threading.Timer(limits.wall, _kill, (process,))
    clock.start()
    assert process.stdout is not None  # noqa: S101 - tells the type checker what PIPE means
    try:
        with process.stdout as lines:
            while line := lines.readline(LONGEST_LINE):
                yield _value(line)
        code = process.wait()
    finally:
        late = clock.finished.is_set()
        clock.cancel()
        _kill(process)
        process.wait()
    if code:
        raise Broken(_why(code, limits, late=late))


def _value(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Broken("the evaluator wrote into the channel of its results")
    return value


def _why(code: int, limits: Limits, *, late: bool) -> str:
    if late:
        return f"the evaluator took longer than {limits.wall:g} seconds"
    ended = -code if code < 0 else code - 128
    if ended in (signal.SIGXCPU, signal.SIGKILL):
        return f"the evaluator was ended: more than {limits.cpu} seconds of CPU, or killed"
    if ended > 0:
        return f"the evaluator was ended by signal {ended}"
    return f"the evaluator ended with status {code}: its log says why"
