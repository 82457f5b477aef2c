"""Serverless: base models that Fireworks serves to everyone, billed by the token."""

from __future__ import annotations

from sessions.models import BaseModel
from workflows.answers import live
from workflows.answers.asking import Asking, Refused
from workflows.answers.subjects import Subject
from workflows.fireworks import inference
from workflows.fireworks.errors import NotFound
from workflows.outcomes import Wait

NAME, LABEL = "serverless", "serverless inference"


def unfit(subject: Subject) -> str:
    """A LoRA is never served so, and of the base models only those that the catalogue names."""
    if not subject.is_base:
        return "tuned models are not served serverless"
    row = BaseModel.objects.filter(name=subject.model, listed=True).first()
    return "" if row and row.serverless else "the model is not served serverless"


def step(asking: Asking) -> Wait | None:
    """Ask under the model's own name. Raises Refused when it is not served after all."""
    try:
        return live.ask(asking, inference.addresses(asking.subject.model), NAME)
    except NotFound as error:
        raise Refused(error.provider_message or str(error)) from error
