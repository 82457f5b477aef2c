"""Changes of what stands now: “drop the 70B model”, “add rank 8”, “one more epoch”."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sessions.instructions.grammar import Match, Parse
from sessions.instructions.tokens import text_of
from sessions.specification import (
    DEFAULT_GRID,
    FIELDS,
    CandidateConfig,
    Entry,
    FieldError,
    Origin,
    Specification,
    of_candidates,
    show,
)

Values = tuple[Any, ...]
NUMBER_OF = {"lora_ranks": 0, "learning_rates": 1}  # the place in a pair of the default grid


def edited(
    parsed: Parse, edits: Sequence[Match], candidates: Sequence[CandidateConfig] = ()
) -> dict[str, Entry]:
    """The values that these edits make of the current ones. Raises FieldError for what cannot be done.

    `candidates` are those of the plan that the edits talk about by number.
    """
    entries: dict[str, Entry] = {}
    for match in edits:
        how, name = match.rule.name.split(" ")
        now = parsed.source.current.with_entries(entries)
        words = text_of(parsed.source.tokens, match.start, match.end, parsed.source.text)
        if name == "candidates":
            left = _left(how, match.captures[0], candidates)
            values = of_candidates(left, rates_said=bool(now.value("learning_rates")))
        else:
            values = dict([EDITS[how](now, name, match.captures)])
        for field, value in values.items():
            checked = FIELDS[field].check(value, parsed.source.context)
            entries[field] = Entry(checked, Origin.ANSWER, words)
    return entries


def _left(how: str, numbers: Values, candidates: Sequence[CandidateConfig]) -> list[CandidateConfig]:
    """The candidates that stay."""
    known = {each.number for each in candidates}
    if missing := [each for each in numbers if each not in known]:
        raise FieldError("max_candidates", f"The plan has no candidate {missing[0]}.", "Look at its list.")
    left = [each for each in candidates if (each.number in numbers) == (how == "keep")]
    if not left:
        raise FieldError("max_candidates", "No candidate would be left.", "Keep one.")
    return left


def _standing(now: Specification, name: str) -> Values:
    """What stands now; where nothing was said, what the default grid has."""
    value = now.value(name)
    if value is None and name in NUMBER_OF:
        other = next(each for each in NUMBER_OF if each != name)
        if now.value(other):
            value = (DEFAULT_GRID[1][NUMBER_OF[name]],) if name == "lora_ranks" else ()
        else:
            value = tuple(pair[NUMBER_OF[name]] for pair in DEFAULT_GRID)
    return tuple(value or ())


def _like(name: str, given: Values) -> Values:
    """Typed numbers as the field keeps them, so that they compare; names stay."""
    return tuple(float(each) if name == "learning_rates" else each for each in given)


def _must_stand(now: Specification, name: str, given: Values) -> Values:
    standing = _standing(now, name)
    if missing := tuple(each for each in _like(name, given) if each not in standing):
        label, what = FIELDS[name].label, show(name, missing)
        raise FieldError(name, f"{label}: {what} is not in the plan.", f"It has {show(name, standing)}.")
    return standing


def _drop(now: Specification, name: str, captures: Values) -> tuple[str, Values]:
    gone = _like(name, captures[0])
    standing = _must_stand(now, name, gone)
    left = tuple(each for each in standing if each not in gone)
    if not left:
        raise FieldError(name, f"{FIELDS[name].label}: nothing would be left.", "Keep one, or name another.")
    if name == "learning_rates" and not now.value("learning_rates"):
        # The default grid pairs each rate with a rank of its own: the rate goes with its rank.
        return "lora_ranks", tuple(rank for rank, rate in DEFAULT_GRID if rate in left)
    return name, left


def _keep(_now: Specification, name: str, captures: Values) -> tuple[str, Values]:
    return name, _like(name, captures[0])


def _add(now: Specification, name: str, captures: Values) -> tuple[str, Values]:
    if name == "learning_rates" and not now.value(name):
        raise FieldError(
            name, "The learning rates of the default grid belong to its ranks.", "Name all the rates to try."
        )
    return name, (*_standing(now, name), *_like(name, captures[0]))


def _replace(now: Specification, name: str, captures: Values) -> tuple[str, Values]:
    old, new = (_like(name, each) for each in captures)
    standing = _must_stand(now, name, old)
    if name == "learning_rates" and not now.value(name):
        return _add(now, name, (new,))
    at = standing.index(old[0])
    left = [each for each in standing if each not in old]
    return name, (*left[:at], *new, *left[at:])


def _take(now: Specification, name: str, captures: Values) -> tuple[str, Values]:
    """“Use A instead of B”: where B stands A takes its place, else A is all that stays."""
    new, old = captures
    if set(_like(name, old)) <= set(_standing(now, name)):
        return _replace(now, name, (old, new))
    return name, _like(name, new)


def _more(now: Specification, name: str, captures: Values) -> tuple[str, Any]:
    return name, _counted(now, name) + captures[0]


def _fewer(now: Specification, name: str, captures: Values) -> tuple[str, Any]:
    return name, _counted(now, name) - captures[0]


def _counted(now: Specification, name: str) -> Any:
    if now.value(name) is None:
        raise FieldError(name, f"{FIELDS[name].label}: not decided yet.", "Say how many there should be.")
    return now.value(name)


EDITS: dict[str, Callable[[Specification, str, Values], tuple[str, Any]]] = {
    "drop": _drop,
    "keep": _keep,
    "add": _add,
    "replace": _replace,
    "take": _take,
    "more": _more,
    "fewer": _fewer,
}
