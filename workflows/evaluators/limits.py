"""How much foreign evaluator code may use before it is stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes. `memory` is of one process and of all together."""

    wall: float = 600.0  # the whole run
    load: float = 60.0  # building the walls and loading the evaluator
    row: float = 20.0
    together: float = 60.0  # all rows of a run, where the evaluator sees them at once: it cannot be paused
    pause: float = 0.0  # when it is ended behind a row, without a fault; 0 for never
    processor: int = 300  # processor time of one process
    memory: int = 1024 * MEBIBYTE
    file: int = 64 * MEBIBYTE  # one file, and the private folder as a whole
    processes: int = 32  # threads count as processes
    output: int = MEBIBYTE  # what it prints
    answer: int = 64 * 1024  # one row's result

    def to_json(self) -> dict[str, float]:
        return asdict(self)
