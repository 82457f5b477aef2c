"""From a text to a specification: values with the words that gave them, faults, and the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sessions.instructions.doubts import withdrawn
from sessions.instructions.grammar import Match, Parse, grammar, is_glue, parse
from sessions.instructions.tokens import Kind, text_of
from sessions.specification import (
    FIELDS,
    Context,
    Entry,
    FieldError,
    ModelName,
    Origin,
    Workflow,
    implied_workflow,
    not_available_workflow,
    show,
)

LONGEST_TEXT = 4_000
# Signs that say nothing by themselves; any other sign is shown as not understood.
SILENT = frozenset(",.;:!?()[]{}\"'`-–—_/&+*#•…|=×·")
TURNING = {"turn", "deny"}  # phrases that are shown as not understood, with what they take back
REFUSALS = {"workflow": not_available_workflow}


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` of the instruction, and what they set.

    In `Reading.not_understood` the field is empty, or names what was recognised but has no place in a
    specification (`budget`, `batch size`).
    """

    start: int
    end: int
    field: str
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "field": self.field, "text": self.text}


@dataclass(frozen=True)
class Reading:
    """What an instruction says. Every word is in a span, in `not_understood`, or carries no value."""

    text: str
    entries: dict[str, Entry] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    not_understood: tuple[Span, ...] = ()
    errors: tuple[FieldError, ...] = ()

    @property
    def complete(self) -> bool:
        """True when every word was understood and nothing is at fault."""
        return not self.not_understood and not self.errors

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "entries": {name: entry.to_json() for name, entry in self.entries.items()},
            "spans": [span.to_json() for span in self.spans],
            "not_understood": [span.to_json() for span in self.not_understood],
            "errors": [error.to_json() for error in self.errors],
        }


def read(
    text: str,
    catalogue: Sequence[ModelName],
    *,
    account: str = "",
    datasets: Sequence[str] = (),
    served: Sequence[ModelName] = (),
    origin: Origin = Origin.SAID,
) -> Reading:
    """Read an instruction. `account` is the one that bare dataset ids belong to, `datasets` are its own;
    `served` are the models that answer by the token."""
    if len(text) > LONGEST_TEXT:
        fault = f"The instruction has {len(text):,} characters."
        return Reading(text, errors=(FieldError("instruction", fault, f"Use {LONGEST_TEXT:,} at the most."),))
    context = Context(catalogue, account, datasets, served)
    return _with_workflow(reading_of(parse(text, grammar(), context), origin))


def _with_workflow(found: Reading) -> Reading:
    """Where no workflow is said, the one that the values belong to: labels make it classification."""
    entries, errors = dict(found.entries), list(found.errors)
    implied = implied_workflow(entries)
    unsaid = not any(error.field == "workflow" for error in errors) and "workflow" not in entries
    if unsaid and implied:
        entries = {"workflow": implied, **entries}
        try:
            FIELDS["workflow"].check(implied.value, Context())
        except FieldError as refusal:
            errors.append(refusal)
    preference = "workflow" in entries and entries["workflow"].value == Workflow.PREFERENCE
    if preference and "evaluator" in entries and entries.get("strategy"):
        # There the evaluator's name says all: it is scored by, or else by a rubric (product row 4.5).
        del entries["strategy"]
    return replace(found, entries=entries, errors=tuple(dict.fromkeys(errors)))


def reading_of(parsed: Parse, origin: Origin) -> Reading:
    """The specification part of a parse; matches of kind `act` are left to the caller."""
    doubtful = withdrawn(parsed)
    kept = [match for match in parsed.matches if match not in doubtful]
    values = _Values(parsed, origin)
    for match in kept:
        values.take(match)
    spans = tuple(
        _span(parsed, m.start, m.end, m.rule.name) for m in kept if m.rule.kind in {"value", "refuse"}
    )
    lost = tuple(sorted([*_unsupported(parsed, kept), *_lost(parsed, doubtful)], key=lambda span: span.start))
    entries = {name: values.entries[name] for name in FIELDS if name in values.entries}
    return Reading(parsed.source.text, entries, spans, lost, tuple(values.errors))


class _Values:
    """Collects values; what is said twice and differently is a fault, not a guess."""

    def __init__(self, parsed: Parse, origin: Origin) -> None:
        self.parsed, self.origin = parsed, origin
        self.entries: dict[str, Entry] = {}
        self.errors: list[FieldError] = []
        self.torn: set[str] = set()

    def take(self, match: Match) -> None:
        source = self.parsed.source
        words = text_of(source.tokens, match.start, match.end, source.text)
        for name, raw in match.values.items():
            if match.rule.kind == "refuse":
                self._fault(REFUSALS[name](raw))
            elif match.rule.kind == "value":
                self._check(name, _raw(name, raw), words)

    def _check(self, name: str, raw: Any, words: str) -> None:
        try:
            value = FIELDS[name].check(raw, self.parsed.source.context)
        except FieldError as error:
            self._fault(error)
            return
        self._put(name, Entry(value, self.origin, words))

    def _fault(self, error: FieldError) -> None:
        if error not in self.errors:
            self.errors.append(error)

    def _put(self, name: str, entry: Entry) -> None:
        before = self.entries.get(name)
        if name in self.torn or (before and before.value == entry.value):
            return
        if before is None:
            self.entries[name] = entry
        elif name == "workflow" and {before.value, entry.value} == {Workflow.SFT, Workflow.AUTHORING}:
            self._chained(entry if entry.value == Workflow.SFT else before)
        elif name in {"base_models", "labels", "label_changes"}:
            both = tuple(dict.fromkeys((*before.value, *entry.value)))
            self.entries[name] = Entry(both, self.origin, f"{before.words} … {entry.words}")
        else:
            self.torn.add(name)
            del self.entries[name]
            self._fault(_said_twice(name, before, entry))

    def _chained(self, sft: Entry) -> None:
        """An evaluator asked for within supervised fine-tuning is that run's own (product row 5.1)."""
        self.entries["workflow"] = sft
        self._check("strategy", "generated", sft.words)


def _raw(name: str, value: Any) -> Any:
    """A bare name where a list of names belongs becomes a list of one."""
    return (value,) if name == "base_models" and isinstance(value, str) else value


def _said_twice(name: str, first: Entry, second: Entry) -> FieldError:
    label = FIELDS[name].label
    fault = f"{label}: said twice, as {show(name, first.value)} and as {show(name, second.value)}."
    if name == "dataset":
        return FieldError(name, fault, "Say which one is the evaluation dataset, or leave one out.")
    if name in {"lora_ranks", "learning_rates"}:
        return FieldError(name, fault, "Give them in one list: every rank is tried with every learning rate.")
    return FieldError(name, fault, "Say it once.")


def _span(parsed: Parse, start: int, end: int, name: str) -> Span:
    tokens = parsed.source.tokens
    first, last = tokens[start].start, tokens[end - 1].end
    return Span(first, last, name, parsed.source.text[first:last])


def _unsupported(parsed: Parse, kept: Iterable[Match]) -> list[Span]:
    return [_span(parsed, m.start, m.end, m.rule.name) for m in kept if m.rule.kind == "unsupported"]


def _lost(parsed: Parse, doubtful: frozenset[Match]) -> list[Span]:
    """Runs of words that nothing covers, or whose phrase was taken back; glue inside a run belongs to it."""
    tokens = parsed.source.tokens
    taken_back = {at for match in doubtful for at in range(match.start, match.end)}
    taken_back |= {at for m in parsed.matches if m.rule.kind in TURNING for at in range(m.start, m.end)}
    left = set(parsed.left)
    lost = [at for at in range(len(tokens)) if at in taken_back or (at in left and not _silent(parsed, at))]
    runs: list[list[int]] = []
    for at in lost:
        between = range(runs[-1][1], at) if runs else range(0)
        joined = bool(runs) and all(
            b in left and (is_glue(tokens, b) or tokens[b].norm in "/-&+") for b in between
        )
        if joined:
            runs[-1][1] = at + 1
        else:
            runs.append([at, at + 1])
    return [_span(parsed, first, last, "") for first, last in runs]


def _silent(parsed: Parse, at: int) -> bool:
    token = parsed.source.tokens[at]
    return (
        is_glue(parsed.source.tokens, at)
        if token.kind is Kind.WORD
        else token.kind is Kind.PUNCT and token.norm in SILENT
    )
