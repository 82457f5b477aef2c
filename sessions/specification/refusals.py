"""What the portal does not do, said plainly, with where to go instead (product rows 1.11, 2.4)."""

from __future__ import annotations

from sessions.specification.entries import FieldError, NotYet, Workflow

CONSOLE = "https://app.fireworks.ai"
DOCS = "https://docs.fireworks.ai"
_ELSEWHERE = f"Use Fireworks' own console ({CONSOLE}) or its API ({DOCS}) for that."
_SFT_HERE = "Here, supervised fine-tuning can be run."

_WORKFLOWS = {
    "classification": ("Classification is not available in this release.", f"{_SFT_HERE} {_ELSEWHERE}"),
    "preference": (
        "Preference learning (DPO, ORPO) is not available in this release.",
        f"{_SFT_HERE} {_ELSEWHERE}",
    ),
    "reinforcement": ("Reinforcement fine-tuning is outside what this portal does.", _ELSEWHERE),
    "vision": ("Fine-tuning on images is outside what this portal does.", _ELSEWHERE),
    "full_parameter": (
        "Full-parameter tuning is outside what this portal does; it trains LoRA adapters.",
        _ELSEWHERE,
    ),
}
_STRATEGIES = {
    "evaluator": "Scoring by an evaluator of your own is not available in this release.",
    "generated": "Generating an evaluator is not available in this release.",
}


def not_available_workflow(name: str) -> FieldError:
    """The refusal for a kind of fine-tuning, known or not."""
    fault, remedy = _WORKFLOWS.get(name, (f"“{name}” is not a workflow of this portal.", _SFT_HERE))
    kind = NotYet if name in set(Workflow) else FieldError
    return kind("workflow", fault, remedy)


def not_available_strategy(name: str) -> FieldError:
    """The refusal for a way of evaluating."""
    fault = _STRATEGIES.get(name, f"“{name}” is not a way of evaluating that this portal knows.")
    kind = NotYet if name in _STRATEGIES else FieldError
    return kind("strategy", fault, "Use validation loss for evaluation.")
