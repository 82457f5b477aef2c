"""A specification as one instruction; `sessions.instructions.read` reads it back to the same values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sessions.specification.catalogue import short_name
from sessions.specification.entries import Specification
from sessions.specification.fields import show
from sessions.specification.preference import weight
from sessions.specification.quoting import doubled, sides
from sessions.specification.values import rate_text, words

_OPENINGS = {
    "sft": "Run supervised fine-tuning",
    "preference": "Run preference learning",
    "classification": "Run classification fine-tuning",
    "authoring": "Author an evaluator",
}
_STRATEGIES = {
    "validation_loss": "Use validation loss for evaluation.",
    "evaluator": "Use my own evaluator.",
    "generated": "Generate an evaluator for me.",
}


_BALANCES = {
    "none": "Leave the labels unbalanced.",
    "repeat": "Repeat rows of rare labels.",
    "cap": "Cap the frequent labels.",
    "weight": "Weight the samples.",
    "drop": "Drop the rare labels.",
    "merge": "Merge the rare labels.",
}


_SCREENINGS = {
    "faulty": "Keep pairs with refusals.",
    "refused": "Leave out pairs with refusals.",
    "cut_off": "Leave out pairs with refusals or cut answers.",
}
_REVIEWS = {
    "show": "Show me the pairs before training.",
    "train": "Train on the pairs without asking.",
    "change": "Change something about the pairs first.",
}


def _change(text: str) -> str:
    old, new = map(doubled, sides(text))
    return f"Rename label “{old}” to “{new}”." if new else f"Drop the label “{old}”."


def _either(yes: str, no: str) -> Callable[[Any], str]:
    return lambda value: yes if value else no


_PARTS: dict[str, Callable[[Any], str]] = {
    "method": lambda name: f"Use {name.upper()} as the method.",
    "sweep_models": _either("Sweep the supported base models.", "Do not sweep base models."),
    "max_candidates": lambda n: f"Try at most {n} {'candidate' if n == 1 else 'candidates'}.",
    "epochs": lambda n: f"Train each candidate for {n} {'epoch' if n == 1 else 'epochs'}.",
    "tuning_samples": lambda n: f"Use {n} samples for HP tuning.",
    "parallel_jobs": lambda n: f"Run up to {n} training {'job' if n == 1 else 'jobs'} in parallel.",
    "serving_order": lambda ways: (
        f"Get answers by {', then '.join(show('serving_order', (way,)) for way in ways)}."
    ),
    "final_run": _either("Do the full-data final run.", "Skip the full-data final run."),
    "deploy": _either("Deploy the final model.", "Do not deploy the final model."),
    "evaluation_dataset": lambda name: f"Use {name} as the eval dataset.",
    "strategy": lambda name: _STRATEGIES[name],
    "evaluator": lambda name: f"Use evaluator {name}.",
    "rubric": lambda text: f"Rubric: “{text}”.",
    "criterion": lambda text: f"What counts as right: “{text}”.",
    "register": _either("Register the evaluator on Fireworks.", "Do not register the evaluator."),
    "budget": lambda amount: f"The budget is ${amount}.",
    "heldout_rows": lambda n: f"Hold out {n} rows for evaluation.",
    "test_share": lambda share: f"Hold out {show('test_share', share)} for evaluation.",
    "drop_bad_rows": _either("Drop bad rows.", "Keep bad rows."),
    "tools_as_text": _either("Rewrite tool messages as text.", "Keep tool messages as they are."),
    "parts_as_text": _either("Flatten content parts into one text.", "Keep content parts as they are."),
    "seed": lambda n: f"Use seed {n}.",
    "labels": lambda labels: f"Labels are: {', '.join(f'“{doubled(each)}”' for each in labels)}.",
    "label_changes": lambda changes: " ".join(_change(each) for each in changes),
    "balance": lambda name: _BALANCES[name],
    "prompt": lambda text: f"Prompt: “{text}”.",
    "imbalance_threshold": lambda n: f"Use an imbalance threshold of {n:g}.",
    "benchmark_only": _either("Just benchmark, train nothing.", "Do not stop after the benchmark."),
    "compare_base": _either("Do the base-vs-base comparison.", "Skip the base-vs-base comparison."),
    "make_pairs": _either("Generate preference pairs automatically.", "Do not generate preference pairs."),
    "strong_model": lambda name: f"Use {short_name(name)} as the strong model.",
    "weak_model": lambda name: f"Use {short_name(name)} as the weak model.",
    "judge_model": lambda name: f"Use {short_name(name)} as the judge.",
    "screening": lambda name: _SCREENINGS[name],
    "review_pairs": lambda name: _REVIEWS[name],
    "target": lambda target: f"The target is a {show('target', target)}.",
    "stop_early": _either("Stop early once the target is reached.", "Do not stop early."),
    "title": lambda text: f"Call the run “{text}”.",
}


def _first(spec: Specification) -> str:
    workflow = spec.value("workflow", "sft")
    said = [_OPENINGS.get(workflow, _OPENINGS["sft"])]
    if dataset := spec.value("dataset"):
        said.append(f"{'for' if workflow == 'authoring' else 'on'} {dataset}")
    if models := spec.value("base_models"):
        said.append(f"across {words([short_name(model) for model in models])}")
    if grid := list(_grid(spec)):
        said.append(f"with {words(grid)}")
    return f"{' '.join(said)}."


def _many(name: str, values: list[str]) -> str:
    return f"{name}{'s' * (len(values) > 1)} {words(values)}"


def _grid(spec: Specification) -> Iterator[str]:
    if rates := spec.value("learning_rates"):
        yield _many("learning rate", [rate_text(rate) for rate in rates])
    if ranks := spec.value("lora_ranks"):
        yield _many("LoRA rank", [str(rank) for rank in ranks])
    if betas := spec.value("betas"):
        yield _many(weight(spec.value("method")), [f"{beta:g}" for beta in betas])


def sentence(spec: Specification) -> str:
    """What a person decided, as an instruction in plain English. Nothing said gives an empty string."""
    decided = spec.by_person()
    if not decided.entries:
        return ""
    if decided.value("strategy") == "evaluator" and decided.value("evaluator"):
        decided = decided.without("strategy")  # the evaluator's name says as much
    rest = [part(decided.value(name)) for name, part in _PARTS.items() if decided.value(name) is not None]
    return " ".join([_first(decided), *rest])
