"""Text and tables in Markdown, with what people, data and the provider say made harmless. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def plain(text: Any) -> str:
    """Text from people, data or the provider, so that it cannot act as Markdown or HTML."""
    return MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table; empty without rows."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    titles = list(head)
    rule = "| " + " | ".join("---" for _ in titles) + " |"
    return ["| " + " | ".join(titles) + " |", rule, *lines, ""] if lines else []
