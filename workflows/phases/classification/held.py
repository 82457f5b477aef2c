"""Which rows are trained on and which are held out, drawn label by label; or those of two datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sessions.specification import FIELDS, FieldError, Specification, show
from workflows.data import stratify
from workflows.data.labels import SHOWN, Labelled, Read, Shown
from workflows.data.labels_resolution import LabelFault, Resolved, relabelled
from workflows.data.splits import LEAST_TRAIN
from workflows.faults import DataFault

SHARE = 0.2  # of the rows is measured on, unless the person says otherwise (product row 3.1)
HELD = ("heldout_rows", "test_share")  # where a person says otherwise
Sides = tuple[list[Labelled], list[Labelled]]


def sides(found: Read, measured: Read | None, resolved: Resolved, specification: Specification) -> Sides:
    """Training rows and held-out rows. Raises FieldError, DataFault or LabelFault where one side would be too
    small."""
    if measured is not None:
        return brought(found, measured, resolved)
    said, total = specification.by_person(), len(resolved.rows)
    asked = said.value("heldout_rows") or max(1, round(total * (said.value("test_share") or SHARE)))
    if total - asked < LEAST_TRAIN:
        few = f"{total:,} rows with labels are too few to hold out {asked:,} of them."
        raise refused(said, few, "Add rows")
    taken = stratify.draw(resolved.rows, asked)
    pairs = list(zip(resolved.rows, taken, strict=True))
    train, heldout = [row for row, held in pairs if not held], [row for row, held in pairs if held]
    if len(train) < LEAST_TRAIN or 2 * len(heldout) < asked or different(heldout) < min(2, asked):
        raise refused(said, repeated(resolved.rows, asked), "Bring rows that differ")
    return train, heldout


def different(rows: Sequence[Labelled]) -> int:
    """How many conversations are not equal to another one."""
    return len({row.digest for row in rows})


def repeated(rows: Sequence[Labelled], asked: int) -> str:
    """Why a part of so many rows cannot be drawn: rows of equal conversations stay together."""
    ((digest, most),) = Counter(row.digest for row in rows).most_common(1)
    lines = ", ".join([str(row.line) for row in rows if row.digest == digest][:SHOWN])
    return (
        f"{asked:,} of {len(rows):,} rows cannot be held out: there are {different(rows):,} different "
        f"conversations, and {most:,} rows are equal (lines {lines}{', …' * (most > SHOWN)}). "
        "Equal rows stay on one side, else a model would be measured on what it was trained on."
    )


def refused(said: Specification, fault: str, remedy: str) -> Exception:
    """A question about what the person said to hold out; where nothing was said the data are at fault."""
    for name in HELD:
        if said.value(name):
            return FieldError(name, fault, "Say how many rows to hold out, or which share of them.")
    for name in ("label_changes", "labels"):
        if said.value(name):
            return FieldError(name, fault, "Keep labels that more rows carry.")
    return DataFault(fault, f"{remedy}, or bring an evaluation dataset, and start again.")


def brought(found: Read, measured: Read, resolved: Resolved) -> Sides:
    """The rows of both datasets that carry labels of the set. Raises LabelFault."""
    made = []
    for read_rows, name, least in ((found, "training", LEAST_TRAIN), (measured, "evaluation", 1)):
        kept = relabelled(read_rows.rows, resolved.names)
        if len(kept) < least:
            raise LabelFault(
                f"{len(kept)} of {len(read_rows.rows):,} rows of the {name} dataset carry a label "
                "of the set.",
                f"Name labels that the {name} dataset has, or rename its labels.",
                [Shown(row.line, ", ".join(row.labels)) for row in read_rows.rows[:SHOWN]],
            )
        made.append(kept)
    return made[0], made[1]


def unused(specification: Specification) -> str:
    """What is said of a part to hold out that an evaluation dataset makes void; empty where there is none."""
    said = specification.by_person()
    name = next((each for each in HELD if said.value(each)), "")
    if not name or not said.value("evaluation_dataset"):
        return ""
    wish = f"{FIELDS[name].label} {show(name, said.value(name))}"
    return f"“{wish}” has no effect: nothing is held out, since the evaluation dataset is measured on."
