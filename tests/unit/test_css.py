"""The style sheets parse, name only what exists and say nothing twice; templates obey the content policy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tinycss2
import tinycss2.ast as ast

ROOT = Path(__file__).parents[2]
SHEETS = sorted((ROOT / "static").rglob("*.css"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NESTING = ("media", "supports", "layer", "container")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def rules(text: str) -> list[Any]:
    return list(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True))


def blocks(found: list[Any], context: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Every block of declarations with its selector, which the rules around it precede."""
    for rule in found:
        if isinstance(rule, ast.QualifiedRule):
            selector = " ".join(tinycss2.serialize(rule.prelude).split())
            inner = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
            yield f"{context}{selector}", inner
        elif isinstance(rule, ast.AtRule) and rule.content is not None and rule.lower_at_keyword in NESTING:
            around = (
                f"{context}@{rule.lower_at_keyword} {' '.join(tinycss2.serialize(rule.prelude).split())} | "
            )
            inside = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            yield from blocks(inside, around)


def faults(nodes: list[Any]) -> list[str]:
    return [f"line {node.source_line}: {node.message}" for node in nodes if isinstance(node, ast.ParseError)]


def test_there_are_style_sheets_and_templates() -> None:
    assert SHEETS
    assert TEMPLATES


@pytest.mark.parametrize("path", SHEETS, ids=names(SHEETS))
def test_a_sheet_parses(path: Path) -> None:
    found = rules(path.read_text())
    assert faults(found) == []
    assert [fault for _selector, inner in blocks(found) for fault in faults(inner)] == []


def test_every_variable_that_is_used_is_defined() -> None:
    sheets = "".join(path.read_text() for path in SHEETS)
    defined = set(re.findall(r"(--[\w-]+)\s*:", sheets))
    used = set(VARIABLE.findall(sheets))
    for path in [*TEMPLATES, *(ROOT / "static").rglob("*.js"), *(ROOT / "static").rglob("*.svg")]:
        used |= set(VARIABLE.findall(path.read_text()))
        defined |= set(re.findall(r"(--[\w-]+)\s*:", path.read_text()))
    assert used - defined == set()


def test_no_selector_sets_a_property_twice() -> None:
    """Within one block a second value is a fallback for older browsers; in a second block it is a mistake."""
    said: Counter[tuple[str, str]] = Counter()
    for path in SHEETS:
        for selector, inner in blocks(rules(path.read_text())):
            said.update({(selector, node.name) for node in inner if isinstance(node, ast.Declaration)})
    assert [place for place, count in said.items() if count > 1] == []


def test_no_sheet_loads_anything_from_elsewhere() -> None:
    for path in SHEETS:
        assert re.findall(r"@import|https?:|url\(\s*['\"]?//", path.read_text()) == [], path.name


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_a_template_has_no_inline_script(path: Path) -> None:
    """The content policy would stop it: `script-src 'self'`."""
    text = path.read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", text) == []
    assert re.findall(r"<[^>{]*\son[a-z]+=|javascript:|hx-on", text) == []


def test_every_static_file_that_a_template_names_exists() -> None:
    named = {
        (path.name, name)
        for path in TEMPLATES
        for name in re.findall(r"{%\s*static\s+['\"]([^'\"]+)['\"]", path.read_text())
        if not name.startswith("django_htmx/")
    }
    assert [(page, name) for page, name in named if not (ROOT / "static" / name).is_file()] == []
