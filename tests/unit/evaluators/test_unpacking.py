"""What is taken out of a brought archive, and what is refused."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from workflows.evaluators.folders import MOST_BYTES, MOST_ENTRIES, NotTaken
from workflows.evaluators.unpacking import unpacked

pytestmark = pytest.mark.unit
CODE = b"def evaluate(messages, ground_truth=None, **row):\n    return 1\n"
Files = dict[str, bytes]


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Files, *others: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for other in others:
            archive.addfile(other)
    return path


def contents(folder: Path) -> Files:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_regular_files_are_taken(pack: Callable[[Path, Files], Path], tmp_path: Path) -> None:
    files = {"./own/evaluator.py": CODE, "own/requirements.txt": b"numpy>=2\n", "own/__pycache__/x.pyc": b"x"}
    unpacked(pack(tmp_path / "given", files), tmp_path / "new")
    assert contents(tmp_path / "new") == {
        "own/evaluator.py": CODE, "own/requirements.txt": b"numpy>=2\n",
    }  # fmt: skip


def test_one_python_file_is_taken_under_one_name(tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(CODE)
    unpacked(tmp_path / "given", tmp_path / "new")
    assert contents(tmp_path / "new") == {"evaluator.py": CODE}


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/evil.py", "own/../../evil.py", "own\\evil.py", "a\nb.py"]
)
def test_no_name_leads_out(pack: Callable[[Path, Files], Path], name: str, tmp_path: Path) -> None:
    given = pack(tmp_path / "given", {"evaluator.py": CODE, name: b"x = 1\n"})
    with pytest.raises(NotTaken, match="leads out of its folder"):
        unpacked(given, tmp_path / "new")
    assert set(contents(tmp_path)) == {"given", "new/evaluator.py"}


def link(kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo("passwd")
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    given = tarred(tmp_path / "given", {"evaluator.py": CODE}, link(kind))
    with pytest.raises(NotTaken, match="passwd in it is a link or no regular file"):
        unpacked(given, tmp_path / "new")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("passwd")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "given", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(NotTaken, match="link"):
        unpacked(tmp_path / "given", tmp_path / "new")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_what_grows_too_large_is_stopped(pack: Callable[[Path, Files], Path], tmp_path: Path) -> None:
    given = pack(tmp_path / "given", {"evaluator.py": CODE, "data.bin": bytes(MOST_BYTES)})
    assert given.stat().st_size < 100_000
    with pytest.raises(NotTaken, match="larger than"):
        unpacked(given, tmp_path / "new")
    assert sum(map(len, contents(tmp_path / "new").values())) <= MOST_BYTES


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_cannot_be_bounded_is_refused(method: int, tmp_path: Path) -> None:
    """Python unpacks these a whole block at a time, however little it is asked for."""
    with zipfile.ZipFile(tmp_path / "code.zip", "w", method) as archive:
        archive.writestr("evaluator.py", "x" * 1000)
    with pytest.raises(NotTaken, match="zip it with deflate"):
        unpacked(tmp_path / "code.zip", tmp_path / "out")


def test_a_header_that_grows_is_stopped(tmp_path: Path) -> None:
    """A long name is kept in a header that tarfile reads whole, before any file of it is seen."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 4 * MOST_BYTES
    with gzip.open(tmp_path / "given", "wb", compresslevel=1) as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT))
        for _ in range(2 * MOST_BYTES // 2**20):
            file.write(bytes(2**20))
    with pytest.raises(NotTaken, match="larger than"):
        unpacked(tmp_path / "given", tmp_path / "new")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_too_many_files_are_refused(pack: Callable[[Path, Files], Path], tmp_path: Path) -> None:
    given = pack(tmp_path / "given", {f"{at}.py": b"" for at in range(MOST_ENTRIES + 1)})
    with pytest.raises(NotTaken, match="more than 1,000 files"):
        unpacked(given, tmp_path / "new")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 and nothing more", "cannot be unpacked"),
        (b"\x1f\x8b and nothing more", "cannot be unpacked"),
        (gzip.compress(b"x" * 10_000, mtime=0)[:40], "cannot be unpacked"),
        (b"\x7fELF\x00\x01", "neither Python, nor a .zip, nor a .tar.gz"),
    ],
)
def test_what_is_no_archive_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(content)
    with pytest.raises(NotTaken, match=words):
        unpacked(tmp_path / "given", tmp_path / "new")


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    given = tarred(tmp_path / "given", {"evaluator.py": CODE, "./evaluator.py": b"other = 1\n"})
    with pytest.raises(NotTaken, match="twice"):
        unpacked(given, tmp_path / "new")
