"""Archives that are not trusted, the shapes of evaluators, and the figures of an evaluation."""

from __future__ import annotations

import gzip
import io
import random
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from localfireworks.evalkit import archive, work
from localfireworks.evalkit.archive import BadArchive, unpack, write_snippets
from localfireworks.evalkit.sandboxed.evaluation_runner import entry, scores
from localfireworks.evalkit.summary import summarize

SANDBOXED = Path(archive.__file__).parent / "sandboxed"


def pack(path: Path, *members: tuple[str, bytes], link: str = "", kind: bytes = tarfile.SYMTYPE) -> Path:
    """A `.tar.gz` of files, and of one link to `link`."""
    with tarfile.open(path, "w:gz") as made:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = kind, link
            made.addfile(info)
    return path


def test_files_come_out_without_their_modes(tmp_path: Path) -> None:
    unpack(pack(tmp_path / "a.tar.gz", ("requirements.txt", b""), ("./pkg/a.py", b"x = 1")), tmp_path / "out")
    assert (tmp_path / "out" / "pkg" / "a.py").read_text() == "x = 1"
    assert not (tmp_path / "out" / "pkg" / "a.py").stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["../out.py", "/etc/x", "a/../../b", "a\\..\\b", "/".join("a" * 30)])
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArchive):
        unpack(pack(tmp_path / "a.tar.gz", (name, b"x")), tmp_path / "in" / "out")
    with pytest.raises(BadArchive):
        write_snippets({name: "x"}, tmp_path / "in" / "out")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    packed = pack(tmp_path / "a.tar.gz", ("a.py", b""), link="a.py", kind=kind)
    with pytest.raises(BadArchive, match="only plain files"):
        unpack(packed, tmp_path / "out")


def test_a_name_that_appears_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="twice"):
        unpack(pack(tmp_path / "a.tar.gz", ("a", b"1"), ("a", b"2")), tmp_path / "out")


def test_too_many_and_too_large_are_refused(tmp_path: Path) -> None:
    many, folder = tmp_path / "a.tar.gz", tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    with tarfile.open(many, "w:gz") as made:
        for _ in range(archive.MOST_FILES + 1):
            made.addfile(folder)
    with pytest.raises(BadArchive, match="entries"):
        unpack(many, tmp_path / "many")
    large = tmp_path / "b.tar.gz"
    with tarfile.open(large, "w:gz") as made:
        info = tarfile.TarInfo("a")
        info.size = archive.MOST_BYTES + 1  # the header says so; no bytes follow
        made.addfile(info)
    with pytest.raises(BadArchive, match="bytes unpacked"):
        unpack(large, tmp_path / "large")


def test_long_headers_are_refused_before_they_are_read(tmp_path: Path) -> None:
    for name, comments in (("one", {"comment": "x" * 200_000}), ("many", {})):
        path = tmp_path / f"{name}.tar.gz"
        with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as made:
            for number in range(1 if comments else 100):
                info = tarfile.TarInfo(str(number))
                info.pax_headers = comments or {"comment": "x" * 60_000}
                made.addfile(info)
        with pytest.raises(BadArchive, match="headers"):
            unpack(path, tmp_path / name)


@pytest.mark.parametrize("cut", [8, 30, 300])
def test_an_archive_without_its_end_is_refused(tmp_path: Path, cut: int) -> None:
    whole = pack(tmp_path / "a.tar.gz", ("a", random.Random(1).randbytes(1000)))
    packed = whole.read_bytes()
    whole.write_bytes(packed[:-cut])
    with pytest.raises(BadArchive, match="not a whole"):
        unpack(whole, tmp_path / "cut")
    whole.write_bytes(packed[:-8] + bytes(4) + packed[-4:])  # another checksum
    with pytest.raises(BadArchive, match="not a whole"):
        unpack(whole, tmp_path / "changed")
    whole.write_bytes(gzip.compress(gzip.decompress(packed)[:1536]))  # one file, then nothing
    with pytest.raises(BadArchive, match="no end"):
        unpack(whole, tmp_path / "open")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": "", "a/b.py": ""}, "both a file and a folder"),
        ({"a/b.py": "", "a": ""}, "both a file and a folder"),
        ({"x" * 300: ""}, "longer than 255"),
        ({"a.py": "\ud800"}, "no text"),
        ({f"{n}.py": "" for n in range(archive.MOST_FILES + 1)}, "snippets"),
        ({"a.py": "x" * archive.MOST_BYTES, "b.py": "x"}, "bytes of snippets"),
    ],
)
def test_snippets_that_cannot_be_files_are_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(BadArchive, match=said):
        write_snippets(files, tmp_path / "out")


def test_an_entry_outside_of_the_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("def evaluate(row): return 1")
    entries = [{"name": "a", "file": "../outside.py", "function": "evaluate"}]
    with pytest.raises(work.Failed, match="points out"):
        work.build(tmp_path, {"archive": None, "snippets": {}, "entries": entries})


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(BadArchive, match="not a whole"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")


@pytest.mark.parametrize(
    ("value", "score"),
    [(1, 1.0), (True, 1.0), (0.5, 0.5), ({"score": 0.25, "reason": "r"}, 0.25)],
)
def test_results_take_one_form(value: Any, score: float) -> None:
    assert scores.normal(value)["score"] == score


@pytest.mark.parametrize("value", [None, "1", {}, 1.5, -0.1, float("nan"), {"score": "high"}])
def test_what_is_no_score_is_said_to_be_none(value: Any) -> None:
    with pytest.raises(scores.BadResult):
        scores.normal(value)


def test_a_score_that_does_not_count_may_be_anything() -> None:
    result = scores.normal({"score": None, "is_score_valid": False, "error": "no answer"})
    assert (result["score"], result["is_score_valid"], result["error"]) == (0.0, False, "no answer")


def test_criteria_are_joined_by_their_mean() -> None:
    one, two = scores.normal({"score": 1, "metrics": {"a": 0.5}}), scores.failed(ValueError("no"))
    joined = scores.joined({"one": one, "two": two})
    assert (joined["score"], joined["is_score_valid"], joined["error"]) == (1.0, True, "ValueError: no")
    assert set(joined["metrics"]) == {"one", "two", "one/a"}
    assert scores.joined({"one": one}) is one


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function of a module with this code, as the sandbox finds it."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(SANDBOXED))
    monkeypatch.setattr(sys, "path", list(sys.path))

    def make(code: str, function: str = "evaluate", file: str = "entry_point.py") -> Any:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        return entry.load(tmp_path, file, function)

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


ROWS = [
    {"messages": [{"role": "assistant", "content": "a"}], "ground_truth": "a", "level": 1},
    {"messages": [{"role": "assistant", "content": "b"}], "ground_truth": "a", "level": 2},
]
PROTOCOL = """
from eval_protocol.models import EvaluateResult, EvaluationRow, MetricResult
from eval_protocol.pytest import evaluation_test
def result(row):
    right = row.last_assistant_message().content == row.ground_truth
    metrics = {"level": MetricResult(score=row.input_metadata.dataset_info["level"] / 2)}
    return EvaluateResult(score=float(right), metrics=metrics)
"""


@pytest.mark.parametrize(
    "code",
    [
        "def evaluate(messages, ground_truth=None, **row): return messages[-1]['content'] == ground_truth",
        "def evaluate(messages, ground_truth): return {'score': messages[-1]['content'] == ground_truth}",
        "async def evaluate(messages, **row): return float(messages[-1]['content'] == row['ground_truth'])",
        PROTOCOL + "def evaluate(row):\n    return result(row)",
        PROTOCOL
        + "@evaluation_test(input_dataset=['x'])\n"
        + "async def evaluate(given):\n    given.evaluation_result = result(given)\n    return given",
        PROTOCOL
        + "@evaluation_test(mode='all')\ndef evaluate(rows):\n"
        + "    for row in rows: row.evaluation_result = result(row)\n    return rows",
        PROTOCOL
        + "@evaluation_test(mode='groupwise')\ndef evaluate(rows):\n"
        + "    assert len(rows) == 1\n    return [result(row) for row in rows]",
        PROTOCOL
        + "@evaluation_test(dataset_adapter=lambda rows: [EvaluationRow(messages=row['messages'], "
        + "ground_truth='a', input_metadata={'dataset_info': row}) for row in rows])\n"
        + "def evaluate(row):\n    return result(row)",
    ],
)
def test_evaluators_of_every_shape_are_understood(load: Any, code: str) -> None:
    results = dict(entry.scored(load(code), ROWS))
    assert [results[number]["score"] for number in range(2)] == [1.0, 0.0]
    assert not any(result["error"] for result in results.values())


@pytest.mark.parametrize(
    "code",
    [
        "def evaluate(messages, **row): raise KeyError('k')",
        "def evaluate(row): raise KeyError('k')",
        "def evaluate(row): return None",
        "def evaluate(rows): return rows[:1]",
        "def evaluate(row): return row",
    ],
)
def test_what_an_evaluator_does_wrong_belongs_to_its_rows(load: Any, code: str) -> None:
    results = dict(entry.scored(load(code), ROWS))
    assert [results[number]["is_score_valid"] for number in range(2)] == [False, False]
    assert all(result["error"] for result in results.values())


def test_modules_of_a_package_find_each_other(load: Any, tmp_path: Path) -> None:
    (tmp_path / "scoring").mkdir()
    (tmp_path / "scoring" / "__init__.py").touch()
    (tmp_path / "scoring" / "parts.py").write_text("HALF = 0.5")
    code = "from .parts import HALF\ndef evaluate(messages): return HALF"
    assert next(entry.scored(load(code, file="scoring/main.py"), ROWS))[1]["score"] == 0.5
    assert load("def evaluate(messages): return 1", file="odd-name/a b.py")([]) == 1
    with pytest.raises(AttributeError, match="no function other"):
        load("x = 1", "other", file="third.py")


def test_figures_leave_out_what_is_not_valid() -> None:
    results = [
        scores.normal({"score": 1, "metrics": {"a": 0.5}}),
        scores.normal({"score": 0.5, "metrics": {"a": {"score": 0, "is_score_valid": False}}}),
        scores.failed(ValueError("no")),
    ]
    found = summarize(results, {"method": "mean", "threshold": {"success": 0.8}})
    assert found["metrics"] == {"score": 0.75, "a": 0.5}
    stats = found["stats"]
    assert (stats["rows"], stats["scored"], stats["failed"], stats["passed"]) == (3, 2, 1, False)
    assert stats["metrics"]["score"]["std"] == pytest.approx(0.353553, abs=1e-6)
    assert stats["metrics"]["a"]["std"] is None
    assert summarize(results, {"method": "max"})["metrics"]["score"] == 1.0
    assert summarize([], {})["metrics"] == {}
