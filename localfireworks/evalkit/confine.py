"""Run a program with as little as it needs: `python -I -S confine.py RULES.json -- PROGRAM…`.

RULES.json: `{"readable": [paths], "writable": [paths], "cpu": s, "memory": bytes, "file": bytes,
"unconfined": bool, "refusal": path}`. It has no network and sees no other processes (Linux namespaces), and
nothing on disk but the named paths (Landlock, kernel 5.13). Where the machine does not offer one of these the
program is not run, and the reason is in the file `refusal`; with `unconfined` it is run without, and stderr
says so.

A program of its own that uses nothing but the standard library: it must start fast, and whatever it loaded
would be in the hands of the foreign code.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_NET, NEW_PID, NEW_IPC = 0x10000000, 0x40000000, 0x20000000, 0x08000000
SET_DEATH_SIGNAL, SET_NO_NEW_PRIVILEGES = 1, 38
MOST_FILES, MOST_PROCESSES = 256, 64
# Landlock: system calls (the same on all architectures), and rights by the version that brought them.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, TCP = 1, 0b11
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15
TO_READ = EXECUTE | READ_FILE | READ_DIR


class Refused(Exception):
    """The machine cannot confine the program. Says why in one line."""


def missing(rules: dict[str, Any], text: str) -> None:
    """Go on without something only where the server was started so."""
    sys.stderr.write(f"sandbox: {text}\n")
    if not rules["unconfined"]:
        raise Refused(text)


def limit(rules: dict[str, Any]) -> None:
    """CPU seconds, address space and bytes of one file; no core dumps."""
    for kind, most in (
        (resource.RLIMIT_CPU, rules["cpu"]),
        (resource.RLIMIT_AS, rules["memory"]),
        (resource.RLIMIT_FSIZE, rules["file"]),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def separate(rules: dict[str, Any]) -> bool:
    """Namespaces of its own for users, network, processes and messages; whether they could be had."""
    apart = bool(LIBC.unshare(NEW_USER | NEW_NET | NEW_PID | NEW_IPC) == 0)
    if not apart:
        missing(rules, f"no user namespace ({os.strerror(ctypes.get_errno())}): the network is not cut off")
    most = MOST_PROCESSES + (0 if apart else running())  # counted per namespace, else per user
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    return apart


def running() -> int:
    """Threads of this user now."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.getuid():
                total += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue  # it ended meanwhile
    return total


def landlock(rules: dict[str, Any]) -> None:
    """Nothing on disk but the named paths, and no TCP where the kernel can refuse it."""
    version = LIBC.syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:
        missing(rules, "no Landlock: files are protected by their permissions alone")
        return
    every = sum(rights for since, rights in RIGHTS.items() if since <= version)
    asked = struct.pack("QQ", every, TCP) if version >= 4 else struct.pack("Q", every)
    ruleset = LIBC.syscall(CREATE_RULESET, asked, len(asked), 0)
    for paths, rights in ((rules["readable"], TO_READ), (rules["writable"], every)):
        for path in paths:
            allow(ruleset, path, rights & every)
    if LIBC.syscall(RESTRICT_SELF, ruleset, 0) != 0:
        raise Refused(f"Landlock refused the rules: {os.strerror(ctypes.get_errno())}")
    os.close(ruleset)


def allow(ruleset: int, path: str, rights: int) -> None:
    if not Path(path).exists():
        return
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not Path(path).is_dir():
        rights &= OF_FILES
    if LIBC.syscall(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, handle), 0) != 0:
        raise Refused(f"Landlock refused the rule for {path}: {os.strerror(ctypes.get_errno())}")
    os.close(handle)


def go_on_in_child() -> None:
    """Only a child goes on; this process waits for it and ends as it ended."""
    child = os.fork()
    if child == 0:
        LIBC.prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        return
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            raise SystemExit(code if code >= 0 else 128 - code)


def main() -> None:
    """Confine this process, then become the program, below two parents that only wait for it."""
    rules = json.loads(Path(sys.argv[1]).read_text())
    program = sys.argv[3:]
    LIBC.prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # when the one who started us ends, so do we
    LIBC.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    limit(rules)
    try:
        if separate(rules):
            # The first process of the new namespace: when it ends, all in it end. It stays ours, so that the
            # program cannot free itself of the signal that ends it with us.
            go_on_in_child()
            go_on_in_child()
        landlock(rules)
    except Refused as error:
        Path(rules["refusal"]).write_text(str(error))
        raise SystemExit(1) from error
    os.execv(program[0], program)  # noqa: S606 - the program is ours, its environment is already empty


if __name__ == "__main__":
    main()
