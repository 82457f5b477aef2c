"""The words for states, and which moves between them are legal. Pure: no database, no clock."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a session stands as a whole (product row 1.2)."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
ALIVE = frozenset(Status) - TERMINAL

# A session that is over never moves again; what happens afterwards belongs to a new session.
STATUS_MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING}),
    Status.RUNNING: frozenset({Status.WAITING, *TERMINAL}),
    Status.WAITING: frozenset({Status.RUNNING}),
    **{status: frozenset() for status in TERMINAL},
}


class Phase(StrEnum):
    """The seven phases (product row 1.3), in their order."""

    INSPECTION = "inspection"
    PLANNING = "planning"
    SWEEP = "sweep"
    TRAINING = "training"
    EVALUATION = "evaluation"
    DEPLOYMENT = "deployment"
    REPORT = "report"


PHASE_LABELS = {
    Phase.INSPECTION: "Data inspection",
    Phase.PLANNING: "Plan and approval",
    Phase.SWEEP: "Candidate sweep",
    Phase.TRAINING: "Full training",
    Phase.EVALUATION: "Evaluation",
    Phase.DEPLOYMENT: "Deployment",
    Phase.REPORT: "Final report",
}


class PhaseState(StrEnum):
    """Where one phase of one session stands."""

    PENDING = "pending"
    WORKING = "working"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class GateKind(StrEnum):
    """What a person is asked to decide."""

    QUESTIONS = "questions"
    PLAN = "plan"
    PROMOTION = "promotion"
    SPEND = "spend"  # a spend that would pass the approved amount (product row 1.7)
    TROUBLE = "trouble"  # the engine gave up after a few tries: try again, or stop


class Decision(StrEnum):
    """How a gate was decided; the empty string is an open gate."""

    OPEN = ""
    APPROVED = "approved"
    CHANGES = "changes"
    REJECTED = "rejected"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"  # nobody decided: the session was cancelled meanwhile


class ReadingEnd(StrEnum):
    """What became of a reading that a language model proposed; the empty string waits for a person."""

    OPEN = ""
    TAKEN = "taken"
    DISCARDED = "discarded"
    WITHDRAWN = "withdrawn"  # it was not asked for any more


class CandidateState(StrEnum):
    """Where a candidate stands for us; the provider's own word is kept beside it."""

    PLANNED = "planned"
    ACTIVE = "active"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


CANDIDATE_OVER = frozenset({CandidateState.DONE, CandidateState.FAILED, CandidateState.CANCELLED})


class ResourceState(StrEnum):
    """What we know of a remote thing: the intent is recorded before the call that makes it."""

    INTENDED = "intended"
    CREATED = "created"
    GONE = "gone"


class Family(StrEnum):
    """The five families of states that the pages show (icon, word and colour)."""

    WAITING = "waiting"
    NEEDS_YOU = "needs-you"
    WORKING = "working"
    GOOD = "good"
    BAD = "bad"


FAMILIES: dict[str, Family] = {
    Status.QUEUED: Family.WAITING,
    Status.RUNNING: Family.WORKING,
    Status.WAITING: Family.NEEDS_YOU,
    Status.SUCCEEDED: Family.GOOD,
    Status.FAILED: Family.BAD,
    Status.CANCELLED: Family.BAD,
    PhaseState.PENDING: Family.WAITING,
    PhaseState.WORKING: Family.WORKING,
    PhaseState.DONE: Family.GOOD,
    PhaseState.SKIPPED: Family.WAITING,
    CandidateState.PLANNED: Family.WAITING,
    CandidateState.ACTIVE: Family.WORKING,
}


def family(word: str) -> Family:
    """The family of a state word; an unknown word is shown as waiting, never hidden."""
    return FAMILIES.get(word, Family.WAITING)


def may_move(before: Status, after: Status) -> bool:
    """Whether a session may go from one status to another."""
    return after in STATUS_MOVES[before]
