"""What `up` prints: one line per important thing."""

from __future__ import annotations

import os
import sys
from typing import TextIO

COLOURS = {"good": "\033[32m", "note": "\033[36m", "bad": "\033[31m"}


class Screen:
    """Lines with a coloured prefix; plain when the output is no terminal or NO_COLOR is set."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self.stream = stream
        self.coloured = stream.isatty() and not os.environ.get("NO_COLOR")

    def good(self, who: str, text: str) -> None:
        self._line("good", who, text)

    def note(self, who: str, text: str) -> None:
        self._line("note", who, text)

    def bad(self, who: str, text: str) -> None:
        self._line("bad", who, text)

    def _line(self, colour: str, who: str, text: str) -> None:
        prefix = f"{who:<10}"
        if self.coloured:
            prefix = f"{COLOURS[colour]}{prefix}\033[0m"
        print(f"{prefix} {text}", file=self.stream, flush=True)
