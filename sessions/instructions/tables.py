"""The grammar files of this package, read into sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Section:
    """`kind` and the words after it (`value final_run no`), and the phrases below."""

    kind: str
    arguments: tuple[str, ...]
    phrases: tuple[str, ...]


def _logical_lines(text: str) -> Iterator[tuple[bool, str]]:
    """(is a heading, line), without comments, with continued lines joined."""
    pending = ""
    for raw in text.splitlines():
        if raw.strip() and not raw.startswith("#"):
            if raw.startswith("    "):
                pending = f"{pending} {raw.strip()}"
                continue
            if pending:
                yield not pending.startswith(" "), pending.strip()
            pending = raw.rstrip()
    if pending:
        yield not pending.startswith(" "), pending.strip()


@cache
def sections(name: str) -> tuple[Section, ...]:
    """The sections of one grammar file, in its order."""
    found: list[tuple[list[str], list[str]]] = []
    for heading, line in _logical_lines((HERE / name).read_text(encoding="utf-8")):
        if heading:
            found.append((line.split(), []))
        else:
            found[-1][1].append(line)
    return tuple(Section(words[0], tuple(words[1:]), tuple(lines)) for words, lines in found)


@cache
def words(name: str, file: str = "instruction.grammar") -> frozenset[str]:
    """The set of words of a section `words NAME`."""
    listed = (s.phrases for s in sections(file) if s.kind == "words" and s.arguments == (name,))
    return frozenset(word for phrases in listed for line in phrases for word in line.split())


@cache
def parts(name: str) -> dict[str, str]:
    """The named parts of a grammar file."""
    return {s.arguments[0]: s.phrases[0] for s in sections(name) if s.kind == "part"}
