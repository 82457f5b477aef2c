"""Learning is real: labels of Banking77 by supervised tuning, preferences of IFEval pairs by DPO.

Targets: a stand-in tuned on 1,000 messages beats its base by far on the test file (exact labels of 77,
greedy); more messages and a higher rank help; DPO raises margin and accuracy on pairs that it was not trained
on. No token budget. Run with `make bench`, or `PYTHONPATH=. python benchmarks/learning.py [SEEDS]`: HEADLINE
and the pairs are means over so many seeds (default 3), with their spread; the other runs take the first
OTHER_SEEDS of them. A seed draws the messages or folds, the first matrices and the order.
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
HEADLINE = (1000, 16)
SEEDS, OTHER_SEEDS = 3, 1
FOLDS, SEED = 5, 42
LONGEST_LABEL = 24  # tokens
Numbers = dict[str, Any]


def main() -> None:
    seeds = range(SEED, SEED + (int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS))
    if not DATA.is_dir():
        raise SystemExit(f"the real data is not here: {DATA}")
    with tempfile.TemporaryDirectory() as folder:
        numbers = {**labels(Path(folder), seeds), **preferences(Path(folder), seeds)}
    keep("learning", numbers)
    (FOLDER / "learning.md").write_text(report(numbers))


def labels(folder: Path, seeds: Sequence[int]) -> Numbers:
    """Exact labels and loss on the whole test file: of the base, and of each run."""
    train = (DATA / "banking77-train.jsonl").read_text().splitlines()
    test = [json.loads(line) for line in (DATA / "banking77-test.jsonl").read_text().splitlines()]
    right = right_answers(None, test)
    numbers: Numbers = {f"label_{name}": value for name, value in LABELS.items()}
    numbers |= {"label_test_messages": len(test), "label_base_right": right}
    numbers["label_base_test_loss"] = round(test_loss(None, 8), 3)
    for count, rank in RUNS:
        begun = time.monotonic()
        drawn = seeds if (count, rank) == HEADLINE else seeds[:OTHER_SEEDS]
        adapters = [tuned(folder, train, count, rank, seed) for seed in drawn]
        found = [right_answers(adapter, test) for adapter in adapters]
        name = f"label_{count}_rank_{rank}"
        losses = [test_loss(adapter, rank) for adapter in adapters]
        numbers[f"{name}_test_loss"] = round(statistics.mean(losses), 3)
        numbers[f"{name}_right_by_seed"] = found
        numbers[f"{name}_accuracy"] = round(statistics.mean(found) / len(test), 4)
        numbers[f"{name}_accuracy_spread"] = spread([each / len(test) for each in found])
        numbers[f"{name}_test_loss_spread"] = spread(losses)
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
    objective = sft.Supervised(settings, rows, rows)
    trainer = Trainer(base.params, base.config, first_adapter(settings, base.config))
    weight = objective.weight(rows.rows)
    return trainer.measure(objective.batches(rows.rows), objective.loss, weight)[0]


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation from seed to seed; None for one seed."""
    return round(statistics.stdev(values), 4) if len(values) > 1 else None


Margins = tuple[list[float], list[float]]  # of trained and of held-out pairs


def preferences(folder: Path, seeds: Sequence[int]) -> Numbers:
    """DPO by cross-validation, with every seed: each pair is held out once. Before it, margins are 0 and
    accuracy is chance."""
    by_seed = [crossed(folder, seed) for seed in seeds]
    numbers: Numbers = {f"pair_{name}": value for name, value in PAIRS.items()} | {"pair_seeds": len(seeds)}
    for name, all_margins in zip(("trained", "held_out"), zip(*by_seed, strict=True), strict=True):
        shares = [sum(margin > 0 for margin in margins) / len(margins) for margins in all_margins]
        means = [statistics.mean(margins) for margins in all_margins]
        first = all_margins[0]  # another seed has the same pairs: it adds no pairs to the error of their mean
        numbers |= {
            f"pair_{name}_pairs": len(first),
            f"pair_{name}_margin_mean": round(statistics.mean(means), 2),
            f"pair_{name}_margin_standard_error": round(statistics.stdev(first) / math.sqrt(len(first)), 2),
            f"pair_{name}_margin_spread": spread(means),
            f"pair_{name}_accuracy": round(statistics.mean(shares), 3),
            f"pair_{name}_accuracy_spread": spread(shares),
            f"pair_{name}_accuracy_interval_95": interval(statistics.mean(shares) * len(first), len(first)),
        }
    return numbers


def crossed(folder: Path, seed: int) -> Margins:
    """Margins of all pairs by jobs that each leave a part of them out, in the order the seed gives."""
    lines = (DATA / "ifeval-pairs.jsonl").read_text().splitlines()
    order = np.random.default_rng(seed).permutation(len(lines))
    trained: list[float] = []
    held: list[float] = []
    for number, fold in enumerate(np.array_split(order, FOLDS)):
        rest = [lines[index] for index in np.setdiff1d(order, fold)]
        job = Fold(folder / f"fold-{seed}-{number}", rest, [lines[index] for index in fold], seed)
        one_trained, one_held = job.learn()
        trained += one_trained
        held += one_held
        print("seed", seed, "fold", number, statistics.mean(one_held), flush=True)
    return trained, held


class Fold:
    """One job on some pairs, and the margins of these and of others before and after it."""

    def __init__(self, place: Path, train: Sequence[str], held: Sequence[str], seed: int) -> None:
        self.place, self.seed = place, seed
        place.mkdir()
        self.train, self.held = self._settings("train", train), self._settings("held", held)

    def _settings(self, name: str, lines: Sequence[str]) -> JobSettings:
        path = self.place / f"{name}.jsonl"
        path.write_text("\n".join(lines))
        return JobSettings(dataset=(path,), kind="dpo", seed=self.seed, **PAIRS)

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


def report(numbers: Numbers) -> str:
    machine, count = taken(), numbers["label_test_messages"]
    right, loss = numbers["label_base_right"], numbers["label_base_test_loss"]
    rows = [f"| 0 (base) | | | {right / count:.1%} | {ends(interval(right, count))} | {loss} |"]
    for messages, rank in RUNS:
        name = f"label_{messages}_rank_{rank}"
        seeds, spread_ = len(numbers[f"{name}_right_by_seed"]), numbers[f"{name}_accuracy_spread"]
        found = f"{numbers[f'{name}_accuracy']:.1%}" + (f" ± {spread_:.1%}" if spread_ is not None else "")
        losses = f"{numbers[f'{name}_test_loss']}{beside(numbers[f'{name}_test_loss_spread'])}"
        span = ends(numbers[f"{name}_interval_95"])
        rows.append(f"| {messages:,} | {rank} | {seeds} | {found} | {span} | {losses} |")
    pairs = [
        f"| {name.replace('_', ' ')} | {numbers[f'pair_{name}_margin_mean']} ± "
        f"{numbers[f'pair_{name}_margin_standard_error']} | "
        f"{beside(numbers[f'pair_{name}_margin_spread'])} | "
        f"{numbers[f'pair_{name}_accuracy']:.0%} | "
        f"{ends(numbers[f'pair_{name}_accuracy_interval_95'])} |"
        for name in ("trained", "held_out")
    ]
    return f"""# Learning

{machine["at"]}, {machine["cores"]} cores, {machine["system"]}. No token budget.

## Banking77: exact labels of 77 on {count:,} test messages

Stand-in {LABELS["standin"]}, {LABELS["epochs"]} epochs at {LABELS["learning_rate"]}.
Means over seeds, ± their standard deviation; the interval is that of the messages, as if all seeds were one.

| messages | rank | seeds | right | 95 % interval | loss, nats a token |
|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

## IFEval pairs: DPO

Stand-in {PAIRS["standin"]}, {PAIRS["epochs"]} epochs at {PAIRS["learning_rate"]}, beta {PAIRS["beta"]};
{FOLDS} folds, every pair held out once, with {numbers["pair_seeds"]} seeds. Before: margin 0, accuracy 50 %.

| pairs | margin, nats | from seed to seed | accuracy | 95 % interval |
|---|---:|---:|---:|---:|
{chr(10).join(pairs)}
"""


def beside(spread_: float | None) -> str:
    return "" if spread_ is None else f" ± {spread_:.2g}"


def ends(found: Sequence[float]) -> str:
    return f"{found[0]:.1%} to {found[1]:.1%}"


if __name__ == "__main__":
    main()
