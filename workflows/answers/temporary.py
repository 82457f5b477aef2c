"""Temporary deployments that answer a prompt set: made when needed, one at a time, deleted after the last
answer. They scale to zero by themselves after five idle minutes, whatever becomes of us.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from decimal import Decimal

from django.db.models import Max, QuerySet

from sessions.actions import answering, spending
from sessions.models import Answer, LedgerLine, Resource
from sessions.states import ResourceState
from workflows import teardown, uptime
from workflows.answers import approved, live
from workflows.answers.asking import Asking, Refused
from workflows.creating import Wanted, ensure
from workflows.fireworks import deployed_models, deployments, inference, names
from workflows.fireworks.errors import (
    REFUSALS,
    CallForbidden,
    Conflict,
    FireworksError,
    NotFound,
    Permanent,
    Temporary,
)
from workflows.fireworks.inference import Address
from workflows.outcomes import Wait
from workflows.work import Work

log = logging.getLogger(__name__)
DEADLINE_SECONDS = 40 * 60  # starts of 10 minutes and more were seen (facts sheet 6.5)
BEFORE = Decimal("0.1")  # of an hour: one step of asking, and the five minutes until it sleeps
PREFIX = "temporary"
ADDON = "addon"


def purpose(way: str, prompts: str, what: str) -> str:
    """What a deployment is for; the number of the try is put behind it."""
    return f"{PREFIX}-{way}-{prompts}-{what}"


def item(prompts: str, base_model: str) -> str:
    """The ledger line that pays for the temporary deployments of a base model's subjects."""
    return f"deployment:{prompts}:{base_model}"


def standing(work: Work, prompts: str) -> list[Resource]:
    """The temporary deployments of a prompt set that may still be there."""
    found = Resource.objects.filter(session=work.session, kind="deployment", request__prompts=prompts)
    return list(found.exclude(state=ResourceState.GONE))


def is_temporary(resource: Resource) -> bool:
    """Whether a deployment of the session is one of these."""
    return "prompts" in resource.request


def ready(asking: Asking, wanted_for: str, wanted: deployments.Wanted) -> Resource | Wait:
    """The deployment when it is READY, made if need be. Raises Refused, and what the client raises."""
    work = asking.work
    place = made(asking, wanted_for, wanted)
    if isinstance(place, Wait):
        return place
    try:
        found = deployments.get(work.fireworks, place.name)
    except NotFound as error:
        raise Refused("the deployment is not there any more") from error
    if found.failed or found.gone:
        raise Refused(found.status.message or f"the deployment ended as {found.state}")
    if not found.ready:
        return waiting(asking, place, f"the deployment is {found.state or 'in no state that was told'}")
    uptime.seen_up(work.session, found, work.clock())
    cover(asking)
    return place


def made(asking: Asking, wanted_for: str, wanted: deployments.Wanted) -> Resource | Wait:
    """The deployment of that purpose; waits while another one of the prompt set stands."""
    work, tries = asking.work, tries_of(asking.work, wanted_for)
    last = tries[-1] if tries else None
    if last and last.delete_asked_at:
        raise Refused("a person had the deployment torn down")
    if last and last.state == ResourceState.CREATED:
        return last
    anew = last is None or last.state == ResourceState.GONE
    if anew and standing(work, asking.prompts.name):
        return Wait(work.poll_seconds)
    number = len(tries) + anew
    request = {
        "baseModel": wanted.base_model,
        "prompts": asking.prompts.name,
        "item": item(asking.prompts.name, asking.subject.base_model),
    }

    def make(resource: Resource) -> None:
        deployments.create(work.fireworks, names.short(resource.name), wanted)

    name = f"{wanted_for}-{number}"
    facts = (request["item"], number, request, price(asking), approved.why(asking.serving))
    try:
        return ensure(work, Wanted("deployment", "deployments", name, *facts), make)
    except (CallForbidden, Conflict):
        raise
    except REFUSALS as error:
        teardown.never_made(Resource.objects.get(session=work.session, purpose=name), work.clock())
        raise Refused(error.provider_message or str(error)) from error


def tries_of(work: Work, wanted_for: str) -> list[Resource]:
    """All deployments that were made for one purpose, one after another."""
    found = Resource.objects.filter(session=work.session, kind="deployment", purpose__startswith=wanted_for)
    return [each for each in found if each.purpose.rpartition("-")[0] == wanted_for]


def price(asking: Asking) -> Decimal | None:
    """What one deployment costs for the hour that is set aside for it, in USD; None when no rate is known.
    Raises Refused when the approved plan has none."""
    name = item(asking.prompts.name, asking.subject.base_model)
    line = LedgerLine.objects.filter(session=asking.work.session, item=name).first()
    if line is None:
        raise Refused("the approved plan has no temporary deployment for it")
    most = approved.upper_end(asking.serving)
    return line.high if most is None else most


def cover(asking: Asking) -> None:
    """Set aside another hour before the deployment is up for longer than was set aside. Raises
    ApprovalExceeded: then nothing more is asked, and it sleeps by itself until a person has decided. The time
    until it sleeps is billed too."""
    work, name, hour = asking.work, item(asking.prompts.name, asking.subject.base_model), price(asking)
    line = LedgerLine.objects.get(session=work.session, item=name)
    cost, _ = uptime.so_far(work.session, name, work.clock())
    if cost is not None and hour and cost + hour * BEFORE > (line.reserved or 0):
        work.keep_lease()
        why = "It answers for longer than was assumed"
        answering.reserve_more(work.session, name, hour, f"Set aside more for {line.label}", why)


def ask(asking: Asking, place: Resource, forms: Sequence[Address], way: str) -> Wait | None:
    """Ask what stands there; while it wakes, wait."""
    try:
        return live.ask(asking, forms, way)
    except FireworksError as error:
        if not inference.is_warming(error):
            raise
        return waiting(asking, place, str(error))


def waiting(asking: Asking, place: Resource, why: str) -> Wait:
    """Look again soon. What does not come up and answer for so long is refused; what answered before and is
    silent for so long is told by way of a passing fault. Raises Refused."""
    answers = Answer.objects.filter(
        session=asking.work.session, prompts=asking.prompts.name, answered_at__gt=place.created_at
    )
    last = answers.aggregate(last=Max("answered_at"))["last"]
    quiet = (asking.work.now - last).total_seconds() if last else float("inf")
    if min(asking.work.waited_for(place), quiet) > DEADLINE_SECONDS:
        words = f"After {DEADLINE_SECONDS // 60} minutes {why}"
        raise Temporary(words) if last else Refused(words)
    return Wait(asking.work.poll_seconds)


def tidied(work: Work, prompts: str, needed: Collection[str]) -> bool:
    """Whether nothing stands that is not needed any more; asks for the end of what does."""
    unwanted = [each for each in standing(work, prompts) if each.purpose.rpartition("-")[0] not in needed]
    return not [each for each in unwanted if not gone(work, each)]


def gone(work: Work, place: Resource) -> bool:
    """Whether a deployment is gone; unloads what was loaded onto it and deletes it when it is not."""
    work.keep_lease()
    for addon in addons(work, place).exclude(state=ResourceState.GONE):
        unload(work, addon)
        spending.gone(addon, work.clock())
    over = teardown.ended(work.fireworks, place.name)
    if over:
        teardown.record(work.session, place, work.clock())
    return over


def addons(work: Work, place: Resource) -> QuerySet[Resource]:
    """The adapters that were loaded onto a deployment."""
    return Resource.objects.filter(session=work.session, kind=ADDON, purpose__startswith=f"{place.purpose}:")


def unload(work: Work, addon: Resource) -> None:
    """Take an adapter off; it may have gone with its deployment."""
    try:
        deployed_models.unload(work.fireworks, addon.name)
    except CallForbidden:
        raise
    except Permanent as error:
        log.info("unloading %s: %s", addon.name, error)
