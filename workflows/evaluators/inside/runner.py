"""Runs behind the walls: loads an evaluator, gives it one row after another, and writes one result a row.

Standard library only. Results go to descriptor 3 as JSON lines; what the evaluator prints goes to its own
standard output. Nothing here is trusted by the portal: it checks every line again.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

RESULTS, CHILD = 3, 70
MARKS, STAND_INS = ("evaluation_mode", "reward_messages"), ("eval_protocol", "reward_kit")
LONGEST_REASON, MOST_METRICS, FRAMES = 2_000, 50, 4
Function = Callable[..., Any]


class BadResult(Exception):
    """What the evaluator returned is no score; the message says why."""


def tell(**line: Any) -> None:
    """One line to the portal, whole even when the pipe is full."""
    data = (json.dumps(line, allow_nan=False) + "\n").encode()
    while data:
        data = data[os.write(RESULTS, data) :]


def load(folder: Path, entry: str) -> Function:
    """The evaluator's function. `entry` is `file.py` or `file.py::function`."""
    file, _, name = entry.partition("::")
    sys.path.insert(0, str((folder / file).parent))
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("evaluator", folder / file)
    if spec is None or spec.loader is None:
        raise BadResult(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluator"] = module
    spec.loader.exec_module(module)
    return named(module, name) if name else found(module)


def named(module: Any, name: str) -> Function:
    function = getattr(module, name, None)
    if not callable(function):
        raise BadResult(f"there is no function {name} in the evaluator")
    chosen: Function = function
    return chosen


def found(module: Any) -> Function:
    """The one function with a decorator of Eval Protocol, else `evaluate`."""
    marked = {id(each): each for each in vars(module).values() if any(hasattr(each, mark) for mark in MARKS)}
    if len(marked) > 1:
        raise BadResult("several functions have @evaluation_test; name one as file.py::function")
    if marked:
        return marked.popitem()[1]  # type: ignore[no-any-return]
    if callable(getattr(module, "evaluate", None)):
        return module.evaluate  # type: ignore[no-any-return]
    raise BadResult(
        "it has neither a function evaluate(messages, ground_truth, **row) nor one with @evaluation_test or "
        "@reward_function"
    )


def call_plain(function: Function, row: dict[str, Any]) -> Any:
    """`evaluate(messages, ground_truth, **row)`; what the function does not take is left out."""
    known = inspect.signature(function).parameters.values()
    takes_all = any(each.kind is each.VAR_KEYWORD for each in known)
    names = {each.name for each in known}
    given = {"messages": row.get("messages", []), "ground_truth": row.get("ground_truth"), **row}
    if getattr(function, "reward_messages", False):
        shape = importlib.import_module("eval_protocol.models").Message
        given["messages"] = [shape(**each) for each in given["messages"]]
    return protocol().finished(
        function(**{name: given[name] for name in given if takes_all or name in names})
    )


def protocol() -> Any:
    """The stand-in's part that calls functions; it was imported before the evaluator."""
    return importlib.import_module("eval_protocol.calling")


def number(value: Any, what: str) -> float:
    """A finite number; True is 1."""
    if not isinstance(value, (bool, int, float)):
        raise BadResult(f"{what} is {type(value).__name__}, not a number")
    if not math.isfinite(value):
        raise BadResult(f"{what} is {value}, not a finite number")
    return float(value)


def plain(value: Any) -> dict[str, Any]:
    """What an evaluator returned, as score, reason and metrics."""
    if isinstance(value, BaseException):
        raise value
    value = getattr(value, "evaluation_result", value)  # a row carries its result
    if value is None:
        raise BadResult("it returned no score")
    if not isinstance(value, (bool, int, float, dict)):
        if not hasattr(value, "score"):
            raise BadResult(f"it returned {type(value).__name__}, which is no score")
        value = {
            name: getattr(value, name, None) for name in ("score", "reason", "metrics", "is_score_valid")
        }
    if not isinstance(value, dict):
        value = {"score": value}
    if value.get("is_score_valid") is False:
        raise BadResult(f"it says that its score is not valid: {value.get('reason') or 'no reason given'}")
    if "score" not in value or value["score"] is None:
        raise BadResult("what it returned holds no score")
    score = number(value["score"], "its score")
    if not 0 <= score <= 1:
        raise BadResult(f"its score {score:g} is not from 0 to 1")
    reason = str(value.get("reason") or "")[:LONGEST_REASON]
    return {"score": score, "reason": reason, "metrics": metrics(value.get("metrics") or {})}


def metrics(given: Any) -> dict[str, float]:
    if not isinstance(given, dict) or len(given) > MOST_METRICS:
        raise BadResult(f"its metrics are no dictionary of {MOST_METRICS} at the most")
    return {
        str(name)[:80]: number(
            getattr(each, "score", each["score"] if isinstance(each, dict) else each), name
        )
        for name, each in given.items()
    }


def fault_of(error: BaseException) -> str:
    """An exception in one line, with the place in the evaluator's own code."""
    if isinstance(error, BadResult) or getattr(error, "in_plain_words", False):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] in STAND_INS:
        return f"{error.name} is not supported: of Eval Protocol there is what scores an answer"
    own = [each for each in traceback.extract_tb(error.__traceback__) if "/job/" in f"{each.filename}"]
    place = f" (line {own[-1].lineno} of {Path(own[-1].filename).name})" if own else ""
    words = " ".join(str(error).split())[:LONGEST_REASON]
    return f"{type(error).__name__}{': ' if words else ''}{words}{place}"


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def attempt(at: int, act: Callable[[], dict[str, Any]], own: int) -> None:
    """One row's result or its fault. A child process of the evaluator must not take its parent's place."""
    try:
        line = {"row": at, **act()}
    except BaseException as error:  # noqa: BLE001  # foreign code may raise anything, SystemExit as well
        line = {"row": at, "error": fault_of(error)}
    if os.getpid() != own:
        os._exit(CHILD)
    sys.stdout.flush()
    sys.stderr.flush()
    tell(**line)


def score(function: Any, path: Path) -> None:
    """Every row; a function that wants all rows at once gets them so."""
    own = os.getpid()
    if sees_all(function):
        answers = protocol().call_together(function, list(rows_of(path)))
        for at, answer in enumerate(answers):
            attempt(at, partial(plain, answer), own)
        return
    for at, row in enumerate(rows_of(path)):
        attempt(at, partial(score_one, function, row, at), own)


def sees_all(function: Any) -> bool:
    return getattr(function, "evaluation_mode", "") == "all"


def score_one(function: Any, row: dict[str, Any], at: int) -> dict[str, Any]:
    pointwise = hasattr(function, "evaluation_mode")
    return plain(protocol().call_one(function, row, at) if pointwise else call_plain(function, row))


def main() -> None:
    job = json.loads(sys.argv[1])
    sys.path[:0] = [str(Path(__file__).parent), *([job["packages"]] if job["packages"] else [])]
    sys.path.append(str(Path(__file__).parent / "fallback"))
    own = os.getpid()
    protocol()
    try:
        function = load(Path(job["code"]), job["entry"])
        if os.getpid() == own:
            tell(loaded=True, together=sees_all(function))
        score(function, Path(job["rows"]))
    except BaseException as error:  # noqa: BLE001  # as above: the fault is the result
        if os.getpid() != own:
            os._exit(CHILD)
        tell(fatal=fault_of(error))
    sys.stdout.flush()
    os._exit(0)  # threads that the evaluator left behind must not keep it alive


if __name__ == "__main__":
    main()
