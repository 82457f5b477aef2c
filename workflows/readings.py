"""Ask a model for the reading that a person approved, once. What came of it is kept before it is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus

from django.utils import timezone

from sessions import prices
from sessions.actions import proposing
from sessions.costs import Rates
from sessions.models import ProposedReading, TuningSession
from sessions.proposals import request
from workflows.answers.live import completion_facts, untouched
from workflows.connect import belongs_here, connect
from workflows.fireworks import inference
from workflows.fireworks.client import Fireworks
from workflows.fireworks.errors import BadAnswer, FireworksError, OutcomeUnknown, Permanent, Temporary
from workflows.fireworks.inference import Completion
from workflows.fireworks.wire import Timeouts
from workflows.work import rates_path

log = logging.getLogger(__name__)

TIMEOUTS = Timeouts(read=90.0)
# Longer than the client needs with all of its waits: then whoever asked is gone.
LOST_AFTER = timedelta(minutes=4)
LOST = "The worker that asked was stopped before the answer was kept. It is not asked again by itself."
UNPRICED = "counted at the most: its price is not known any more"
UNCOUNTED = "counted at the most: Fireworks told no count of tokens"
EFFORT = "reasoning_effort"  # not every model takes it (facts sheet 7.1)

Connect = Callable[[TuningSession], Fireworks]


def ask(pk: int, *, connect_for: Connect = connect, clock: Callable[[], datetime] = timezone.now) -> None:
    """Ask the model, if nobody did. One that was asked and never answered counts as lost and as paid: it is
    never asked again without another approval."""
    reading = ProposedReading.objects.select_related("session").get(pk=pk)
    if reading.is_over or reading.decision:
        return
    if reading.asked_at:
        if clock() - reading.asked_at >= LOST_AFTER:
            proposing.keep(reading, clock(), reading.amount, "counted at the most: its outcome is not known",
                           error=LOST)  # fmt: skip
        return
    if not belongs_here(reading.session):
        return
    try:
        with closing(connect_for(reading.session)) as fireworks:
            if proposing.mark(reading, clock()):
                answered(reading, exchange(fireworks, reading), clock)
    except FireworksError as error:
        log.warning("reading %s: %s", pk, error)
        refused(reading, error, clock)


def exchange(fireworks: Fireworks, reading: ProposedReading) -> Completion:
    """The one call. A model that is not told how much to think refuses the request with 400, which costs
    nothing: then it is sent without that."""
    forms = inference.addresses(reading.model)
    try:
        return inference.complete(fireworks, reading.request, forms, timeouts=TIMEOUTS)
    except Permanent as refusal:
        if refusal.status != HTTPStatus.BAD_REQUEST or EFFORT not in reading.request:
            raise
        log.info("reading %s: %s; asked without %s", reading.pk, refusal, EFFORT)
    plain = {name: value for name, value in reading.request.items() if name != EFFORT}
    return inference.complete(fireworks, plain, forms, timeouts=TIMEOUTS)


def answered(reading: ProposedReading, found: Completion, clock: Callable[[], datetime]) -> None:
    """Keep the answer with what it cost by the tokens that Fireworks counted, else at the most."""
    price = prices.by_token(Rates.load(rates_path()), reading.model)
    tokens = f"{found.prompt_tokens:,} prompt and {found.completion_tokens:,} answer tokens"
    cost, gap = reading.amount, UNPRICED if price is None else UNCOUNTED
    if price and is_counted(found):
        cost = request.actual(found.prompt_tokens, found.completion_tokens, price)
        gap = f"Fireworks counted {tokens}"
    proposing.keep(reading, clock(), cost, gap, answer=found.text, detail=completion_facts(found))


def is_counted(found: Completion) -> bool:
    """Whether tokens were told: no prompt has none, and no words come of none."""
    return found.prompt_tokens > 0 and (found.completion_tokens > 0 or not (found.text or found.reasoning))


def refused(reading: ProposedReading, error: FireworksError, clock: Callable[[], datetime]) -> None:
    """No answer came: free of charge where the model was surely not asked, else counted at the most."""
    unsent = reading.asked_at is None  # no connection: of the workers that met this, one says so
    if unsent and not proposing.mark(reading, clock()):
        return
    free = unsent or untouched(error) or is_refusal(error)
    words = (error.provider_message or str(error)).rstrip(".")
    cost = Decimal(0) if free else reading.amount
    gap = "it was refused" if free else "counted at the most: its outcome is not known"
    paid = "It cost nothing." if free else "It may be billed, and counts as paid."
    proposing.keep(reading, clock(), cost, gap, error=f"{words}. {paid}")


def is_refusal(error: FireworksError) -> bool:
    """Whether the request itself was refused, before any token was written."""
    return isinstance(error, Permanent) and not isinstance(error, BadAnswer | OutcomeUnknown | Temporary)
