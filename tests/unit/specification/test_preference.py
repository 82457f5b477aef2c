"""Grids, defaults, questions and refusals of preference learning."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.specification import (
    CandidateConfig,
    Context,
    Entry,
    FieldError,
    Origin,
    Specification,
    candidates,
    missing,
    of_candidates,
    resolve,
)
from sessions.specification.fields import FIELDS
from sessions.specification.preference import MOST_MODELS, swept

A, B = "accounts/fireworks/models/qwen3-32b", "accounts/fireworks/models/qwen3-8b"


def said(**values: Any) -> Specification:
    values = {"workflow": "preference", "base_models": (A,), **values}
    return Specification({name: Entry(value, Origin.SAID, "words") for name, value in values.items()})


def settings(spec: Specification) -> list[tuple[str, int, float, float | None]]:
    return [(each.base_model, each.lora_rank, each.learning_rate, each.beta) for each in candidates(spec)]


def test_one_base_model_gets_a_sweep_over_its_settings() -> None:
    assert settings(said()) == [(A, 16, 1e-5, 0.1), (A, 16, 5e-5, 0.1), (A, 16, 1e-5, 0.3)]
    assert settings(said(method="orpo"))[-1] == (A, 16, 1e-5, 0.25)


def test_several_base_models_get_one_candidate_each() -> None:
    assert settings(said(base_models=(A, B))) == [(A, 16, 1e-5, 0.1), (B, 16, 1e-5, 0.1)]


def test_an_explicit_grid_is_that_grid() -> None:
    found = settings(said(base_models=(A, B), betas=(0.1, 0.3)))
    assert found == [(A, 16, 1e-5, 0.1), (A, 16, 1e-5, 0.3), (B, 16, 1e-5, 0.1), (B, 16, 1e-5, 0.3)]
    found = settings(said(lora_ranks=(8,), learning_rates=(1e-6, 2e-6), betas=(0.2,)))
    assert found == [(A, 8, 1e-6, 0.2), (A, 8, 2e-6, 0.2)]


def test_the_label_says_beta_and_json_keeps_it() -> None:
    first = candidates(said())[0]
    assert first.label == "qwen3-32b, rank 16, learning rate 1e-5, beta 0.1"
    assert CandidateConfig.from_json(first.to_json()) == first


def test_candidates_that_stay_are_said_as_a_grid() -> None:
    every = candidates(said(base_models=(A, B), betas=(0.1, 0.3)))
    kept = [each for each in every if each.beta == 0.3]
    assert of_candidates(kept) == {
        "base_models": (A, B), "lora_ranks": (16,), "learning_rates": (1e-5,), "betas": (0.3,),
    }  # fmt: skip
    with pytest.raises(FieldError, match="no grid"):
        of_candidates(every[:3])


def test_a_fifth_is_held_out_and_few_epochs_are_trained() -> None:
    spec = resolve(said(), total_samples=100)
    assert (spec.value("heldout_rows"), spec.value("epochs"), spec.value("method")) == (20, 3, "dpo")
    assert spec.entries["heldout_rows"].words == "a fifth of 100 rows"
    assert resolve(said(), total_samples=5000).value("epochs") == 1
    assert resolve(said(test_share=0.5), total_samples=100).value("heldout_rows") == 50


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"betas": (0.1, 0.5)}, "betas"),
        ({"stop_early": True}, "target"),
        ({"target": ("accuracy", 0.9)}, "target"),
        ({"target": ("score", 0.9)}, "target"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        resolve(said(**values), total_samples=100)
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_score_can_be_a_target_where_an_evaluator_gives_it() -> None:
    spec = resolve(said(target=("score", 0.9), evaluator="accounts/a/evaluators/e"), total_samples=100)
    assert spec.value("target") == ("score", 0.9)


def test_orpo_takes_larger_weights() -> None:
    assert resolve(said(method="orpo", betas=(1.0,)), total_samples=100).value("betas") == (1.0,)


def test_without_a_base_model_the_sweep_is_confirmed_first() -> None:
    def asked(**values: Any) -> list[str]:
        return [each.field for each in missing(said(dataset="accounts/a/datasets/b", **values), ())]

    assert asked(base_models=()) == ["sweep_models"]
    assert asked(base_models=(), sweep_models=True) == []
    assert asked(base_models=(), sweep_models=False) == ["base_models"]
    assert asked() == []
    assert asked(stop_early=True) == ["target"]


def test_every_answer_offered_can_be_given() -> None:
    for question in missing(said(base_models=(), stop_early=True, dataset="accounts/a/datasets/b"), ()):
        for option in question.options:
            FIELDS[question.field].parse(option.value, Context())
    assert FIELDS["target"].parse("win rate, 75%", Context()) == ("win_rate", 0.75)
    assert FIELDS["target"].parse("win rate, 0.7", Context()) == ("win_rate", 0.7)


def test_a_model_sweep_is_spread_over_sizes_and_leaves_out_the_largest() -> None:
    sizes = [(f"m{size}", size * 10**9) for size in (1, 3, 4, 8, 14, 27, 32, 70, 120, 1000)]
    entry = swept(sizes)
    assert len(set(entry.value)) == MOST_MODELS
    assert entry.value[0] == "m1"
    assert entry.value[-1] == "m70"
    assert "6 of 10 supported" in entry.words
    assert swept(sizes[:2]).value == ("m1", "m3")
    assert swept(sizes[-1:]).value == ("m1000",)
    assert swept(sizes[:1]).value == ("m1",)
