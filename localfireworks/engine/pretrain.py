"""Train a stand-in from nothing: python -m localfireworks.engine.pretrain --data ../shared/data --out
localfireworks/weights.

The tokenizer must be there already (train_tokenizer). Every document is learned whole, questions included;
documents are packed into rows of 128 to 512 tokens, and every 25th step sees a row of 1,024 tokens with
documents after each other, so that the whole context is practised. Learning rate: warm-up, then straight
down to zero.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from localfireworks.engine.runtime import configure

if __name__ == "__main__":
    configure()

import jax

from localfireworks.engine.chat import STOP, Rendered, Renderer
from localfireworks.engine.config import STANDINS, ModelConfig, standin_shape
from localfireworks.engine.corpus import Document, read_corpus
from localfireworks.engine.model import init_params
from localfireworks.engine.optimizer import (
    TRANSFORM,
    accumulate,
    empty_sums,
    full_loss,
    summed_loss,
    update,
)
from localfireworks.engine.packing import Batch, lay_out, pack
from localfireworks.engine.schedule import schedule
from localfireworks.engine.tokens import load_tokenizer
from localfireworks.engine.weights import save_model

log = logging.getLogger("pretrain")
ROWS, STEP_TOKENS, LONG_ROW, LONG_EVERY, WARMUP = (128, 256, 512), 512, 1024, 25, 100
STEPS = {"small": 3600, "medium": 3600, "large": 3600}
RATES = {"small": 4e-3, "medium": 2.5e-3, "large": 1.6e-3}
DECAY = 0.02


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=STANDINS, action="append", help="one stand-in (may be repeated)")
    parser.add_argument("--steps", type=int, help="steps instead of the recorded number")
    parser.add_argument("--seed", type=int, default=42)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    renderer = Renderer(load_tokenizer(chosen.out / "tokenizer.json"))
    corpus = read_corpus(chosen.data, chosen.seed)
    train = encode(corpus.train, renderer)
    held_out = {name: encode(documents, renderer) for name, documents in corpus.held_out.items()}
    for name in chosen.only or STANDINS:
        facts = pretrain(name, train, held_out, chosen.out, chosen.steps or STEPS[name], chosen.seed)
        (chosen.out / name / "training.json").write_text(json.dumps(facts, indent=2) + "\n")


def encode(documents: Sequence[Document], renderer: Renderer) -> list[Rendered]:
    """Documents as ids that all count in the loss; plain text ends with the end-of-text marker."""
    stop = renderer.tokenizer.token_to_id(STOP)
    chats = iter(renderer.render([{"messages": each} for each in documents if not isinstance(each, str)]))
    texts = iter(renderer.tokenizer.encode_batch_fast([each for each in documents if isinstance(each, str)]))
    ids = [[*next(texts).ids, stop] if isinstance(each, str) else next(chats).ids for each in documents]
    return [
        Rendered(np.asarray(each, np.int32), np.ones(len(each), np.float32)).cut(LONG_ROW + 1) for each in ids
    ]


def short_batches(samples: Sequence[Rendered], draw: np.random.Generator) -> Iterator[Batch]:
    """Passes over the samples in ever new order; some hundred at a time, packed by length, in mixed order."""
    window = 400
    while True:
        order = draw.permutation(len(samples))
        for start in range(0, len(order) - window + 1, window):
            batches = by_length([samples[index] for index in order[start : start + window]])
            yield from (batches[index] for index in draw.permutation(len(batches)))


def by_length(samples: Sequence[Rendered]) -> list[Batch]:
    """Batches of STEP_TOKENS, each of rows as short as its samples allow; the longest samples are cut."""
    groups: dict[int, list[Rendered]] = {}
    for sample in samples:
        row = next((length for length in ROWS if length >= len(sample.ids) - 1), ROWS[-1])
        groups.setdefault(row, []).append(sample.cut(row + 1))
    return [
        batch for row, group in sorted(groups.items()) for batch in pack(group, row, STEP_TOKENS, STEP_TOKENS)
    ]


def long_batches(samples: Sequence[Rendered], draw: np.random.Generator) -> Iterator[Batch]:
    """Rows of 1,024 tokens of documents after each other, seen as one."""
    while True:
        ids = np.concatenate([samples[index].ids for index in draw.permutation(len(samples))])
        rows = [
            Rendered(part, np.ones(len(part), np.float32))
            for part in (
                ids[start : start + LONG_ROW + 1] for start in range(0, len(ids) - LONG_ROW - 1, LONG_ROW)
            )
        ]
        yield from (lay_out([[row]], 1, LONG_ROW) for row in rows)


def pretrain(name: str, train: Any, held_out: Any, out: Path, steps: int, seed: int) -> dict[str, Any]:
    """Train one stand-in, write its folder, and give the facts of the run."""
    config = dataclasses.replace(standin_shape(name, 2048), compute="bfloat16")
    params, draw = init_params(config, jax.random.key(seed)), np.random.default_rng(seed)
    state, factor = TRANSFORM.init(params), schedule("linear", steps, WARMUP)
    short, long = short_batches(train, draw), long_batches(train, draw)
    started, seen, losses = time.monotonic(), 0, []
    for step in range(steps):
        batch = next(long if step % LONG_EVERY == LONG_EVERY - 1 else short)
        weight = float(batch.weights.sum())
        sums = accumulate(empty_sums(params), params, None, batch, config, full_loss)
        params, state, _ = update(params, state, sums[0], weight, RATES[name] * factor(step), DECAY)
        seen += int(weight)
        losses.append(float(sums[1]) / weight)
        if step % 100 == 99:
            speed = seen / (time.monotonic() - started)
            log.info("%s step %d loss %.3f %.0f tokens/s", name, step + 1, np.mean(losses[-100:]), speed)
    save_model(out / name, jax.device_get(params), dataclasses.replace(config, compute="float32"))
    facts = {
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(params)),
        "seed": seed,
        "steps": steps,
        "tokens": seen,
        "learning_rate": RATES[name],
        "train_loss_last_100_steps": round(float(np.mean(losses[-100:])), 4),
        "held_out_loss": measure(params, config, held_out),
        "seconds": round(time.monotonic() - started),
    }
    log.info("%s %s", name, facts)
    return facts


def measure(params: Any, config: ModelConfig, held_out: dict[str, list[Rendered]]) -> dict[str, float]:
    """Mean cross-entropy in nats per token of each held-out source."""
    loss = jax.jit(summed_loss, static_argnames="config")
    result = {}
    for name, samples in held_out.items():
        batches = by_length(samples)
        total = sum(float(loss(params, None, config, batch)) for batch in batches)
        result[name] = round(total / sum(float(batch.weights.sum()) for batch in batches), 4)
    return result


if __name__ == "__main__":
    main()
