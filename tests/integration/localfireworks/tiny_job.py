"""A job process that only counts: `tiny_job.py FOLDER`. It obeys the contract of the training process.

`learning_rate` says how it behaves: 1 succeeds, 2 dies at its first try, 3 waits to be ended.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def report(folder: Path, phase: str, percent: int) -> None:
    content = {"phase": phase, "percent": percent, "epoch": 0, "input_tokens": percent, "total_tokens": 100}
    partial = folder / "progress.partial"
    partial.write_text(json.dumps(content))
    partial.replace(folder / "progress.json")


def main() -> None:
    folder = Path(sys.argv[1])
    behaviour = int(json.loads((folder / "job.json").read_text())["learning_rate"])
    tries = folder / "tries"
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    report(folder, "validating", 0)
    report(folder, "running", 50)
    (folder / "metrics.jsonl").write_text('{"step": 1, "train/loss": 2.0}\n')
    if behaviour == 2 and tries.read_text() == "x":
        sys.exit(3)
    while behaviour == 3 and not (folder / "go").exists():
        time.sleep(0.02)
    report(folder, "writing", 100)
    (folder / "adapter").mkdir(exist_ok=True)
    (folder / "result.json").write_text('{"ok": true, "tokens": 100}')


main()
