"""Rows for tests, with the fewest words. Everything belongs to the owner at the keyboard unless said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from fwportal.middleware import owner
from sessions.actions.starting import Start, create_session
from sessions.models import (
    Account,
    BaseModel,
    Candidate,
    Gate,
    LedgerLine,
    PhaseRun,
    Plan,
    RemoteDataset,
    TuningSession,
    Upload,
)
from sessions.specification import Entry, Origin, Specification
from sessions.states import Decision, GateKind, PhaseState, Status

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DATASET = "accounts/rehearsal/datasets/support"
QWEN = "accounts/fireworks/models/qwen3-8b"
BIG_QWEN = "accounts/fireworks/models/qwen3-32b"


def make_user(name: str = "someone-else") -> User:
    return User.objects.create_user(name)


def make_specification(**values: Any) -> Specification:
    """Values that the person chose in the form."""
    chosen = {"workflow": "sft", "dataset": DATASET, "base_models": (QWEN,), **values}
    return Specification({name: Entry(value, Origin.FORM) for name, value in chosen.items()})


def make_session(user: User | None = None, **columns: Any) -> TuningSession:
    """A session as `create_session` makes it; `columns` are then set on its row as they are."""
    start = Start(
        title=columns.pop("title", "Support replies"),
        specification=columns.pop("specification", None) or make_specification(),
        rehearsal=columns.pop("rehearsal", True),
        instruction=columns.pop("instruction", ""),
        entered=columns.pop("entered", {}),
    )
    session = create_session(user or owner(), start)
    if columns:
        TuningSession.objects.filter(pk=session.pk).update(**columns)
        session.refresh_from_db()
    return session


def set_phase(
    session: TuningSession, phase: str, state: str = PhaseState.WORKING, note: str = ""
) -> PhaseRun:
    """Turn a session to a phase; the phases before it are done."""
    run = session.phases.get(phase=phase)
    session.phases.filter(position__lt=run.position).update(
        state=PhaseState.DONE, started_at=NOON, ended_at=NOON
    )
    session.phases.filter(pk=run.pk).update(state=state, note=note, started_at=NOON)
    TuningSession.objects.filter(pk=session.pk).update(phase=phase)
    session.refresh_from_db()
    run.refresh_from_db()
    return run


def plan_body(**parts: Any) -> dict[str, Any]:
    """A plan's body as workflows/phases/sft/plan.py writes it, small."""
    line = {
        "item": "training:candidate:1",
        "label": "Candidate 1",
        "group": "Training",
        "phase": "sweep",
        "low": "0.70",
        "expected": "1.00",
        "high": "1.30",
        "how": "1,000 tokens × 1 epoch",
    }
    total = {"low": "0.70", "expected": "1.00", "high": "1.30", "not_calculated": []}
    sums = {"by_group": [{"label": "Training", **total}], "by_phase": [{"label": "sweep", **total}]}
    return {
        "summary": "Train 1 candidate on 40 rows and deploy the winner.",
        "sentence": f"Run supervised fine-tuning on {DATASET}.",
        "specification": make_specification().to_json(),
        "candidates": [
            {"number": 1, "base_model": QWEN, "lora_rank": 8, "learning_rate": 1.5e-4, "epochs": 5}
        ],
        "data": {"samples": 44, "usable": 44, "train_rows": 40, "sample_rows": 40, "heldout_rows": 4},
        "estimate": {"lines": [line], **total, **sums, "rates_date": "2026-10-08"},
        "time": {"low": 20, "high": 90, "how": "measured", "words": "20 to 90 seconds"},
        "risks": ["4 held-out rows are few."],
        "irreversible": ["Spent money does not come back."],
        "skipped": {},
        "deployment": None,
        **parts,
    }


def make_plan(session: TuningSession, revision: int = 1, **parts: Any) -> Plan:
    return Plan.objects.create(
        session=session,
        revision=revision,
        digest=f"digest-{revision}",
        body=plan_body(**parts),
        cost_high="1.30",
    )


def make_gate(session: TuningSession, kind: str = GateKind.PLAN, **columns: Any) -> Gate:
    """An open gate; the session waits at it. A plan gate gets a plan."""
    if kind == GateKind.PLAN and "plan" not in columns:
        columns["plan"] = make_plan(session)
    TuningSession.objects.filter(pk=session.pk).update(status=Status.WAITING, wake_at=None)
    session.phases.filter(phase=session.phase).update(state=PhaseState.WAITING)
    session.refresh_from_db()
    return Gate.objects.create(
        **{"session": session, "kind": kind, "opened_at": NOON, "decision": Decision.OPEN, **columns}
    )


def make_candidate(session: TuningSession, number: int = 1, **columns: Any) -> Candidate:
    values = {"base_model": QWEN, "lora_rank": 8, "learning_rate": 1.5e-4, "epochs": 3, **columns}
    return Candidate.objects.create(session=session, number=number, **values)


def make_ledger_line(
    session: TuningSession, item: str = "training:candidate:1", **columns: Any
) -> LedgerLine:
    values = {"label": "Candidate 1", "group": "Training", "phase": "sweep", "expected": "1.00", **columns}
    return LedgerLine.objects.create(session=session, item=item, **values)


def make_account(**columns: Any) -> Account:
    values = {"name": "rehearsal", "rehearsal": True, "refreshed_at": timezone.now(), **columns}
    return Account.objects.create(**values)


def make_base_model(name: str = QWEN, **columns: Any) -> BaseModel:
    values: dict[str, Any] = {
        "display_name": name.rsplit("/", 1)[-1],
        "parameters": 8_190_000_000,
        "context_length": 131072,
        "training_context_length": 131072,
        "tunable": True,
        "servable": True,
        "refreshed_at": timezone.now(),
        **columns,
    }
    return BaseModel.objects.create(name=name, **values)


def make_dataset(name: str = DATASET, **columns: Any) -> RemoteDataset:
    values: dict[str, Any] = {
        "display_name": "Support replies",
        "state": "READY",
        "examples": 240,
        "tokens": 48_000,
        "refreshed_at": timezone.now(),
        **columns,
    }
    return RemoteDataset.objects.create(name=name, **values)


def make_upload(user: User | None = None, **columns: Any) -> Upload:
    values: dict[str, Any] = {"filename": "train.jsonl", "bytes": 2048, "sha256": "0" * 64, **columns}
    return Upload.objects.create(owner=user or owner(), **values)
