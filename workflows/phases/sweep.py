"""Phase 3: every candidate is trained on the same rows and measured on the same held-out rows."""

from __future__ import annotations

from collections.abc import Callable

from sessions.models import Artifact, Candidate
from sessions.models.evidence import Role
from sessions.states import CandidateState
from workflows.outcomes import Done, Failed, Failure, Outcome, Wait
from workflows.phases import candidates, curves, datasets, plans, trainers
from workflows.work import Work

Judge = Callable[[Work, list[Candidate]], Outcome]  # of the candidates that were trained


def step_of(judge: Judge) -> Callable[[Work], Outcome]:
    """The sweep of a workflow. `judge` comes to the winner's gate, as often as it is asked."""

    def step(work: Work) -> Outcome:
        """Look at what runs, launch what may run, and ask for the winner when all are over."""
        if work.session.winner:
            return Done(f"candidate {work.session.winner.number} was chosen")
        sweep = prepared(work)
        if not advanced(work, sweep, datasets.training_part(work)):
            return Wait(work.poll_seconds)
        return verdict(work, sweep, judge)

    return step


def advanced(work: Work, wanted: list[Candidate], part: datasets.Part, *, launch: bool = True) -> bool:
    """Look at the jobs of these candidates, start what may be started, on the rows of `part`. True when all
    are over; the rows given are fresh then. With `launch` off nothing new is started, and what was not
    started does not count."""
    for candidate in wanted:
        if candidate.state == CandidateState.ACTIVE:
            candidates.look(work, candidate)
    if launch:
        launch_next(work, wanted, part)
    for candidate in wanted:
        candidate.refresh_from_db()
    left = [each for each in wanted if not each.is_over]
    return not left if launch else all(each.state == CandidateState.PLANNED for each in left)


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
                beta=each.get("beta"),
            )
            for each in plan.body["candidates"]
        ],
        ignore_conflicts=True,
    )
    return list(Candidate.objects.filter(session=work.session, role=Role.SWEEP))


def launch_next(work: Work, wanted: list[Candidate], part: datasets.Part) -> None:
    """Fill the free places: a sliding window, the next starts as soon as one ends (product row 1.12)."""
    for candidate in wanted:
        candidate.refresh_from_db()
    active = sum(candidate.state == CandidateState.ACTIVE for candidate in wanted)
    free = work.session.value("parallel_jobs") - active
    planned = [candidate for candidate in wanted if candidate.state == CandidateState.PLANNED]
    if not planned or free <= 0:
        return
    train = datasets.uploaded(work, part)
    heldout = datasets.uploaded(work, datasets.HELDOUT) if trainers.trainer_of(work.session).measures else ""
    for candidate in planned[:free]:
        candidates.launch(work, candidate, train, heldout)
        candidate.refresh_from_db()


def verdict(work: Work, sweep: list[Candidate], judge: Judge) -> Outcome:
    """All are over: what the judge says of those that can win, or the end when nothing came of any."""
    done = [candidate for candidate in sweep if candidate.state == CandidateState.DONE]
    if not done:
        return Failed(all_failed(sweep))
    for candidate in done:
        curves.keep_evaluation(work, candidate, heldout_rows(work), provenance(work, candidate))
    return judge(work, done)


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
