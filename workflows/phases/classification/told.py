"""What a plan says of labels: where they come from, how many rows each has, what is odd, what can be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sessions.specification import CandidateConfig, Specification
from sessions.specification.quoting import change
from workflows.data import imbalance
from workflows.data.labels import SHOWN, Labelled, Read, Shown, Told
from workflows.data.labels_extraction import LONGEST
from workflows.data.labels_resolution import Resolved, outside
from workflows.phases.classification.balance import uneven
from workflows.phases.classification.data import Prepared, counts
from workflows.phases.classification.held import unused

NAMED = 8  # labels that are named in one line; the table has them all


def labels(
    prepared: Prepared, specification: Specification, configs: tuple[CandidateConfig, ...]
) -> dict[str, Any]:
    """The part of the plan about labels, JSON-stable."""
    resolved, train, heldout = prepared.resolved, counts(prepared.train), counts(prepared.heldout)
    return {
        "set": list(resolved.labels),
        "inferred": not specification.by_person().value("labels"),
        "multi": resolved.multi,
        "from": origin(prepared.read),
        "prompt": prepared.prompt.text,
        "instruction": prepared.prompt.instruction,
        "examples": [shown(each) for each in prepared.read.examples],
        "counts": [
            {"label": each, "rows": resolved.counts[each], "train": train[each], "heldout": heldout[each]}
            for each in resolved.labels
        ],
        "notes": [*said(prepared, specification), *notes(prepared), *sides(prepared, train, heldout)],
        "variants": [
            variant(names, resolved, specification.value("label_changes") or ())
            for names in resolved.variants
        ],
        "imbalance": uneven(prepared, specification, configs),
    }


def shown(row: Shown) -> dict[str, Any]:
    """A row as proof."""
    return {"line": row.line, "text": row.text, "labels": list(row.labels)}


def origin(read: Read) -> str:
    """Where the labels come from, in words."""
    if read.rule is None:
        return "the field ground_truth"
    taken = f"{read.rule.words} (in {read.extracted:,} rows without a ground_truth)"
    given = len(read.rows) - read.extracted
    return f"the field ground_truth in {given:,} rows; else {taken}" if given else taken


def note(text: str, told: Told | None = None) -> dict[str, Any]:
    """One line, with the rows that show it."""
    return {"text": text, "rows": [shown(each) for each in told.rows] if told else []}


def named(found: Sequence[str]) -> str:
    """Labels in quotes; the first few of many."""
    rest = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return ", ".join(f"“{each}”" for each in found[:NAMED]) + rest


def rows(count: int) -> str:
    """`1 row`, `12 rows`."""
    return f"{count:,} row{'s' * (count != 1)}"


def said(prepared: Prepared, specification: Specification) -> Iterator[dict[str, Any]]:
    """What a person said that has no effect, or another one than they may think."""
    if words := unused(specification):
        yield note(words)
    if prepared.resolved is not prepared.whole:
        rare = imbalance.rare(prepared.whole.counts, specification.value("imbalance_threshold"))
        became = "are left out" if specification.value("balance") == "drop" else "are merged into one"
        yield note(f"As you chose, rare labels {became}: {named(rare)}.")
    if idle := prepared.resolved.idle:
        they = "these changes do" if len(idle) > 1 else "this change does"
        yield note(f"No label is called so, and {they} nothing: {named(idle)}.")


def notes(prepared: Prepared) -> Iterator[dict[str, Any]]:
    """What is odd about the labels as written, file by file."""
    resolved, measured = prepared.resolved, prepared.measured
    yield from as_written(prepared.read, resolved, "Training dataset: " if measured else "")
    if measured:
        yield from as_written(measured, resolved, "Evaluation dataset: ")
    for spelling, label in list(resolved.taken.items())[:NAMED]:
        yield note(f"“{spelling}” is taken as your label “{label}”.")
    if (more := len(resolved.taken) - NAMED) > 0:
        yield note(f"More spellings, alike but for case or spaces, that are taken as yours: {more:,}.")
    twice = contradictions([*prepared.train, *prepared.heldout])
    if twice.count:
        yield note(f"{rows(twice.count)} say the same as another row and have other labels.", twice)


def as_written(read: Read, resolved: Resolved, place: str) -> Iterator[dict[str, Any]]:
    """What is odd in one file; `place` names it."""
    found = read.notes
    kinds = {
        "unlabelled": "without a label: no ground_truth, and none found in the assistant message. Left out.",
        "long": f"with a label of more than {LONGEST} characters, which is a text. Left out.",
        "odd": "with a ground_truth that is neither a text, a number nor a list of texts. Left out.",
        "number": "with a ground_truth that is a number or true or false: taken as text.",
    }
    yield from (note(f"{place}{rows(found[each].count)} {text}", found[each]) for each, text in kinds.items()
                if each in found)  # fmt: skip
    if "list" in found and "text" in found:
        text = (
            f"ground_truth is a text in {rows(found['text'].count)} and a list in {rows(found['list'].count)}"
        )
        fewer = min("list", "text", key=lambda kind: found[kind].count)
        yield note(f"{place}{text}: a text counts as a list of one.", found[fewer])
    yield from not_named(read, resolved, place)


def not_named(read: Read, resolved: Resolved, place: str) -> Iterator[dict[str, Any]]:
    """Labels that are not among a person's own: the most frequent one by one, the others together."""
    there = [(label, told) for label, told in outside(read, resolved.outside).items() if told.count]
    for label, told in there[:NAMED]:
        text = f"{rows(told.count)} labelled “{label}”, which is not among your labels. Left out."
        yield note(f"{place}{text}", told)
    if others := there[NAMED:]:
        count = sum(told.count for _, told in others)
        shown_rows = [row for _, told in others for row in told.rows][:SHOWN]
        yield note(
            f"{place}{len(others):,} more labels that are not among yours, {count:,} times. Left out.",
            Told(count, shown_rows),
        )


def contradictions(found: Sequence[Labelled]) -> Told:
    """Rows whose conversation another row has under other labels."""
    first: dict[bytes, tuple[str, ...]] = {}
    told = Told()
    for row in found:
        if first.setdefault(row.digest, row.labels) != row.labels:
            told.add(Shown(row.line, ", ".join(row.labels)))
    return told


def sides(prepared: Prepared, train: Counter[str], heldout: Counter[str]) -> Iterator[dict[str, Any]]:
    """Labels that one side lacks."""
    resolved = prepared.resolved
    if resolved.absent:
        yield note(f"No row carries {named(resolved.absent)}: it cannot be learned or measured.")
    if unlearned := [each for each in resolved.labels if heldout[each] and not train[each]]:
        told = Told()
        for row in prepared.heldout:
            if set(row.labels) & set(unlearned):
                told.add(Shown(row.line, ", ".join(row.labels)))
        yield note(f"In no training row, so that no model can learn it: {named(unlearned)}.", told)
    if unmeasured := [each for each in resolved.labels if train[each] and not heldout[each]]:
        yield note(f"In no held-out row, so that it is not measured: {named(unmeasured)}.")


def variant(names: Sequence[str], resolved: Resolved, standing: Sequence[str]) -> dict[str, Any]:
    """Spellings of one label, and the changes that make them one, after those that stand."""
    most, *others = names
    return {
        "labels": [{"label": each, "rows": resolved.counts[each]} for each in names],
        "all_changes": "; ".join([*standing, *(change(each, most) for each in others)]),
    }
