"""One fine-tuning job in a process of its own: python -m localfireworks.engine.job FOLDER.

Reads FOLDER/job.json:
  kind "sft" or "dpo"; base {"standin": "small" | "medium" | "large" | path of a Hugging Face folder};
  compute "float32" or "bfloat16"; adapter: folder of a LoRA to go on from, or null; dataset,
  evaluation_dataset: path or list of paths of JSONL; epochs; learning_rate; lora_rank; max_context_length;
  batch_size_samples; lr_scheduler {"constant"|"linear"|"cosine": {"minLrRatio", "decayRatio"}} (null: linear
  down to 0); warmup_steps; weight_decay; seed; token_budget (0: none); eval_carveout; cache_dir (compiled
  programs).
  Kind "dpo" reads preference pairs, has no evaluation, and adds method "DPO" (beta) or "ORPO" (orpo_lambda).
Writes in FOLDER:
  progress.json, replaced whole: phase "validating" | "running" | "writing", percent, epoch from 0,
    input_tokens so far, total_tokens planned, rows_used, rows_total, updated (Unix time);
  metrics.jsonl, a line a step and one an evaluation (keys of the Fireworks metrics file);
  render_samples.jsonl (sft): at most 20 rows as the training sees them; reference.npz (DPO): what the
    reference makes of the answers;
  adapter/ (PEFT files), result.json: {"ok": true, …} or {"ok": false, "code", "reason", "message"}.
The exit status is 0 in both cases; another one is a crash. Started again in the same folder, a job goes on
from its last finished epoch and ends with the same files; a finished job changes nothing. SIGTERM ends it
at once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localfireworks.engine.files import Folder
from localfireworks.engine.job_settings import JobError, JobSettings
from localfireworks.engine.runtime import configure


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m localfireworks.engine.job", description="Run one training job."
    )
    parser.add_argument("folder", type=Path, help="folder with job.json; results are written there")
    folder = Folder(parser.parse_args(arguments).folder)
    if folder.result.exists():
        return 0
    folder.progress({"phase": "validating", "percent": 0, "epoch": 0, "input_tokens": 0, "total_tokens": 0})
    try:
        result = run(json.loads((folder.path / "job.json").read_bytes()), folder)
    except JobError as error:
        result = {"ok": False, "code": error.code, "reason": error.reason, "message": str(error)}
    folder.write_json(folder.result, result)
    return 0


def run(job: dict[str, Any], folder: Folder) -> dict[str, Any]:
    """Train as `job` says; JAX is first imported here, after its settings."""
    settings = JobSettings.from_json(job)
    configure(settings.cache_dir)
    from localfireworks.engine import preference, sft

    train = sft.train_job if settings.kind == "sft" else preference.train_job
    return train(settings, folder)


if __name__ == "__main__":
    raise SystemExit(main())
