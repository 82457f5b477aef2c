"""Score rows with an evaluator that may be anybody's code, apart from everything of ours (product row 5.4).

It runs in processes of its own, in user, network, mount, process, IPC and host-name namespaces of its own: no
network, no environment, no descriptors, a root of which it sees only Python and its job, read-only, and one
private folder in memory. `workflows/evaluators/inside/launcher.py` builds these walls; where the system does
not allow them, nothing is run unless the operator allows the weaker mode (`FWPORTAL_EVALUATOR_ISOLATION`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workflows.evaluators import syscalls
from workflows.evaluators.folders import NotTaken, copied
from workflows.evaluators.limits import Limits
from workflows.evaluators.results import Scored, not_run
from workflows.evaluators.watching import Running, watch

INSIDE = Path(__file__).parent / "inside"
FULL, WEAKER = "full", "weaker"
REMEDY = (
    "Allow unprivileged user namespaces on this machine (Linux 5.14 or later), or set "
    "FWPORTAL_EVALUATOR_ISOLATION=weaker to run evaluators you trust without walls around network and files"
)
NOBODY = 65534  # whom foreign code runs as where we are root (inside/launcher.py)
OLDEST = (5, 14)  # limits on processes count within a namespace from here on


class NotIsolated(Exception):
    """The system cannot keep foreign code apart; the message says what is missing and the remedy."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Code to be run: a folder, the file and function in it, and the folder of its packages, if any.

    `entry` is `file.py` or `file.py::function`; without a function `@evaluation_test` or `evaluate` is taken.
    """

    folder: Path
    entry: str = "evaluator.py"
    packages: Path | None = None


def score(
    evaluator: Evaluator,
    rows: Iterable[Mapping[str, Any]],
    *,
    limits: Limits | None = None,
    mode: str = FULL,
) -> Scored:
    """The score of every row. Whatever the evaluator does comes back as words; raises NotIsolated alone.

    Rows are dictionaries with `messages`, `ground_truth` and what else the dataset has.
    """
    limits = limits or Limits()
    weaker = chosen(mode)
    with tempfile.TemporaryDirectory(prefix="evaluator-", ignore_cleanup_errors=True) as name:
        place, given = Path(name), list(rows)
        try:
            laid_out(place, evaluator, given)
        except NotTaken as fault:
            return not_run(str(fault), len(given))
        return watch(started(job_of(place, evaluator, limits, weaker=weaker)), len(given), limits)


def chosen(mode: str) -> bool:
    """Whether to run in the weaker mode. Raises NotIsolated when neither is possible and allowed."""
    if mode == WEAKER:
        return bool(unavailable())
    reason = unavailable()
    if reason:
        raise NotIsolated(f"Evaluators cannot be kept apart here: {reason}. {REMEDY}.")
    return False


@cache
def unavailable() -> str:
    """Why the walls cannot be built on this system, empty when they can: they are built once to see."""
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no namespaces"
    release = os.uname().release
    version = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdecimal())
    if version < OLDEST:
        return f"Linux {release} is older than {'.'.join(map(str, OLDEST))}"
    if not syscalls.known():
        return f"no system calls are known of the processor {os.uname().machine}"
    return attempt()


def attempt() -> str:
    """Build the walls around nothing; the fault in words, empty when all went well."""
    with tempfile.TemporaryDirectory(prefix="evaluator-") as name:
        place = Path(name)
        laid_out(place, None, ())
        running = started(job_of(place, None, Limits(), weaker=False) | {"probe": True})
        return watch(running, 0, Limits(wall=60)).fault


def laid_out(place: Path, evaluator: Evaluator | None, rows: Sequence[Mapping[str, Any]]) -> None:
    """The job's folder: a copy of the code, the rows, the root's place. Raises NotTaken."""
    job = place / "job"
    for each in (job, place / "root", place / "work"):
        each.mkdir()
    if evaluator:
        copied(evaluator.folder, job / "code")
    with (job / "rows.jsonl").open("w", encoding="ascii") as file:
        for at, row in enumerate(rows, 1):
            try:
                file.write(json.dumps(row) + "\n")  # escapes alone: half characters are no UTF-8
            except (RecursionError, TypeError, ValueError) as fault:
                raise NotTaken(f"row {at} cannot be handed to it: {fault}") from fault
    handed_over(place)


def handed_over(place: Path) -> None:
    """Nobody but us can enter the folder. As root we give it to whom the code runs as, and to no other."""
    if os.geteuid() != 0:
        return  # the code runs as the user that we are
    with suppress(OSError):  # a root of one user alone may not, and runs the code as itself
        for each in (place, *place.rglob("*")):
            os.chown(each, NOBODY, NOBODY, follow_symlinks=False)


def job_of(place: Path, evaluator: Evaluator | None, limits: Limits, *, weaker: bool) -> dict[str, Any]:
    """What the launcher is told."""
    packages = evaluator.packages if evaluator else None
    python = Path(sys.executable).resolve()
    job = place / "job" if weaker else Path("/job")
    seen = str(packages) if weaker else "/packages"
    return {
        "python": str(python),
        "prefix": str(Path(sys.base_prefix).resolve()),
        "root": str(place / "root"),
        "work": str(place / "work"),
        "job": str(place / "job"),
        "inside": str(INSIDE),
        "packages": str(packages) if packages else "",
        "limits": {name: int(value) for name, value in limits.to_json().items()},
        "filter": syscalls.program().hex(),
        "weaker": weaker,
        "probe": False,
        "run": {
            "code": f"{job}/code",
            "rows": f"{job}/rows.jsonl",
            "entry": evaluator.entry if evaluator else "",
            "packages": seen if packages else "",
        },
    }


def started(job: dict[str, Any]) -> Running:
    """The launcher's process with the pipes to it. It inherits nothing but these."""
    results, for_results = os.pipe()
    status, for_status = os.pipe()
    job = job | {"results": for_results, "status": for_status}
    process = subprocess.Popen(
        [job["python"], "-I", "-S", "-B", str(INSIDE / "launcher.py"), json.dumps(job)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={},
        pass_fds=(for_results, for_status),
        start_new_session=True,
    )
    os.close(for_results)
    os.close(for_status)
    return Running(process, results, status, weaker=bool(job["weaker"]))
