"""Live merge: a temporary deployment of one model alone, an adapter merged into its base at start."""

from __future__ import annotations

from sessions.models import BaseModel
from workflows.answers import temporary
from workflows.answers.asking import Asking
from workflows.answers.subjects import Subject
from workflows.fireworks import deployments, inference
from workflows.outcomes import Wait

NAME, LABEL = "live_merge", "a temporary deployment of its own"


def unfit(subject: Subject) -> str:
    """A base model that serves no LoRA can still be deployed as it is."""
    row = BaseModel.objects.filter(name=subject.base_model, listed=True).first()
    serves = row is None or row.servable or subject.is_base
    return "" if serves else "Fireworks serves no LoRA of this base model"


def purpose_of(subject: Subject, prompts: str) -> str:
    return temporary.purpose(NAME, prompts, subject.slug)


def wanted(model: str, display_name: str = "") -> deployments.Wanted:
    """The model, tuned or not, as the provider would have it."""
    return deployments.Wanted(model, display_name)


def step(asking: Asking) -> Wait | None:
    """Deploy and ask. Raises Refused."""
    subject, prompts = asking.subject, asking.prompts.name
    label = f"{asking.work.session.public_id} {prompts}"
    place = temporary.ready(asking, purpose_of(subject, prompts), wanted(subject.model, label))
    if isinstance(place, Wait):
        return place
    forms = inference.addresses(subject.model, place.name, asking.serving.address)
    return temporary.ask(asking, place, forms, NAME)
