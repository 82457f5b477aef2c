"""How XLA runs here: one thread a process, and a compilation cache that outlives it.

Import and call `configure` before anything imports JAX: the thread settings are read once, at its start.
"""

from __future__ import annotations

import os
from pathlib import Path

FLAG = "--xla_cpu_multi_thread_eigen=false"


def configure(cache_dir: Path | str | None = None, programs: int = 1) -> None:
    """Set one thread a program for XLA on the CPU, how many programs may run at the same time, and, when
    given, the folder of compiled programs.

    One thread a program makes the order of additions, and with it every file of a job, the same on every run;
    two jobs then share two cores without getting in each other's way. A server that answers has a batch a
    core, so it runs several programs.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if FLAG not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {FLAG}".strip()
    os.environ["NPROC"] = str(programs)  # not setdefault: a job inherits its server's environment
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if cache_dir is not None:  # a folder that the environment names is shared by several servers
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_dir))
    if folder := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.02"
        os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
