"""Sentences to specifications: nothing wrong, nothing dropped in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.instructions import Reading, read
from sessions.specification import FIELDS, Entry, ModelName, Origin, Specification, sentence
from tests.unit.instructions.sentences import FAULTY, PARTLY, UNDERSTOOD, Y
from tests.unit.specification.examples import CATALOGUE, full


def reading(text: str) -> Reading:
    return read(text, CATALOGUE, account="me", served=CATALOGUE)


def values(found: Reading) -> dict[str, Any]:
    return {name: entry.value for name, entry in found.entries.items()}


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD)
def test_understood_to_the_last_word(text: str, expected: dict[str, Any]) -> None:
    found = reading(text)
    assert values(found) == expected
    assert found.complete
    assert {entry.origin for entry in found.entries.values()} <= {Origin.SAID}


@pytest.mark.parametrize(("text", "expected", "shown"), PARTLY)
def test_partly_understood_shows_the_rest(text: str, expected: dict[str, Any], shown: list[str]) -> None:
    found = reading(text)
    assert values(found) == expected
    assert [span.text for span in found.not_understood] == shown
    assert found.errors == ()


@pytest.mark.parametrize(("text", "field", "fault", "remedy"), FAULTY)
def test_faults_name_the_field_and_the_remedy(text: str, field: str, fault: str, remedy: str) -> None:
    found = reading(text)
    error = next(each for each in found.errors if each.field == field)
    assert fault in error.fault
    assert remedy in error.remedy
    assert field not in found.entries


def test_an_evaluator_asked_for_within_a_run_is_the_runs_own() -> None:
    found = reading("Run SFT on accounts/a/datasets/x and write an evaluator for accounts/a/datasets/x")
    assert values(found) == {"workflow": "sft", "dataset": "accounts/a/datasets/x", "strategy": "generated"}
    assert not found.errors


def test_an_evaluator_in_preference_learning_is_no_other_strategy() -> None:
    found = reading("Run ORPO. Use evaluator accounts/a/evaluators/e.")
    assert values(found) == {
        "workflow": "preference",
        "method": "orpo",
        "evaluator": "accounts/a/evaluators/e",
    }
    assert found.errors == ()


def test_entries_quote_the_words_and_spans_point_at_them() -> None:
    text = "Run SFT with learning rates 1e-4 and 5e-5, and LoRA rank 16."
    found = reading(text)
    assert found.entries["learning_rates"].words == "learning rates 1e-4 and 5e-5"
    assert [(span.field, text[span.start : span.end]) for span in found.spans] == [
        ("workflow", "Run SFT"),
        ("learning_rates", "learning rates 1e-4 and 5e-5"),
        ("lora_ranks", "LoRA rank 16"),
    ]


def test_unsupported_settings_are_named() -> None:
    found = reading("batch size of 32, weight decay 0.1, score with qwen3-32b")
    assert [span.field for span in found.not_understood] == ["batch size", "weight decay", "judge model"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Make preference pairs with Kimi K3 and Qwen3 8B. Use Qwen3 32B.",
            {
                "make_pairs": True,
                "strong_model": "kimi-k3",
                "weak_model": "qwen3-8b",
                "base_models": full("qwen3-32b"),
            },
        ),
        ("Use kimi k3 as the stronger model and qwen3-8b as the weaker one.",
         {"strong_model": "kimi-k3", "weak_model": "qwen3-8b"}),
        ("Use qwen3-8b as the weak generator", {"weak_model": "qwen3-8b"}),
        ("let me see the pairs before training", {"review_pairs": "show"}),
        ("show me a sample of the pairs first, keep pairs with refusals",
         {"review_pairs": "show", "screening": "faulty"}),
        ("leave out pairs with cut answers", {"screening": "cut_off"}),
        ("Run ORPO with lambda 0.1 and 0.2", {"method": "orpo", "betas": (0.1, 0.2)}),
    ],
)  # fmt: skip
def test_who_makes_the_pairs_and_what_is_left_out(text: str, expected: dict[str, Any]) -> None:
    found = reading(text)
    names = {"strong_model", "weak_model"}
    wanted = {name: full(value)[0] if name in names else value for name, value in expected.items()}
    assert values(found) == {"workflow": "preference", **wanted}
    assert found.not_understood == ()
    assert found.errors == ()


def test_a_judge_is_named_among_those_that_answer_by_the_token() -> None:
    """It may not be one that can be tuned, and the other way round."""
    served = [ModelName("accounts/fireworks/models/kimi-k3"), ModelName("accounts/fireworks/models/glm-5p1")]
    for text in ("Run DPO. Use GLM 5.1 as the judge.", "Run DPO and judge with glm-5p1"):
        found = read(text, CATALOGUE, account="me", served=served)
        assert (found.entries["judge_model"].value, found.errors) == (full("glm-5p1")[0], ())
    (fault,) = read("Run DPO. Use Qwen3 8B as the judge.", CATALOGUE, served=served).errors
    assert (fault.field, fault.remedy) == ("judge_model", "Choose one of: glm-5p1, kimi-k3.")
    assert "“Qwen3 8B” is not a model that answers by the token here" in fault.fault


def test_a_model_said_in_two_places_counts_once_and_two_models_make_a_list() -> None:
    found = reading("Fine-tune qwen3-8b. Use Qwen3 8B as the base model. Also try kimi k3.")
    assert values(found) == {"base_models": full("qwen3-8b", "kimi-k3")}


def test_a_bare_dataset_id_without_an_account_is_a_fault() -> None:
    found = read("use the dataset tickets-2024", CATALOGUE)
    assert found.entries == {}
    assert "account" in found.errors[0].fault


def test_only_models_of_the_catalogue_are_taken() -> None:
    own = (ModelName("accounts/me/models/mine-7b", "Mine 7B"),)
    assert values(read("use Mine 7B", own)) == {"base_models": ("accounts/me/models/mine-7b",)}
    assert read("use qwen3-8b", own).errors[0].field == "base_models"
    assert read("use qwen3-8b", ()).errors[0].field == "base_models"


def test_a_text_that_is_too_long_is_refused() -> None:
    found = reading("x " * 3000)
    assert found.entries == {}
    assert found.errors[0].fault == "The instruction has 6,000 characters."


def test_a_reading_is_json() -> None:
    data = json.loads(json.dumps(reading("Use qwen3-8b for 3 epochs, rank 24, nicely").to_json()))
    assert data["entries"]["epochs"] == {"value": 3, "origin": "said", "words": "for 3 epochs"}
    assert data["not_understood"] == [{"start": 36, "end": 42, "field": "", "text": "nicely"}]
    assert data["errors"][0]["field"] == "lora_ranks"


SPECIFICATIONS = st.fixed_dictionaries(
    {},
    optional={
        "dataset": st.sampled_from(["accounts/acme/datasets/x-1", "upload:Ab_9-", "upload:-a_"]),
        "evaluation_dataset": st.sampled_from([Y, "upload:zz"]),
        "base_models": st.lists(st.sampled_from(CATALOGUE), min_size=1, max_size=5, unique=True).map(
            lambda models: tuple(model.full for model in models)
        ),
        "strategy": st.sampled_from(["validation_loss", "evaluator", "generated"]),
        "lora_ranks": st.lists(st.sampled_from([1, 2, 4, 8, 16, 32]), min_size=1, unique=True).map(tuple),
        "learning_rates": st.lists(
            st.builds(
                lambda m, e: float(f"{m}e-{e}"),
                st.integers(100, 999).map(lambda n: n / 100),
                st.integers(4, 6),
            ),
            min_size=1,
            max_size=4,
            unique=True,
        ).map(tuple),
        "epochs": st.integers(1, 100),
        "tuning_samples": st.integers(3, 3_000_000),
        "parallel_jobs": st.integers(1, 50),
        "serving_order": st.lists(
            st.sampled_from(["serverless", "batch", "multi_lora", "live_merge"]), min_size=1, unique=True
        ).map(tuple),
        "final_run": st.booleans(),
        "deploy": st.booleans(),
        "seed": st.integers(0, 2**31 - 1),
        "heldout_rows": st.integers(1, 100_000),
        "drop_bad_rows": st.booleans(),
        "tools_as_text": st.booleans(),
        "parts_as_text": st.booleans(),
        "workflow": st.sampled_from(["sft", "preference", "classification", "authoring"]),
        "method": st.sampled_from(["dpo", "orpo"]),
        "sweep_models": st.booleans(),
        "max_candidates": st.integers(1, 100),
        "evaluator": st.just("accounts/acme/evaluators/e-1"),
        "rubric": st.sampled_from(["Prefer short answers. Never guess!", "no, don't: 3 epochs"]),
        "criterion": st.just("the last number, e.g. 42, is right"),
        "budget": st.decimals("0.01", "1000000", places=2).map(str),
        "test_share": st.integers(1, 90).map(lambda n: n / 100),
        "labels": st.lists(
            st.sampled_from(["red", "not now", "3", "a/b", "use it", "no"]), min_size=2, unique=True
        ).map(tuple),
        "imbalance_threshold": st.integers(1, 1000).map(float),
        "benchmark_only": st.booleans(),
        "compare_base": st.booleans(),
        "make_pairs": st.booleans(),
        "strong_model": st.just("accounts/fireworks/models/kimi-k3"),
        "weak_model": st.just("accounts/fireworks/models/qwen3-8b"),
        "judge_model": st.just("accounts/fireworks/models/glm-5p1"),
        "screening": st.sampled_from(["faulty", "refused", "cut_off"]),
        "review_pairs": st.sampled_from(["show", "train", "change"]),
        "betas": st.lists(st.sampled_from([0.1, 0.25, 1.0]), min_size=1, unique=True).map(tuple),
        "target": st.sampled_from([("win_rate", 0.75), ("accuracy", 0.9), ("validation_loss", 0.5)]),
        "stop_early": st.booleans(),
        "title": st.text("abc XYZ-.,?!'9no$%/;", min_size=1, max_size=30)
        .map(str.strip)
        .filter(lambda text: bool(text) and "  " not in text),
    },
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SPECIFICATIONS, st.sampled_from([Origin.SAID, Origin.FORM, Origin.ANSWER]))
def test_a_sentence_reads_back_to_what_it_stands_for(said: dict[str, Any], origin: Origin) -> None:
    workflow = said.get("workflow", "sft")
    said = {name: value for name, value in said.items() if workflow in FIELDS[name].workflows}
    if workflow == "sft" and "evaluator" in said:
        said["strategy"] = "evaluator"  # there its name says as much
    spec = Specification({name: Entry(value, origin) for name, value in said.items()})
    found = reading(sentence(spec))
    assert found.not_understood == ()
    assert found.errors == ()
    assert values(found) == ({"workflow": workflow, **said} if said else {})


def test_a_sentence_leaves_out_what_nobody_decided() -> None:
    spec = Specification({"epochs": Entry(3, Origin.DATA), "seed": Entry(42, Origin.DEFAULT)})
    assert sentence(spec) == ""
    assert sentence(spec.with_entries({"epochs": Entry(1, Origin.FORM)})) == (
        "Run supervised fine-tuning. Train each candidate for 1 epoch."
    )


FRAGMENTS = """win rate 70/30 split labels red evaluator generate DPO beta stop early preference pairs
budget under $9 not no never 3 5 epochs rank 8 16 qwen3-8b or and , . ? instead of use don't
skip the full-data run deploy lr 1e-4 samples for tuning $5 10% jobs in parallel dataset foo-bar kimi if
about up to
base model xyz"""
WORDS = st.sampled_from([*FRAGMENTS.split(), "\n"])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_no_word_is_dropped_in_silence(text: str) -> None:
    """Numbers, negations and unknown words are in a span, in an entry, or shown."""
    found = reading(text)
    covered = {at for span in (*found.spans, *found.not_understood) for at in range(span.start, span.end)}
    position = 0
    for word in text.split():
        position = text.index(word, position)
        if word in {
            "not",
            "no",
            "never",
            "3",
            "5",
            "8",
            "16",
            "xyz",
            "or",
            "if",
            "about",
            "$5",
            "10%",
            "kimi",
        }:
            assert position in covered, word
        position += len(word)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(WORDS, max_size=8).map(" ".join))
def test_a_negation_in_front_takes_nothing_that_it_denies(text: str) -> None:
    """After “do not use”, a value is either taken back or was said in another sentence."""
    found = reading(f"Do not use {text}")
    first = text.split("\n")[0].split(".")[0].split("?")[0]
    if "instead" not in first and "skip" not in first:
        limit = len("Do not use ") + len(first)
        assert not [
            span for span in found.spans if span.start < limit and span.field in {"epochs", "lora_ranks"}
        ]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_any_text_at_all_can_be_read(text: str) -> None:
    found = reading(text)
    assert found.text == text
    assert all(0 <= span.start < span.end <= len(text) for span in (*found.spans, *found.not_understood))
