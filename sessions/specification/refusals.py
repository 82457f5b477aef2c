"""What the portal does not do, said plainly, with where to go instead (product rows 1.11, 2.4)."""

from __future__ import annotations

from sessions.specification.entries import FieldError

CONSOLE = "https://app.fireworks.ai"
DOCS = "https://docs.fireworks.ai"
_ELSEWHERE = f"Use Fireworks' own console ({CONSOLE}) or its API ({DOCS}) for that."
_HERE = "Here, supervised fine-tuning, preference learning and classification can be run."

_WORKFLOWS = {
    "reinforcement": ("Reinforcement fine-tuning is outside what this portal does.", _ELSEWHERE),
    "vision": ("Fine-tuning on images is outside what this portal does.", _ELSEWHERE),
    "full_parameter": (
        "Full-parameter tuning is outside what this portal does; it trains LoRA adapters.",
        _ELSEWHERE,
    ),
}


def not_available_workflow(name: str) -> FieldError:
    """The refusal for a kind of fine-tuning, known or not."""
    fault, remedy = _WORKFLOWS.get(name, (f"“{name}” is not a workflow of this portal.", _HERE))
    return FieldError("workflow", fault, remedy)
