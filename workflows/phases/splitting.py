"""Split the data of a session: training rows, the candidates' sample, held-out rows; all are artifacts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from sessions.models import Artifact
from sessions.specification import FieldError, Specification
from workflows.data import conversion, overlap, splits
from workflows.data.inspection import Conversion, Inspection
from workflows.data.splits import SplitFile
from workflows.faults import DataFault
from workflows.phases import data_risks
from workflows.phases.inspection import DATA, EVALUATION
from workflows.work import Work

Parts = dict[str, Any]
CHOICES = {"tool_roles": "tools_as_text", "content_parts": "parts_as_text"}  # the fields that choose them


def inspected(work: Work, report: str = "inspection") -> Inspection:
    """What phase 1 found."""
    artifact = Artifact.objects.get(session=work.session, name=f"{report}.json")
    return Inspection.from_json(json.loads(artifact.path.read_bytes()))


def usable_samples(work: Work) -> int:
    """Rows that can be trained on or measured on."""
    return inspected(work).usable_samples


def split(work: Work, specification: Specification) -> Parts:
    """The parts of the data with rows and estimated tokens. Raises FieldError or DataFault."""
    found = inspected(work)
    separate = bool(specification.value("evaluation_dataset"))
    try:
        made = splits.split(
            converted(work, DATA, found),
            work.folder,
            heldout=0 if separate else specification.value("heldout_rows"),
            sample=specification.value("tuning_samples"),
            seed=specification.value("seed"),
        )
        heldout = measured(work, specification) if separate else made.heldout
    except splits.SplitError as error:
        raise unsplittable(specification, f"{str(error).capitalize()}.") from error
    assert heldout is not None  # noqa: S101  # some rows are always held out where none are brought
    parts = {"train": made.train, "sample": made.sample or made.train, "heldout": heldout}
    scale = found.tokens.scale  # what a tokenizer says of estimated tokens
    parts = {name: replace(part, tokens=round(part.tokens * scale)) for name, part in parts.items()}
    shared = overlap.between(made.train.path, heldout.path)
    keep(work, parts, has_sample=made.sample is not None, seed=specification.value("seed"))
    return {
        **{name: {"rows": part.rows, "tokens": part.tokens} for name, part in parts.items()},
        "samples": found.samples,
        "usable": made.usable,
        "problems": sum(found.problem_counts.values()),
        "risks": data_risks.lines(found, shared, specification.value("base_models"), brought=separate),
        "overlap": shared.to_json(),
        "token_note": found.tokens.method,
        "conversions": told_conversions(work, found),
        "has_sample": made.sample is not None,
        "today": work.now.date(),
    }


def unsplittable(specification: Specification, fault: str) -> Exception:
    """A number that the person gave can be asked for again; too little data cannot."""
    entry = specification.entry("heldout_rows")
    if entry and entry.origin.by_person:
        return FieldError("heldout_rows", fault, "Say how many to hold out.")
    return DataFault(fault, "Add rows, or bring an evaluation dataset, and start again.")


def has_sample(parts: Parts) -> bool:
    """Whether the candidates train on fewer rows than the full-data run."""
    return bool(parts["has_sample"])


def converted(work: Work, name: str, found: Inspection) -> Path:
    """The staged file, or a converted copy of it where rows can only be used so, or where that was chosen
    (product row 2.3)."""
    source, target = work.folder / name, work.folder / f"converted-{name}"
    kinds = [each.kind for each in to_make(work, found)]
    if not kinds:
        Artifact.objects.filter(session=work.session, name=target.name).delete()  # of an earlier revision
        return source
    if not Artifact.objects.filter(session=work.session, name=target.name, detail={"kinds": kinds}).exists():
        conversion.convert(source, target, kinds)
        work.keep(target.name, "application/jsonl", kinds=kinds)
    return target


def to_make(work: Work, found: Inspection) -> list[Conversion]:
    """The conversions that are needed, and those that the person chose."""
    chosen = {kind for kind, name in CHOICES.items() if work.session.value(name)}
    return [each for each in found.conversions if each.required or each.kind in chosen]


def told_conversions(work: Work, found: Inspection) -> list[dict[str, Any]]:
    """The conversions of a plan: why each is made, and of how many rows."""
    return [{"why": each.why, "rows": each.rows} for each in to_make(work, found)]


def measured(work: Work, specification: Specification) -> SplitFile:
    """The usable rows of the evaluation dataset as the held-out part."""
    found = inspected(work, "evaluation-inspection")
    folder = work.folder / "evaluation"
    folder.mkdir(exist_ok=True)
    source = converted(work, EVALUATION, found)
    whole = splits.split(source, folder, heldout=0, sample=None, seed=specification.value("seed")).train
    target = work.folder / "heldout.jsonl"
    whole.path.replace(target)
    return SplitFile(target, whole.rows, whole.bytes, whole.sha256, whole.tokens)


def keep(work: Work, parts: dict[str, SplitFile], *, has_sample: bool, seed: int) -> None:
    """Record the files; a sample of an earlier revision is forgotten when there is none any more."""
    for name, part in parts.items():
        if name != "sample" or has_sample:
            work.keep(f"{name}.jsonl", "application/jsonl", rows=part.rows, tokens=part.tokens, seed=seed)
    if not has_sample:
        Artifact.objects.filter(session=work.session, name="sample.jsonl").delete()
