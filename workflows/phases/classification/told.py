"""What a plan says of labels: where they come from, how many rows each has, what is odd, what can be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sessions.specification import Specification
from sessions.specification.classifying import BALANCES
from sessions.specification.quoting import change
from workflows.data import imbalance
from workflows.data.labels import Labelled, Read, Shown, Told
from workflows.data.labels_resolution import Resolved, outside, relabelled
from workflows.phases.classification.data import Prepared, counts

NAMED = 8  # labels that are named in one line; the table has them all


def labels(prepared: Prepared, specification: Specification, training_cost: Decimal | None) -> dict[str, Any]:
    """The part of the plan about labels, JSON-stable. `training_cost`: of all candidates, as it stands."""
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
        "notes": [*notes(prepared), *sides(prepared, train, heldout)],
        "variants": [
            variant(names, resolved, specification.value("label_changes") or ())
            for names in resolved.variants
        ],
        "imbalance": uneven(prepared, specification, training_cost),
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


def notes(prepared: Prepared) -> Iterator[dict[str, Any]]:
    """What is odd about the labels as written, file by file."""
    resolved, measured = prepared.resolved, prepared.measured
    yield from as_written(prepared.read, resolved, "Training dataset: " if measured else "")
    if measured:
        yield from as_written(measured, resolved, "Evaluation dataset: ")
    for spelling, label in resolved.taken.items():
        yield note(f"“{spelling}” is taken as your label “{label}”.")
    twice = contradictions([*prepared.train, *prepared.heldout])
    if twice.count:
        yield note(f"{rows(twice.count)} say the same as another row and have other labels.", twice)


def as_written(read: Read, resolved: Resolved, place: str) -> Iterator[dict[str, Any]]:
    """What is odd in one file; `place` names it."""
    found = read.notes
    kinds = {
        "unlabelled": "without a label: no ground_truth, and none found in the assistant message. Left out.",
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
    for label, told in outside(read, resolved.outside).items():
        if told.count:
            text = f"{rows(told.count)} labelled “{label}”, which is not among your labels. Left out."
            yield note(f"{place}{text}", told)


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


def uneven(prepared: Prepared, specification: Specification, cost: Decimal | None) -> dict[str, Any]:
    """The ratio, and each remedy with its effect on the training file, its cost and the ratio."""
    found = prepared.resolved.counts
    there = sorted((count, label) for label, count in found.items() if count)
    threshold = specification.value("imbalance_threshold")
    chosen = specification.value("balance")
    return {
        "ratio": imbalance.ratio(found),
        "threshold": threshold,
        "flagged": imbalance.ratio(found) > threshold,
        "most": {"label": there[-1][1], "rows": there[-1][0]},
        "least": {"label": there[0][1], "rows": there[0][0]},
        "remedies": [
            {**effect(prepared, each, threshold, chosen, cost), "chosen": each == chosen} for each in BALANCES
        ],
        "training_cost": None if cost is None else str(cost),
    }


def effect(
    prepared: Prepared, remedy: str, threshold: float, chosen: str, cost: Decimal | None
) -> dict[str, Any]:
    """What a remedy makes of the training rows. The cost follows the tokens; every row is taken as long as
    the average one of its label."""
    before = imbalance.balanced(prepared.train, chosen)
    kept = prepared.train if remedy == chosen else prepared.whole_train
    if remedy in {"drop", "merge"} and remedy != chosen:
        rare = imbalance.without_rare(prepared.whole.counts, threshold, merge=remedy == "merge")
        kept = relabelled(kept, {each: rare.get(each, each) for each in prepared.whole.labels})
    after = imbalance.balanced(kept, remedy)
    share = Decimal(tokens(kept, after.copies)) / max(1, tokens(prepared.train, before.copies))
    return {
        "name": remedy,
        "label": BALANCES[remedy],
        "rows": sum(after.copies),
        "labels": len(counts(kept)),
        "ratio": imbalance.ratio_after(kept, after),
        "cost": None if cost is None else str((cost * share).quantize(Decimal("0.000001"))),
    }


def tokens(found: Sequence[Labelled], copies: Sequence[int]) -> int:
    """Estimated tokens of rows that stand so often in a file."""
    return sum(row.tokens * times for row, times in zip(found, copies, strict=True))
