"""Phase 2: split the data, price the candidates, and put one plan before a person."""

from __future__ import annotations

from typing import Any

from sessions.actions.planning import add_revision, keep_specification
from sessions.costs import Estimate, Rates, TimeRange, estimate, time_range
from sessions.models import BaseModel, Plan
from sessions.specification import (
    CandidateConfig,
    FieldError,
    Specification,
    candidates,
    differences,
    resolve,
    sentence,
    short_name,
)
from sessions.states import Decision, GateKind
from workflows.fireworks import deployments
from workflows.fireworks.errors import Permanent
from workflows.outcomes import Ask, Done, Outcome
from workflows.phases import plans, questions, splitting
from workflows.work import Work, rates_path

SHAPE = "default"  # the provider's own choice of accelerators (facts sheet 6.1)
IRREVERSIBLE = [
    "Training tokens are paid for once a job has read them, also when it is cancelled.",
    "New datasets, models and a deployment appear in your account; nothing that is there is changed.",
]


def step(work: Work) -> Outcome:
    """Done when the newest revision is approved; else the next revision and its gate."""
    gate = work.session.gates.filter(kind=GateKind.PLAN).last()
    if gate and gate.plan and gate.decision == Decision.APPROVED and gate.plan == plans.latest(work.session):
        return Done(f"revision {gate.plan.revision} approved")
    asked = questions.unanswered(work)
    if asked:
        return asked
    try:
        plan = revision(work)
    except FieldError as fault:
        ask = questions.refused(fault)
        assert ask is not None  # noqa: S101  # a refused value is always one question
        return ask
    text = f"Approve the plan (revision {plan.revision}) or ask for changes"
    return Ask(GateKind.PLAN, text, {}, plan)


def revision(work: Work) -> Plan:
    """Work out the plan for the specification as it stands. Raises FieldError."""
    before = plans.latest(work.session)
    total = splitting.usable_samples(work)
    specification = resolve(work.session.specification, total_samples=total)
    check_models(specification)
    parts = splitting.split(work, specification)
    configs = candidates(specification)
    final_run = specification.value("final_run") and splitting.has_sample(parts)
    accelerators, served = serving(work, specification)
    priced = estimated(specification, configs, parts, accelerators, final_run=final_run)
    duration = time_range(
        configs,
        sample_tokens=parts["sample"]["tokens"],
        full_tokens=parts["train"]["tokens"],
        parallel_jobs=specification.value("parallel_jobs"),
        final_run=final_run,
        deploy=specification.value("deploy"),
        rehearsal=work.session.rehearsal,
    )
    keep_specification(work.session, specification)
    body = {
        **described(specification, configs, parts, priced, duration),
        "risks": risks(specification, parts, served),
        "skipped": skipped(specification, parts),
        "deployment": {"accelerator_type": accelerators[0], "accelerator_count": accelerators[1]}
        if accelerators
        else None,
    }
    changes = changed(before, specification)
    return add_revision(work.session, body, changes)


def changed(before: Plan | None, specification: Specification) -> list[str]:
    """What differs from the revision before, in words."""
    if before is None:
        return []
    return differences(Specification.from_json(before.body["specification"]), specification)


def check_models(specification: Specification) -> None:
    """Refuse a model that cannot be tuned, or whose tuned form could not be served (facts sheet 3)."""
    rows = {row.name: row for row in BaseModel.objects.filter(listed=True)}
    for name in specification.value("base_models"):
        row = rows.get(name)
        if row is None or not row.tunable:
            fault = f"{short_name(name)} cannot be fine-tuned in this account."
            raise FieldError("base_models", fault, "Choose one from the list of supported base models.")
        if not row.servable and specification.value("deploy"):
            fault = f"{short_name(name)} can be tuned, but Fireworks cannot serve the tuned model."
            raise FieldError("base_models", fault, "Choose another base model, or ask not to deploy.")


def serving(work: Work, specification: Specification) -> tuple[tuple[str, int] | None, dict[str, str]]:
    """Accelerators that the dearest base model would be served on, and refusals by model.

    `validateOnly` resolves a deployment without creating one (facts sheet 6.1).
    """
    refusals: dict[str, str] = {}
    needed: list[tuple[str, int]] = []
    for name in specification.value("base_models") if specification.value("deploy") else ():
        try:
            found = deployments.validate_only(
                work.fireworks, deployments.Wanted(base_model=name, shape=SHAPE)
            )
        except Permanent as error:
            refusals[name] = error.provider_message or str(error)
            continue
        if found.accelerator_type and found.accelerator_count:
            needed.append((found.accelerator_type, found.accelerator_count))
    return max(needed, key=lambda each: each[1], default=None), refusals


def estimated(
    specification: Specification,
    configs: tuple[CandidateConfig, ...],
    parts: dict[str, Any],
    accelerators: tuple[str, int] | None,
    *,
    final_run: bool,
) -> Estimate:
    """The cost of the plan, by the dated price table."""
    sizes = dict(BaseModel.objects.values_list("name", "parameters"))
    return estimate(
        configs,
        rates=Rates.load(rates_path()),
        sample_tokens=parts["sample"]["tokens"],
        full_tokens=parts["train"]["tokens"],
        parameters_by_model=sizes,
        final_run=final_run,
        deployment=accelerators,
        today=parts["today"],
        deploy=specification.value("deploy"),
    )


def described(
    specification: Specification,
    configs: tuple[CandidateConfig, ...],
    parts: dict[str, Any],
    priced: Estimate,
    duration: TimeRange,
) -> dict[str, Any]:
    """The plan in words and numbers."""
    models = ", ".join(short_name(name) for name in specification.value("base_models"))
    count = f"{len(configs)} candidate{'s' * (len(configs) != 1)}"
    ending = "deploy the winner" if specification.value("deploy") else "keep the winner without deploying it"
    summary = (
        f"Train {count} of {models} on {parts['sample']['rows']:,} rows, compare them by validation loss on "
        f"{parts['heldout']['rows']:,} held-out rows, and {ending}."
    )
    return {
        "summary": summary,
        "sentence": sentence(specification),
        "specification": specification.to_json(),
        "candidates": [each.to_json() for each in configs],
        "data": {
            "samples": parts["samples"],
            "usable": parts["usable"],
            "train_rows": parts["train"]["rows"],
            "sample_rows": parts["sample"]["rows"],
            "heldout_rows": parts["heldout"]["rows"],
            "tokens": {name: parts[name]["tokens"] for name in ("train", "sample", "heldout")},
            "token_note": parts["token_note"],
            "dropped_rows": parts["samples"] - parts["usable"],
            "problems": parts["problems"],
            "risks": parts["risks"],
            "overlap": parts["overlap"],
            "conversions": parts["conversions"],
        },
        "estimate": priced.to_json(),
        "time": duration.to_json(),
        "irreversible": IRREVERSIBLE,
    }


def risks(specification: Specification, parts: dict[str, Any], refusals: dict[str, str]) -> list[str]:
    """What may go wrong or mislead."""
    found = []
    if parts["train"]["rows"] < 50:
        found.append(f"Only {parts['train']['rows']} rows to train on: expect a model that repeats them.")
    if parts["heldout"]["rows"] < 30:
        found.append(
            f"Validation loss rests on {parts['heldout']['rows']} held-out rows: small differences are noise."
        )
    found += parts["risks"]
    found += [
        f"Serving a tuned {short_name(name)} was refused when asked for without creating anything: {words}"
        for name, words in refusals.items()
    ]
    if specification.value("deploy"):
        found.append("A deployment costs by the second while a replica is up; it scales to zero when idle.")
    return found


def skipped(specification: Specification, parts: dict[str, Any]) -> dict[str, str]:
    """Phases that will not be run, with the reason."""
    reasons = {}
    if not specification.value("final_run"):
        reasons["training"] = "You asked to skip the full-data run."
    elif not splitting.has_sample(parts):
        reasons["training"] = "The candidates already train on all training rows."
    if not specification.value("deploy"):
        reasons["deployment"] = "You asked not to deploy."
    return reasons
