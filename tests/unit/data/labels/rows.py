"""Rows for the tests of labels."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from workflows.data.labels import Labelled


def chat(text: str, answer: str | None = None, **more: Any) -> dict[str, Any]:
    """A row: one question, and its answer if there is one."""
    messages = [{"role": "user", "content": text}]
    messages += [{"role": "assistant", "content": answer}] if answer is not None else []
    return {"messages": messages, **more}


def file(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows as a JSONL file."""
    path = folder / "data.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def labelled(*labels: str | tuple[str, ...]) -> list[Labelled]:
    """Rows with these labels, each of a conversation of its own."""
    return [
        Labelled(
            at,
            10,
            (each,) if isinstance(each, str) else each,
            hashlib.md5(str(at).encode()).digest(),
        )
        for at, each in enumerate(labels, 1)
    ]
