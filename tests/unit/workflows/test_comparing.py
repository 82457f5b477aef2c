"""Which models of a classification are compared, and that the best one's lead is corrected for its choice."""

from __future__ import annotations

import numpy as np

from sessions.models import Candidate
from workflows.answers import Subject
from workflows.metrics.paired import discordant, holm, mcnemar
from workflows.phases.classification.comparing import is_shown, paired, shared
from workflows.phases.classification.models import Model, ranked
from workflows.phases.classification.reads import Read

BASE = "accounts/fireworks/models/qwen3-8b"
RIGHT, WRONG = ("right",), ("wrong",)


def model(number: int, hits: list[int], rows: list[int] | None = None) -> Model:
    """A model that is right where `hits` has 1; number 0 is the base model."""
    said = [RIGHT if hit else WRONG for hit in hits]
    read = Read(rows or list(range(len(hits))), [RIGHT] * len(hits), [*said], [*said], {})
    if not number:
        return Model("base", Subject.base(BASE), read)
    return Model(f"candidate {number}", Subject.planned(number, BASE), read, Candidate(number=number))


def test_every_pair_that_the_best_might_have_been_of_counts() -> None:
    """Four tuned models: four against the base model, and six pairs of them; those of the best are shown."""
    models = [model(0, [0, 0, 0]), *(model(number, [1, number % 2, 0]) for number in (1, 2, 3, 4))]
    pairs = list(paired(models))
    assert len(pairs) == 4 + 6
    best = ranked(models[1:])[0]
    shown = [pair for pair in pairs if is_shown(best, *pair)]
    assert len(shown) == 4 + 3


def test_the_best_of_many_equal_models_is_seldom_called_better() -> None:
    """Six models of equal skill, all clearly above their base: the best is falsely clear of another one in at
    most 5% of sessions, but for what chance makes of 300 of them."""
    draw = np.random.default_rng(8)
    false_alarms = 0
    for _ in range(300):
        models = [model(0, [0] * 300)]
        models += [model(1 + at, (draw.random(300) < 0.7).astype(int).tolist()) for at in range(6)]
        best = ranked(models[1:])[0]
        pairs = list(paired(models))
        values = holm([mcnemar(*discordant(np.subtract(*shared(*pair))))[0] for pair in pairs])
        false_alarms += any(
            p < 0.05
            for pair, p in zip(pairs, values, strict=True)
            if is_shown(best, *pair) and pair[1].candidate
        )
    assert false_alarms <= 20


def test_rows_that_one_model_was_refused_are_left_out_of_a_comparison() -> None:
    ours, theirs = shared(model(1, [1, 0, 1], [0, 2, 3]), model(0, [0, 1, 1], [0, 1, 3]))
    assert (ours.tolist(), theirs.tolist()) == ([1, 1], [0, 1])
