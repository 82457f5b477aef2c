"""`evaluator.py` as text: the rule's own module with this dataset's settings, and both shapes below it."""

from __future__ import annotations

import importlib
import inspect
import pprint
import textwrap
from pathlib import Path
from typing import Any

from workflows.evaluators.kinds import Kind, Settings

RULES = Path(__file__).parent / "rules"
WIDTH = 100


def module_of(kind: Kind) -> Any:
    """The rule's module."""
    return importlib.import_module(f"workflows.evaluators.rules.{kind.name}")


def code(kind: Kind, settings: Settings, criterion: str) -> str:
    """The whole file. The same arguments give the same text."""
    source = inspect.getsource(module_of(kind))
    head, rest = source.split("# settings\n", 1)
    rule = rest.split("# rule\n", 1)[1].split("# trial\n", 1)[0].strip()
    lines = head.splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from ")) and "__future__" not in line]
    parts = [
        f'"""{docstring(lines[0].strip().strip(chr(34)), criterion)}"""',
        "from __future__ import annotations",
        "\n".join(imports),
        "# What this dataset set.\n" + "\n".join(assigned(name, value) for name, value in settings.items()),
        rule,
        (RULES / "shapes.py.txt").read_text(encoding="utf-8").strip(),
    ]
    return "\n\n".join(parts[:4]) + "\n\n\n" + "\n\n\n".join(parts[4:]) + "\n"


def docstring(rule: str, criterion: str) -> str:
    """What the file is for, with nothing in it that could end the quotes."""
    words = " ".join(criterion.split()).replace("\\", "/").replace('"', "'")
    lines = textwrap.wrap(f"What counts as right: {words}", WIDTH)
    return "\n".join([f"Scores an answer from 0 to 1. {rule}", "", *lines, ""])


def assigned(name: str, value: Any) -> str:
    """One setting as Python would print it."""
    text = pprint.pformat(value, width=WIDTH - len(name), sort_dicts=True)
    kind = (
        ": dict[str, Any]"
        if isinstance(value, dict)
        else ": tuple[str, ...]"
        if isinstance(value, tuple)
        else ""
    )
    return f"{name}{kind} = " + text.replace("\n", "\n" + " " * (len(name) + len(kind) + 3))
