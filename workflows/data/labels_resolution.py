"""From the labels as written to the set that is predicted: named by a person, renamed, merged, dropped.

In this order: a person's changes (`old -> new`, `old ->` drops), then the given labels, which take what
differs from them only by case or spaces. What is not among given labels is outside: its rows are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .labels import SHOWN, Labelled, Read, Shown, Told
from .labels_changes import renamed
from .labels_extraction import LONGEST, key

MOST = 500  # different labels; a prompt must name them all
FREE_TEXT = 0.5  # different labels to rows, from which on they are texts and no labels
ENOUGH = 20  # different labels below which that is not asked
LONG = 0.1  # share of the rows with a label that is too long, above which the labels are texts


class LabelFault(Exception):
    """No labels that could be predicted: the fault, what to do, and rows that show it."""

    def __init__(self, fault: str, remedy: str, rows: Sequence[Shown] = ()) -> None:
        super().__init__(fault)
        self.remedy, self.rows = remedy, tuple(rows)


@dataclass(slots=True)
class Resolved:
    """The rows with their final labels, and what became of the labels as written.

    `labels` in the order given, else by name; `counts` has a zero for a given label that no row carries.
    `taken`: given label by the other spellings that count as it. `variants`: spellings that differ only by
    case or spaces, the most frequent first. `outside`: labels that are not among the given ones. `idle`: a
    person's changes that met no label.
    """

    rows: list[Labelled]
    labels: tuple[str, ...]
    counts: Counter[str]
    names: dict[str, str]  # by the label as written; empty: left out
    taken: dict[str, str] = field(default_factory=dict)
    variants: list[tuple[str, ...]] = field(default_factory=list)
    outside: dict[str, Told] = field(default_factory=dict)
    idle: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def multi(self) -> bool:
        """Whether some row has several labels."""
        return any(len(row.labels) > 1 for row in self.rows)

    @property
    def absent(self) -> list[str]:
        """Labels that no row carries."""
        return [label for label in self.labels if not self.counts[label]]


def resolve(read: Read, given: Sequence[str] = (), changes: Sequence[str] = ()) -> Resolved:
    """The labels to predict and the rows that carry them. Raises LabelFault."""
    refuse_unlabelled(read)
    given = tuple(dict.fromkeys(given))
    _refuse_given(given)
    new_names, idle = renamed(read.counts, changes)
    _refuse_texts(read, given, set(new_names.values()) - {""})
    made = _given(read, new_names, given) if given else _inferred(new_names)
    rows = relabelled(read.rows, made.names)
    counts = Counter(dict.fromkeys(made.labels, 0))
    counts.update(each for row in rows for each in row.labels)
    resolved = Resolved(
        rows, made.labels, counts, made.names, made.taken, _variants(counts), outside(read, made.outside),
        idle, len(read.rows) - len(rows),
    )  # fmt: skip
    _refuse_one(resolved, given)
    return resolved


def refuse_unlabelled(read: Read, place: str = "") -> None:
    """LabelFault when no row has a label; `place` names the file, such as ` in the evaluation dataset`."""
    if read.rows:
        return
    whys = {
        "odd": "what stands in ground_truth is neither a text, a number nor a list of texts",
        "long": f"what stands in ground_truth is longer than {LONGEST} characters",
        "unlabelled": "rows have no ground_truth, and no assistant message that looks like a label",
    }
    why = "; ".join(text for kind, text in whys.items() if kind in read.notes) or "there is no usable row"
    raise LabelFault(
        f"No labels were found{place}: {why}.",
        "Give each row a ground_truth, or end it with an assistant message that is the label.",
        [each for told in read.notes.values() for each in told.rows][:SHOWN],
    )


def relabelled(rows: Iterable[Labelled], names: Mapping[str, str]) -> list[Labelled]:
    """The rows under new names of their labels; a row that keeps none is left out."""
    made = []
    for row in rows:
        labels = tuple(dict.fromkeys(each for old in row.labels if (each := names[old])))
        if labels:
            made.append(replace(row, labels=labels))
    return made


def without_rare(resolved: Resolved, rare: Mapping[str, str]) -> Resolved:
    """The rare labels under new names; empty: dropped. Raises LabelFault when one label is left."""
    if not rare:
        return resolved
    names = {old: rare.get(new, new) for old, new in resolved.names.items()}
    kept = [each for each in resolved.labels if each not in rare]
    fresh = sorted({each for each in rare.values() if each} - set(kept))
    labels = (*kept, *fresh)
    rows = relabelled(resolved.rows, {each: rare.get(each, each) for each in resolved.labels})
    counts = Counter(dict.fromkeys(labels, 0))
    counts.update(each for row in rows for each in row.labels)
    left_out = resolved.left_out + len(resolved.rows) - len(rows)
    made = replace(resolved, rows=rows, labels=labels, counts=counts, names=names, left_out=left_out)
    _refuse_one(made, ())
    return made


def _refuse_given(given: Sequence[str]) -> None:
    """A prompt names every label, and an answer is read without regard to case or spaces."""
    first: dict[str, str] = {}
    for label in given:
        if (same := first.setdefault(key(label), label)) != label:
            raise LabelFault(
                f"You named “{same}” and “{label}”, which differ only by case or spaces.", "Name one of them."
            )
    if len(given) > MOST:
        raise LabelFault(
            f"You named {len(given):,} labels; every prompt would have to list them.",
            f"Name {MOST} at the most.",
        )


def _refuse_texts(read: Read, given: Sequence[str], different: Collection[str]) -> None:
    """Thousands of different labels are texts, and so are labels of which many are long. `different`: the
    labels after a person's changes. A few long ones leave their rows out."""
    if given:
        return
    remedy = f"Name the labels ({MOST} at the most), or run supervised fine-tuning instead."
    if len(different) > MOST or len(different) > max(ENOUGH, FREE_TEXT * len(read.rows)):
        raise LabelFault(
            f"{len(different):,} different labels in {len(read.rows):,} rows look like texts of their own.",
            remedy,
            [Shown(row.line, ", ".join(row.labels)[:LONGEST]) for row in read.rows[:SHOWN]],
        )
    long = read.notes.get("long", Told())
    every = long.count + len(read.rows)
    if long.count > LONG * every:
        fault = f"{long.count:,} of {every:,} rows have a label of more than {LONGEST} characters"
        raise LabelFault(f"{fault}: they look like texts rather than labels.", remedy, long.rows)


@dataclass(slots=True)
class _Made:
    names: dict[str, str]
    labels: tuple[str, ...]
    taken: dict[str, str] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)


def _inferred(new_names: dict[str, str]) -> _Made:
    return _Made(new_names, tuple(sorted({each for each in new_names.values() if each})))


def _given(read: Read, new_names: Mapping[str, str], given: Sequence[str]) -> _Made:
    by_key = {key(each): each for each in given}
    made = _Made({}, tuple(given))
    for old in read.counts:
        new = new_names[old]
        label = by_key.get(key(new), "") if new else ""
        made.names[old] = label
        if label and label != new:
            made.taken[new] = label
        if new and not label:
            made.outside.append(old)
    return made


def _variants(counts: Counter[str]) -> list[tuple[str, ...]]:
    """Labels that differ only by case or spaces, the most frequent spelling first."""
    by_key: dict[str, list[str]] = {}
    for label in sorted(counts):
        by_key.setdefault(key(label), []).append(label)
    alike = [names for names in by_key.values() if len(names) > 1]
    return [tuple(sorted(names, key=lambda each: (-counts[each], each))) for names in alike]


def outside(read: Read, names: Iterable[str]) -> dict[str, Told]:
    """The rows behind labels that are not among the given ones, most frequent label first."""
    told: dict[str, Told] = {each: Told() for each in names}
    for row in read.rows:
        for label in row.labels:
            if label in told:
                told[label].add(Shown(row.line, label))
    return dict(sorted(told.items(), key=lambda each: (-each[1].count, each[0])))


def _refuse_one(resolved: Resolved, given: Sequence[str]) -> None:
    """One label alone leaves nothing to tell apart."""
    there = [label for label in resolved.labels if resolved.counts[label]]
    if len(there) > 1:
        return
    rows = [Shown(row.line, ", ".join(row.labels)) for row in resolved.rows[:SHOWN]]
    if not there:
        found = ", ".join(f"“{each}”" for each in list(resolved.outside)[:SHOWN])
        first = [shown for told in resolved.outside.values() for shown in told.rows]
        raise LabelFault(
            f"No row carries one of your labels. The data have {found}.",
            "Name the labels as the data write them, or leave them out and confirm what is found.",
            first[:SHOWN],
        )
    fault = f"All {len(resolved.rows):,} rows carry one label, “{there[0]}”: there is nothing to tell apart."
    remedy = "Name more of the data's labels." if given else "Bring rows of at least two labels."
    raise LabelFault(fault, remedy, rows)
