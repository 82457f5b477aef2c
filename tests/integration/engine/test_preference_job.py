"""Whole preference jobs on the small stand-in: they learn, report in the real keys, repeat and resume."""

import json

import numpy as np
import pytest

from localfireworks.engine import job, preference
from localfireworks.engine.files import Folder
from localfireworks.engine.job_settings import JobSettings

WALL_CLOCK = {"train/tokens_per_sec", "train/step_time_sec", "perf/fwd_bwd_time", "perf/optim_step_time"}
COMMON = {"step", "train/step", "train/lr", "train/epoch", "train/step_tokens", "train/total_tokens"}
DPO_KEYS = {"train/dpo_loss", "train/loss", "train/margin", "train/accuracy", "train/ref_tokens"}
ORPO_KEYS = {
    "train/orpo_loss",
    "train/sft_loss",
    "train/or_loss",
    "train/log_odds_ratio",
    "train/accuracy",
}
THINGS = ["apple", "rose", "grass", "leaf", "sky", "sea", "sun", "snow"]


def row(thing):
    return {
        "input": {"messages": [{"role": "user", "content": f"What is {thing}?"}]},
        "preferred_output": [{"role": "assistant", "content": f"Dear friend, {thing} is nice."}],
        "non_preferred_output": [{"role": "assistant", "content": f"No idea about {thing}."}],
    }


class Interrupted(Folder):
    """A folder whose disk fails in the middle of the second epoch."""

    def add_metrics(self, line):
        if line["step"] == 3:
            raise OSError("no space left")
        return super().add_metrics(line)


@pytest.fixture
def run(tmp_path):
    """Train in a folder of its own; gives folder, result and metric lines."""
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row(thing)) + "\n" for thing in THINGS))

    def start(name, folder=Folder, **values):
        (tmp_path / name).mkdir(exist_ok=True)
        place = folder(tmp_path / name)
        chosen = {"lora_rank": 4, "kind": "dpo", "epochs": 4, "learning_rate": 2e-4, **values}
        result = preference.train_job(JobSettings("small", (path,), **chosen), place)
        lines = [json.loads(line) for line in place.metrics.read_text().splitlines()]
        return place, result, lines

    return start


def mean(lines, key):
    return float(np.mean([line[key] for line in lines]))


def test_dpo_raises_the_margin_and_says_so_in_the_real_keys(run):
    _, result, lines = run("dpo", epochs=8)
    assert all(line.keys() >= COMMON | DPO_KEYS | WALL_CLOCK for line in lines)
    assert [line["train/epoch"] for line in lines[:4]] == [1, 1, 2, 2]
    assert lines[0]["train/dpo_loss"] == lines[0]["train/loss"] == pytest.approx(np.log(2), abs=1e-4)
    assert lines[0]["train/margin"] == pytest.approx(0, abs=1e-3)
    assert mean(lines[-2:], "train/dpo_loss") < 0.4
    assert (mean(lines[-2:], "train/margin") > 5, mean(lines[-2:], "train/accuracy")) == (True, 1.0)
    assert [line["train/ref_tokens"] > 0 for line in lines] == [True] * 2 + [False] * 14
    assert sum(line["train/step_tokens"] for line in lines) == result["tokens"]
    assert lines[-1]["train/total_tokens"] == result["tokens"]
    assert (result["steps"], result["rows_used"], result["final_eval_loss"]) == (16, 8, None)


def test_orpo_learns_the_preferred_answers(run):
    folder, _, lines = run("orpo", method="ORPO", epochs=8, orpo_lambda=0.5)
    first, last = lines[0], lines[-1]
    assert first.keys() >= COMMON | ORPO_KEYS | WALL_CLOCK
    assert not first.keys() & {"train/dpo_loss", "train/margin", "train/ref_tokens"}
    for line in (first, last):
        parts = line["train/sft_loss"] + 0.5 * line["train/or_loss"]
        assert line["train/orpo_loss"] == pytest.approx(parts, rel=1e-5)
    assert last["train/sft_loss"] < 0.7 * first["train/sft_loss"]
    assert last["train/log_odds_ratio"] > max(first["train/log_odds_ratio"], 0)
    assert not (folder.path / "reference.npz").exists()


@pytest.mark.parametrize("method", ["DPO", "ORPO"])
def test_an_interrupted_job_ends_as_if_nothing_had_happened(run, method):
    whole, whole_result, whole_lines = run("whole", method=method, epochs=2)
    with pytest.raises(OSError, match="no space"):
        run("cut", folder=Interrupted, method=method, epochs=2)
    cut, cut_result, cut_lines = run("cut", method=method, epochs=2)
    adapters = [(folder.adapter / "adapter_model.safetensors").read_bytes() for folder in (cut, whole)]
    assert adapters[0] == adapters[1]
    assert cut_result == whole_result
    for one, other in zip(cut_lines, whole_lines, strict=True):
        assert {key: one[key] for key in one if key not in WALL_CLOCK} == {
            key: other[key] for key in other if key not in WALL_CLOCK
        }


def test_the_reference_of_a_warm_start_is_the_adapter_it_starts_from(run):
    first, _, _ = run("first")
    _, _, lines = run("second", adapter=first.adapter, epochs=1, batch_size_samples=8)
    assert lines[0]["train/margin"] == pytest.approx(0, abs=1e-3)


def test_the_token_budget_counts_both_answers(run):
    _, free, _ = run("free", epochs=2)
    _, tight, _ = run("tight", epochs=2, token_budget=200)
    assert tight["tokens"] <= 200 < free["tokens"]
    assert 0 < tight["rows_used"] < tight["rows_total"] == len(THINGS)


def test_a_chat_row_among_the_pairs_ends_the_job_with_its_line(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in (row("a"), {"messages": []}, row("b"))))
    asked = {"kind": "dpo", "method": "DPO", "base": {"standin": "small"}, "dataset": str(path)}
    (tmp_path / "job.json").write_text(json.dumps(asked))
    assert job.main([str(tmp_path)]) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["ok"], result["code"], result["reason"]) == (False, "INVALID_ARGUMENT", "DATASET_INVALID")
    assert result["message"] == 'line 2: the field "input" must be an object with "messages"'
