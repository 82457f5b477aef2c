"""The system calls that foreign evaluator code may not make, as a program for the kernel's seccomp filter.

Refused is what holds memory that no limit on a process sees, and what makes a namespace: it gives rights over
itself, and with them further places to write to. Everything else is left to the walls around it.

Source: seccomp(2), bpf(4) as in linux/filter.h, and the numbers of asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

# By name: the numbers on x86_64 and on aarch64.
REFUSED = {
    "memfd_create": (319, 279),  # files in memory that only a descriptor holds
    "memfd_secret": (447, 447),
    "shmget": (29, 194),  # memory, messages and semaphores that stay when nobody maps them
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "vmsplice": (278, 75),  # pages that only a pipe holds
    "bpf": (321, 280),  # maps, rings and keys in the kernel's own memory
    "io_uring_setup": (425, 425),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "unshare": (272, 97),
    "setns": (308, 268),
}
MMAP, CLONE = (9, 222), (56, 220)
CLONE3 = 435  # takes its flags from memory, which no filter can read
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # the column of numbers; linux/audit.h
SECOND_TABLE = 0x40000000  # numbers of x32, the other table of x86_64
NAMESPACES = 0x7E020000  # CLONE_NEW… of clone(2)
SHARED_NOWHERE = 0x21  # MAP_SHARED and MAP_ANONYMOUS: its pages outlive being seen in a process
LOAD, AND, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
NUMBER, MACHINE, FIRST_ARGUMENT, FOURTH_ARGUMENT = 0, 4, 16, 40  # places in struct seccomp_data
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NOT_PERMITTED, NO_SUCH_CALL = ERRNO | 1, ERRNO | 38  # EPERM; ENOSYS, on which libraries take the older call

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value: struct sock_filter


def known(machine: str = "") -> bool:
    """Whether there are numbers for this kind of processor, by default the one that we run on."""
    return (machine or os.uname().machine) in MACHINES


def program(machine: str = "") -> bytes:
    """The filter, as an array of struct sock_filter; empty for a processor that is not known."""
    machine = machine or os.uname().machine
    if machine not in MACHINES:
        return b""
    return b"".join(struct.pack("=HBBI", *each) for each in instructions(*MACHINES[machine]))


def instructions(column: int, machine: int) -> Iterator[Instruction]:
    """Each refused call is a test that falls through to a refusal or jumps behind it."""
    yield (LOAD, 0, 0, MACHINE)
    yield (EQUAL, 1, 0, machine)
    yield (RETURN, 0, 0, NO_SUCH_CALL)
    yield (LOAD, 0, 0, NUMBER)
    yield from given(AT_LEAST, SECOND_TABLE, (RETURN, 0, 0, NO_SUCH_CALL))
    yield from given(EQUAL, CLONE3, (RETURN, 0, 0, NO_SUCH_CALL))
    for numbers in REFUSED.values():
        yield from given(EQUAL, numbers[column], (RETURN, 0, 0, NOT_PERMITTED))
    yield from given(
        EQUAL, CLONE[column],
        (LOAD, 0, 0, FIRST_ARGUMENT),
        *given(ANY_BIT, NAMESPACES, (RETURN, 0, 0, NOT_PERMITTED)),
        (RETURN, 0, 0, ALLOW),
    )  # fmt: skip
    yield from given(
        EQUAL, MMAP[column],
        (LOAD, 0, 0, FOURTH_ARGUMENT),
        (AND, 0, 0, SHARED_NOWHERE),
        *given(EQUAL, SHARED_NOWHERE, (RETURN, 0, 0, NOT_PERMITTED)),
    )  # fmt: skip
    yield (RETURN, 0, 0, ALLOW)


def given(test: int, value: int, *then: Instruction) -> Iterator[Instruction]:
    """`then`, where what was loaded passes the test."""
    yield (test, 0, len(then), value)
    yield from then
