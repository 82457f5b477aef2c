"""What it would take to serve a tuned model: asked without creating anything (facts sheet 3, 6.1)."""

from __future__ import annotations

from sessions.models import BaseModel
from sessions.specification import FieldError, Specification, short_name
from workflows.fireworks import deployments
from workflows.fireworks.errors import REFUSALS
from workflows.work import Work

SHAPE = "default"  # the provider's own choice of accelerators (facts sheet 6.1)
Accelerators = tuple[str, int]  # the API's name of the chip, and how many


def check_models(specification: Specification) -> None:
    """Refuse a model that cannot be tuned, or whose tuned form could not be served. Raises FieldError."""
    rows = {row.name: row for row in BaseModel.objects.filter(listed=True)}
    for name in specification.value("base_models"):
        row = rows.get(name)
        if row is None or not row.tunable:
            fault = f"{short_name(name)} cannot be fine-tuned in this account."
            raise FieldError("base_models", fault, "Choose one from the list of supported base models.")
        if not row.servable and specification.value("deploy"):
            fault = f"{short_name(name)} can be tuned, but Fireworks cannot serve the tuned model."
            raise FieldError("base_models", fault, "Choose another base model, or ask not to deploy.")


def deploying(work: Work, specification: Specification) -> tuple[Accelerators | None, dict[str, str]]:
    """Accelerators that the dearest base model would be served on, and refusals in the provider's words by
    model; neither when nothing is to be deployed."""
    refusals: dict[str, str] = {}
    needed: list[Accelerators] = []
    for name in specification.value("base_models") if specification.value("deploy") else ():
        try:
            found = deployments.validate_only(
                work.fireworks, deployments.Wanted(base_model=name, shape=SHAPE)
            )
        except REFUSALS as error:
            refusals[name] = error.provider_message or str(error)
            continue
        if found.accelerator_type and found.accelerator_count:
            needed.append((found.accelerator_type, found.accelerator_count))
    return max(needed, key=lambda each: each[1], default=None), refusals


def refused(refusals: dict[str, str]) -> list[str]:
    """The refusals as risks of a plan."""
    return [
        f"Serving a tuned {short_name(name)} was refused when asked for without creating anything: {words}"
        for name, words in refusals.items()
    ]
