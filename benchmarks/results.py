"""Prints a benchmark's numbers and keeps them in `benchmarks/results/NAME.json` with machine and date."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

FOLDER = Path(__file__).with_name("results")


def keep(name: str, numbers: dict[str, Any]) -> Path:
    """`numbers` should name their units: `first_page_seconds`, `memory_mb`."""
    for what, value in numbers.items():
        print(f"{name:<12} {what:<44} {value}")
    path = FOLDER / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"taken": taken(), "numbers": numbers}, indent=2) + "\n")
    return path


def taken() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_at_the_end": round(os.getloadavg()[0], 1),  # far above the cores: others were at work too
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }
