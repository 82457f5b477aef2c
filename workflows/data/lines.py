"""Reading a JSONL file by physical lines: in large pieces, memory flat, hostile lengths included.

Line numbers are those of an editor: 1-based, blank lines counted. A byte order mark at the start and the
carriage return of CRLF endings are taken off; nothing else of a line is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 19
MAX_LINE = 20_000_000  # bytes; a longer line is reported and not held
HEAD = 200  # bytes kept of such a line
FOREIGN = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "gzip-compressed data",
    b"PK\x03\x04": "a ZIP archive",
    b"PAR1": "a Parquet file",
}

Progress = Callable[[int, int], None]


class OverLong(bytes):
    """The first bytes of a line that is too long to be held; `length` is its real length in bytes."""

    length: int = 0

    @classmethod
    def of(cls, head: bytes, length: int) -> OverLong:
        """Make one."""
        line = cls(head[:HEAD])
        line.length = length
        return line


@dataclass(slots=True)
class Batch:
    """Consecutive physical lines without their endings; the first has number `first`."""

    first: int
    lines: list[bytes]
    crlf: bool = False


def foreign(head: bytes) -> str:
    """What the first bytes show the file to be when it is no UTF-8 text; "" otherwise."""
    return next((name for mark, name in FOREIGN.items() if head.startswith(mark)), "")


def batches(
    path: Path, *, max_line: int = MAX_LINE, progress: Progress | None = None, chunk: int = CHUNK
) -> Iterator[Batch]:
    """All physical lines of a file, about `chunk` bytes at a time. `progress(done, total)` in bytes."""
    total, done, number = path.stat().st_size, 0, 1
    carry, head, dropped = b"", b"", 0  # `dropped` bytes of an overlong line, which began with `head`
    with path.open("rb", buffering=0) as file:
        while piece := file.read(max(chunk, len(BOM))):
            if not done and piece.startswith(BOM):
                piece, done = piece[len(BOM) :], len(BOM)
            done += len(piece)
            crlf = b"\r" in piece or carry.endswith(b"\r")
            pieces = piece.split(b"\n")
            pieces[0] = carry + pieces[0]
            carry = pieces.pop()
            if dropped and pieces:
                pieces[0], dropped = OverLong.of(head, dropped + len(pieces[0])), 0
            if dropped or len(carry) > max_line:
                head = head if dropped else carry[:HEAD]
                dropped, carry = dropped + len(carry), b""
            if pieces:
                yield _batch(number, pieces, max_line, crlf=crlf)
                number += len(pieces)
            if progress:
                progress(done, total)
    if dropped or carry:
        last = OverLong.of(head, dropped) if dropped else carry
        yield _batch(number, [last], max_line, crlf=last.endswith(b"\r"))


def _batch(number: int, lines: list[bytes], max_line: int, *, crlf: bool) -> Batch:
    """`crlf`: some line may end with a carriage return."""
    ended = crlf and any(type(line) is bytes and line.endswith(b"\r") for line in lines)
    if ended:
        lines = [line[:-1] if line.endswith(b"\r") and type(line) is bytes else line for line in lines]
    if max(map(len, lines)) > max_line:
        lines = [OverLong.of(line, len(line)) if len(line) > max_line else line for line in lines]
    return Batch(number, lines, ended)
