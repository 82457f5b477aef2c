"""Rows and files for the data tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest


def chat(*turns: str, **extra: Any) -> dict[str, Any]:
    """A chat row: user, assistant, user, ... with the given texts."""
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(turns)]
    return {"messages": messages, **extra}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows (objects are encoded, bytes and text are lines as they stand) to a JSONL file."""

    def make(*rows: Any, end: bytes = b"\n", name: str = "data.jsonl", head: bytes = b"") -> Path:
        path = tmp_path / name
        lines = [
            row if isinstance(row, bytes) else row.encode() if isinstance(row, str) else orjson.dumps(row)
            for row in rows
        ]
        path.write_bytes(head + b"".join(line + end for line in lines))
        return path

    return make
