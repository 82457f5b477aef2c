"""What a server was started with."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

JOB_COMMAND = (sys.executable, "-m", "localfireworks.engine.job")


@dataclass(frozen=True)
class Settings:
    """Start-up choices. Times in seconds, `token_budget` in tokens a job (0: none)."""

    data: Path
    account: str = "rehearsal"
    token_budget: int = 200_000
    jobs: int = 2
    job_command: tuple[str, ...] = JOB_COMMAND
    state_seconds: float = 0.4  # shortest stay in a job state that does no work of its own
    tick_seconds: float = 0.2  # between two looks at all jobs and deployments
    deploy_seconds: float = 1.5  # shortest start of a replica
    loaded_models: int = 4
    batch_hours: float = 24.0  # a batch inference job that takes longer is EXPIRED
    samples: bool = True
    hosts: tuple[str, ...] | None = None  # names to answer to beside localhost and addresses; None: any
    compute: str = "float32"  # precision of matrix products: float32 or bfloat16

    unconfined_evaluators: bool = False  # run foreign code even where the machine cannot confine it

    def folder(self, *parts: str) -> Path:
        """A folder below the data folder, made when missing."""
        path = self.data.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path
