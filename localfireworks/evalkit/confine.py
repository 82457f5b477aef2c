"""Run a program with as little as it needs: `python -I -S confine.py RULES.json -- PROGRAM…`.

RULES.json: `{"readable": [paths], "writable": [paths], "cpu": s, "memory": bytes, "file": bytes}`. It has
no network and sees no other processes (Linux namespaces), and nothing on disk but the named paths (Landlock,
kernel 5.13). What the machine does not offer is left out and said on stderr.

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


def say(text: str) -> None:
    sys.stderr.write(f"sandbox: {text}\n")


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


def separate() -> bool:
    """Namespaces of its own for users, network, processes and messages; whether they could be had."""
    if LIBC.unshare(NEW_USER | NEW_NET | NEW_PID | NEW_IPC) != 0:
        say(f"no user namespace ({os.strerror(ctypes.get_errno())}): the network is not cut off by one")
        return False
    resource.setrlimit(resource.RLIMIT_NPROC, (MOST_PROCESSES, MOST_PROCESSES))  # counted per namespace
    return True


def landlock(readable: list[str], writable: list[str]) -> None:
    """Nothing on disk but these paths, and no TCP where the kernel can refuse it."""
    version = LIBC.syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:
        say("no Landlock: files are protected by their permissions alone")
        return
    every = sum(rights for since, rights in RIGHTS.items() if since <= version)
    asked = struct.pack("QQ", every, TCP) if version >= 4 else struct.pack("Q", every)
    ruleset = LIBC.syscall(CREATE_RULESET, asked, len(asked), 0)
    for paths, rights in ((readable, TO_READ), (writable, every)):
        for path in paths:
            allow(ruleset, path, rights & every)
    if LIBC.syscall(RESTRICT_SELF, ruleset, 0) != 0:
        raise OSError(ctypes.get_errno(), "Landlock refused the rules")
    os.close(ruleset)


def allow(ruleset: int, path: str, rights: int) -> None:
    if not Path(path).exists():
        return
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not Path(path).is_dir():
        rights &= OF_FILES
    if LIBC.syscall(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, handle), 0) != 0:
        raise OSError(ctypes.get_errno(), f"Landlock refused the rule for {path}")
    os.close(handle)


def main() -> int:
    """Confine this process, then become the program, below a parent that only waits for it."""
    rules = json.loads(Path(sys.argv[1]).read_text())
    program = sys.argv[3:]
    LIBC.prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # when the one who started us ends, so do we
    limit(rules)
    apart = separate()
    LIBC.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    landlock(rules["readable"], rules["writable"])
    if not apart:
        os.execv(program[0], program)  # noqa: S606 - the program is ours, its environment is already empty
    child = os.fork()  # the first process of the new namespace: when it ends, all in it end
    if child == 0:
        LIBC.prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        os.execv(program[0], program)  # noqa: S606
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    raise SystemExit(main())
