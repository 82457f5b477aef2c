"""Defaults, values from the data, candidates, questions, conflicts and differences."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.specification import (
    CandidateConfig,
    Entry,
    FieldError,
    Origin,
    Specification,
    candidates,
    combine,
    default_heldout,
    differences,
    missing,
    of_candidates,
    out_of_place,
    resolve,
    with_changes,
)
from tests.unit.specification.examples import CATALOGUE, full


def said(**values: Any) -> Specification:
    return Specification({name: Entry(value, Origin.SAID, "words") for name, value in values.items()})


@pytest.mark.parametrize(
    ("samples", "epochs"),
    [(3, 5), (500, 5), (624, 5), (625, 4), (833, 4), (834, 3), (2499, 2), (2500, 1), (7473, 1)],
)
def test_epochs_follow_from_the_data(samples: int, epochs: int) -> None:
    entry = resolve(said(), total_samples=samples).entries["epochs"]
    assert (entry.value, entry.origin) == (epochs, Origin.DATA)
    assert f"{samples:,} rows" in entry.words


def test_resolve_keeps_what_was_said_and_fills_the_rest() -> None:
    spec = resolve(said(epochs=3, parallel_jobs=10), total_samples=7473)
    assert spec.entries["epochs"] == Entry(3, Origin.SAID, "words")
    assert spec.value("parallel_jobs") == 10
    assert spec.entries["tuning_samples"] == Entry(1000, Origin.DEFAULT)
    assert spec.value("heldout_rows") == 100
    assert spec.values() | {"seed": 42, "deploy": True, "final_run": True, "workflow": "sft"} == spec.values()


def test_resolving_again_works_out_anew_what_nobody_said() -> None:
    first = resolve(said(), total_samples=7473)
    assert resolve(first, total_samples=500).value("epochs") == 5
    assert resolve(first, total_samples=7473) == first


@pytest.mark.parametrize(("samples", "rows"), [(3, 1), (19, 1), (20, 2), (999, 99), (5000, 100)])
def test_heldout_rule(samples: int, rows: int) -> None:
    assert default_heldout(samples) == rows


def test_an_evaluation_dataset_turns_holding_out_off() -> None:
    spec = resolve(said(evaluation_dataset="accounts/a/datasets/b"), total_samples=500)
    assert spec.value("heldout_rows") == 0
    assert "evaluation dataset" in spec.entries["heldout_rows"].words


def test_settings_that_the_data_cannot_take_are_refused() -> None:
    with pytest.raises(FieldError, match="leaves too few to train on"):
        resolve(said(heldout_rows=98), total_samples=100)
    with pytest.raises(FieldError, match="3,000,000") as caught:
        resolve(said(epochs=4), total_samples=1_000_000)
    assert caught.value.remedy.startswith("Use 3 epochs")


def test_default_grid_for_each_base_model() -> None:
    spec = resolve(said(base_models=full("qwen3-8b", "qwen3-32b")), total_samples=7473)
    found = candidates(spec)
    assert [(c.number, c.base_model.rsplit("/")[-1], c.lora_rank, c.learning_rate) for c in found] == [
        (1, "qwen3-8b", 8, 1.5e-4),
        (2, "qwen3-8b", 16, 1.0e-4),
        (3, "qwen3-8b", 32, 5.0e-5),
        (4, "qwen3-32b", 8, 1.5e-4),
        (5, "qwen3-32b", 16, 1.0e-4),
        (6, "qwen3-32b", 32, 5.0e-5),
    ]
    assert {c.epochs for c in found} == {1}
    assert found[0].label == "qwen3-8b, rank 8, learning rate 1.5e-4"
    assert CandidateConfig.from_json(found[0].to_json()) == found[0]


def test_ranks_and_rates_are_combined() -> None:
    spec = said(
        base_models=full("qwen3-8b", "qwen3-32b"), lora_ranks=(16, 32), learning_rates=(1e-4, 5e-5), epochs=3
    )
    found = candidates(spec)
    assert len(found) == 8
    assert [(c.lora_rank, c.learning_rate) for c in found[:4]] == [
        (16, 1e-4),
        (16, 5e-5),
        (32, 1e-4),
        (32, 5e-5),
    ]


def test_only_ranks_take_the_default_rate_that_goes_with_them() -> None:
    spec = said(base_models=full("qwen3-8b"), lora_ranks=(1, 4, 8, 16, 32))
    assert [c.learning_rate for c in candidates(spec)] == [1.5e-4, 1.5e-4, 1.5e-4, 1e-4, 5e-5]


def test_only_rates_use_rank_16() -> None:
    spec = said(base_models=full("qwen3-8b"), learning_rates=(1e-4, 2e-4))
    assert [(c.lora_rank, c.learning_rate) for c in candidates(spec)] == [(16, 1e-4), (16, 2e-4)]


def test_no_models_no_candidates_and_too_many_are_refused() -> None:
    assert candidates(said()) == ()
    rates = tuple(i * 1e-5 for i in range(1, 20))
    with pytest.raises(FieldError, match="The grid makes 114 candidates"):
        candidates(said(base_models=full("qwen3-8b"), lora_ranks=(1, 2, 4, 8, 16, 32), learning_rates=rates))


def test_instruction_wins_over_form_and_default_and_says_so() -> None:
    reading = {
        "epochs": Entry(3, Origin.SAID, "3 epochs"),
        "parallel_jobs": Entry(10, Origin.SAID, "10 jobs"),
    }
    form = {"epochs": Entry(2, Origin.FORM, "2"), "seed": Entry(7, Origin.FORM, "7")}
    spec, conflicts = combine(reading, form)
    assert spec.values() == {"workflow": "sft", "epochs": 3, "parallel_jobs": 10, "seed": 7}
    assert spec.entries["workflow"].origin is Origin.DEFAULT
    assert conflicts == [
        "Epochs: the instruction says 3, the form 2. The instruction wins.",
        "Jobs in parallel: the instruction says 10, the default is 6. The instruction wins.",
    ]


def test_agreement_is_no_conflict() -> None:
    reading = {"epochs": Entry(3, Origin.SAID), "seed": Entry(42, Origin.SAID)}
    assert combine(reading, {"epochs": Entry(3, Origin.FORM)})[1] == []


def test_questions_for_what_has_no_default() -> None:
    dataset, models = missing(said(), CATALOGUE, [("accounts/me/datasets/a", "a, 200 rows")])
    assert (dataset.field, models.field) == ("dataset", "base_models")
    assert dataset.options[0].value == "accounts/me/datasets/a"
    assert len(models.options) == len(CATALOGUE)
    assert models.multiple
    assert models.to_json()["options"][0]["value"] == CATALOGUE[0].full
    assert missing(said(dataset="upload:x", base_models=full("qwen3-8b")), CATALOGUE) == []


def test_differences_in_plain_words() -> None:
    old = resolve(said(base_models=full("qwen3-8b")), total_samples=500)
    new = resolve(
        said(base_models=full("qwen3-8b"), epochs=3, lora_ranks=(8,), final_run=False), total_samples=500
    )
    assert differences(old, new) == [
        "LoRA ranks: not given became 8.",
        "Epochs: 5 became 3.",
        "Full-data run: yes became no.",
    ]
    assert differences(old, old) == []


@pytest.mark.parametrize(
    ("most", "kept"),
    [(1, [(0, 16)]), (2, [(0, 16), (1, 16)]), (3, [(0, 8), (0, 16), (1, 16)]), (6, None), (9, None)],
)
def test_a_thinned_grid_keeps_its_middle_for_every_model(
    most: int, kept: list[tuple[int, int]] | None
) -> None:
    models = full("qwen3-8b", "qwen3-32b")
    spec = Specification(
        {"base_models": Entry(models, Origin.SAID), "max_candidates": Entry(most, Origin.SAID)}
    )
    found = candidates(spec)
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    expected = kept or [(model, rank) for model in (0, 1) for rank in (8, 16, 32)]
    assert [(models.index(each.base_model), each.lora_rank) for each in found] == expected


def test_a_test_share_decides_what_is_held_out() -> None:
    spec = Specification({"test_share": Entry(0.3, Origin.SAID)})
    entry = resolve(spec, total_samples=200).entries["heldout_rows"]
    assert (entry.value, entry.words) == (60, "30% of 200 rows")


def test_only_fields_of_the_workflow_get_their_default() -> None:
    spec = Specification({"workflow": Entry("preference", Origin.SAID)})
    resolved = resolve(spec, total_samples=200)
    assert "tuning_samples" not in resolved
    assert resolved.value("seed") == 42


def test_a_share_and_a_number_of_rows_take_each_others_place() -> None:
    rows = Specification({"heldout_rows": Entry(5, Origin.SAID)})
    share = with_changes(rows, {"test_share": Entry(0.2, Origin.ANSWER)})
    assert share.values() == {"test_share": 0.2}
    assert with_changes(share, rows.entries).values() == {"heldout_rows": 5}
    worked_out = share.with_entries({"heldout_rows": Entry(40, Origin.DATA)})
    assert out_of_place(worked_out) == []


def test_candidates_are_a_grid_again_or_none() -> None:
    spec = said(base_models=full("qwen3-8b"), lora_ranks=(8, 16), learning_rates=(1e-4, 5e-5))
    made = candidates(spec)
    ranks = {"base_models": full("qwen3-8b"), "lora_ranks": (8, 16)}
    assert of_candidates(made, rates_said=True) == {**ranks, "learning_rates": (1e-4, 5e-5)}
    assert of_candidates(made[1::2], rates_said=True) == {**ranks, "learning_rates": (5e-5,)}
    assert of_candidates(candidates(said(**ranks))) == ranks
    with pytest.raises(FieldError, match="no grid"):
        of_candidates(made[:3])


def test_values_without_a_use_are_named() -> None:
    spec = Specification(
        {
            "labels": Entry(("a", "b"), Origin.SAID),
            "heldout_rows": Entry(5, Origin.SAID),
            "test_share": Entry(0.2, Origin.SAID),
            "criterion": Entry("the last number", Origin.SAID),
        }
    )
    faults = {error.field: str(error) for error in out_of_place(spec)}
    assert faults == {
        "labels": "Labels has no use in supervised fine-tuning. Leave it out, or run classification.",
        "criterion": "What counts as right is checked by a generated evaluator only. "
        "Say “generate an evaluator”, or leave it out.",
        "test_share": "What is held out is said twice, as 5 rows and as 20% of the data. Say it once.",
    }
