"""What a field of a specification is, and what its values are checked against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sessions.specification.catalogue import ModelName
from sessions.specification.entries import Workflow
from sessions.specification.values import Kind, Schema

EVERY = frozenset(Workflow)


@dataclass(frozen=True)
class Context:
    """What a value is checked against: the models that can be tuned, the account that bare ids belong to, the
    full names of its datasets, so that a bare id that is one of them is known as such, and the models that
    answer by the token."""

    catalogue: Sequence[ModelName] = ()
    account: str = ""
    datasets: Sequence[str] = ()
    served: Sequence[ModelName] = ()


@dataclass(frozen=True)
class Field:
    """One field. `parse` takes a typed string, `check` a value; both raise `FieldError`. `schema` is the JSON
    schema of its values, for a language model that proposes one.

    `workflows` are those that obey the field; saying it in another is a fault, never dropped in silence.
    """

    name: str
    label: str
    parse: Callable[[str, Context], Any]
    check: Callable[[Any, Context], Any]
    show: Callable[[Any], str]
    schema: Callable[[Context], Schema]
    default: Any = None
    help: str = ""
    advanced: bool = True
    workflows: frozenset[Workflow] = EVERY


def field(
    name: str,
    label: str,
    kind: Kind,
    default: Any = None,
    hint: str = "",
    *,
    advanced: bool = True,
    workflows: frozenset[Workflow] = EVERY,
) -> Field:
    """A field of a given kind, with the field's own name bound into its messages."""

    def check(value: Any, context: Context) -> Any:
        return kind.check(name, value, context)

    def parse(raw: str, context: Context) -> Any:
        return check(kind.parse(name, raw), context)

    return Field(name, label, parse, check, kind.show, kind.schema, default, hint, advanced, workflows)
