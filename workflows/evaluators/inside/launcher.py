"""Builds the walls around foreign evaluator code, then starts the runner behind them.

A script of its own (standard library only), started in a fresh interpreter without environment. Three
processes: this one stays outside and writes the user maps; the second enters new namespaces; the third is
process 1 of the new process namespace, so its end ends everything that was started inside. The fourth is
the runner. What goes wrong while building is told as one JSON line on the status pipe.

Source: man pages unshare(2), user_namespaces(7), pid_namespaces(7), mount_setattr(2), pivot_root(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

NEW_NS, NEW_CGROUP, NEW_UTS, NEW_IPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
ALL = NEW_USER | NEW_NS | NEW_PID | NEW_NET | NEW_IPC | NEW_UTS | NEW_CGROUP
NOSUID, NODEV, BIND, RECURSIVE, PRIVATE = 2, 4, 4096, 16384, 1 << 18
DETACH = 2
RDONLY_ATTRIBUTE, NOSUID_ATTRIBUTE, AT_FDCWD, AT_RECURSIVE = 1, 2, -100, 0x8000
PDEATHSIG, SET_DUMPABLE, SET_SECCOMP, CHILD_SUBREAPER, NO_NEW_PRIVS = 1, 4, 22, 36, 38
SECCOMP_FILTER = 2  # the mode of SET_SECCOMP
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
MOUNT_SETATTR = 442  # the same number everywhere: made after the numbers were unified
INSIDE_ID, NOBODY = 1000, 65534
PRIVATE_FOLDER = "/tmp"  # noqa: S108  # a file system of its own inside, not the one of outside
RESULTS, STATUS = 3, 4  # the runner's pipe for scores; the pipe for what went wrong before it
LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64")
DEVICES = ("null", "random", "urandom")  # no zero: mapped, it holds memory that no process shows
MOST_FILES = 4096  # in the private folder, as each takes memory of the kernel even when it is empty
COULD_NOT_START = 125

LIBC = ctypes.CDLL(None, use_errno=True)


def check(answer: int, what: str) -> None:
    """Raise OSError naming `what` when a call of libc failed."""
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    check(
        LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()),
        f"mounting {kind or source}",
    )


class MountAttributes(ctypes.Structure):
    """`struct mount_attr` of mount_setattr(2)."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def make_read_only(target: str) -> None:
    """The mount and all below it, which needs Linux 5.12."""
    wanted = MountAttributes(RDONLY_ATTRIBUTE | NOSUID_ATTRIBUTE, 0, 0, 0)
    path, size = target.encode(), ctypes.sizeof(wanted)
    answer = LIBC.syscall(MOUNT_SETATTR, AT_FDCWD, path, AT_RECURSIVE, ctypes.byref(wanted), size)
    check(answer, "making a mount read-only")


def bind(source: str, root: str, *, writable: bool = False) -> None:
    """Show a file or folder of outside at the same place inside."""
    show(source, root + source, writable=writable)


def show(source: str, target: str, *, writable: bool = False) -> None:
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    mount(source, target, "", BIND | RECURSIVE)
    if not writable:
        make_read_only(target)


def die_with_parent() -> None:
    check(LIBC.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0), "tying the process to its parent")


def build_root(job: dict[str, Any]) -> None:
    """A root of our own: Python and its libraries and the job, all read-only; one private folder."""
    root = job["root"]
    mount("", "/", "", RECURSIVE | PRIVATE)
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, f"mode=755,size=1m,nr_inodes={MOST_FILES}")
    prefix = job["prefix"]
    for folder in LIBRARIES:
        if prefix == "/usr" and folder.startswith("/usr/"):
            continue
        if Path(folder).is_symlink():
            Path(root + folder).symlink_to(Path(folder).readlink())
        elif Path(folder).is_dir():
            bind(folder, root)
    bind(prefix, root)
    for device in DEVICES:
        bind(f"/dev/{device}", root, writable=True)
    for name in ("job", "inside", "packages"):
        if job.get(name):
            show(job[name], f"{root}/{name}")
    folder = root + PRIVATE_FOLDER
    Path(folder).mkdir()
    size = f"size={job['limits']['file']},nr_inodes={MOST_FILES}"
    mount("tmpfs", folder, "tmpfs", NOSUID | NODEV, f"mode=1777,{size}")
    enter(root)


def enter(root: str) -> None:
    """Make `root` the root; nothing of the old one stays reachable."""
    machine = os.uname().machine
    if machine not in PIVOT_ROOT:
        raise OSError(f"the processor {machine} is not known to the isolation")
    os.chdir(root)
    check(LIBC.syscall(PIVOT_ROOT[machine], b".", b"."), "changing the root")
    check(LIBC.umount2(b".", DETACH), "leaving the old root")
    os.chdir(PRIVATE_FOLDER)


class Program(ctypes.Structure):
    """`struct sock_fprog` of seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refuse_calls(job: dict[str, Any]) -> None:
    """Some system calls fail from here on, for this process and all that it starts (syscalls.py)."""
    code = bytes.fromhex(job["filter"])
    held = ctypes.create_string_buffer(code, len(code))
    wanted = Program(len(code) // 8, ctypes.addressof(held))
    answer = LIBC.prctl(SET_SECCOMP, SECCOMP_FILTER, ctypes.byref(wanted), 0, 0)
    check(answer, "filtering system calls (seccomp)")


def threads_of(user: int) -> int:
    """How many threads a user has on this machine."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/task"):
        with contextlib.suppress(OSError):
            total += sum(1 for _ in status.iterdir()) if status.stat().st_uid == user else 0
    return total


def limit(job: dict[str, Any], processes: int) -> None:
    """The kernel's own limits, for the runner and all that it starts."""
    limits = job["limits"]
    wanted = {
        resource.RLIMIT_AS: limits["memory"],
        resource.RLIMIT_CPU: limits["processor"],
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: processes,
    }
    for name, value in wanted.items():
        # One second more before the kernel's plain kill, so that the first signal tells what it was.
        resource.setrlimit(name, (value, value + (name == resource.RLIMIT_CPU)))


def has_spare_user() -> bool:
    """Whether we are root and may become the user that is nobody; a root of one user alone may not."""
    if os.geteuid() != 0:
        return False
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(first <= NOBODY < first + count for first, _, count in ranges)


def become(identity: int) -> None:
    """Give up being root, for good."""
    os.setgroups([])
    os.setresgid(identity, identity, identity)
    os.setresuid(identity, identity, identity)


def worst_first() -> None:
    """When memory runs out, the kernel takes the evaluator before anything else."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # without /proc there is still the limit on memory


def runner(job: dict[str, Any], folder: str, inside: str) -> NoReturn:
    """Become the runner: no new rights, no descriptors, no environment but four words."""
    check(LIBC.prctl(NO_NEW_PRIVS, 1, 0, 0, 0), "forbidding new rights")
    with contextlib.suppress(OSError) if job["weaker"] else contextlib.nullcontext():
        refuse_calls(job)
    die_with_parent()  # set after the change of user, which clears it
    only_pipes(job)
    environment = {"HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "PATH": ""}
    arguments = [job["python"], "-I", "-S", "-B", "-X", "utf8", f"{inside}/runner.py", json.dumps(job["run"])]
    os.execve(job["python"], arguments, environment)  # noqa: S606  # a program of ours, no shell


def only_pipes(job: dict[str, Any]) -> None:
    """Close everything but the three standard descriptors and the pipe for scores; the status pipe closes by
    itself once the runner has started."""
    results, status = (fcntl.fcntl(job[name], fcntl.F_DUPFD, STATUS + 1) for name in ("results", "status"))
    os.dup2(results, RESULTS)
    job["status"] = os.dup2(status, STATUS, inheritable=False)
    os.closerange(STATUS + 1, 65536)


def code_of(status: int) -> int:
    """An exit status as a shell would say it: 128 and the signal's number for a killed process."""
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def tell(job: dict[str, Any], fault: str) -> None:
    os.write(job["status"], (json.dumps({"fault": fault}) + "\n").encode())


def guarded(job: dict[str, Any], act: Any) -> NoReturn:
    """Run one process's part; its fault goes to the status pipe."""
    try:
        act()
    except Exception as error:  # noqa: BLE001  # the process ends here, and the portal must learn why
        tell(job, str(error) or type(error).__name__)
    os._exit(COULD_NOT_START)


def first_process(job: dict[str, Any], as_root: bool) -> NoReturn:
    """Process 1 inside: builds the root, starts the runner, reaps, and ends when the runner ends."""
    die_with_parent()
    worst_first()
    build_root(job)
    check(LIBC.prctl(SET_DUMPABLE, 0, 0, 0, 0), "hiding process 1")
    if job["probe"]:
        refuse_calls(job)
        os._exit(0)
    child = os.fork()
    if child == 0:
        guarded(job, lambda: inner_runner(job, as_root))
    os.closerange(0, 65536)
    while True:
        found, status = os.wait()
        if found == child:
            os._exit(code_of(status))


def inner_runner(job: dict[str, Any], as_root: bool) -> NoReturn:
    # Without root one user is all there is, and process 1 and its starter count as that user's too.
    limit(job, job["limits"]["processes"] + (0 if as_root else 2))
    if as_root:
        become(INSIDE_ID)
    runner(job, PRIVATE_FOLDER, "/inside")


def quiet_namespaces() -> None:
    """No further namespaces inside, where the kernel lets us say so: each gives rights over itself."""
    try:
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    except OSError:
        return  # a read-only /proc, as in containers; the walls stand without it


def second_process(job: dict[str, Any], ready: int, mapped: int, as_root: bool) -> NoReturn:
    """Enter the namespaces, wait for the user maps, and start process 1."""
    die_with_parent()
    check(LIBC.unshare(ALL), "entering new namespaces")
    os.write(ready, b"1")
    if os.read(mapped, 1) != b"1":
        raise OSError("the user could not be mapped")
    quiet_namespaces()
    child = os.fork()
    if child == 0:
        guarded(job, lambda: first_process(job, as_root))
    os.closerange(0, 3)
    os._exit(code_of(os.waitpid(child, 0)[1]))


def write_maps(child: int, as_root: bool) -> None:
    """As root: root builds the walls and a spare user runs the code. Else: the one user we are."""
    place = Path(f"/proc/{child}")
    if as_root:
        both = f"0 0 1\n{INSIDE_ID} {NOBODY} 1\n"
        (place / "uid_map").write_text(both)
        (place / "gid_map").write_text(both)
        return
    (place / "setgroups").write_text("deny")
    (place / "uid_map").write_text(f"{INSIDE_ID} {os.geteuid()} 1\n")
    (place / "gid_map").write_text(f"{INSIDE_ID} {os.getegid()} 1\n")


def isolated(job: dict[str, Any]) -> int:
    """The whole of it; the runner's exit code."""
    as_root = has_spare_user()
    is_ready, ready = os.pipe()
    mapped, map_it = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(is_ready)
        os.close(map_it)
        guarded(job, lambda: second_process(job, ready, mapped, as_root))
    os.close(ready)
    os.close(mapped)
    if os.read(is_ready, 1) == b"1":
        try:
            write_maps(child, as_root)
            os.write(map_it, b"1")
        except OSError as error:
            tell(job, f"mapping the user: {error}")
    os.close(map_it)
    return code_of(os.waitpid(child, 0)[1])


def weaker(job: dict[str, Any]) -> NoReturn:
    """Limits, no environment and a spare user where we are root; network and files stay in sight.

    It tells that the runner has ended and stays: as long as it lives, strays are found below it.
    """
    check(LIBC.prctl(CHILD_SUBREAPER, 1, 0, 0, 0), "adopting stray processes")
    as_root = has_spare_user()
    child = os.fork()
    if child == 0:
        guarded(job, lambda: weaker_runner(job, as_root))
    while True:
        found, status = os.wait()
        if found == child:
            os.write(job["status"], (json.dumps({"code": code_of(status)}) + "\n").encode())
            break
    while True:
        signal.pause()


def weaker_runner(job: dict[str, Any], as_root: bool) -> NoReturn:
    worst_first()
    os.chdir(job["work"])
    # Here the kernel counts a user's processes everywhere, so those that are there are allowed on top.
    limit(job, job["limits"]["processes"] + threads_of(NOBODY if as_root else os.geteuid()))
    if as_root:
        become(NOBODY)
    runner(job, job["work"], job["inside"])


def main() -> int:
    job = json.loads(sys.argv[1])
    try:
        die_with_parent()
        if job["weaker"]:
            weaker(job)
        return isolated(job)
    except OSError as error:
        tell(job, str(error))
        return COULD_NOT_START


if __name__ == "__main__":
    sys.exit(main())
