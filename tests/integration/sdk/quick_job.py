"""A job process that trains nothing, but obeys the contract of the training process. It gets a folder.

It makes a fresh adapter of the right shape, which changes no answer. With `learning_rate` 3 it does not end.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from localfireworks.engine.config import WEIGHTS, ModelConfig
from localfireworks.engine.lora import init_lora, save_adapter

ENDLESS = 3.0


def main(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text())
    progress = {"phase": "running", "percent": 50, "epoch": 0, "input_tokens": 50, "total_tokens": 100}
    partial = folder / "progress.partial"
    partial.write_text(json.dumps(progress))
    partial.replace(folder / "progress.json")
    (folder / "metrics.jsonl").write_text('{"step": 1, "train/loss": 2.0}\n')
    if job["learning_rate"] == ENDLESS:
        signal.pause()
    standin = job["base"]["standin"]
    config = ModelConfig.read(WEIGHTS / standin / "config.json")
    save_adapter(folder / "adapter", init_lora(config, job["lora_rank"], 0), standin)
    (folder / "result.json").write_text('{"ok": true, "tokens": 100}')


main(Path(sys.argv[1]))
