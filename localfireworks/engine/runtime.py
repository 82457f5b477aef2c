"""How XLA runs here: one thread a process, and a compilation cache that outlives it.

Import and call `configure` before anything imports JAX: the thread settings are read once, at its start.
"""

from __future__ import annotations

import os
from pathlib import Path

FLAG = "--xla_cpu_multi_thread_eigen="
_chosen: list[int] = []  # the number of threads, once it was set in this process


def _choose(threads: int) -> None:
    """Write the number into the environment; what a parent process wrote there does not count."""
    _chosen[:] = [threads]
    others = [each for each in os.environ.get("XLA_FLAGS", "").split() if not each.startswith(FLAG)]
    os.environ["XLA_FLAGS"] = " ".join([*others, f"{FLAG}{'false' if threads == 1 else 'true'}"])
    os.environ["NPROC"] = str(threads)


def configure(cache_dir: Path | str | None = None, threads: int | None = None) -> None:
    """Set threads for XLA on the CPU and, when given, the folder of compiled programs.

    A job has one: that makes the order of additions, and with it every file of a job, the same on every run,
    and two jobs share two cores without getting in each other's way. A server that answers takes more.
    Without `threads`, what was set before stays.
    """
    if threads is not None or not _chosen:
        _choose(threads or 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if cache_dir is not None:  # a folder that the environment names is shared by several servers
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_dir))
    if folder := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.02"
        os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
