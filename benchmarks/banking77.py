"""Banking77 with all 77 labels: two base models, real stand-ins, over the command line from the instruction
to the report. 10,003 training rows; of the 3,080 test rows every sixth, so that it takes minutes.

Each prompt holds the list of labels, so it is about 1,000 tokens long for a stand-in. Measured is what people
see: accuracy of base and tuned models with their intervals, whether the difference is called clear, rows
trained on, and how long each phase took. Once with the token budget that a rehearsal has when nobody sets
one, and once with a larger one.

What is asserted: every run succeeds, and each tuned model's interval lies above that of its base.

Run with `make bench`, or `PYTHONPATH=. python benchmarks/banking77.py [BUDGET …]`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.classification import SHARED, upload
from benchmarks.results import keep
from tests.system.portal import Portal

USUAL = 200_000  # tokens a job, when FWPORTAL_TOKEN_BUDGET is not set
BUDGETS = (USUAL, 1_000_000)
EVERY = 6  # of the test rows, which stand label by label, every so many are measured on
INSTRUCTION = (
    "Benchmark and fine-tune classification on accounts/rehearsal/datasets/banking-train, "
    "eval on accounts/rehearsal/datasets/banking-test. Compare Qwen3 8B and Qwen3 32B. "
    "LoRA rank 32, learning rate 1e-4, 5 epochs. Skip the full-data run."
)
REPLIES = ("Approved, proceed.", "Proceed with the winning config.")
Numbers = dict[str, Any]


def main() -> None:
    if not SHARED.is_dir():
        raise SystemExit(f"the real data is not here: {SHARED}")
    budgets = [int(word) for word in sys.argv[1:]] or BUDGETS
    numbers: Numbers = {"labels": 77, "instruction": INSTRUCTION}
    for budget in budgets:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(Path(folder), budget)
        numbers |= {f"budget_{budget}_{name}": value for name, value in found.items()}
    keep("banking77", numbers)


def measured(folder: Path, budget: int) -> Numbers:
    """One whole session of a portal of its own."""
    portal = Portal(folder / "data", {"FWPORTAL_TOKEN_BUDGET": str(budget), "FWPORTAL_REFRESH_SECONDS": "3"})
    try:
        portal.start()
        local = f"http://127.0.0.1:{portal.port + 1}"
        upload(local, "banking-train")
        upload(local, "banking-test", EVERY)
        portal.until(lambda: listed(portal), 60, "the lists of models and datasets")
        begun = time.monotonic()
        public_id = str(asked(portal, "create", "--instruction", INSTRUCTION)["id"])
        for reply in REPLIES:
            portal.manage("session", "events", public_id, "--wait")
            asked(portal, "update", public_id, "--instruction", reply)
        portal.manage("session", "events", public_id, "--wait")
        seconds = round(time.monotonic() - begun)
        end = asked(portal, "get", public_id)
        if end["status"] != "succeeded":
            raise SystemExit(f"{end['status']}: {end['failure'] or end['waiting_for']}")
        report = json.loads(portal.manage("session", "report", public_id, "--json"))
        events = portal.manage("session", "events", public_id, "--json").splitlines()
        return {
            "session_seconds": seconds,
            **trained(local),
            **told(report["classification"]),
            "seconds_until_phase_ended": phases(events),
        }
    finally:
        portal.remove()


def listed(portal: Portal) -> bool:
    """Whether an instruction finds what it names: the worker has read the lists."""
    return not asked(portal, "read", INSTRUCTION)["errors"]


def asked(portal: Portal, verb: str, *arguments: str) -> Numbers:
    found: Numbers = json.loads(portal.manage("session", verb, *arguments, "--json"))
    return found


def trained(local: str) -> Numbers:
    """What the jobs trained on: rows by base model, and tokens as they would be billed."""
    key = {"Authorization": "Bearer any"}
    where = f"{local}/v1/accounts/rehearsal/supervisedFineTuningJobs"
    jobs = httpx.get(where, headers=key, timeout=60).json()["supervisedFineTuningJobs"]
    facts = {job["baseModel"].rsplit("/", 1)[1]: job["rehearsal"] for job in jobs}
    return {
        "rows_trained_on": {name: each["rowsUsed"] for name, each in facts.items()},
        "rows_given": {name: each["rowsTotal"] for name, each in facts.items()},
        "tokens_trained_on": {name: int(each["totalTokens"]) for name, each in facts.items()},
    }


def told(found: Numbers) -> Numbers:
    """Accuracy of each model, and what is said of each tuned one against its base."""
    models = {each["subject"]: each for each in found["models"]}
    numbers: Numbers = {}
    for each in models.values():
        kind = "base" if each["number"] is None else "tuned"
        short = each["base_model"].rsplit("/", 1)[1]
        accuracy = each["metrics"]["accuracy"]
        numbers[f"{short}_{kind}_accuracy"] = round(accuracy["value"], 4)
        numbers[f"{short}_{kind}_interval_95"] = [round(accuracy["low"], 4), round(accuracy["high"], 4)]
        numbers[f"{short}_{kind}_outside_the_set"] = round(each["metrics"]["outside"]["value"], 4)
        numbers["test_rows"] = accuracy["rows"]
    for each in found["comparisons"]:
        if each["against_base"]:
            short = models[each["first"]]["base_model"].rsplit("/", 1)[1]
            numbers[f"{short}_tuned_against_base"] = each["sentence"]
            base, tuned = (models[each[side]]["metrics"]["accuracy"] for side in ("second", "first"))
            assert tuned["low"] > base["high"], numbers
    return numbers


def phases(events: Sequence[str]) -> dict[str, float]:
    """Seconds from the first event to the last one of each phase."""
    found = [json.loads(line) for line in events]
    times = {each["phase"]: datetime.fromisoformat(each["at"]) for each in found}
    first = datetime.fromisoformat(found[0]["at"])
    return {phase: round((at - first).total_seconds(), 1) for phase, at in times.items()}


if __name__ == "__main__":
    main()
