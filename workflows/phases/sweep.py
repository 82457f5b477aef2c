"""Phase 3: every candidate is trained on the same rows and measured on the same held-out rows."""

from __future__ import annotations

from sessions.models import Artifact, Candidate
from sessions.models.evidence import Role
from sessions.states import CandidateState, GateKind
from workflows import pictures
from workflows.outcomes import Ask, Done, Failed, Failure, Outcome, Wait
from workflows.phases import candidates, curves, datasets, plans, promotion
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Look at what runs, launch what may run, and ask for the winner when all are over."""
    if work.session.winner:
        return Done(f"candidate {work.session.winner.number} was chosen")
    sweep = prepared(work)
    for candidate in sweep:
        if candidate.state == CandidateState.ACTIVE:
            candidates.look(work, candidate)
    launch_next(work, sweep)
    if not all(candidate.is_over for candidate in sweep):
        return Wait(work.poll_seconds)
    return verdict(work, sweep)


def prepared(work: Work) -> list[Candidate]:
    """The candidates of the approved plan as rows."""
    plan = plans.approved(work.session)
    Candidate.objects.bulk_create(
        [
            Candidate(
                session=work.session,
                number=each["number"],
                base_model=each["base_model"],
                lora_rank=each["lora_rank"],
                learning_rate=each["learning_rate"],
                epochs=each["epochs"],
            )
            for each in plan.body["candidates"]
        ],
        ignore_conflicts=True,
    )
    return list(Candidate.objects.filter(session=work.session, role=Role.SWEEP))


def launch_next(work: Work, sweep: list[Candidate]) -> None:
    """Fill the free places: a sliding window, the next starts as soon as one ends (product row 1.12)."""
    for candidate in sweep:
        candidate.refresh_from_db()
    active = sum(candidate.state == CandidateState.ACTIVE for candidate in sweep)
    free = work.session.value("parallel_jobs") - active
    planned = [candidate for candidate in sweep if candidate.state == CandidateState.PLANNED]
    if not planned or free <= 0:
        return
    train = datasets.uploaded(work, datasets.training_part(work))
    heldout = datasets.uploaded(work, datasets.HELDOUT)
    for candidate in planned[:free]:
        candidates.launch(work, candidate, train, heldout)
        candidate.refresh_from_db()


def verdict(work: Work, sweep: list[Candidate]) -> Outcome:
    """All are over: the promotion gate, or the end when nothing came of any."""
    done = [candidate for candidate in sweep if candidate.state == CandidateState.DONE]
    if not done:
        return Failed(all_failed(sweep))
    for candidate in done:
        curves.keep_evaluation(work, candidate, heldout_rows(work), provenance(work, candidate))
    body = promotion.proposal(done, heldout_rows(work))
    pictures.scoreboard(work, body["suggested"])
    text = f"Confirm the winner: candidate {body['suggested']} is suggested"
    return Ask(GateKind.PROMOTION, text, body)


def heldout_rows(work: Work) -> int:
    """On how many rows the validation loss rests."""
    return int(Artifact.objects.get(session=work.session, name=datasets.HELDOUT.artifact).detail["rows"])


def provenance(work: Work, candidate: Candidate) -> dict[str, object]:
    """Where a candidate's numbers come from (product row 2.11)."""
    part = datasets.TRAIN if candidate.role == Role.FINAL else datasets.training_part(work)
    train = Artifact.objects.get(session=work.session, name=part.artifact)
    heldout = Artifact.objects.get(session=work.session, name=datasets.HELDOUT.artifact)
    return {
        "job": candidate.job,
        "model": candidate.model,
        "training_file": train.name,
        "training_rows": train.detail["rows"],
        "training_sha256": train.sha256,
        "heldout_file": heldout.name,
        "heldout_rows": heldout.detail["rows"],
        "heldout_sha256": heldout.sha256,
        "seed": work.session.value("seed"),
    }


WHOSE = {"INVALID_ARGUMENT": "data", "FAILED_PRECONDITION": "configuration", "RESOURCE_EXHAUSTED": "quota"}


def all_failed(sweep: list[Candidate]) -> Failure:
    """The failure of a sweep that left no model; the first candidate's words stand for all."""
    failed = [each for each in sweep if "failure" in each.detail]
    first: dict[str, str] = failed[0].detail["failure"] if failed else {}
    whose = WHOSE.get(first.get("code", ""), "platform")
    if whose == "data" and failed[0].launched_at is None:
        whose = "configuration"  # refused before any row was read
    remedies = {
        "data": "Mend the data and start again with the same values.",
        "configuration": "Change what was refused and start again, for example with another base model.",
        "quota": "Raise the quota with Fireworks and start again.",
    }
    return Failure(
        whose,
        "The only candidate failed." if len(sweep) == 1 else f"All {len(sweep)} candidates failed.",
        remedies.get(whose, "Start again; if it stays, tell Fireworks the words above."),
        first.get("message", ""),
        retry_safe=True,
    )
