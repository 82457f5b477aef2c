"""The plan of supervised fine-tuning: split the data, price the candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessions.costs import Estimate, Line, Rates, TimeRange, estimate, time_range
from sessions.models import BaseModel
from sessions.specification import (
    CandidateConfig,
    Specification,
    candidates,
    resolve,
    sentence,
    short_name,
)
from sessions.specification.values import words
from workflows.phases import data_risks, serving, splitting
from workflows.phases.planning import Proposal
from workflows.phases.sft import measuring
from workflows.work import Work, rates_path

IRREVERSIBLE = [
    "Training tokens are paid for once a job has read them, also when it is cancelled.",
    "New datasets, models and a deployment appear in your account; nothing that is there is changed.",
]


def propose(work: Work) -> Proposal:
    """The plan for the specification as it stands. Raises FieldError."""
    total = splitting.usable_samples(work)
    specification = resolve(work.session.specification, total_samples=total)
    serving.check_models(specification)
    parts = splitting.split(work, specification)
    configs = candidates(specification)
    final_run = specification.value("final_run") and splitting.has_sample(parts)
    measured = measuring.measured(work, specification, configs, parts, final_run=final_run)
    accelerators, refusals = serving.deploying(work, specification)
    priced = estimated(
        specification, configs, parts, accelerators, final_run=final_run, inference=measured.lines
    )
    duration = time_range(
        configs,
        sample_tokens=parts["sample"]["tokens"],
        full_tokens=parts["train"]["tokens"],
        parallel_jobs=specification.value("parallel_jobs"),
        final_run=final_run,
        deploy=specification.value("deploy"),
        rehearsal=work.session.rehearsal,
        answers=bool(measured.lines),
    )
    body = {
        **described(specification, configs, parts, priced, duration, measured.words, final_run=final_run),
        "risks": [*risks(specification, parts, refusals), *measured.risks],
        "evaluator": measured.evaluator,
        "ways": measured.ways,
        "skipped": skipped(specification, parts),
        "deployment": {"accelerator_type": accelerators[0], "accelerator_count": accelerators[1]}
        if accelerators
        else None,
    }
    return Proposal(specification, body)


def estimated(
    specification: Specification,
    configs: tuple[CandidateConfig, ...],
    parts: dict[str, Any],
    accelerators: tuple[str, int] | None,
    *,
    final_run: bool,
    inference: Sequence[Line],
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
        inference=inference,
    )


def described(
    specification: Specification,
    configs: tuple[CandidateConfig, ...],
    parts: dict[str, Any],
    priced: Estimate,
    duration: TimeRange,
    measure: str,
    *,
    final_run: bool,
) -> dict[str, Any]:
    """The plan in words and numbers."""
    models = words([short_name(name) for name in specification.value("base_models")])
    count = f"{len(configs)} candidate{'s' * (len(configs) != 1)}"
    again = f"train the winner again on all {parts['train']['rows']:,} rows, " if final_run else ""
    ending = "deploy the winner" if specification.value("deploy") else "keep the winner without deploying it"
    summary = (
        f"Train {count} of {models} on {parts['sample']['rows']:,} rows, compare them by {measure} on "
        f"{parts['heldout']['rows']:,} held-out rows, {again}and {ending}."
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
    found += data_risks.little_trained(
        parts["train"]["rows"],
        parts["heldout"]["rows"],
        brought=bool(specification.value("evaluation_dataset")),
    )
    found += parts["risks"]
    found += serving.refused(refusals)
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
