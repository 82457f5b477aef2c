"""What is missing and has no default, as questions; all of them make one page (product row 1.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sessions.specification.catalogue import ModelName
from sessions.specification.entries import Entry, Specification

# The others try the supported ones (preference learning), or train nothing (evaluator authoring).
MODELS_NEEDED = {"sft", "classification"}


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    help: str = ""


# Sentences that the portal can write an evaluator for without asking a language model.
CRITERIA = tuple(
    Option(each, each)
    for each in (
        "The final number must match.",
        "The answer must be the right one of the labels.",
        "The answer must be exactly the reference.",
        "The answer must be JSON, with the reference's values.",
        "The answer must mention the facts of the reference.",
    )
)


@dataclass(frozen=True)
class Question:
    """One plain question about one field, with its possible answers; no options means free text."""

    field: str
    text: str
    options: tuple[Option, ...]
    help: str
    multiple: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"options": [asdict(option) for option in self.options]}


# Fields that are asked for because of a strategy.
NEEDED_BY = {"evaluator": "evaluator", "criterion": "generated"}


def is_moot(field: str, answers: Mapping[str, Entry]) -> bool:
    """Whether these answers make a question needless: another strategy asks for something else."""
    strategy = answers.get("strategy")
    return strategy is not None and NEEDED_BY.get(field, strategy.value) != strategy.value


def missing(
    spec: Specification, catalogue: Sequence[ModelName], datasets: Sequence[tuple[str, str]] = ()
) -> list[Question]:
    """Questions for the dataset and the base models where they are not given.

    `datasets` are the pairs (full name, label) that may be offered as answers.
    """
    questions = []
    authoring = spec.value("workflow") == "authoring"
    if not spec.value("dataset"):
        options = tuple(Option(name, label) for name, label in datasets)
        questions.append(
            Question(
                "dataset",
                "Which dataset should the evaluator be for?"
                if authoring
                else "Which dataset should it be trained on?",
                options,
                "Pick one, upload a JSONL file, or write accounts/ACCOUNT/datasets/ID.",
            )
        )
    writing = authoring or spec.value("strategy") == "generated"
    if writing and not spec.value("criterion"):
        questions.append(
            Question("criterion", "What counts as a right answer?", CRITERIA, "Say it in a sentence.")
        )
    if spec.value("strategy") == "evaluator" and not spec.value("evaluator"):
        questions.append(
            Question(
                "evaluator",
                "Which evaluator should score the candidates?",
                (),
                "Write accounts/ACCOUNT/evaluators/ID, or upload it below: one .py, a .zip or a .tar.gz.",
            )
        )
    if spec.value("workflow") == "preference":
        questions += _of_preference(spec)
    if _models_needed(spec):
        options = tuple(Option(model.full, model.display_name or model.id) for model in catalogue)
        questions.append(
            Question(
                "base_models",
                "Which base models should be fine-tuned?",
                options,
                "One or more. Each gets its own candidates, so the cost grows with each.",
                multiple=True,
            )
        )
    return questions


def _models_needed(spec: Specification) -> bool:
    """Whether base models must be named: preference learning may try the supported ones instead."""
    named = bool(spec.value("base_models"))
    refused = spec.value("workflow") == "preference" and spec.value("sweep_models") is False
    return not named and (refused or spec.value("workflow", "sft") in MODELS_NEEDED)


def _of_preference(spec: Specification) -> list[Question]:
    """Product rows 4.4 and 4.7: a sweep over base models is confirmed first, and a stop needs a target."""
    questions = []
    if not spec.value("base_models") and spec.value("sweep_models") is None:
        options = (Option("yes", "Try several"), Option("no", "I will name the base models"))
        told = "One candidate of each; the plan names and prices them before anything is spent."
        questions.append(
            Question(
                "sweep_models", "No base model was named. May the supported ones be tried?", options, told
            )
        )
    if spec.value("stop_early") and not spec.value("target"):
        targets = tuple(
            Option(f"win rate, {share}%", f"a win rate of {share}%") for share in (60, 70, 75, 80)
        )
        questions.append(
            Question(
                "target", "Which target should it stop at?", targets, "No job is started once one is there."
            )
        )
    return questions
