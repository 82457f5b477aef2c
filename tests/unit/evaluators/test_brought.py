"""What a brought evaluator's folder is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.evaluators.brought import read
from workflows.evaluators.folders import NotTaken

pytestmark = pytest.mark.unit
PLAIN = "def evaluate(messages, ground_truth=None, **row):\n    return 1\n"
MARKED = (
    "from eval_protocol.pytest import evaluation_test\n\n@evaluation_test(mode='all')\ndef t(rows): ...\n"
)
GUARDED = """
try:
    import eval_protocol as e
except ImportError:
    pass
else:
    @e.evaluation_test
    async def t(row): ...
"""


def folder(tmp_path: Path, **files: str) -> Path:
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


@pytest.mark.parametrize("code", [PLAIN, MARKED, GUARDED])
def test_both_shapes_are_found(code: str, tmp_path: Path) -> None:
    found = read(folder(tmp_path, own__score_py=code, own__words_py="WORDS = ()\n"))
    assert (found.entry, found.file) == ("own/score.py", tmp_path / "own/score.py")


def test_the_usual_name_decides_among_several(tmp_path: Path) -> None:
    assert read(folder(tmp_path, other_py=PLAIN, own__evaluator_py=MARKED)).entry == "own/evaluator.py"


def test_several_without_a_usual_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotTaken, match=r"a\.py, b\.py. Name the one to run evaluator\.py"):
        read(folder(tmp_path, a_py=PLAIN, b_py=PLAIN))


def test_the_named_entry_is_taken_and_must_be_there(tmp_path: Path) -> None:
    place = folder(tmp_path, a_py=PLAIN, b_py=PLAIN)
    assert read(place, "b.py::evaluate").file == place / "b.py"
    for entry in ("c.py::evaluate", "../secret.py", "/etc/hostname::f", "own/../../secret.py"):
        with pytest.raises(NotTaken, match="is not among its files"):
            read(place, entry)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def evaluate(:\n", r"evaluator\.py is not valid Python: .* \(line 1\)"),
        ("def score(row):\n    return 1\n", "no file of it has evaluate"),
        ("class A:\n    def evaluate(self): ...\n", "no file of it has evaluate"),
    ],
)
def test_what_cannot_be_run_is_told(code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(NotTaken, match=words):
        read(folder(tmp_path, evaluator_py=code))


def test_the_nearest_requirements_count(tmp_path: Path) -> None:
    place = folder(tmp_path, own__evaluator_py=PLAIN, requirements_txt="outer\n")
    assert read(place).requirements == "outer\n"
    assert read(folder(place, own__requirements_txt="inner\n")).requirements == "inner\n"


def test_the_hash_is_of_names_and_contents(tmp_path: Path) -> None:
    one, two = folder(tmp_path / "one", evaluator_py=PLAIN), folder(tmp_path / "two", main_py=PLAIN)
    again = folder(tmp_path / "again", evaluator_py=PLAIN)
    assert read(one).sha256 == read(again).sha256 != read(two).sha256
