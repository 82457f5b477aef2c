"""Whole jobs on the small stand-in: they learn, they repeat, they resume, and they name faults."""

import json
import subprocess
import sys

import numpy as np
import pytest

from localfireworks.engine import job
from localfireworks.engine.epochs import batch_size
from localfireworks.engine.files import Folder
from localfireworks.engine.job_settings import JobSettings
from localfireworks.engine.sft import train_job

WALL_CLOCK = {"train/tokens_per_sec", "perf/fwd_bwd_time", "perf/optim_step_time"}
STEP_KEYS = {
    "step",
    "train/step",
    "train/loss",
    "train/ce_loss",
    "train/ppl",
    "train/lr",
    "train/total_tokens",
}
TEXTS = {
    "red": ["apple", "rose", "blood"],
    "green": ["grass", "leaf", "frog"],
    "blue": ["sky", "sea", "jeans"],
}


def row(thing, colour):
    return {
        "messages": [
            {"role": "user", "content": f"{thing}?"},
            {"role": "assistant", "content": f"colour: {colour}"},
        ]
    }


ROWS = [row(thing, colour) for colour, things in TEXTS.items() for thing in things] * 2


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in ROWS))
    return path


@pytest.fixture
def run(tmp_path, dataset):
    """Train in a folder of its own; gives folder, result and metric lines."""

    def start(name="job", folder=Folder, **values):
        chosen = {
            "dataset": (dataset,),
            "evaluation_dataset": (dataset,),
            "epochs": 2,
            "lora_rank": 4,
            **values,
        }
        (tmp_path / name).mkdir(exist_ok=True)
        place = folder(tmp_path / name)
        result = train_job(JobSettings(standin="small", **chosen), place)
        return place, result, lines_of(place)

    return start


def lines_of(folder):
    return [json.loads(line) for line in folder.metrics.read_text().splitlines()]


def timeless(lines):
    return [{name: value for name, value in line.items() if name not in WALL_CLOCK} for line in lines]


def adapter_bytes(folder):
    return (folder.adapter / "adapter_model.safetensors").read_bytes()


def test_a_job_learns_and_says_so_in_the_real_keys(run):
    folder, result, lines = run(epochs=10, learning_rate=2e-4)
    steps = [line for line in lines if "train/loss" in line]
    evaluations = [line for line in lines if "eval/loss" in line]
    assert steps[0].keys() >= STEP_KEYS
    assert [line["step"] for line in steps] == list(range(1, result["steps"] + 1))
    assert len(evaluations) == 10
    assert evaluations[-1].keys() == {"step", "eval/loss", "eval/ppl"}
    assert evaluations[-1]["eval/loss"] < 0.5 * steps[0]["train/loss"]
    assert evaluations[-1]["eval/ppl"] == pytest.approx(np.exp(evaluations[-1]["eval/loss"]))
    assert steps[-1]["train/total_tokens"] == result["tokens"]
    assert steps[0]["train/lr"] == 2e-4
    assert 0 < steps[-1]["train/lr"] < 2e-5
    assert result["final_eval_loss"] == evaluations[-1]["eval/loss"]
    progress = json.loads((folder.path / "progress.json").read_text())
    assert (progress["phase"], progress["percent"]) == ("writing", 100)
    assert progress["input_tokens"] == progress["total_tokens"] == result["tokens"]


def test_the_same_job_gives_the_same_files_and_another_one_does_not(run):
    first, second = run("first"), run("second")
    assert adapter_bytes(first[0]) == adapter_bytes(second[0])
    assert timeless(first[2]) == timeless(second[2])
    slower = run("slower", learning_rate=5e-5)
    smaller = run("smaller", lora_rank=2)
    losses = {each[1]["final_eval_loss"] for each in (first, slower, smaller)}
    assert len(losses) == 3


class Interrupted(Folder):
    """A folder whose disk fails in the middle of the second epoch."""

    def add_metrics(self, line):
        if line["step"] == 7:
            raise OSError("no space left")
        return super().add_metrics(line)


def test_an_interrupted_job_ends_as_if_nothing_had_happened(run):
    whole, whole_result, whole_lines = run("whole", epochs=3)
    with pytest.raises(OSError, match="no space"):
        run("cut", folder=Interrupted, epochs=3)
    cut, cut_result, cut_lines = run("cut", epochs=3)
    assert adapter_bytes(cut) == adapter_bytes(whole)
    assert timeless(cut_lines) == timeless(whole_lines)
    assert cut_result == whole_result


def test_a_token_budget_is_kept_and_reported(run):
    _, free, _ = run("free", epochs=3)
    folder, result, _ = run("tight", epochs=3, token_budget=600)
    assert result["tokens"] <= 600 + 3 < free["tokens"]
    assert 0 < result["rows_used"] < result["rows_total"] == len(ROWS)
    assert result["evaluation_rows_used"] < len(ROWS)
    progress = json.loads((folder.path / "progress.json").read_text())
    assert (progress["rows_used"], progress["rows_total"]) == (result["rows_used"], result["rows_total"])


def test_the_carve_out_is_measured_and_not_trained_on(run):
    _, result, lines = run("carved", evaluation_dataset=(), eval_carveout=True)
    assert (result["rows_total"], result["evaluation_rows_total"]) == (17, 1)
    assert sum("eval/loss" in line for line in lines) == 2
    _, bare, lines = run("bare", evaluation_dataset=())
    assert bare["final_eval_loss"] is None
    assert not any("eval/loss" in line for line in lines)


def test_a_job_goes_on_from_an_adapter(run):
    first, result, _ = run("first", epochs=4)
    _, _, lines = run("second", adapter=first.adapter)
    assert lines[0]["train/loss"] < 1.5 * result["final_train_loss"] < 0.8 * lines_of(first)[0]["train/loss"]


@pytest.mark.parametrize(("rows", "size"), [(12, 4), (200, 4), (1000, 16), (7473, 32), (3, 3)])
def test_small_data_gets_small_batches(rows, size, tmp_path):
    settings = JobSettings("small", (tmp_path,))
    assert batch_size(settings, rows) == size
    assert batch_size(JobSettings("small", (tmp_path,), batch_size_samples=8), rows) == min(8, rows)


def written(tmp_path, **values):
    tmp_path.mkdir(exist_ok=True)
    asked = {"kind": "sft", "base": {"standin": "small"}, "epochs": 1, "learning_rate": 1e-4, "lora_rank": 4}
    (tmp_path / "job.json").write_text(json.dumps({**asked, **values}))
    return tmp_path


def test_a_broken_line_ends_the_job_with_its_number(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*(json.dumps(each) for each in ROWS[:2]), "{broken", json.dumps(ROWS[3])]))
    folder = written(tmp_path / "job", dataset=str(path))
    assert job.main([str(folder)]) == 0
    result = json.loads((folder / "result.json").read_text())
    assert (result["ok"], result["code"], result["reason"]) == (False, "INVALID_ARGUMENT", "DATASET_INVALID")
    assert result["message"].startswith("line 3: not valid JSON")


def test_the_process_does_all_of_it_and_a_second_start_changes_nothing(tmp_path, dataset):
    folder = written(tmp_path / "job", dataset=[str(dataset)], cache_dir=str(tmp_path / "cache"))
    command = [sys.executable, "-m", "localfireworks.engine.job", str(folder)]
    assert subprocess.run(command, check=False).returncode == 0
    result = json.loads((folder / "result.json").read_text())
    assert result["ok"]
    assert result["tokens"] > 0
    before = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert subprocess.run(command, check=False).returncode == 0
    assert {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
