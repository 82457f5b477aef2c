"""From what a person entered to a session that can start, or to the faults by field. Used by the form and
by the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from django.conf import settings

from sessions import catalogue, instructions, queries, sources
from sessions.actions.starting import Start
from sessions.forms import SHOWN, Typed, given
from sessions.instructions import Reading
from sessions.marks import Mark, marks
from sessions.models import BaseModel
from sessions.preview import Preview, preview
from sessions.queries import Person
from sessions.sources import Source
from sessions.specification import (
    FIELDS,
    Context,
    Entry,
    FieldError,
    ModelName,
    Question,
    Specification,
    Workflow,
    combine,
    missing,
    out_of_place,
    read_form,
    short_name,
    show,
)

TITLE = 60
NOTHING = FieldError(
    "instruction",
    "Nothing was said yet.",
    "Say in a sentence what to train on which data, or pick the data below.",
)


@dataclass(frozen=True)
class Shelf:
    """What the account offers, read once for one request."""

    models: Mapping[str, BaseModel]
    context: Context
    rehearsal: bool


def shelf() -> Shelf:
    """The tunable base models and the account, from the rows that a worker keeps fresh."""
    listed = list(queries.base_models())
    models = {row.name: row for row in listed if row.tunable}
    names, served = (
        [ModelName(row.name, row.display_name) for row in rows]
        for rows in (models.values(), filter(attrgetter("answers"), listed))
    )
    known = Context(names, queries.account_name(), queries.dataset_names(), served)
    return Shelf(models, known, bool(settings.FIREWORKS["rehearsal"]))


@dataclass(frozen=True)
class Intake:
    """What was understood. `errors` stop a start; `conflicts` and `not_understood` are told and do not."""

    typed: Typed
    reading: Reading
    specification: Specification
    conflicts: list[str]
    errors: list[FieldError]
    questions: list[Question]
    source: Source | None
    preview: Preview
    rehearsal: bool

    @property
    def marks(self) -> list[Mark]:
        """The sentence in pieces, each with what it means."""
        labels = {self.source.name: self.source.label} if self.source else {}
        return marks(self.reading, labels)

    @property
    def loose_faults(self) -> list[FieldError]:
        """Faults of what was typed that no box of the form shows; the page names them below the sentence."""
        unboxed = (error for error in self.errors if error.field not in SHOWN and error.field in FIELDS)
        return unique([*self.reading.errors, *unboxed])

    def title(self) -> str:
        """A name for the run: the person's own, else models and data."""
        named = self.specification.value("title")
        if named:
            return str(named)
        models = [short_name(name) for name in self.specification.value("base_models", ())]
        what = " and ".join(models) if len(models) < 3 else f"{len(models)} base models"
        label = self.source.label if self.source else ""
        return " on ".join(part for part in (what, label) if part)[:TITLE] or "New session"

    def start(self, entered: dict[str, Any], **more: Any) -> Start:
        """The session to be; call it only without errors. `more`: the form's token."""
        return Start(
            title=self.title(),
            specification=self.specification,
            rehearsal=self.rehearsal,
            instruction=self.typed.text.strip(),
            entered=entered,
            not_understood=[span.text for span in self.reading.not_understood],
            conflicts=self.conflicts,
            **more,
        )


def read_text(text: str, stock: Shelf) -> Reading:
    """What a sentence says."""
    known = stock.context
    return instructions.read(
        text, known.catalogue, account=known.account, datasets=known.datasets, served=known.served
    )


def take(
    typed: Typed, stock: Shelf, person: Person, today: date, *, form_only: bool = False, unread: bool = False
) -> Intake:
    """Put sentence and form together; where they differ, the sentence wins and a conflict says so.

    `form_only`: the sentence was written by the form itself, so its values are the person's choices.
    `unread`: an upload that no worker has read yet may be used.
    """
    reading = read_text(typed.text, stock)
    form = read_form(typed.fields, stock.context)
    said = {} if form_only else reading.entries
    spec, conflicts = combine(said, differing(given(form.entries), said))
    conflicts += [passed_over(error, typed, said) for error in form.errors if error.field in said]
    leave_out = bool(spec.value("drop_bad_rows"))
    found = {name: of_field(spec, name, person) for name in ("dataset", "evaluation_dataset")}
    seen = preview(
        spec, found["dataset"], stock.models, rates=catalogue.rates(), today=today, rehearsal=stock.rehearsal
    )
    errors = [
        *(NOTHING for _ in range(typed.is_empty)),
        *reading.errors,
        *(error for error in form.errors if error.field not in said),
        *out_of_place(spec),
        *faults_of_data(spec, found, leave_out=leave_out, unread=unread),
        *faults_of_evaluator(spec, person),
        *seen.errors,
    ]
    questions = missing(spec, stock.context.catalogue)
    source = found["dataset"]
    return Intake(typed, reading, spec, conflicts, unique(errors), questions, source, seen, stock.rehearsal)


def passed_over(error: FieldError, typed: Typed, said: Mapping[str, Entry]) -> str:
    """A fault in a box whose value the sentence gives: it stops nothing, and is told."""
    name = error.field
    kept, lost = show(name, said[name].value), typed.get(name).strip()
    return (
        f"{FIELDS[name].label}: the instruction says {kept}; “{lost}” in the form is left out. {error.fault}"
    )


def differing(form: Mapping[str, Entry], said: Mapping[str, Entry]) -> dict[str, Entry]:
    """The form's entries without those that only repeat the sentence, which filled them in."""
    return {
        name: entry for name, entry in form.items() if name not in said or said[name].value != entry.value
    }


def of_field(spec: Specification, name: str, person: Person) -> Source | None:
    value = spec.value(name)
    return sources.find(value, person) if value else None


def faults_of_data(
    spec: Specification, found: Mapping[str, Source | None], *, leave_out: bool, unread: bool
) -> list[FieldError]:
    """Why the data cannot be used, dataset and evaluation dataset."""
    faults = [
        sources.misplaced(source, name, spec.value("workflow", Workflow.SFT))
        or sources.fault(spec.value(name), source, name, leave_out=leave_out, unread=unread)
        for name, source in found.items()
        if spec.value(name)
    ]
    if spec.value("dataset") and spec.value("dataset") == spec.value("evaluation_dataset"):
        faults.append(
            FieldError(
                "evaluation_dataset",
                "The same data is used to train and to measure, which would tell nothing.",
                "Pick other data, or leave it empty: then rows are held out.",
            )
        )
    return [each for each in faults if each]


def faults_of_evaluator(spec: Specification, person: Person) -> list[FieldError]:
    """Why an uploaded evaluator cannot be used."""
    name = str(spec.value("evaluator") or "")
    fault = sources.fault_of_evaluator(name, sources.evaluator(name, person)) if name else None
    return [fault] if fault else []


def unique(errors: list[FieldError]) -> list[FieldError]:
    return list(dict.fromkeys(errors))
