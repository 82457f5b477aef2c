"""The form of a new session: strings by field name as typed, and values as the form would have them typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from sessions.specification import (
    FIELDS,
    Entry,
    Field,
    FieldError,
    Specification,
    Workflow,
    rate_text,
    short_name,
    show,
)
from sessions.specification.quoting import listed

FLAGS = (
    "final_run", "deploy", "drop_bad_rows", "tools_as_text", "parts_as_text", "register",
    "benchmark_only", "sweep_models", "make_pairs", "stop_early",
)  # fmt: skip
MANY = ("base_models",)
SERVED = ("strong_model", "weak_model", "judge_model")
APART = "\n"
# Fields that have a box of their own; the others are said in the sentence, and carried along hidden.
BOXED = frozenset({
    "dataset", "evaluation_dataset", "base_models", "strategy", "lora_ranks", "learning_rates", "epochs",
    "tuning_samples", "parallel_jobs", "final_run", "deploy", "budget", "seed", "heldout_rows",
    "drop_bad_rows", "max_candidates", "title", "workflow", "criterion", "register", "evaluator",
    "labels", "label_changes", "balance", "imbalance_threshold", "test_share", "benchmark_only",
    "compare_base", "prompt", "method", "betas", "sweep_models", "make_pairs", "rubric", "target",
    "stop_early", "tools_as_text", "parts_as_text", "strong_model", "weak_model", "judge_model",
    "screening", "review_pairs",
})  # fmt: skip
# What a field with few values offers: the value as typed, and the words for it.
OPTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "method": (("dpo", "DPO"), ("orpo", "ORPO")),
    "balance": (
        ("none", "Leave the rows as they are"),
        ("repeat", "Repeat rows of rare labels"),
        ("cap", "Cap frequent labels"),
        ("weight", "Weight the samples"),
        ("drop", "Drop rare labels"),
        ("merge", "Merge rare labels"),
    ),
    "strategy": (
        ("validation_loss", "Validation loss"),
        ("generated", "An evaluator the portal writes"),
        ("evaluator", "An evaluator of your own"),
    ),
    "compare_base": (("", "If there are several"), ("yes", "Yes"), ("no", "No")),
    "screening": (
        ("", "As usual: answers that decline"),
        ("faulty", "Nothing else"),
        ("refused", "Answers that decline"),
        ("cut_off", "Answers that decline or were cut off"),
    ),
    "review_pairs": (
        ("", "Ask when over half give no pair"),
        ("show", "Show them before training"),
        ("train", "Train on them without asking"),
    ),
}
# Fields with a place for their faults.
SHOWN = tuple(name for name in FIELDS if name in BOXED - {"drop_bad_rows", "tools_as_text", "parts_as_text"})


@dataclass(frozen=True)
class Typed:
    """What a person entered: the sentence, and strings by field name; blank means not given."""

    text: str
    fields: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not any(
            self.get(name).strip() for name in ("dataset", "base_models", "title")
        )


def typed_fields(post: QueryDict) -> dict[str, str]:
    """The registry's fields as they came. A box that is not ticked sends nothing, beside it a hidden `no`."""
    found = {}
    for name in FIELDS:
        values = [value for value in post.getlist(name) if value.strip()]
        if name in FLAGS:
            unticked = "" if FIELDS[name].default is None else "no"
            found[name] = ("yes" if "yes" in values else unticked) if values else ""
        else:
            found[name] = APART.join(values) if name in MANY else "".join(values[-1:])
    return found | unneeded(found)


def unneeded(typed: Mapping[str, str]) -> dict[str, str]:
    """Boxes that the page hides beside what was chosen: what is left in them was not meant."""
    strategy, workflow = typed["strategy"], typed["workflow"] or "sft"
    hidden = {name: workflow not in FIELDS[name].workflows for name in BOXED if workflow in set(Workflow)}
    if workflow == "sft":
        hidden["evaluator"] = strategy not in ("", "evaluator")
        hidden["criterion"] = strategy not in ("", "generated")
    return {name: "" for name, is_hidden in hidden.items() if is_hidden}


def as_typed(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Values as the form would have them typed."""
    return {name: text_of(name, entry.value) for name, entry in entries.items() if name in FIELDS}


def text_of(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "learning_rates":
        return ", ".join(rate_text(each) for each in value)
    if name == "labels":
        return listed(value)
    if name == "label_changes":
        return "; ".join(value)
    if name in SERVED:
        return short_name(str(value))
    if isinstance(value, tuple | list):
        return (APART if name in MANY else ", ").join(str(each) for each in value)
    return str(value)


def given(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The entries that differ from their default: a box left as it was is nobody's choice."""
    return {name: entry for name, entry in entries.items() if entry.value != FIELDS[name].default}


@dataclass(frozen=True)
class Box:
    """One field as the page shows it."""

    field: Field
    text: str
    errors: tuple[FieldError, ...] = ()
    words: str = ""  # quoted from the sentence

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def label(self) -> str:
        return self.field.label

    @property
    def ghost(self) -> str:
        """The default as a faint hint inside an empty box."""
        return "" if self.field.default is None else show(self.name, self.field.default)

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """What can be picked: value, words, and whether it is."""
        now = self.text or text_of(self.name, self.field.default)
        return [(value, words, value == now) for value, words in OPTIONS[self.name]]

    @property
    def ticked(self) -> bool:
        return self.text == "yes" if self.text else bool(self.field.default)

    @property
    def is_set(self) -> bool:
        """Whether it is at fault or differs from its default: then it must be seen."""
        return bool(self.errors) or self.text not in ("", text_of(self.name, self.field.default))

    @property
    def values(self) -> list[str]:
        return [each for each in self.text.split(APART) if each]


class Boxes:
    """All fields of the form by name, for templates."""

    def __init__(
        self, typed: Typed, errors: Iterable[FieldError] = (), spec: Specification | None = None
    ) -> None:
        faults = list(errors)
        self.boxes = {
            name: Box(field, typed.get(name), tuple(e for e in faults if e.field == name), quoted(spec, name))
            for name, field in FIELDS.items()
        }

    def __getitem__(self, name: str) -> Box:
        return self.boxes[name]

    def __iter__(self) -> Iterator[Box]:
        return (self.boxes[name] for name in SHOWN)


def quoted(spec: Specification | None, name: str) -> str:
    """The words of the sentence that gave this field's value."""
    entry = spec.entry(name) if spec else None
    return entry.words if entry and entry.origin.quotes else ""
