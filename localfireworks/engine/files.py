"""The files of a job's folder, written so that a reader never sees half of one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import orjson

PROGRESS_EVERY = 0.2


class Folder:
    """Where a job reads and writes; see `job.py` for the names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metrics, self.result = path / "metrics.jsonl", path / "result.json"
        self.adapter, self.checkpoint = path / "adapter", path / "checkpoint.npz"
        self._written = 0.0

    def write_json(self, path: Path, value: dict[str, Any]) -> None:
        self.replace(path, json.dumps(value, sort_keys=True).encode())

    def replace(self, path: Path, content: bytes) -> None:
        """Write beside and rename: the old file or the new one, never a part."""
        beside = path.with_suffix(path.suffix + ".new")
        beside.write_bytes(content)
        beside.replace(path)

    def progress(self, value: dict[str, Any], now: bool = True) -> None:
        """Replace progress.json; calls with `now` false are dropped when the last one was a moment ago."""
        moment = time.time()
        if now or moment - self._written >= PROGRESS_EVERY:
            self._written = moment
            self.write_json(self.path / "progress.json", {**value, "updated": moment})

    def cut_metrics(self, size: int) -> None:
        """Drop metric lines after the first `size` bytes: those of an epoch that is trained again."""
        with self.metrics.open("ab") as file:
            file.truncate(min(size, file.tell()))

    def add_metrics(self, line: dict[str, Any]) -> int:
        """Append one line (NaN becomes null); gives the size of the file after it."""
        with self.metrics.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")
            return file.tell()
