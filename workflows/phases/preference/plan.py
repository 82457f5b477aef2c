"""The plan of preference learning: pairs or how they are made, candidates, who judges by which rubric."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sessions.costs import TimeRange, time_range
from sessions.models import BaseModel
from sessions.specification import (
    CandidateConfig,
    Entry,
    Origin,
    Specification,
    candidates,
    resolve,
    sentence,
    short_name,
)
from sessions.specification.preference import swept
from workflows.data.preference import rubric
from workflows.phases import scoring_code, serving
from workflows.phases import splitting as files
from workflows.phases.planning import Proposal
from workflows.phases.preference import lengths, named, pricing, roles, splitting, warnings
from workflows.phases.preference.pricing import Costed
from workflows.phases.preference.splitting import Parts
from workflows.work import Work

RUBRIC = "rubric.json"
IRREVERSIBLE = [
    "Training tokens are paid for once a job has read them, also when it is cancelled.",
    "New datasets, models and a deployment appear in your account; nothing that is there is changed.",
]
NO_RETRAIN = "Preference learning has none: the sweep trains on all pairs."


def propose(work: Work) -> Proposal:
    """The plan for the specification as it stands. Raises FieldError."""
    total = files.usable_samples(work)
    specification = paced(with_models(resolve(work.session.specification, total_samples=total)))
    serving.check_models(specification)
    parts = splitting.split(work, specification)
    configs = candidates(specification)
    specification, makers = named.made_by(work, specification, parts)
    specification, judge = judged(work, specification, parts, makers.both if makers else ())
    named_judge = judge.get("model", "")
    models, rubric_text = specification.value("base_models"), judge.get("rubric", "")
    tokens = lengths.of_answers(work, parts, models, named_judge, rubric_text)
    making_tokens = lengths.of_pairs(work, parts, makers) if makers else 0
    costed = Costed(work, specification, configs, parts, makers, named_judge, tokens, making_tokens)
    accelerators, refusals = serving.deploying(work, specification)
    duration = time_range(
        configs,
        sample_tokens=parts.train.tokens,
        full_tokens=parts.train.tokens,
        parallel_jobs=specification.value("parallel_jobs"),
        final_run=False,
        deploy=specification.value("deploy"),
        rehearsal=work.session.rehearsal,
        answers=True,
    )
    estimate, ways = pricing.estimated(costed, accelerators)
    body = {
        **described(specification, configs, parts, duration),
        "summary": summary(specification, configs, costed),
        "estimate": estimate.to_json(),
        "ways": ways,
        "makers": {
            **asdict(makers),
            "max_tokens": making_tokens,
            "screening": specification.value("screening"),
        }
        if makers
        else None,
        "prices": pricing.rates_of(costed, estimate),
        "judge": {**judge, "answer_tokens": tokens},
        "risks": [*warnings.risks(specification, configs, costed), *serving.refused(refusals)],
        "skipped": skipped(specification),
        "deployment": {"accelerator_type": accelerators[0], "accelerator_count": accelerators[1]}
        if accelerators
        else None,
    }
    return Proposal(specification, body)


def with_models(specification: Specification) -> Specification:
    """The base models of a sweep that a person confirmed, where none was named."""
    if specification.value("base_models") or not specification.value("sweep_models"):
        return specification
    rows = BaseModel.objects.filter(listed=True, tunable=True, servable=True)
    sizes = list(rows.values_list("name", "parameters"))
    return specification.with_entries({"base_models": swept(sizes)})


def paced(specification: Specification) -> Specification:
    """With an early stop, one job after another unless the person set a number: jobs that run side by side
    cannot be saved."""
    entry = specification.entry("parallel_jobs")
    if not specification.value("stop_early") or (entry and entry.origin.by_person):
        return specification
    words = "one after another, so that stopping early saves the rest"
    return specification.with_entries({"parallel_jobs": Entry(1, Origin.DATA, words)})


def judged(
    work: Work, specification: Specification, parts: Parts, made_by: Sequence[str]
) -> tuple[Specification, dict[str, Any]]:
    """Who compares, in the order of product row 4.5: an evaluator, a rubric of the person's, one written from
    the training rows. Raises FieldError when the evaluator cannot be used."""
    if specification.value("evaluator"):
        scoring_code.prepared(work, "evaluator", parts.heldout.path)
        return specification.without("rubric", "judge_model"), {}
    entry = specification.entry("rubric")
    if entry is None:
        found = rubric.from_file(parts.train.path)
        work.keep(RUBRIC, "application/json", json.dumps(found.to_json(), ensure_ascii=False))
        words = f"measured on {found.pairs:,} training pairs" if found.pairs else "from the training prompts"
        entry = Entry(found.text, Origin.DATA, words)
        specification = specification.with_entries({"rubric": entry})
    specification, judge = named.with_judge(specification, made_by, rehearsal=work.session.rehearsal)
    return specification, {
        "model": judge,
        "rubric": entry.value,
        "origin": entry.origin.label,
        "related": roles.related(judge, specification.value("base_models")),
    }


def summary(specification: Specification, configs: Sequence[CandidateConfig], costed: Costed) -> str:
    """The plan in a sentence or two."""
    parts, method = costed.parts, specification.value("method").upper()
    models = ", ".join(short_name(name) for name in dict.fromkeys(each.base_model for each in configs))
    count = f"{len(configs)} candidate{'s' * (len(configs) != 1)}"
    made = ""
    if costed.makers:
        made = (
            f"Make pairs from {parts.train.rows:,} prompts: {short_name(costed.makers.strong)} answers are "
            f"preferred to those of {short_name(costed.makers.weak)}. "
        )
    if specification.value("review_pairs") == "show":
        made += "Wait until you have seen some of them. "
    rows = "those pairs" if costed.makers else f"{parts.train.rows:,} pairs"
    by = (
        f"the judge {short_name(costed.judge)}, blind and in both orders"
        if costed.judge
        else "your evaluator"
    )
    ending = "deploy the one you confirm" if specification.value("deploy") else "deploy nothing"
    stop = stopping(specification)
    return (
        f"{made}Train {count} of {models} by {method} on {rows}, compare each with its base model on "
        f"{parts.heldout.rows:,} held-out prompts by {by}, and {ending}.{stop}"
    )


def stopping(specification: Specification) -> str:
    """What an early stop does."""
    if not specification.value("stop_early"):
        return ""
    jobs = specification.value("parallel_jobs")
    told = "one at a time" if jobs == 1 else f"up to {jobs} at a time"
    return (
        f" Jobs run {told}; each model is measured as soon as it is trained, and once one reaches the target "
        "no job is started any more. Jobs that run by then go on to their end and are measured too. The "
        "number decides, not its interval: on few held-out prompts one of several reaches a target by luck."
    )


def described(
    specification: Specification, configs: Sequence[CandidateConfig], parts: Parts, duration: TimeRange
) -> dict[str, Any]:
    """What every plan has, in words and numbers."""
    return {
        "sentence": sentence(specification),
        "specification": specification.to_json(),
        "candidates": [each.to_json() for each in configs],
        "data": parts.to_json(),
        "time": duration.to_json(),
        "irreversible": IRREVERSIBLE,
    }


def skipped(specification: Specification) -> dict[str, str]:
    """Phases that will not be run, with the reason."""
    reasons = {"training": NO_RETRAIN}
    if not specification.value("deploy"):
        reasons["deployment"] = "You asked not to deploy."
    return reasons
