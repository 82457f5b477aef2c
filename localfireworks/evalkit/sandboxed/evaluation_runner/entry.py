"""Find an evaluator's function and call it on rows, in both shapes it may have. Runs inside the sandbox.

Eval Protocol: decorated with `evaluation_test`, or with a first parameter called `row` or `rows`; gets
EvaluationRow objects. Plain: `evaluate(messages, ground_truth=None, **row)`; gets the fields of the row.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .scores import failed, normal

MARK = "__evaluation_test__"
KNOWN = ("messages", "tools", "ground_truth")
Row = dict[str, Any]
Result = dict[str, Any]


def load(root: Path, file: str, function: str) -> Callable[..., Any]:
    """The function of a file below `root`; ImportError or AttributeError when it cannot be had."""
    path = root / file
    for place in (str(path.parent), str(root)):
        if place not in sys.path:
            sys.path.insert(0, place)
    found = getattr(module(root, path), function, None)
    if not callable(found):
        raise AttributeError(f"{file} has no function {function}")
    return found  # type: ignore[no-any-return]


def module(root: Path, path: Path) -> ModuleType:
    """The file as a module: of its package where its path can be one, so that relative imports work."""
    parts = path.relative_to(root).with_suffix("").parts
    name = ".".join(parts)
    if all(part.isidentifier() for part in parts) and name not in sys.modules:
        made = importlib.import_module(name)
        if made.__file__ and Path(made.__file__) == path:
            return made
    spec = importlib.util.spec_from_file_location("evaluator_entry", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def options(function: Callable[..., Any]) -> dict[str, Any] | None:
    """What `evaluation_test` was told; `{}` for its shape without the decorator; None: a plain function."""
    marked = getattr(function, MARK, None)
    if marked is not None:
        return dict(marked)
    first = next(iter(inspect.signature(function).parameters), "")
    if first == "rows":
        return {"mode": "all"}
    return {} if first == "row" else None


def call(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    answer = function(*given, **named)
    return asyncio.run(answer) if inspect.iscoroutine(answer) else answer


def attempt(work: Callable[[], list[Result]]) -> list[Result] | Exception:
    """What foreign code makes, or its fault: it may raise anything, and then its rows have no score."""
    try:
        return work()
    except Exception as fault:  # noqa: BLE001 - see above
        return fault


def plain(function: Callable[..., Any], row: Row) -> Result:
    """Score one row by its fields; those that a function without `**` does not know are left out."""
    parameters = inspect.signature(function).parameters.values()
    everything = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    names = {each.name for each in parameters}
    named = {key: value for key, value in row.items() if everything or key in names}
    made = attempt(lambda: [normal(call(function, **{"messages": [], **named}))])
    return failed(made) if isinstance(made, Exception) else made[0]


def evaluation_row(number: int, row: Row) -> Any:
    """A dataset row as Eval Protocol has it; other columns are in `input_metadata.dataset_info`."""
    from eval_protocol.models import EvaluationRow  # type: ignore[import-not-found]

    given = {key: row[key] for key in KNOWN if key in row}
    metadata = dict(row.get("input_metadata") or {})
    metadata.setdefault("row_id", str(row.get("id", number)))
    others = {key: value for key, value in row.items() if key not in (*KNOWN, "input_metadata")}
    metadata["dataset_info"] = others | dict(metadata.get("dataset_info") or {})
    return EvaluationRow(**given, input_metadata=metadata)


def result_of(answer: Any) -> Result:
    """The result that an evaluator left on the row it gave back, or gave back itself."""
    left = getattr(answer, "evaluation_result", answer)
    return failed(ValueError("the evaluator set no evaluation_result")) if left is None else normal(left)


def groups(mode: str, rows: list[Any]) -> list[list[int]]:
    """Which rows are scored in one call."""
    if mode == "all":
        return [list(range(len(rows)))]
    if mode != "groupwise":
        return [[number] for number in range(len(rows))]
    by_id: dict[Any, list[int]] = {}
    for number, row in enumerate(rows):
        by_id.setdefault(row.input_metadata.row_id, []).append(number)
    return list(by_id.values())


def protocol(
    function: Callable[..., Any], told: dict[str, Any], rows: list[Row]
) -> Iterator[tuple[int, Result]]:
    """Score rows as Eval Protocol does: one by one, or many in one call (`mode`)."""
    adapter, mode = told.get("dataset_adapter"), str(told.get("mode", "pointwise"))
    made = (
        list(adapter(rows)) if adapter else [evaluation_row(number, row) for number, row in enumerate(rows)]
    )
    if len(made) != len(rows):
        raise ValueError(f"dataset_adapter made {len(made)} rows of {len(rows)}")
    for numbers in groups(mode, made):
        given = [made[number] for number in numbers]
        found = attempt(functools.partial(_together, function, given, mode))
        results = [failed(found)] * len(numbers) if isinstance(found, Exception) else found
        yield from zip(numbers, results, strict=True)


def _together(function: Callable[..., Any], given: list[Any], mode: str) -> list[Result]:
    """The results of rows that are scored together, as many as they are."""
    answer = call(function, given if mode in ("all", "groupwise") else given[0])
    answers = list(answer) if mode in ("all", "groupwise") else [answer]
    results = [result_of(each) for each in answers]
    if len(results) != len(given):
        raise ValueError(f"the evaluator gave back {len(results)} rows of {len(given)}")
    return results


def scored(function: Callable[..., Any], rows: list[Row]) -> Iterator[tuple[int, Result]]:
    """Number and result of every row."""
    told = options(function)
    if told is None:
        return ((number, plain(function, row)) for number, row in enumerate(rows))
    return protocol(function, told, rows)
