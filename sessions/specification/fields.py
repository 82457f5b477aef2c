"""The fields of a specification as data: label, default, help, and how a typed value is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sessions.specification import values as v
from sessions.specification.catalogue import ModelName
from sessions.specification.entries import Entry, FieldError, Origin


@dataclass(frozen=True)
class Context:
    """What a value is checked against: the live catalogue, and the account that bare ids belong to."""

    catalogue: Sequence[ModelName] = ()
    account: str = ""


@dataclass(frozen=True)
class Field:
    """One field. `parse` takes a typed string, `check` a value; both raise `FieldError`."""

    name: str
    label: str
    parse: Callable[[str, Context], Any]
    check: Callable[[Any, Context], Any]
    show: Callable[[Any], str]
    default: Any = None
    help: str = ""
    advanced: bool = True


def _field(
    name: str,
    label: str,
    kind: v.Kind,
    default: Any = None,
    hint: str = "",
    *,
    advanced: bool = True,
) -> Field:
    """A field of a given kind, with the field's own name bound into its messages."""

    def check(value: Any, context: Context) -> Any:
        return kind.check(name, value, context)

    def parse(raw: str, context: Context) -> Any:
        return check(kind.parse(name, raw), context)

    return Field(name, label, parse, check, kind.show, default, hint, advanced)


_ALL = (
    _field("workflow", "Workflow", v.WORKFLOW, "sft", "What kind of fine-tuning this is.", advanced=False),
    _field(
        "dataset",
        "Dataset",
        v.DATASET,
        hint="A READY dataset in OpenAI chat format, or an upload.",
        advanced=False,
    ),
    _field(
        "evaluation_dataset",
        "Evaluation dataset",
        v.DATASET,
        hint="Measured on instead of rows held out from the dataset.",
    ),
    _field(
        "base_models",
        "Base models",
        v.MODELS,
        hint="One or more; each gets its own candidates.",
        advanced=False,
    ),
    _field(
        "strategy",
        "Evaluation",
        v.STRATEGY,
        "validation_loss",
        "How candidates are compared: by the loss on rows they did not train on.",
        advanced=False,
    ),
    _field(
        "lora_ranks",
        "LoRA ranks",
        v.RANKS,
        hint="1, 2, 4, 8, 16 or 32; more learns more, and costs the same.",
    ),
    _field(
        "learning_rates", "Learning rates", v.RATES, hint="For example 1e-4; every rank is tried with each."
    ),
    _field(
        "epochs", "Epochs", v.Whole(1, 100), hint="Passes over the data; worked out from its size if empty."
    ),
    _field(
        "tuning_samples",
        "Samples for tuning",
        v.Whole(3, 3_000_000),
        1000,
        "Candidates train on this many rows at the most.",
    ),
    _field("parallel_jobs", "Jobs in parallel", v.Whole(1, 50), 6, "Training jobs active at a time."),
    _field(
        "final_run",
        "Full-data run",
        v.FLAG,
        True,
        "Train the winning configuration on all the data; else the winner is used as it is.",
    ),
    _field("deploy", "Deploy", v.FLAG, True, "Deploy the final model; it costs money while it runs."),
    _field("seed", "Seed", v.Whole(0, 2**31 - 1), 42, "For samples, splits and shuffles."),
    _field(
        "heldout_rows",
        "Held-out rows",
        v.Whole(1, 100_000),
        hint="Rows kept from training to measure on; a tenth of the data, at most 100, if empty.",
    ),
    _field(
        "drop_bad_rows", "Drop bad rows", v.FLAG, False, "Leave out rows with a problem instead of stopping."
    ),
    _field("title", "Title", v.TITLE, hint="A name for the run.", advanced=False),
)
FIELDS: Mapping[str, Field] = {each.name: each for each in _ALL}


@dataclass
class FormReading:
    """What a submitted form gave: good entries by field name, and faults."""

    entries: dict[str, Entry] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)


def read_form(raw: Mapping[str, str], context: Context) -> FormReading:
    """Typed strings by field name to entries of origin `form`; blank means not given.

    Several base models, ranks or rates are separated by commas, spaces or new lines; yes/no fields take
    `yes` or `no` (an unticked checkbox sends nothing, so it needs a hidden `no`).
    """
    reading = FormReading()
    for name, text in raw.items():
        if name not in FIELDS or not text.strip():
            continue
        try:
            value = FIELDS[name].parse(text, context)
        except FieldError as error:
            reading.errors.append(error)
        else:
            reading.entries[name] = Entry(value, Origin.FORM, text.strip())
    return reading


def check_entry(name: str, value: Any, context: Context) -> Any:
    """The value in its final form, or `FieldError`."""
    return FIELDS[name].check(value, context)


def show(name: str, value: Any) -> str:
    """A value in plain words, for tables and sentences."""
    if value is None or value == ():
        return "not given"
    return FIELDS[name].show(value)
