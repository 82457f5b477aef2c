"""Hands rows to a function with `@evaluation_test` or `@reward_function`, and takes what it gives back."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from .models import EvaluationRow, Message


class CannotCall(Exception):
    """What speaks against calling it with this row, in words."""

    in_plain_words = True


def finished(value: Any) -> Any:
    """The result of a function that may be asynchronous."""
    return asyncio.run(awaited(value)) if inspect.isawaitable(value) else value


async def awaited(value: Any) -> Any:
    return await value


def call_one(function: Any, row: dict[str, Any], number: int) -> Any:
    """Mode pointwise: what it gives for one row. Raises CannotCall."""
    [shaped] = prepared(function, [row], number)
    if isinstance(shaped, CannotCall):
        raise shaped
    return finished(function(row=shaped, **function.evaluation_options["arguments"]))


def call_together(function: Any, rows: list[dict[str, Any]]) -> list[Any]:
    """Mode all: what it gives for each row, in their order, or why a row was not handed over."""
    shaped = prepared(function, rows, 0)
    given = [each for each in shaped if isinstance(each, EvaluationRow)]
    answered = finished(function(rows=list(given), **function.evaluation_options["arguments"]))
    if not isinstance(answered, list) or len(answered) != len(given):
        raise CannotCall(f"it returned no list of the {len(given)} rows it was given")
    results = iter(in_order(given, answered))
    return [next(results) if isinstance(each, EvaluationRow) else each for each in shaped]


def in_order(given: list[EvaluationRow], answered: list[Any]) -> list[Any]:
    """The results in the order of the rows: an evaluator may sort them. Results that are no rows count by
    their place."""
    names = [getattr(getattr(each, "execution_metadata", None), "rollout_id", None) for each in answered]
    by_name = dict(zip(names, answered, strict=True))
    own = [each.execution_metadata.rollout_id for each in given]
    return [by_name[name] for name in own] if set(own) == set(names) else answered


def prepared(function: Any, rows: list[dict[str, Any]], first: int) -> list[EvaluationRow | CannotCall]:
    """The rows in Eval Protocol's shape, as `dataset_adapter` and `preprocess_fn` make them."""
    options = function.evaluation_options
    found: list[EvaluationRow | CannotCall] = []
    for number, row in enumerate(rows, first):
        try:
            shaped = adapted(options["dataset_adapter"], row, number)
        except CannotCall as fault:
            found.append(fault)
            continue
        shaped.execution_metadata.rollout_id = f"row-{number}"
        found.append(shaped)
    return preprocessed(options["preprocess_fn"], found)


def adapted(adapter: Any, row: dict[str, Any], number: int) -> EvaluationRow:
    """One row. An adapter sees it without the answer, as it would before models are asked; it may say what is
    expected, but the answer was given to the row's own prompt. Raises CannotCall."""
    whole = EvaluationRow.of(row, number)
    if adapter is None:
        return whole
    prompt = row.get("messages", [])[:-1]
    made = finished(adapter([{**row, "messages": prompt}]))
    if not isinstance(made, list) or len(made) != 1:
        raise CannotCall("its dataset_adapter does not make one row of one row")
    if asked(made[0].messages) != asked([Message(**each) for each in prompt]):
        raise CannotCall("its dataset_adapter writes another prompt; models were asked the row's own")
    made[0].messages = whole.messages
    return made[0]  # type: ignore[no-any-return]


def asked(messages: list[Message]) -> list[tuple[str, Any]]:
    """A prompt, without an answer at its end."""
    said = messages[:-1] if messages and messages[-1].role == "assistant" else messages
    return [(each.role, each.content) for each in said]


def preprocessed(preprocess: Any, rows: list[EvaluationRow | CannotCall]) -> list[EvaluationRow | CannotCall]:
    """What `preprocess_fn` leaves, each at its place. A row it takes out has no score."""
    if preprocess is None:
        return rows
    given = [each for each in rows if isinstance(each, EvaluationRow)]
    before = {each.execution_metadata.rollout_id: asked(each.messages) for each in given}
    left = {each.execution_metadata.rollout_id: each for each in finished(preprocess(list(given)))}
    return [
        one_left(each, left.get(each.execution_metadata.rollout_id), before)
        if isinstance(each, EvaluationRow)
        else each
        for each in rows
    ]


def one_left(row: EvaluationRow, left: EvaluationRow | None, before: dict[Any, Any]) -> Any:
    if left is None:
        return CannotCall("its preprocess_fn leaves this row out")
    if asked(left.messages) != before[row.execution_metadata.rollout_id]:
        return CannotCall("its preprocess_fn changes the prompt; models were asked the row's own")
    return left
