"""The data of a classification run: labels resolved, rows split by label, files as models are asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sessions.models import Artifact
from sessions.specification import FieldError, Specification
from workflows.data import imbalance, overlap, stratify
from workflows.data.labels import Labelled, Read, read
from workflows.data.labels_files import Wanted, write
from workflows.data.labels_prompt import Prompt
from workflows.data.labels_resolution import (
    LabelFault,
    Resolved,
    refuse_unlabelled,
    resolve,
    without_rare,
)
from workflows.data.overlap import Overlap
from workflows.data.splits import SplitFile
from workflows.phases import splitting
from workflows.phases.classification.held import sides
from workflows.phases.inspection import DATA, EVALUATION
from workflows.work import Work

LINES = "heldout-lines.json"


@dataclass(frozen=True)
class Prepared:
    """What a plan is made of. `files` by part: train, sample (the same file as train where there is none) and
    heldout; `train` and `heldout` are the rows before any balancing. `measured` is the evaluation dataset as
    read, None where rows are held out. `whole` and `whole_train` have the rare labels that were dropped or
    merged."""

    read: Read
    measured: Read | None
    whole: Resolved
    whole_train: list[Labelled]
    resolved: Resolved
    prompt: Prompt
    train: list[Labelled]
    heldout: list[Labelled]
    files: dict[str, SplitFile]
    has_sample: bool
    overlap: Overlap


def prepare(work: Work, specification: Specification) -> Prepared:
    """Read, resolve, split and write. Raises FieldError for labels that cannot be predicted."""
    given = said_labels(specification)
    found = labelled(work, DATA, "inspection", specification)
    brought = bool(specification.value("evaluation_dataset"))
    measured = labelled(work, EVALUATION, "evaluation-inspection", specification) if brought else None
    try:
        whole = resolve(joined(found, measured), given, specification.value("label_changes") or ())
        resolved = without_rare(whole, rare_names(whole, specification))
        train, heldout = sides(found, measured, resolved, specification)
        whole_train = train if resolved is whole else sides(found, measured, whole, specification)[0]
    except LabelFault as fault:
        raise refused(fault) from fault
    refuse_unnamed(resolved)
    prompt = Prompt(resolved.labels, resolved.multi, specification.value("prompt") or "")
    files, has_sample = written(work, specification, train, heldout, prompt)
    shared = overlap.between(files["train"].path, files["heldout"].path)
    return Prepared(
        found, measured, whole, whole_train, resolved, prompt, train, heldout, files, has_sample, shared
    )


def refuse_unnamed(resolved: Resolved) -> None:
    """ValueError when a row has a label that no prompt would name: its answer could never be right."""
    if unnamed := resolved.counts.keys() - set(resolved.labels):
        raise ValueError(f"labels outside the set: {', '.join(sorted(unnamed))}")


def said_labels(specification: Specification) -> tuple[str, ...]:
    """The labels that a person named; what the data gave in an earlier revision is found anew."""
    return tuple(specification.by_person().value("labels") or ())


def labelled(work: Work, name: str, report: str, specification: Specification) -> Read:
    """The labels of one staged file, its conversions made."""
    source = splitting.converted(work, name, splitting.inspected(work, report))
    return read(source, said_labels(specification), specification.value("seed"))


def joined(found: Read, measured: Read | None) -> Read:
    """Both files as one, so that they have one label set. Raises LabelFault when one has no labels."""
    if measured is None:
        return found
    refuse_unlabelled(found, " in the training dataset")
    refuse_unlabelled(measured, " in the evaluation dataset")
    return replace(found, rows=[*found.rows, *measured.rows])


def rare_names(resolved: Resolved, specification: Specification) -> dict[str, str]:
    """New names of labels that are dropped or merged because they are rare."""
    remedy = specification.value("balance")
    if remedy not in {"drop", "merge"}:
        return {}
    threshold = specification.value("imbalance_threshold")
    return imbalance.without_rare(resolved.counts, threshold, merge=remedy == "merge")


def refused(fault: LabelFault) -> FieldError:
    """The fault with the rows that show it, asked as a question about the labels."""
    rows = "; ".join(f"line {each.line}: “{each.text}”" for each in fault.rows)
    return FieldError("labels", f"{fault}{f' For example {rows}.' if rows else ''}", fault.remedy)


def written(
    work: Work, specification: Specification, train: list[Labelled], heldout: list[Labelled], prompt: Prompt
) -> tuple[dict[str, SplitFile], bool]:
    """The files of the workspace, and whether candidates train on a sample."""
    most, remedy = specification.value("tuning_samples"), specification.value("balance")
    sample = sampled(train, most)
    source = splitting.converted(work, DATA, splitting.inspected(work))
    brought = bool(specification.value("evaluation_dataset"))
    measured = (
        splitting.converted(work, EVALUATION, splitting.inspected(work, "evaluation-inspection"))
        if brought
        else source
    )
    wanted = {"train": Wanted(work.folder / "train.jsonl", train, imbalance.balanced(train, remedy))}
    if sample is not None:
        wanted["sample"] = Wanted(work.folder / "sample.jsonl", sample, imbalance.balanced(sample, remedy))
    held = {"heldout": Wanted(work.folder / "heldout.jsonl", heldout)}
    files = {**write(source, wanted, prompt), **write(measured, held, prompt)}
    files = scaled(work, files)
    splitting.keep(work, files, has_sample=sample is not None, seed=specification.value("seed"))
    work.keep(LINES, "application/json", json.dumps([row.line for row in heldout]))
    return {"sample": files["train"], **files}, sample is not None


def sampled(train: Sequence[Labelled], most: int) -> list[Labelled] | None:
    """The candidates' rows, drawn by label; None when they train on all."""
    if len(train) <= most:
        return None
    taken = stratify.draw(train, most)
    return [row for row, drawn in zip(train, taken, strict=True) if drawn]


def scaled(work: Work, files: dict[str, SplitFile]) -> dict[str, SplitFile]:
    """Tokens as a base model's tokenizer would count them, where there is one."""
    scale = splitting.inspected(work).tokens.scale
    return {name: replace(each, tokens=round(each.tokens * scale)) for name, each in files.items()}


def counts(rows: Sequence[Labelled]) -> Counter[str]:
    """Rows of each label."""
    return Counter(each for row in rows for each in row.labels)


def truths(work: Work) -> list[tuple[str, ...]]:
    """The right labels of the held-out rows, in the file's order."""
    path = Artifact.objects.get(session=work.session, name="heldout.jsonl").path
    return [tuple(each["messages"][-1]["content"].split("\n")) for each in rows_of(path)]


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """A JSONL file of ours, row by row."""
    with path.open("rb") as lines:
        yield from map(json.loads, lines)
