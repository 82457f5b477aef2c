"""What of an evaluator's folder is taken along."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workflows.evaluators import folders
from workflows.evaluators.folders import NotTaken, copied

pytestmark = pytest.mark.unit


def test_files_and_folders_come_along_and_caches_do_not(tmp_path: Path) -> None:
    for name in ("evaluator.py", "parts/words.txt", "__pycache__/x.pyc", "parts/.git/config"):
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    copied(tmp_path / "code", tmp_path / "copy")

    found = {str(each.relative_to(tmp_path / "copy")) for each in tmp_path.glob("copy/**/*")}
    assert found == {"evaluator.py", "parts", "parts/words.txt"}
    assert (tmp_path / "copy/parts/words.txt").read_text() == "parts/words.txt"


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(folders.MOST_BYTES + 1)


def many(path: Path) -> None:
    path.mkdir()
    for at in range(folders.MOST_ENTRIES):
        (path / str(at)).mkdir()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.symlink_to("/etc/hostname"), "extra in its folder is a symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "extra in its folder is a symbolic link"),
        (lambda path: path.symlink_to("/etc"), "extra in its folder is a symbolic link"),
        (os.mkfifo, "extra in its folder is neither a file nor a folder"),
        (large, "its folder holds more than 64 MB"),
        (many, "its folder holds more than 1,000 files and folders"),
    ],
    ids=["a link", "a dangling link", "a linked folder", "a pipe", "too large", "too many"],
)
def test_the_rest_is_refused_in_words(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    code = tmp_path / "code"
    code.mkdir()
    make(code / "extra")
    with pytest.raises(NotTaken, match=words):
        copied(code, tmp_path / "copy")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotTaken, match="cannot be read: No such file"):
        copied(tmp_path / "code", tmp_path / "copy")
