"""Every example instruction, trigger phrase and customisation of the source documents, as it stands there.

The documents are not part of the repository: their sentences are read from them, and only what they mean
is kept here, in the order in which they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.instructions import read, reply
from sessions.specification import ModelName
from tests.unit.specification.examples import CATALOGUE, full

SEEDS = Path(__file__).parents[4] / "shared" / "seeds"
# The source names a base model that the facts sheet does not list; an account that has it reads it.
MODELS = (*CATALOGUE, ModelName("accounts/fireworks/models/qwen3-30b-a3b", "Qwen3 30B A3B"))
MY = "accounts/myacct"
Q8, Q32 = full("qwen3-8b"), full("qwen3-32b")
PREFERENCE = {"workflow": "preference"}
CLASSIFICATION = {"workflow": "classification"}
OWN = {"strategy": "evaluator"}

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "supervised-fine-tuning": [
        {"workflow": "sft", "dataset": f"{MY}/datasets/customer-support-conv", "base_models": Q32,
         "strategy": "validation_loss"},
        {"workflow": "sft", "dataset": f"{MY}/datasets/mydata", "base_models": Q8 + Q32,
         "learning_rates": (1e-4, 5e-5), "lora_ranks": (16, 32), "epochs": 3},
    ],
    "classification": [
        {**CLASSIFICATION, "dataset": f"{MY}/datasets/intent-labels", "base_models": Q8 + Q32,
         "labels": ("billing", "technical", "account", "sales")},
        {**CLASSIFICATION, "dataset": f"{MY}/datasets/train", "evaluation_dataset": f"{MY}/datasets/test",
         "base_models": Q8},
    ],
    "preference-learning": [
        {**PREFERENCE, "method": "dpo", "dataset": f"{MY}/datasets/customer-prefs", "base_models": Q32},
        {**PREFERENCE, "dataset": f"{MY}/datasets/prompts-only", "make_pairs": True, "sweep_models": True},
    ],
}  # fmt: skip
CUSTOMISING: dict[str, list[dict[str, Any]]] = {
    "supervised-fine-tuning": [
        {"lora_ranks": (8, 16, 32), "learning_rates": (1e-4, 5e-5)},
        {"epochs": 3},
        {"tuning_samples": 500},
        {"parallel_jobs": 10},
        {"final_run": False},
        {"evaluation_dataset": f"{MY}/datasets/holdout"},
    ],
    "classification": [
        {**CLASSIFICATION, "labels": ("positive", "negative", "neutral")},
        {**CLASSIFICATION, "imbalance_threshold": 20.0},
        {**CLASSIFICATION, "benchmark_only": True},
        {**CLASSIFICATION, "base_models": Q8, "compare_base": False},
        {"test_share": 0.3},
    ],
    "preference-learning": [
        {"base_models": Q32},
        {**PREFERENCE, "base_models": (*Q32, MODELS[-1].full), "betas": (0.1, 0.3)},
        {**OWN, "evaluator": f"{MY}/evaluators/my-rubric"},
        {**PREFERENCE, "make_pairs": True},
        {**PREFERENCE, "target": ("win_rate", 0.75), "stop_early": True},
    ],
}
# In the supervised document: the phrases that choose how to evaluate, and the question for the models.
TRIGGERS: list[dict[str, Any]] = [
    {"strategy": "validation_loss"},
    {"strategy": "validation_loss"},
    {**OWN, "evaluator": f"{MY}/evaluators/my-eval"},
    OWN,
    {"strategy": "generated"},
    {"strategy": "generated"},
]


def document(name: str) -> tuple[str, str]:
    """A source document, up to its customisations and from there to its notes."""
    path = SEEDS / f"{name}.md"
    if not path.exists():
        pytest.skip(f"the source documents are not here: {SEEDS.name}/{name}.md")
    before, _, after = path.read_text(encoding="utf-8").partition("Customizing the run")
    return before, after.partition("crib notes")[0]


def checked(text: str, expected: dict[str, Any]) -> None:
    """All values are read, every word is understood, and nothing is refused."""
    found = read(text, MODELS, account="me")
    assert {name: entry.value for name, entry in found.entries.items()} == expected, text
    assert found.not_understood == (), text
    assert found.errors == (), text


def quoted(text: str) -> Iterator[str]:
    yield from re.findall(r"[“\"]([^“”\"\n]+?)[”\"]", text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_instructions(name: str) -> None:
    texts = re.findall(r'--instruction "([^"]+)"', document(name)[0])
    for text, expected in zip(texts, EXAMPLES[name], strict=True):
        checked(text, expected)


@pytest.mark.parametrize("name", CUSTOMISING)
def test_every_bullet_of_customizing_the_run(name: str) -> None:
    texts = [text for line in document(name)[1].splitlines() for text in list(quoted(line))[:1]]
    for text, expected in zip(texts, CUSTOMISING[name], strict=True):
        checked(text, expected)


def test_trigger_phrases() -> None:
    before, _ = document("supervised-fine-tuning")
    texts = [text for line in before.splitlines() if line.startswith("Trigger") for text in quoted(line)]
    for text, expected in zip(texts, TRIGGERS, strict=True):
        checked(text, expected)
        if expected == {"strategy": "validation_loss"}:
            assert reply(text, "questions", asked=["strategy"]).kind == "answer"


def test_the_question_for_the_models_is_answered_at_every_gate() -> None:
    before, _ = document("supervised-fine-tuning")
    [question] = re.findall(r'current list inside any session: \*"([^"]+)"\*', before)
    for gate in ("questions", "plan", "promotion", "spend", "trouble"):
        found = reply(question, gate, catalogue=MODELS)
        assert (found.kind, found.topics) == ("ask", ("models",))


def test_the_common_responses_decide_their_gates() -> None:
    document("supervised-fine-tuning")
    notes = (SEEDS / "supervised-fine-tuning.md").read_text(encoding="utf-8").partition("crib notes")[2]
    [responses] = re.findall(r"Common responses: (.*)", notes)
    plan, promotion = re.findall(r"`([^`]+)`", responses)
    assert reply(plan, "plan").kind == "approve"
    assert reply(promotion, "promotion").kind == "approve"


def test_the_example_of_a_performance_target() -> None:
    before, _ = document("preference-learning")
    [example] = re.findall(r"goal score, for example [“\"](.+?)[“”\"]", before)
    checked(example, {**PREFERENCE, "target": ("win_rate", 0.7)})
