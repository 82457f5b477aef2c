"""What an error means for a session: try again, ask a person, or fail, and whose fault it looks like."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sessions.actions.spending import ApprovalExceeded
from sessions.costs import money, money_exact
from sessions.costs.money import CENT
from sessions.models import TuningSession
from sessions.states import PHASE_LABELS, Decision, GateKind, Phase
from workflows.fireworks.errors import (
    BadAnswer,
    Conflict,
    FireworksError,
    NeedsPerson,
    NotFound,
    Permanent,
    QuotaReached,
    Temporary,
)
from workflows.outcomes import Ask, Failed, Failure, Outcome, Retry

TRIES_BEFORE_ASKING = 6


class DataFault(Exception):
    """The person's data cannot be used; the message says what is wrong and `remedy` what to do."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(fault)
        self.remedy = remedy


def outcome_of(error: Exception, session: TuningSession, *, stopping: bool = False) -> Outcome:
    """Sort an error. The provider's own words are kept beside ours.

    A session that is `stopping` cannot fail once more: a person says whether to try again.
    """
    match error:
        case ApprovalExceeded():
            return more_money(error)
        case DataFault():
            return Failed(Failure("data", str(error), error.remedy))
        case Permanent() if not stopping:
            return Failed(Failure(whose(error), sentence(error), NEXT[whose(error)], error.provider_message))
        case NeedsPerson() | Permanent():
            return trouble(session, error, stopping=stopping)
    return passing(session, error, stopping=stopping)


def passing(session: TuningSession, error: Exception, *, stopping: bool) -> Outcome:
    """Again later; after a few tries a person is asked."""
    if session.tries + 1 >= TRIES_BEFORE_ASKING:
        return trouble(session, error, stopping=stopping)
    return Retry(f"{sentence(error)} Trying again.")


def trouble(session: TuningSession, error: Exception, *, stopping: bool) -> Ask:
    """The gate at which a person says: go on, or stop here."""
    blame, label = whose(error), "To stop" if stopping else PHASE_LABELS[Phase(session.phase)]
    theirs = error.provider_message if isinstance(error, FireworksError) else ""
    body: dict[str, Any] = {"text": sentence(error), "theirs": theirs, "whose": blame, "next": NEXT[blame]}
    if stopping:
        body |= {"stopping": True, "next": f"{NEXT[blame]} {OR_LEAVE}"}
    return Ask(GateKind.TROUBLE, f"{label} cannot go on: {sentence(error)}", body)


def left_as_it_is(session: TuningSession) -> bool:
    """Whether a person ended a stop that could not be finished: the report then says what may still run."""
    gates = session.gates.filter(kind=GateKind.TROUBLE, decision=Decision.REJECTED)
    return gates.filter(body__stopping=True).exists()


def more_money(error: ApprovalExceeded) -> Ask:
    """The gate for a spend that the approval does not cover (product row 1.7)."""
    amount = error.committed + error.wanted
    why = f"{error.why}. " if error.why else ""
    amounts = (error.wanted, error.committed, error.approved)
    shown = money if all(each == 0 or each >= CENT for each in amounts) else money_exact
    wanted, committed, approved = map(shown, amounts)
    text = (
        f"{why}{error.label} may cost up to {wanted}; {committed} of the approved {approved} is spent or "
        "reserved, and what is left is not enough."
    )
    facts = {"item": error.item, "left": str(max(error.approved - error.committed, Decimal(0)))}
    return Ask(GateKind.SPEND, text, {"text": text, "amount": str(amount), **facts})


def whose(error: Exception) -> str:
    """Whose fault it looks like: data, configuration, quota, platform or unknown."""
    match error:
        case QuotaReached():
            return "quota"
        case NeedsPerson():
            return "quota" if error.status == 412 else "configuration"
        case NotFound() | Conflict():
            return "configuration"
        case FireworksError() if error.reason == "DATASET_INVALID":
            return "data"
        case Temporary() | BadAnswer():
            return "platform"
        case FireworksError() if error.status == 400:
            return "configuration"
        case FireworksError():
            return "platform"
    return "unknown"


NEXT = {
    "data": "Mend the data and start again with the same values.",
    "configuration": "Change the values that were refused and start again.",
    "quota": "Raise the quota or settle the account with Fireworks, then go on.",
    "platform": "Wait and go on; if it stays, tell Fireworks the words above.",
    "unknown": "Go on once; if it happens again, tell whoever runs this portal. The worker's log has more.",
}


OR_LEAVE = (
    "If you stop here instead, the session ends as it is; look at Fireworks yourself for what still runs."
)


def sentence(error: Exception) -> str:
    """The fault in one sentence of ours; an unexpected error is named by its type alone, since its text
    may hold anything."""
    if isinstance(error, FireworksError | DataFault | ApprovalExceeded):
        return f"{str(error).rstrip('.')}."
    return f"An unexpected fault in the portal ({type(error).__name__})."
