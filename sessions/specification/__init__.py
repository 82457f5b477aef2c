"""What a run is: typed, validated, each value with its origin. Pure: no Django, no files, no network."""

from sessions.specification.belonging import implied_workflow, out_of_place, with_changes
from sessions.specification.catalogue import ModelName, choose, find, nearest, short_name
from sessions.specification.changes import combine, differences
from sessions.specification.entries import Entry, FieldError, Origin, Specification, Workflow
from sessions.specification.fields import FIELDS, Context, Field, FormReading, check_entry, read_form, show
from sessions.specification.grid import (
    DEFAULT_GRID,
    CandidateConfig,
    candidates,
    default_epochs,
    default_heldout,
    of_candidates,
    resolve,
)
from sessions.specification.questions import Option, Question, is_moot, missing
from sessions.specification.refusals import not_available_workflow
from sessions.specification.sentence import sentence
from sessions.specification.values import rate_text

__all__ = [
    "DEFAULT_GRID",
    "FIELDS",
    "CandidateConfig",
    "Context",
    "Entry",
    "Field",
    "FieldError",
    "FormReading",
    "ModelName",
    "Option",
    "Origin",
    "Question",
    "Specification",
    "Workflow",
    "candidates",
    "check_entry",
    "choose",
    "combine",
    "default_epochs",
    "default_heldout",
    "differences",
    "find",
    "implied_workflow",
    "is_moot",
    "missing",
    "nearest",
    "not_available_workflow",
    "of_candidates",
    "out_of_place",
    "rate_text",
    "read_form",
    "resolve",
    "sentence",
    "short_name",
    "show",
    "with_changes",
]
