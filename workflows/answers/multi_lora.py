"""Multi-LoRA: one temporary deployment of a base model, its candidates' adapters loaded onto it."""

from __future__ import annotations

from sessions.actions import spending
from sessions.models import BaseModel, Resource
from sessions.specification import short_name
from sessions.states import ResourceState
from workflows.answers import temporary
from workflows.answers.asking import Asking, Refused
from workflows.answers.subjects import Subject
from workflows.fireworks import deployed_models, deployments, inference
from workflows.fireworks.errors import REFUSALS, CallForbidden, Conflict, NotFound
from workflows.outcomes import Wait

NAME, LABEL = "multi_lora", "a temporary multi-LoRA deployment"


def unfit(subject: Subject) -> str:
    """What the catalogue already knows; whether its hardware takes adapters only the provider says."""
    row = BaseModel.objects.filter(name=subject.base_model, listed=True).first()
    return "" if row is None or row.servable else "Fireworks serves no LoRA of this base model"


def purpose_of(subject: Subject, prompts: str) -> str:
    """All subjects of a base model share its deployment."""
    return temporary.purpose(NAME, prompts, short_name(subject.base_model))


def wanted(base_model: str, display_name: str = "") -> deployments.Wanted:
    """The base model, ready to take adapters."""
    return deployments.Wanted(base_model, display_name, addons=True)


def step(asking: Asking) -> Wait | None:
    """Deploy, load, ask. Raises Refused."""
    subject, prompts = asking.subject, asking.prompts.name
    label = f"{asking.work.session.public_id} {prompts}"
    place = temporary.ready(asking, purpose_of(subject, prompts), wanted(subject.base_model, label))
    if isinstance(place, Wait):
        return place
    if not subject.is_base and not asking.serving.address:
        loading = loaded(asking, place)
        if loading:
            return loading
    return temporary.ask(asking, place, forms(asking, place), NAME)


def forms(asking: Asking, place: Resource) -> tuple[inference.Address, ...]:
    """The forms that name the model: the deployment's bare name would be answered by the base model."""
    found = inference.addresses(asking.subject.model, place.name, asking.serving.address)
    return found if asking.subject.is_base else tuple(each for each in found if each.model != place.name)


def loaded(asking: Asking, place: Resource) -> Wait | None:
    """Load the candidate's adapter; None when it is. The server names it, so its name is recorded after."""
    work, purpose = asking.work, f"{place.purpose}:{asking.subject.key}"
    known = work.resource(purpose)
    if known is None:
        work.keep_lease()
        try:
            made = deployed_models.load(work.fireworks, asking.subject.model, place.name)
        except (CallForbidden, Conflict):
            raise
        except REFUSALS as error:
            raise Refused(error.provider_message or str(error)) from error
        spending.adopt(work.session, work.clock(), temporary.ADDON, purpose, made.name)
        known = Resource.objects.get(session=work.session, purpose=purpose)
    try:
        found = deployed_models.get(work.fireworks, known.name)
    except NotFound as error:
        raise Refused("the adapter is not loaded any more") from error
    if found.status.code not in ("", "OK"):
        raise Refused(found.status.message or f"loading the adapter ended as {found.status.code}")
    if known.state == ResourceState.GONE or not found.deployed:
        return temporary.waiting(
            asking, place, f"the adapter is {found.state or 'in no state that was told'}"
        )
    return None
