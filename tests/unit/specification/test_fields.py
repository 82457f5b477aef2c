"""Form strings to values, and the fault and remedy for each bad one."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.specification import FIELDS, FieldError, Origin, check_entry, rate_text, read_form, show
from tests.unit.specification.examples import CONTEXT, full


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("workflow", "sft", "sft"),
        ("dataset", "accounts/a/datasets/b-1", "accounts/a/datasets/b-1"),
        ("dataset", "upload:3f2a", "upload:3f2a"),
        ("dataset", "my-data", "accounts/me/datasets/my-data"),
        ("base_models", "Qwen3 32B, qwen3-8b\nqwen3-8b", full("qwen3-32b", "qwen3-8b")),
        ("lora_ranks", "8, 16 and 32", (8, 16, 32)),
        ("lora_ranks", "8/16", (8, 16)),
        ("learning_rates", "1e-4 5e-5", (1e-4, 5e-5)),
        ("learning_rates", "0.0001, 1.0E-4", (1e-4,)),
        ("epochs", " 3 ", 3),
        ("serving_order", "batch, multi-LoRA\nlive merge", ("batch", "multi_lora", "live_merge")),
        ("epochs", "3.0", 3),
        ("tuning_samples", "1,000", 1000),
        ("final_run", "no", False),
        ("deploy", "on", True),
        ("strategy", "validation_loss", "validation_loss"),
        ("strategy", "evaluator", "evaluator"),
        ("strategy", "generated", "generated"),
        ("evaluator", "upload:Ab_9-", "upload:Ab_9-"),
        ("title", "  My   run ", "My run"),
        ("budget", "$1,200.5", "1200.50"),
        ("test_share", "70/30", 0.3),
        ("test_share", "25%", 0.25),
        ("labels", "red, dark green\nred", ("red", "dark green")),
        ("target", "win rate, 0.75", ("win_rate", 0.75)),
        ("betas", "0.1 and 0.3", (0.1, 0.3)),
        ("imbalance_threshold", "20", 20.0),
        ("evaluator", "my-eval", "accounts/me/evaluators/my-eval"),
        ("method", "ORPO", "orpo"),
        ("rubric", 'Prefer  "short" ones', "Prefer 'short' ones"),
        ("max_candidates", "2", 2),
    ],
)
def test_good_form_values(name: str, raw: str, value: Any) -> None:
    reading = read_form({name: raw}, CONTEXT)
    assert reading.errors == []
    assert reading.entries[name].value == value
    assert type(reading.entries[name].value) is type(value)
    assert reading.entries[name].origin is Origin.FORM


@pytest.mark.parametrize(
    ("name", "raw", "fault", "remedy"),
    [
        ("serving_order", "batch, by post", "“by post” is not a way", "Name some of serverless, batch"),
        ("lora_ranks", "24", "LoRA rank 24 is not a power of two up to 32.", "Choose 1, 2, 4, 8, 16 or 32."),
        ("lora_ranks", "8, 64", "LoRA rank 64 is not", "Choose 1, 2, 4, 8, 16 or 32."),
        ("lora_ranks", "0", "full-parameter", "Choose 1"),
        ("lora_ranks", "8.5", "LoRA rank 8.5 is not", "Choose 1"),
        ("learning_rates", "1", "Learning rate 1 is outside", "from 1e-7 to 1e-2"),
        ("learning_rates", "-1e-4", "Learning rate -0.0001 is outside", "1e-4"),
        ("learning_rates", "fast", "“fast” is not a number", "digits"),
        ("epochs", "0", "Epochs: 0 is outside", "from 1 to 100"),
        ("epochs", "2.5", "Epochs: 2.5 is not a whole number", "whole number"),
        ("epochs", "nan", "is not a number", "digits"),
        ("epochs", "1e999999", "is not a number", "digits"),
        ("tuning_samples", "2", "Tuning samples: 2 is outside", "from 3 to"),
        ("parallel_jobs", "51", "Parallel jobs: 51 is outside", "from 1 to 50"),
        ("base_models", "qwen9-99b", "“qwen9-99b” is not one", "Nearest: qwen"),
        ("workflow", "reinforcement", "outside what this portal does", "docs.fireworks.ai"),
        ("workflow", "vision", "images", "docs.fireworks.ai"),
        ("workflow", "dance", "“dance” is not a workflow", "supervised"),
        ("dataset", "My Data!", "“My Data!” is not the name of a dataset", "accounts/ACCOUNT/datasets/ID"),
        ("budget", "0", "budget of $0.00 cannot", "above $0"),
        ("budget", "cheap", "not a number", "digits"),
        ("test_share", "95%", "95% cannot be used", "20%"),
        ("target", "joy, 0.5", "“joy” is not measured", "win rate"),
        ("target", "accuracy, 1.5", "accuracy of 1.5 cannot", "100%"),
        ("betas", "0", "outside", "0.001"),
        ("imbalance_threshold", "0.5", "outside", "from 1"),
        ("evaluator", "My Eval!", "not the name of an evaluator", "accounts/ACCOUNT/evaluators/ID"),
        ("method", "ppo", "not a method", "DPO or ORPO"),
        ("labels", "x" * 90, "too long", "80"),
        ("rubric", "x" * 1001, "1,001 characters", "1,000"),
        ("deploy", "perhaps", "neither yes nor no", "Choose yes or no"),
        ("title", "x" * 61, "61 characters", "60"),
        ("title", 'my "run"', "quotation marks", "Leave them out"),
    ],
)
def test_bad_form_values_name_fault_and_remedy(name: str, raw: str, fault: str, remedy: str) -> None:
    reading = read_form({name: raw}, CONTEXT)
    assert reading.entries == {}
    [error] = reading.errors
    assert error.field == name
    assert fault in error.fault
    assert remedy in error.remedy


def test_blank_is_not_given_unknown_names_are_left_alone_and_all_faults_are_told() -> None:
    raw = {"epochs": "  ", "csrfmiddlewaretoken": "x", "lora_ranks": "24", "seed": "x", "title": "ok"}
    reading = read_form(raw, CONTEXT)
    assert list(reading.entries) == ["title"]
    assert [error.field for error in reading.errors] == ["lora_ranks", "seed"]


def test_a_bare_dataset_id_needs_an_account() -> None:
    with pytest.raises(FieldError, match="account of dataset “foo” is not known"):
        check_entry("dataset", "foo", type(CONTEXT)())


def test_registry_is_complete_and_its_defaults_pass_their_own_checks() -> None:
    for name, field in FIELDS.items():
        assert field.name == name
        assert field.label
        assert field.help
        if field.default is not None:
            assert field.check(field.default, CONTEXT) == field.default


@pytest.mark.parametrize(
    ("rate", "text"),
    [(1e-4, "1e-4"), (1.5e-4, "1.5e-4"), (5e-5, "5e-5"), (0.00123, "1.23e-3"), (0.01, "1e-2")],
)
def test_rate_text(rate: float, text: str) -> None:
    assert rate_text(rate) == text
    assert float(text) == rate


def test_values_are_shown_in_plain_words() -> None:
    assert show("learning_rates", (1e-4, 5e-5)) == "1e-4 and 5e-5"
    assert show("base_models", full("qwen3-8b", "qwen3-32b", "kimi-k3")) == "qwen3-8b, qwen3-32b and kimi-k3"
    assert show("deploy", False) == "no"
    assert show("tuning_samples", 1000) == "1,000"
    assert show("workflow", "sft") == "supervised fine-tuning"
    assert show("epochs", None) == "not given"
    assert show("budget", "1200.00") == "$1,200"
    assert show("target", ("win_rate", 0.75)) == "win rate of 75%"
    assert show("test_share", 0.125) == "12.5%"
    assert show("strategy", "generated") == "a generated evaluator"
