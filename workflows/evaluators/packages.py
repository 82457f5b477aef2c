"""Packages that a brought evaluator needs, in a folder of their own.

The only step with network, in a process of its own, and only where the operator allows it
(`FWPORTAL_EVALUATOR_PACKAGES`). Wheels alone are installed: building a source distribution would run
foreign code outside the walls.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from workflows.evaluators import processes

NAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,\s-]+\])?\s*([<>=!~]=?[^@;\\]*|===[^@;\\]*)?(;.*)?"
)
PROVIDED = {"eval-protocol", "reward-kit"}  # the stand-in takes their place: the real ones want a network
LONGEST, MOST = 10_000, 50
PATIENCE, WORDS_KEPT = 300.0, 1_500
PASSED_ON = ("PIP_", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_", "REQUESTS_CA_BUNDLE")


class NotInstalled(Exception):
    """The packages are not there; the message says why and what to do."""


def wanted(requirements: str) -> list[str]:
    """The lines of a `requirements.txt` that are to be installed. Raises NotInstalled for what is not a
    package's name with versions: options, addresses and paths could bring in anything."""
    if len(requirements) > LONGEST:
        raise NotInstalled(f"requirements.txt has more than {LONGEST:,} characters.")
    lines = [line.split(" #")[0].strip() for line in requirements.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    for line in found:
        if not NAME.fullmatch(line):
            raise NotInstalled(
                f"“{line[:80]}” is not a package's name with versions; write it like numpy>=2."
            )
    if len(found) > MOST:
        raise NotInstalled(f"requirements.txt names {len(found)} packages; {MOST} is the most.")
    return [line for line in found if plain_name(line) not in PROVIDED]


def plain_name(line: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", line)
    return re.sub(r"[-_.]+", "-", name[0].lower()) if name else ""


def install(requirements: str, shelf: Path, *, allowed: bool) -> Path | None:
    """The folder with the packages, or None when none are needed. The same lines are installed once.

    Raises NotInstalled.
    """
    lines = wanted(requirements)
    if not lines:
        return None
    if not allowed:
        raise NotInstalled(
            f"The evaluator needs {', '.join(lines)}, and installing packages is switched off. Whoever runs "
            "the portal can allow it with FWPORTAL_EVALUATOR_PACKAGES=1."
        )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256("\n".join([version, *sorted(lines)]).encode()).hexdigest()
    folder = shelf / digest[:32]
    if not folder.exists():
        shelf.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=shelf, prefix="new-") as fresh:
            run_pip(lines, Path(fresh) / "packages")
            (Path(fresh) / "packages").rename(folder)
    return folder


def run_pip(lines: list[str], target: Path) -> None:
    """`pip install --target`, wheels only. Raises NotInstalled with pip's own last words."""
    target.mkdir()
    command = [sys.executable, "-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--only-binary=:all:", f"--target={target}", "--", *lines]
    environment = {name: value for name, value in os.environ.items() if name.upper().startswith(PASSED_ON)}
    environment |= {"HOME": str(target.parent), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired as slow:
        raise NotInstalled(f"pip did not finish within {PATIENCE:g} s.") from slow
    finally:
        processes.end(process.pid)
        process.wait()
    if process.returncode:
        words = said.decode("utf-8", errors="replace").strip()[-WORDS_KEPT:]
        raise NotInstalled(f"The evaluator's packages could not be installed. pip says: {words}")
