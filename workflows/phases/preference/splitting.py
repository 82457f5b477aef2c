"""Split preference data by prompt: rows to train on (or prompts to make pairs of), and held-out prompts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions.models import Artifact
from sessions.specification import FieldError, Specification
from workflows.data import formats
from workflows.data.inspection import Inspection
from workflows.data.preference import converting, splits
from workflows.data.splits import SplitError, SplitFile
from workflows.faults import DataFault
from workflows.phases.inspection import DATA, EVALUATION
from workflows.phases.preference.inspection import LINT
from workflows.phases.splitting import inspected
from workflows.work import Work

JSONL = "application/jsonl"
FEW_TRAINED, FEW_MEASURED = 50, 100  # rows; below, the plan says what that does


@dataclass(frozen=True)
class Parts:
    """The parts of the data: files with rows and estimated tokens, and what was found on the way."""

    train: SplitFile
    heldout: SplitFile
    found: Inspection
    asked: Inspection  # of the file that the held-out prompts come from
    lint: dict[str, Any]
    shared: int  # training rows left out because their prompt is measured on
    repeated: int  # held-out rows that are not asked because another has their prompt

    @property
    def has_pairs(self) -> bool:
        """Whether the training rows are pairs already; else pairs are made of them."""
        return self.found.format != formats.PROMPTS

    def to_json(self) -> dict[str, Any]:
        """What the plan and the pages show of the data, under the names that all workflows use."""
        train, heldout, found = self.train, self.heldout, self.found
        return {
            "samples": found.samples,
            "usable": found.usable_samples,
            "train_rows": train.rows,
            "sample_rows": train.rows,
            "heldout_rows": heldout.rows,
            "tokens": {"train": train.tokens, "sample": train.tokens, "heldout": heldout.tokens},
            "token_note": found.tokens.method,
            "dropped_rows": found.samples - found.usable_samples,
            "problems": sum(found.problem_counts.values()),
            "risks": risks(self),
            "overlap": {},
            "conversions": [{"why": each.why, "rows": each.rows} for each in found.conversions],
            "lint": self.lint,
        }


def split(work: Work, specification: Specification) -> Parts:
    """The parts as artifacts. Raises FieldError or DataFault."""
    found, seed = inspected(work), specification.value("seed")
    source = pairs_file(work, DATA, found)
    brought, shared, repeated, asked = None, 0, 0, found
    try:
        if specification.value("evaluation_dataset"):
            asked = inspected(work, "evaluation-inspection")
            measured = pairs_file(work, EVALUATION, asked)
            barred = splits.prompt_keys(measured)
            made = splits.split(source, work.folder, heldout=0, seed=seed, barred=barred)
            brought, repeated = splits.whole(measured, work.folder / splits.HELDOUT)
            shared = made.usable - made.train.rows
        else:
            made = splits.split(source, work.folder, heldout=specification.value("heldout_rows"), seed=seed)
            repeated = made.repeated
    except SplitError as error:
        raise unsplittable(specification, f"{str(error).capitalize()}.") from error
    heldout = brought or made.heldout
    assert heldout is not None  # noqa: S101  # rows are held out where none are brought
    for part in (made.train, heldout):
        work.keep(part.path.name, JSONL, rows=part.rows, tokens=part.tokens, seed=seed)
    return Parts(made.train, heldout, found, asked, lint(work), shared, repeated)


def lint(work: Work) -> dict[str, Any]:
    """What phase 1 found the pairs to be like."""
    found: dict[str, Any] = json.loads(
        Artifact.objects.get(session=work.session, name=LINT).path.read_bytes()
    )
    return found


def pairs_file(work: Work, name: str, found: Inspection) -> Path:
    """The staged file, or a copy of it with chosen/rejected rows as pairs."""
    source = work.folder / name
    if not found.conversions:
        return source
    target = work.folder / f"converted-{name}"
    if not target.exists():
        converting.convert(source, target)
        work.keep(target.name, JSONL, kinds=[each.kind for each in found.conversions])
    return target


def unsplittable(specification: Specification, fault: str) -> Exception:
    """A number that the person gave can be asked for again; too little data cannot."""
    entry = specification.entry("heldout_rows")
    if entry and entry.origin.by_person:
        return FieldError("heldout_rows", fault, "Say how many to hold out.")
    return DataFault(fault, "Add rows, or bring an evaluation dataset, and start again.")


def risks(parts: Parts) -> list[str]:
    """What the data itself may spoil, a line each."""
    found, lengths = [], parts.lint.get("lengths")
    if parts.train.rows < FEW_TRAINED:
        found.append(
            f"Only {parts.train.rows} rows to train on: expect little change, or a model that repeats."
        )
    if parts.heldout.rows < FEW_MEASURED:
        found.append(
            f"Win rates rest on {parts.heldout.rows} held-out prompts: only large differences will show."
        )
    if parts.shared:
        found.append(
            f"{parts.shared:,} training rows ask a prompt of the evaluation dataset; they are not trained on."
        )
    if parts.repeated:
        found.append(
            f"{parts.repeated:,} held-out rows repeat the prompt of another: each prompt is asked once."
        )
    if lengths and lengths["biased"] and lengths["share"] > 0.5:
        found.append(
            f"The preferred answer is longer in {lengths['share']:.0%} of the pairs (by "
            f"{lengths['characters']:+,.0f} characters in the middle): the model may learn to be long. "
            "The comparison shows lengths beside the win rate."
        )
    if parts.lint.get("contradictory"):
        found.append(
            f"{parts.lint['contradictory']:,} pairs contradict another of their prompt; they are left out."
        )
    if parts.lint.get("copies"):
        found.append(
            f"{parts.lint['copies']:,} pairs are copies of another, white space aside; each weighs double."
        )
    return found
