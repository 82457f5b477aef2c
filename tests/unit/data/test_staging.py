"""Staging: whole or not at all, hashed, once."""

from __future__ import annotations

import hashlib
import io

import pytest

from workflows.data.staging import StagingError, record_path, stage, stage_file, staged

CONTENT = b'{"a":1}\n' * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_an_upload_is_staged_with_its_hash(tmp_path):
    told = []
    found = stage_file(tmp_path / "deep" / "data.jsonl", io.BytesIO(CONTENT), progress=told.append)
    assert (found.bytes, found.sha256, found.kept) == (len(CONTENT), DIGEST, False)
    assert found.path.read_bytes() == CONTENT
    assert told == [len(CONTENT)]


def test_what_is_complete_is_kept_and_the_source_not_touched(tmp_path):
    target = tmp_path / "data.jsonl"
    stage_file(target, io.BytesIO(CONTENT))

    def never():
        raise AssertionError("the source was read again")

    again = stage(target, never)
    assert (again.kept, again.sha256) == (True, DIGEST)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"short"),
        lambda path: path.unlink(),
        lambda path: record_path(path).unlink(),
        lambda path: record_path(path).write_bytes(b"{"),
    ],
)
def test_what_is_not_complete_is_staged_anew(tmp_path, spoil):
    target = tmp_path / "data.jsonl"
    stage_file(target, io.BytesIO(CONTENT))
    spoil(target)
    assert staged(target) is None
    assert stage_file(target, io.BytesIO(CONTENT)).kept is False
    assert target.read_bytes() == CONTENT


def test_a_changed_byte_is_found_when_asked(tmp_path):
    target = tmp_path / "data.jsonl"
    stage_file(target, io.BytesIO(CONTENT))
    target.write_bytes(b"X" + CONTENT[1:])
    assert staged(target).kept
    assert staged(target, rehash=True) is None


def test_a_source_that_breaks_leaves_nothing(tmp_path):
    def breaking():
        yield CONTENT
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        stage(tmp_path / "data.jsonl", breaking)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_source_does_not_spoil_the_earlier_file(tmp_path):
    target = tmp_path / "f"
    target.write_bytes(b"old")

    def breaking():
        yield b"new"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        stage(target, breaking)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_the_limit_is_named(tmp_path):
    with pytest.raises(StagingError, match="larger than 100 bytes"):
        stage_file(tmp_path / "f", io.BytesIO(CONTENT), limit=100)
    assert list(tmp_path.iterdir()) == []
