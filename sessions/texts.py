"""The text of a message, in the one way in which it is asked, measured and shown. Pure."""

from __future__ import annotations

from typing import Any


def text_of(content: Any) -> str:
    """A message's `content`: text, or the texts of its parts on lines of their own; empty for none."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
