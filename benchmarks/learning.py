"""Learning is real: labels of Banking77 by supervised tuning, preferences of IFEval pairs by DPO.

Targets: a stand-in tuned on 1,000 messages beats its base by far on the test file (exact labels of 77,
greedy); more messages and a higher rank help; DPO raises margin and accuracy on pairs that it was not trained
on. No token budget. Run with `make bench`, or `PYTHONPATH=. python benchmarks/learning.py [SEEDS]`: each
supervised number is the mean over so many seeds (default 1), which draw the messages, the first matrices and
the order.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import FOLDER, keep, taken
from localfireworks.engine.runtime import configure

configure()

from localfireworks.engine import preference, sft  # noqa: E402 - JAX's threads are set above
from localfireworks.engine.asking import Asked  # noqa: E402
from localfireworks.engine.dataset import open_source  # noqa: E402
from localfireworks.engine.epochs import base_of, first_adapter  # noqa: E402
from localfireworks.engine.files import Folder  # noqa: E402
from localfireworks.engine.inference import iter_steps, load  # noqa: E402
from localfireworks.engine.job_settings import JobSettings  # noqa: E402
from localfireworks.engine.trainer import Trainer  # noqa: E402

DATA = Path(__file__).parents[2] / "shared" / "data"
LABELS: dict[str, Any] = {"standin": "medium", "epochs": 5, "learning_rate": 1e-4}
RUNS = ((250, 16), (1000, 4), (1000, 16), (1000, 32), (4000, 16))  # messages, rank
PAIRS: dict[str, Any] = {"standin": "small", "epochs": 3, "learning_rate": 3e-6, "lora_rank": 8, "beta": 0.1}
FOLDS, SEED = 5, 42
LONGEST_LABEL = 24  # tokens
Numbers = dict[str, Any]


def main() -> None:
    seeds = range(SEED, SEED + (int(sys.argv[1]) if len(sys.argv) > 1 else 1))
    if not DATA.is_dir():
        raise SystemExit(f"the real data is not here: {DATA}")
    with tempfile.TemporaryDirectory() as folder:
        numbers = {**labels(Path(folder), seeds), **preferences(Path(folder))}
    keep("learning", numbers)
    (FOLDER / "learning.md").write_text(report(numbers, len(seeds)))


def labels(folder: Path, seeds: Sequence[int]) -> Numbers:
    """Exact labels and loss on the whole test file: of the base, and of each run."""
    train = (DATA / "banking77-train.jsonl").read_text().splitlines()
    test = [json.loads(line) for line in (DATA / "banking77-test.jsonl").read_text().splitlines()]
    right = right_answers(None, test)
    numbers: Numbers = {f"label_{name}": value for name, value in LABELS.items()}
    numbers |= {"label_seeds": len(seeds), "label_test_messages": len(test), "label_base_right": right}
    numbers["label_base_test_loss"] = round(test_loss(None, 8), 3)
    for count, rank in RUNS:
        begun = time.monotonic()
        adapters = [tuned(folder, train, count, rank, seed) for seed in seeds]
        found = [right_answers(adapter, test) for adapter in adapters]
        name = f"label_{count}_rank_{rank}"
        losses = [test_loss(adapter, rank) for adapter in adapters]
        numbers[f"{name}_test_loss"] = round(statistics.mean(losses), 3)
        numbers[f"{name}_right_by_seed"] = found
        numbers[f"{name}_accuracy"] = round(statistics.mean(found) / len(test), 4)
        numbers[f"{name}_interval_95"] = interval(statistics.mean(found), len(test))
        numbers[f"{name}_seconds"] = round(time.monotonic() - begun)
        print(name, found, numbers[f"{name}_accuracy"], flush=True)
    return numbers


def tuned(folder: Path, lines: Sequence[str], count: int, rank: int, seed: int) -> Path:
    """The adapter that a job makes from `count` messages drawn by `seed`; larger draws hold the smaller."""
    place = folder / f"{count}-{rank}-{seed}"
    place.mkdir()
    order = np.random.default_rng(seed).permutation(len(lines))[:count]
    (place / "rows.jsonl").write_text("\n".join(lines[index] for index in order))
    settings = JobSettings(dataset=(place / "rows.jsonl",), lora_rank=rank, seed=seed, **LABELS)
    sft.train_job(settings, Folder(place))
    return place / "adapter"


def right_answers(adapter: Path | None, rows: Sequence[dict[str, Any]]) -> int:
    """How many rows are answered with exactly their label."""
    answers = load(LABELS["standin"], adapter).open()
    for number, row in enumerate(rows):
        answers.add(number, Asked(row["messages"][:-1], max_tokens=LONGEST_LABEL))
    said = [""] * len(rows)
    for number, pieces in iter_steps(answers):
        said[number] += "".join(piece.text for piece in pieces)
    return sum(text.strip() == row["messages"][-1]["content"] for text, row in zip(said, rows, strict=True))


def test_loss(adapter: Path | None, rank: int) -> float:
    """Cross-entropy of a label's token on the whole test file, in nats."""
    settings = JobSettings(
        dataset=(DATA / "banking77-test.jsonl",), adapter=adapter, lora_rank=rank, standin=LABELS["standin"]
    )
    base = base_of(settings)
    source = open_source(settings.dataset)
    rows, _ = sft.read_data(settings, source, base.renderer.render, base.config.max_position_embeddings)
    objective = sft.Supervised(rows, rows)
    trainer = Trainer(base.params, base.config, first_adapter(settings, base.config))
    weight = objective.weight(rows.rows)
    return trainer.measure(objective.batches(rows.rows), objective.loss, weight)[0]


def preferences(folder: Path) -> Numbers:
    """DPO by cross-validation: each pair is held out once. Before it, margins are 0, accuracy is chance."""
    lines = (DATA / "ifeval-pairs.jsonl").read_text().splitlines()
    order = np.random.default_rng(SEED).permutation(len(lines))
    trained: list[float] = []
    held: list[float] = []
    for number, fold in enumerate(np.array_split(order, FOLDS)):
        rest = np.setdiff1d(order, fold)
        place = folder / f"fold-{number}"
        margins_of = Fold(place, [lines[index] for index in rest], [lines[index] for index in fold])
        one_trained, one_held = margins_of.learn()
        trained += one_trained
        held += one_held
        print("fold", number, statistics.mean(one_held), flush=True)
    numbers: Numbers = {f"pair_{name}": value for name, value in PAIRS.items()}
    for name, margins in (("trained", trained), ("held_out", held)):
        wins = sum(margin > 0 for margin in margins)
        numbers |= {
            f"pair_{name}_pairs": len(margins),
            f"pair_{name}_margin_mean": round(statistics.mean(margins), 2),
            f"pair_{name}_margin_standard_error": round(
                statistics.stdev(margins) / math.sqrt(len(margins)), 2
            ),
            f"pair_{name}_accuracy": round(wins / len(margins), 3),
            f"pair_{name}_accuracy_interval_95": interval(wins, len(margins)),
        }
    return numbers


class Fold:
    """One job on some pairs, and the margins of these and of others before and after it."""

    def __init__(self, place: Path, train: Sequence[str], held: Sequence[str]) -> None:
        self.place = place
        place.mkdir()
        self.train, self.held = self._settings("train", train), self._settings("held", held)

    def _settings(self, name: str, lines: Sequence[str]) -> JobSettings:
        path = self.place / f"{name}.jsonl"
        path.write_text("\n".join(lines))
        return JobSettings(dataset=(path,), kind="dpo", seed=SEED, **PAIRS)

    def learn(self) -> tuple[list[float], list[float]]:
        """Margins of the trained and of the held-out pairs after the job."""
        preference.train_job(self.train, Folder(self.place))
        return list(self._margins(self.train)), list(self._margins(self.held))

    def _margins(self, settings: JobSettings) -> Iterator[float]:
        base = base_of(settings)
        pairs = preference.read_pairs(settings, base).rows
        before, after = (
            preference.reference_chances(pairs, Trainer(base.params, base.config, adapter))
            for adapter in (
                first_adapter(settings, base.config),
                first_adapter(replace(settings, adapter=self.place / "adapter"), base.config),
            )
        )
        gained = after - before
        yield from (gained[:, 0] - gained[:, 1]).tolist()


def interval(wins: float, count: int) -> list[float]:
    """Wilson's 95 % interval of a share."""
    z = 1.959964
    share, spread = wins / count, z * math.sqrt(wins * (count - wins) / count + z * z / 4) / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = spread / (1 + z * z / count)
    return [round(max(middle - half, 0.0), 4), round(min(middle + half, 1.0), 4)]


def report(numbers: Numbers, seeds: int) -> str:
    machine, count = taken(), numbers["label_test_messages"]
    right, loss = numbers["label_base_right"], numbers["label_base_test_loss"]
    rows = [f"| 0 (base) | | {right / count:.1%} | {ends(interval(right, count))} | {loss} |"]
    for messages, rank in RUNS:
        name = f"label_{messages}_rank_{rank}"
        found = f"{numbers[f'{name}_accuracy']:.1%} | {ends(numbers[f'{name}_interval_95'])}"
        rows.append(f"| {messages:,} | {rank} | {found} | {numbers[f'{name}_test_loss']} |")
    pairs = [
        f"| {name.replace('_', ' ')} | {numbers[f'pair_{name}_margin_mean']} ± "
        f"{numbers[f'pair_{name}_margin_standard_error']} | {numbers[f'pair_{name}_accuracy']:.0%} | "
        f"{ends(numbers[f'pair_{name}_accuracy_interval_95'])} |"
        for name in ("trained", "held_out")
    ]
    return f"""# Learning

{machine["at"]}, {machine["cores"]} cores, {machine["system"]}. No token budget.

## Banking77: exact labels of 77 on {count:,} test messages

Stand-in {LABELS["standin"]}, {LABELS["epochs"]} epochs at {LABELS["learning_rate"]}, mean of {seeds} seeds.

| messages | rank | right | 95 % interval | loss, nats a token |
|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

## IFEval pairs: DPO

Stand-in {PAIRS["standin"]}, {PAIRS["epochs"]} epochs at {PAIRS["learning_rate"]}, beta {PAIRS["beta"]};
{FOLDS} folds, every pair held out once. Before: margin 0, accuracy 50 %.

| pairs | margin, nats | accuracy | 95 % interval |
|---|---:|---:|---:|
{chr(10).join(pairs)}
"""


def ends(found: Sequence[float]) -> str:
    return f"{found[0]:.1%} to {found[1]:.1%}"


if __name__ == "__main__":
    main()
