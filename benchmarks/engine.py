"""The engine's speed: training against its matrix products alone, and many answers together against one by
one.

Targets: training tokens a second at 50 % or more of what the same matrix products alone reach, for the
largest stand-in; 400 short answers together at 8 or more times one by one, the same 400. Each part is a
process of its own, as it is in a server: a job has one thread of XLA, a server has one a core. Of several
rounds the best counts on both sides: what else runs on the machine only slows.
Run with `make bench`, or `PYTHONPATH=. python benchmarks/engine.py`.
"""

from __future__ import annotations

import functools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import keep
from localfireworks.engine.runtime import configure

ROUNDS, RANK, ROWS = 5, 8, 32
ANSWERS, LENGTH = 400, 16
DATA = Path(__file__).parents[2] / "shared" / "data" / "banking77-test.jsonl"
STANDIN = "large"


def main() -> None:
    numbers: dict[str, Any] = {}
    for part in ("training", "answers"):
        ran = subprocess.run([sys.executable, __file__, part], stdout=subprocess.PIPE, check=True)
        numbers |= json.loads(ran.stdout)
    keep("engine", numbers)


def best(work: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, float]:
    """The shortest of several rounds: seconds, and seconds of all cores; a first round compiles.

    The second number says what a busy machine would have done undisturbed.
    """
    work()
    taken = []
    for _ in range(rounds):
        started, used = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - started, time.process_time() - used))
    return min(each[0] for each in taken), min(each[1] for each in taken)


def training() -> dict[str, Any]:
    """One optimizer step on full rows, and the products it cannot do without."""
    configure()
    from localfireworks.engine.chat import Rendered
    from localfireworks.engine.lora import init_lora
    from localfireworks.engine.optimizer import lora_loss
    from localfireworks.engine.packing import pack
    from localfireworks.engine.trainer import Trainer
    from localfireworks.engine.weights import load_base

    base = load_base(STANDIN)
    draw = np.random.default_rng(0)
    ids = draw.integers(3, 2000, (ROWS, 65)).astype(np.int32)
    rows = [Rendered(each, np.ones(65, np.float32)) for each in ids]
    batches = pack(rows, 64)
    tokens = sum(len(row.ids) - 1 for row in rows)
    trainer = Trainer(base.params, base.config, init_lora(base.config, RANK, 0))
    step, _ = best(lambda: trainer.step(batches, lora_loss, 1, tokens, (1e-4, 0.0)))
    alone = products_alone(list(needed(base.config, batches[0].tokens.shape[0], 64)), len(batches))
    return {
        "training_standin": STANDIN,
        "training_tokens_per_second": round(tokens / step),
        "matrix_products_alone_tokens_per_second": round(tokens / alone),
        "training_share_of_matrix_products": round(alone / step, 3),
    }


Shape = tuple[int, ...]


def needed(config: Any, rows: int, length: int) -> Iterator[tuple[Shape, Shape, int]]:
    """(left, right, how often) of every product of one batch: forward, and backward to inputs and adapters.
    The recomputation of layers in the backward pass is not needed, so it is not here."""
    from localfireworks.engine.config import linear_shapes

    count, depth, size = rows * length, config.num_hidden_layers, config.head_dim
    for into, out in linear_shapes(config).values():
        yield (count, into), (into, out), depth
        yield (count, out), (out, into), depth
        yield (count, into), (into, RANK), depth
        yield (count, RANK), (RANK, out), depth
        yield (count, out), (out, RANK), depth
        yield (RANK, count), (count, out), depth
        yield (into, count), (count, RANK), depth
        yield (count, RANK), (RANK, into), depth
    batch, queries = (rows, config.num_key_value_heads), config.queries_per_key * length
    yield (*batch, queries, size), (*batch, size, length), 2 * depth
    yield (*batch, queries, length), (*batch, length, size), 2 * depth
    yield (*batch, length, queries), (*batch, queries, size), 2 * depth
    yield (count, config.hidden_size), (config.hidden_size, config.vocab_size), 1
    yield (count, config.vocab_size), (config.vocab_size, config.hidden_size), 1


def products_alone(shapes: list[tuple[Shape, Shape, int]], batches: int) -> float:
    """Seconds for all of them, each shape run many times in a row on its own."""
    import jax
    import jax.numpy as jnp

    product, draw = jax.jit(jnp.matmul), np.random.default_rng(1)
    total = 0.0
    for left, right, times in shapes:
        x, y = (jnp.asarray(draw.normal(size=shape), jnp.float32) for shape in (left, right))
        repeated = 20

        def run(x: Any = x, y: Any = y, repeated: int = repeated) -> None:
            jax.block_until_ready([product(x, y) for _ in range(repeated)])

        total += best(run)[0] / repeated * times
    return total * batches


def answers() -> dict[str, Any]:
    """Greedy answers of at most 16 tokens to what an evaluation asks: messages of the Banking77 test file,
    all under the same instruction, on the same loaded model."""
    configure()
    numbers: dict[str, Any] = {"answers": ANSWERS, "most_answer_tokens": LENGTH}
    for standin in ("small", STANDIN):
        numbers |= {f"{standin}_{name}": value for name, value in answering(standin).items()}
    return numbers


def questions() -> list[list[dict[str, str]]]:
    """Every seventh or so message of the file, without its label."""
    if not DATA.is_file():
        raise SystemExit(f"the real data is not here: {DATA}")
    rows = [json.loads(line)["messages"][:2] for line in DATA.read_text().splitlines()]
    return rows[:: len(rows) // ANSWERS][:ANSWERS]


def answering(standin: str) -> dict[str, Any]:
    """Both ways as a server answers, which finds the instruction known from the second prompt on; and both
    where every prompt is read whole. Every round begins with nothing known."""
    from localfireworks.engine.inference import load

    model, asked = load(standin), questions()
    numbers: dict[str, Any] = {}
    texts = []
    for name, most in (("", model.prefixes.most), ("unshared_", 0)):
        model.prefixes.most = most
        one, many = functools.partial(one_by_one, model, asked), functools.partial(together, model, asked)
        texts += [one(), many()]
        (alone, alone_cores), (batch, batch_cores) = best(one, ROUNDS), best(many, 2 * ROUNDS)
        numbers |= {
            f"{name}one_by_one_seconds": round(alone, 3),
            f"{name}one_by_one_core_seconds": round(alone_cores, 3),
            f"{name}together_seconds": round(batch, 3),
            f"{name}together_core_seconds": round(batch_cores, 3),
            f"{name}times_faster_together": round(alone / batch, 1),
        }
    lengths = [model.count_prompt_tokens(each) for each in asked]
    return {
        "prompt_tokens": round(statistics.mean(lengths), 1),
        "answer_tokens": round(statistics.mean(len(each) for each in texts[0]), 1),
        **numbers,
        "answers_the_same_all_four_ways": sum(
            len(set(map(tuple, each))) == 1 for each in zip(*texts, strict=True)
        ),
    }


def one_by_one(model: Any, asked: Sequence[Any]) -> list[list[int]]:
    model.prefixes.clear()
    return [[piece.token_id for piece in model.generate(each, max_tokens=LENGTH)] for each in asked]


def together(model: Any, asked: Sequence[Any]) -> list[list[int]]:
    from localfireworks.engine.asking import Asked
    from localfireworks.engine.inference import iter_steps

    model.prefixes.clear()
    batch, said = model.open(), [list[int]() for _ in asked]
    for ticket, each in enumerate(asked):
        batch.add(ticket, Asked(each, max_tokens=LENGTH))
    for ticket, pieces in iter_steps(batch):
        said[ticket] += [piece.token_id for piece in pieces]
    return said


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps({"training": training, "answers": answers}[sys.argv[1]]()))
    else:
        main()
