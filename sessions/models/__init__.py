"""What is stored: facts only. Words such as progress or "waiting for you" are derived from them."""

from sessions.models.account import Account, BaseModel, RemoteDataset
from sessions.models.event import Event
from sessions.models.evidence import Answer, Artifact, Candidate, Evaluation, Serving
from sessions.models.gate import Gate, Plan
from sessions.models.ledger import LedgerLine, Resource
from sessions.models.reading import ProposedReading
from sessions.models.session import PhaseRun, TuningSession
from sessions.models.upload import Upload

__all__ = [
    "Account",
    "Answer",
    "Artifact",
    "BaseModel",
    "Candidate",
    "Evaluation",
    "Event",
    "Gate",
    "LedgerLine",
    "PhaseRun",
    "Plan",
    "ProposedReading",
    "RemoteDataset",
    "Resource",
    "Serving",
    "TuningSession",
    "Upload",
]
