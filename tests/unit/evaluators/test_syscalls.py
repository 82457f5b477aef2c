"""The filter of system calls, run by a small machine of our own: what it answers to which call."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from workflows.evaluators.processes import held
from workflows.evaluators.syscalls import (
    ALLOW,
    AND,
    ANY_BIT,
    AT_LEAST,
    CLONE,
    CLONE3,
    EQUAL,
    LOAD,
    MACHINES,
    MMAP,
    NO_SUCH_CALL,
    NOT_PERMITTED,
    REFUSED,
    RETURN,
    known,
    program,
)

pytestmark = pytest.mark.unit
MACHINE = pytest.mark.parametrize("machine", MACHINES)


def answer(machine: str, number: int, *arguments: int, audit: int = 0) -> int:
    """What the kernel is told of one call."""
    own = MACHINES[machine][1]
    given = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, audit or own, 0, *given)
    return ran(list(struct.iter_unpack("=HBBI", program(machine))), data)


def ran(code: Sequence[tuple[int, ...]], data: bytes) -> int:
    at, held_value = 0, 0
    while True:
        kind, true, false, value = code[at]
        at += 1
        if kind == RETURN:
            return value
        if kind == LOAD:
            held_value = struct.unpack_from("=I", data, value)[0]
        elif kind == AND:
            held_value &= value
        else:
            tests = {EQUAL: held_value == value, AT_LEAST: held_value >= value, ANY_BIT: held_value & value}
            at += true if tests[kind] else false


@MACHINE
def test_what_holds_memory_unseen_is_refused(machine: str) -> None:
    column = MACHINES[machine][0]
    assert {answer(machine, numbers[column]) for numbers in REFUSED.values()} == {NOT_PERMITTED}
    assert answer(machine, CLONE3) == NO_SUCH_CALL


@MACHINE
def test_threads_and_processes_may_be_made_and_namespaces_not(machine: str) -> None:
    clone = CLONE[MACHINES[machine][0]]
    assert answer(machine, clone, 0x3D0F00) == ALLOW  # flags of pthread_create
    assert answer(machine, clone, 17) == ALLOW  # of fork: SIGCHLD
    assert answer(machine, clone, 0x10000000 | 17) == NOT_PERMITTED


@MACHINE
def test_memory_may_be_mapped_unless_it_is_shared_and_of_no_file(machine: str) -> None:
    mmap = MMAP[MACHINES[machine][0]]
    flags = {0x22: ALLOW, 0x01: ALLOW, 0x21: NOT_PERMITTED, 0x23: NOT_PERMITTED, 0x100021: NOT_PERMITTED}
    assert {each: answer(machine, mmap, 0, 4096, 3, each) for each in flags} == flags


@MACHINE
def test_calls_by_other_tables_do_not_exist(machine: str) -> None:
    assert answer(machine, 0x40000000) == NO_SUCH_CALL
    assert answer(machine, 0, audit=0x40000003) == NO_SUCH_CALL  # as a 32-bit program makes them


def test_a_processor_without_numbers_is_not_known() -> None:
    assert (known("riscv64"), program("riscv64")) == (False, b"")


def test_memory_is_counted_wherever_it_is() -> None:
    status = "VmPeak:\t 90 kB\nVmRSS:\t 10 kB\nRssAnon:\t 9 kB\nVmPTE:\t 4 kB\nVmSwap:\t 2 kB\n"
    status += "HugetlbPages:\t 1 kB\n"
    assert held(status) == 17 * 1024
    assert held("Name:\tgone\n") == 0
