"""The two kinds of training jobs, seen alike by the phases: supervised fine-tuning, and DPO or ORPO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sessions.models import Candidate, TuningSession
from sessions.specification import Workflow
from workflows.fireworks import jobs, preference_jobs
from workflows.fireworks.client import Fireworks
from workflows.fireworks.errors import NotFound
from workflows.fireworks.fields import Status

Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as the phases need it: `percent` from 0 to 100, `tokens` trained on so far, `cost` in USD; None
    where the provider does not tell."""

    name: str
    state: str
    word: str
    over: bool
    succeeded: bool
    paused: bool
    status: Status
    percent: int | None = None
    tokens: int | None = None
    cost: Decimal | None = None
    metrics_url: str = field(default="", repr=False)
    rehearsal: Mapping[str, Any] = field(
        default_factory=dict
    )  # what local Fireworks' token budget let it use


@dataclass(frozen=True, slots=True)
class Trainer:
    """The calls of one kind of job. `settings` gives what a candidate's job is asked for beyond what all jobs
    have alike; `start` makes it under an id; `look` may ask for more than the job itself."""

    collection: str
    settings: Callable[[Candidate, str], Request]
    start: Callable[[Fireworks, str, str, Request], object]
    look: Callable[[Fireworks, str], Seen]
    cancel: Callable[[Fireworks, str], None]
    measures: bool  # whether a job takes held-out rows and reports the loss on them


def trainer_of(session: TuningSession) -> Trainer:
    """What trains the candidates of a session."""
    return PREFERENCE if session.workflow == Workflow.PREFERENCE else SUPERVISED


def request(candidate: Candidate, dataset: str, heldout: str) -> Request:
    """What a candidate's job is asked for, JSON-stable; datasets by full name. `heldout` is empty
    where jobs take no held-out rows, as those of preference learning (facts sheet 5)."""
    alike = {
        "dataset": dataset,
        "base_model": candidate.base_model,
        "epochs": candidate.epochs,
        "learning_rate": candidate.learning_rate,
        "lora_rank": candidate.lora_rank,
        "display_name": f"{candidate.session.public_id} {candidate.label}",
    }
    return alike | trainer_of(candidate.session).settings(candidate, heldout)


def _supervised(_candidate: Candidate, heldout: str) -> Request:
    return {"evaluation_dataset": heldout}


def _start_supervised(fireworks: Fireworks, identifier: str, output_model: str, wanted: Request) -> object:
    return jobs.create(fireworks, identifier, jobs.Training(output_model=output_model, **wanted))


def _look_supervised(fireworks: Fireworks, name: str) -> Seen:
    job = jobs.get(fireworks, name)
    cost = job.estimated_cost
    return Seen(
        **_states(job),
        percent=min(100, int(job.progress.percent or 0)),
        tokens=job.progress.input_tokens,
        cost=cost.amount if cost and cost.currency == "USD" else None,
        metrics_url=job.metrics_url,
    )


def _preference(candidate: Candidate, _heldout: str) -> Request:
    method = str(candidate.session.value("method", preference_jobs.DPO)).upper()
    weight = "beta" if method == preference_jobs.DPO else "odds_weight"
    return {"method": method, weight: candidate.beta}


def _start_preference(fireworks: Fireworks, identifier: str, output_model: str, wanted: Request) -> object:
    return preference_jobs.create(
        fireworks, identifier, preference_jobs.Preference(output_model=output_model, **wanted)
    )


def _look_preference(fireworks: Fireworks, name: str) -> Seen:
    job = preference_jobs.get(fireworks, name)
    return Seen(**_states(job), metrics_url=_metrics_url(fireworks, name))


def _metrics_url(fireworks: Fireworks, name: str) -> str:
    """Where the job's curves are; empty while there are none, which does not mean that the job is gone."""
    try:
        return preference_jobs.metrics_url(fireworks, name)
    except NotFound:
        return ""


def _states(job: jobs.Job | preference_jobs.PreferenceJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "state": job.state,
        "word": job.word,
        "over": job.over,
        "succeeded": job.succeeded,
        "paused": job.paused,
        "status": job.status,
        "rehearsal": job.raw.get("rehearsal") or {},
    }


SUPERVISED = Trainer(
    jobs.COLLECTION, _supervised, _start_supervised, _look_supervised, jobs.cancel, measures=True
)
PREFERENCE = Trainer(
    preference_jobs.COLLECTION,
    _preference,
    _start_preference,
    _look_preference,
    preference_jobs.cancel,
    measures=False,
)
