"""What a brought evaluator's folder holds: the function to be called, its packages, and a hash of it all.

The code is only parsed here; it is run nowhere but apart (`isolation.py`).
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workflows.evaluators.folders import NotTaken
from workflows.evaluators.limits import MEBIBYTE
from workflows.evaluators.results import clean

FUNCTION, DECORATORS = "evaluate", ("evaluation_test", "reward_function")
REQUIREMENTS = "requirements.txt"
LARGEST = MEBIBYTE  # bytes of one Python file that is parsed
USUAL = ("evaluator.py", "main.py")  # which of several is meant
SHAPES = f"{FUNCTION}(messages, ground_truth, **row) or a function with @{' or @'.join(DECORATORS)}"


@dataclass(frozen=True, slots=True)
class Brought:
    """An evaluator's folder. `entry` is `path/file.py` or `path/file.py::function`; `sha256` is of all its
    files with their paths, whatever they were packed in."""

    folder: Path
    entry: str
    requirements: str
    sha256: str

    @property
    def file(self) -> Path:
        """The Python file that holds the function."""
        return self.folder / self.entry.partition("::")[0]


def read(folder: Path, entry: str = "") -> Brought:
    """Look into an unpacked evaluator; `entry` is what its owner named. Raises NotTaken."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    entry = named(folder, entry) if entry else found(folder, files)
    return Brought(folder, entry, requirements(folder, entry), digest(folder, files))


def named(folder: Path, entry: str) -> str:
    """The entry point that the provider names, as Eval Protocol writes it."""
    file = (folder / entry.partition("::")[0]).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise NotTaken(f"its entry point {clean(entry)} is not among its files")
    return entry


def found(folder: Path, files: list[Path]) -> str:
    """The one file that holds an evaluator."""
    python = [each for each in files if each.suffix == ".py"]
    holding = [each for each in python if holds_one(each, folder, alone=len(python) == 1)]
    if not holding:
        raise NotTaken(f"no file of it has {SHAPES}")
    usual = [each for each in holding if each.name in USUAL]
    chosen = holding if len(holding) == 1 else usual
    if len(chosen) != 1:
        names = ", ".join(clean(str(each.relative_to(folder))) for each in holding[:5])
        raise NotTaken(f"several of its files have {SHAPES}: {names}. Name the one to run {USUAL[0]}")
    return str(chosen[0].relative_to(folder))


def holds_one(path: Path, folder: Path, *, alone: bool) -> bool:
    """Whether a file defines an evaluator. Only where it is the only one must it be readable."""
    if path.stat().st_size > LARGEST:
        return False
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        if not alone:
            return False
        line = f" (line {fault.lineno})" if isinstance(fault, SyntaxError) and fault.lineno else ""
        words = getattr(fault, "msg", "") or type(fault).__name__
        raise NotTaken(f"{path.relative_to(folder)} is not valid Python: {clean(words)}{line}") from fault
    return any(is_evaluator(each) for each in statements(tree.body))


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """A module's statements, with those behind an `if` or a `try`: what its import defines."""
    for each in body:
        yield each
        if isinstance(each, ast.If | ast.Try):
            yield from statements([*each.body, *each.orelse])


def is_evaluator(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return node.name == FUNCTION or any(name_of(each) in DECORATORS for each in node.decorator_list)


def name_of(decorator: ast.expr) -> str:
    """`evaluation_test` of `@evaluation_test`, `@evaluation_test(…)` and `@pytest.evaluation_test(…)`."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def requirements(folder: Path, entry: str) -> str:
    """The `requirements.txt` nearest to the entry, going up to the folder itself."""
    for place in Path(entry.partition("::")[0]).parents:
        file = folder / place / REQUIREMENTS
        if file.is_file():
            return file.read_text(encoding="utf-8", errors="replace")
    return ""


def digest(folder: Path, files: list[Path]) -> str:
    """SHA-256 in hex over the paths and contents of all files."""
    whole = hashlib.sha256()
    for each in files:
        content = each.read_bytes()
        whole.update(f"{each.relative_to(folder)}\0{len(content)}\0".encode(errors="surrogateescape"))
        whole.update(content)
    return whole.hexdigest()
