"""The plan of classification: labels to confirm, the split, the benchmark, the candidates, the cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sessions.costs import Estimate, TimeRange, time_range
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
from workflows.data import tokens
from workflows.phases import data_risks, serving, splitting
from workflows.phases.classification import balance, lines, strongest, told
from workflows.phases.classification.data import Prepared, counts, prepare
from workflows.phases.classification.held import SHARE
from workflows.phases.planning import Proposal
from workflows.phases.sft.plan import IRREVERSIBLE
from workflows.work import Work

FEW_ROWS = 10  # of a label on the held-out side, below which its own figures say little


@dataclass(frozen=True)
class Draft:
    """What the parts of a plan are told from."""

    specification: Specification
    prepared: Prepared
    configs: tuple[CandidateConfig, ...]
    priced: Estimate
    duration: TimeRange

    @property
    def full_runs(self) -> bool:
        """Whether the best configuration of a base model is trained again on all rows."""
        return bool(self.specification.value("final_run") and self.prepared.has_sample and self.configs)


def propose(work: Work) -> Proposal:
    """The plan for the specification as it stands. Raises FieldError."""
    said = work.session.specification
    specification = resolve(said, total_samples=splitting.usable_samples(work))
    if specification.value("benchmark_only"):
        off = Entry(False, Origin.DATA, "nothing is trained")
        specification = specification.with_entries({"final_run": off, "deploy": off})
    serving.check_models(specification)
    prepared = prepare(work, specification)
    specification = found(specification, prepared)
    configs = () if specification.value("benchmark_only") else candidates(specification)
    if configs:
        strongest.check(specification, configs)
    accelerators, refusals = serving.deploying(work, specification)
    priced, ways = lines.estimated(work, specification, prepared, configs, accelerators)
    draft = Draft(specification, prepared, configs, priced, lasting(work, specification, prepared, configs))
    labels = told.labels(prepared, specification, configs)
    body = {
        **described(draft),
        "data": about_data(work, draft),
        "labels": labels,
        "ways": ways,
        "risks": risks(draft, refusals, work, labels),
        "skipped": skipped(draft),
        "deployment": {"accelerator_type": accelerators[0], "accelerator_count": accelerators[1]}
        if accelerators
        else None,
    }
    return Proposal(specification, body)


def found(specification: Specification, prepared: Prepared) -> Specification:
    """What follows from the data: the labels, and how many rows the split really holds out."""
    said, fresh = specification.by_person(), {}
    if not said.value("labels"):
        fresh["labels"] = Entry(prepared.resolved.labels, Origin.DATA, told.origin(prepared.read))
    if not said.value("heldout_rows") and not specification.value("evaluation_dataset"):
        share = said.value("test_share") or SHARE
        rule = f"{share:.4g} of {len(prepared.resolved.rows):,} rows, drawn label by label"
        fresh["heldout_rows"] = Entry(len(prepared.heldout), Origin.DATA, rule)
    return specification.with_entries(fresh)


def lasting(
    work: Work, specification: Specification, prepared: Prepared, configs: tuple[CandidateConfig, ...]
) -> TimeRange:
    """How long training and deployment take."""
    return time_range(
        configs,
        sample_tokens=prepared.files["sample"].tokens,
        full_tokens=prepared.files["train"].tokens,
        parallel_jobs=specification.value("parallel_jobs"),
        final_run=bool(specification.value("final_run") and prepared.has_sample and configs),
        deploy=specification.value("deploy"),
        rehearsal=work.session.rehearsal,
        answers=True,
    )


def described(draft: Draft) -> dict[str, Any]:
    """The plan in words and numbers."""
    return {
        "summary": summary(draft),
        "sentence": sentence(draft.specification),
        "specification": draft.specification.to_json(),
        "candidates": [each.to_json() for each in draft.configs],
        "estimate": draft.priced.to_json(),
        "time": draft.duration.to_json(),
        "irreversible": IRREVERSIBLE,
    }


def summary(draft: Draft) -> str:
    """What will be done, in one sentence or two."""
    models = draft.specification.value("base_models")
    names = ", ".join(short_name(each) for each in models)
    heldout, labels = len(draft.prepared.heldout), len(draft.prepared.resolved.labels)
    first = f"Ask {names} for the labels of {heldout:,} held-out rows ({labels:,} labels)"
    if not draft.configs:
        return f"{first}, and report how well each does. Nothing is trained."
    competing = strongest.competing(draft.configs)
    going_on, of = strongest.how_many(draft.specification), len(competing)
    which = f"the {going_on} strongest" if going_on < of else "each"
    if going_on == of < len(models):
        which = ", ".join(short_name(each) for each in competing)
    per_model = len(draft.configs) // of
    count = f"{per_model} configuration{'s' * (per_model != 1)}"
    rows = f"{draft.prepared.files['sample'].rows:,} rows"
    again = "; train the best of each model again on all rows" if draft.full_runs else ""
    ending = "deploy the winner" if draft.specification.value("deploy") else "deploy nothing"
    return (
        f"{first}; train {count} of {which} on {rows}{again}; measure the tuned models alike, and {ending}."
    )


def about_data(work: Work, draft: Draft) -> dict[str, Any]:
    """The data and its parts, as every plan tells them."""
    inspected, files = splitting.inspected(work), draft.prepared.files
    brought = bool(draft.specification.value("evaluation_dataset"))
    usable = len(draft.prepared.train) + (0 if brought else len(draft.prepared.heldout))
    return {
        "samples": inspected.samples,
        "usable": usable,
        "train_rows": files["train"].rows,
        "sample_rows": files["sample"].rows,
        "heldout_rows": files["heldout"].rows,
        "tokens": {name: files[name].tokens for name in ("train", "sample", "heldout")},
        "token_note": inspected.tokens.method,
        "dropped_rows": max(0, inspected.samples - usable),
        "dropped_evaluation_rows": dropped_evaluation_rows(work, draft) if brought else 0,
        "problems": sum(inspected.problem_counts.values()),
        "risks": data_lines(work, draft),
        "overlap": draft.prepared.overlap.to_json(),
        "conversions": splitting.told_conversions(work, inspected),
    }


def dropped_evaluation_rows(work: Work, draft: Draft) -> int:
    """Rows of the evaluation dataset that are not measured on."""
    return splitting.inspected(work, "evaluation-inspection").samples - len(draft.prepared.heldout)


def data_lines(work: Work, draft: Draft) -> list[str]:
    """What the data itself may spoil."""
    brought = bool(draft.specification.value("evaluation_dataset"))
    models = draft.specification.value("base_models")
    inspected = splitting.inspected(work)
    prompt = tokens.of_bytes(tokens.text_bytes(draft.prepared.prompt.instruction), messages=1)
    scaled = round(prompt * inspected.tokens.scale)
    return data_risks.lines(inspected, draft.prepared.overlap, models, brought=brought, prompt=scaled)


def risks(draft: Draft, refusals: dict[str, str], work: Work, labels: dict[str, Any]) -> list[str]:
    """What may go wrong or mislead; `labels` is what the plan tells of them."""
    lines_of_risk, uneven = [each["text"] for each in labels["notes"]], labels["imbalance"]
    if uneven["flagged"]:
        lines_of_risk.insert(0, balance.words(uneven))
    few = [each for each, count in counts(draft.prepared.heldout).items() if count < FEW_ROWS]
    if few:
        lines_of_risk.append(
            f"{len(few):,} label{'s have' if len(few) != 1 else ' has'} fewer than {FEW_ROWS} held-out rows: "
            "their own figures say little."
        )
    lines_of_risk += data_risks.little_trained(
        draft.prepared.files["train"].rows,
        draft.prepared.files["heldout"].rows,
        brought=bool(draft.specification.value("evaluation_dataset")),
    )
    lines_of_risk += without_candidates(draft)
    lines_of_risk += data_lines(work, draft)
    lines_of_risk += serving.refused(refusals)
    if draft.specification.value("deploy"):
        lines_of_risk.append(
            "A deployment costs by the second while a replica is up; it scales to zero when idle."
        )
    return lines_of_risk


def without_candidates(draft: Draft) -> list[str]:
    """Base models that the limit of candidates leaves without one."""
    competing = strongest.competing(draft.configs)
    left = [short_name(each) for each in draft.specification.value("base_models") if each not in competing]
    if not left or not draft.configs:
        return []
    words = f"{', '.join(left)} {'have' if len(left) > 1 else 'has'} no candidate"
    return [f"With {len(draft.configs)} candidates at the most {words}: only measured, however strong."]


def skipped(draft: Draft) -> dict[str, str]:
    """Phases that will not be run, with the reason."""
    if draft.specification.value("benchmark_only"):
        reason = "You asked for a benchmark only."
        return {"training": reason, "evaluation": reason, "deployment": reason}
    reasons = {}
    if not draft.specification.value("final_run"):
        reasons["training"] = "You asked to skip the full-data run."
    elif not draft.prepared.has_sample:
        reasons["training"] = "The candidates already train on all training rows."
    if not draft.specification.value("deploy"):
        reasons["deployment"] = "You asked not to deploy."
    return reasons
