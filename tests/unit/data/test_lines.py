"""Physical lines: numbers, endings, byte order mark, lengths."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.data import lines
from workflows.data.lines import OverLong, batches


def read(path, **options):
    found = []
    for batch in batches(path, **options):
        assert batch.first == len(found) + 1
        found.extend(batch.lines)
    return found


def test_lines_with_and_without_a_last_newline(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"a\n\nb")
    assert read(path) == [b"a", b"", b"b"]
    path.write_bytes(b"a\n\nb\n")
    assert read(path) == [b"a", b"", b"b"]
    path.write_bytes(b"")
    assert read(path) == []


def test_mark_and_carriage_returns_are_taken_off(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\r\nc\r")
    assert read(path) == [b"a", b"b\r", b"c"]
    assert next(batches(path)).crlf


def test_progress_reaches_the_size(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbf" + b"x" * 50 + b"\n" + b"y" * (3 * lines.CHUNK))
    seen = []
    list(batches(path, progress=lambda done, total: seen.append((done, total))))
    size = path.stat().st_size
    assert seen[-1] == (size, size)
    assert len(seen) == 4


def test_an_overlong_line_is_not_held_and_the_next_is_whole(tmp_path):
    path = tmp_path / "f"
    length = 3 * lines.CHUNK + 17
    path.write_bytes(b"before\n" + b"x" * length + b"\nafter\n" + b"y" * length)
    found = read(path, max_line=lines.CHUNK)
    assert [len(line) for line in found] == [6, lines.HEAD, 5, lines.HEAD]
    assert [line.length for line in found if isinstance(line, OverLong)] == [length, length]
    assert found[2] == b"after"


def test_a_line_just_short_enough_is_whole(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x" * 10 + b"\n" + b"y" * 11 + b"\n")
    first, second = read(path, max_line=10)
    assert (type(first), first) == (bytes, b"x" * 10)
    assert second.length == 11


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")), max_size=60
    ),
    st.integers(1, 7),
)
def test_any_chunking_gives_the_same_lines(tmp_path_factory, rows, chunk):
    path = tmp_path_factory.mktemp("lines") / "f"
    content = b"\n".join(rows)
    path.write_bytes(content.removeprefix(lines.BOM))
    whole = path.read_bytes().split(b"\n")
    expected = whole[:-1] if not whole[-1] else whole
    assert read(path, chunk=chunk) == expected


def test_files_that_are_no_text_are_recognised():
    assert lines.foreign(b"\x1f\x8b\x08") == "gzip-compressed data"
    assert lines.foreign(b"\xff\xfe{") == "UTF-16 text"
    assert lines.foreign(b'{"a":1}') == ""
