"""docs/acceptance.md names, for every row of the product page, tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS_OF_SECTION = {1: 18, 2: 12, 3: 8, 4: 10, 5: 4, 6: 3}
LINE = re.compile(r"\| (\d\.\d+) \| [^|]+ \| ([^|]+) \|")
TABLE = LINE.findall((ROOT / "docs/acceptance.md").read_text(encoding="utf-8"))


@cache
def functions(path: str) -> set[str]:
    """The functions at the top of a test file; none when there is no such file."""
    file = ROOT / path
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_row_is_there_once_and_in_order():
    rows = [f"{section}.{row + 1}" for section, count in ROWS_OF_SECTION.items() for row in range(count)]
    assert [row for row, _ in TABLE] == rows


@pytest.mark.parametrize(("row", "tests"), TABLE, ids=[row for row, _ in TABLE])
def test_the_tests_of_a_row_exist(row, tests):
    if tests == "not yet":
        return
    for named in tests.split("<br>"):
        path, _, name = named.strip("`").partition("::")
        assert name in functions(path), f"row {row} names {named}, which is not there"
