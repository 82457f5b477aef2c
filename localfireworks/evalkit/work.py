"""Build an evaluator, or run one over a dataset: `python -m localfireworks.evalkit.work FOLDER`.

Reads FOLDER/job.json: `{"kind": "build", "archive": path or null, "snippets": {name: text}, "entries"}` or
`{"kind": "evaluation", "source", "entries", "dataset": [paths]}`; either may have `"unconfined": true`.
Entries are `{"name", "file", "function"}`.
Writes source/ (build); rows.jsonl, results.jsonl (evaluation: each row with its `evaluation_result`);
progress.json; result.json. The foreign code runs in a sandbox below this process; what it prints goes to our
output.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localfireworks.evalkit.archive import BadArchive, safe, unpack, write_snippets
from localfireworks.evalkit.isolation import BUILD, SCORE, Broken, Unconfined, converse
from localfireworks.evalkit.summary import summarize

MEMORY = 2 << 30  # bytes of address space, here and in the sandbox
REQUIREMENTS = "requirements.txt"
Json = dict[str, Any]


class Failed(Exception):
    """The work cannot be done. `code` is a gRPC status name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def write(path: Path, value: Json) -> None:
    """Replace the file whole."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(value))
    beside.replace(path)


def progress(folder: Path, phase: str, done: int = 0, total: int = 0) -> None:
    percent = 100 * done // total if total else 0
    write(folder / "progress.json", {"phase": phase, "percent": percent, "done": done, "total": total})


def unconfined(job: Json) -> bool:
    """Whether the server was started so that foreign code runs even where it cannot be confined."""
    return job.get("unconfined") is True


def build(folder: Path, job: Json) -> Json:
    """Unpack, look for what must be there, import the entry point."""
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    try:
        if job["archive"]:
            unpack(Path(job["archive"]), source)
        write_snippets(job["snippets"], source)
        files = [safe(entry["file"]) for entry in job["entries"]]
    except BadArchive as error:
        raise Failed("INVALID_ARGUMENT", str(error)) from error
    if job["archive"] and not (source / REQUIREMENTS).is_file():
        raise Failed("INVALID_ARGUMENT", f"{REQUIREMENTS} is missing in the archive")
    for file in files:
        if not (source / file).is_file():
            raise Failed("INVALID_ARGUMENT", f"entry point: there is no file {file}")
    try:
        for _ in converse(source, job["entries"], None, BUILD, unconfined=unconfined(job)):
            pass
    except Unconfined as error:
        raise Failed("FAILED_PRECONDITION", str(error)) from error
    except Broken as error:
        raise Failed("FAILED_PRECONDITION", f"the entry point cannot be imported: {error}") from error
    return {"ok": True}


def rows_of(paths: list[str]) -> Iterator[Json]:
    """Rows of the dataset; Failed for a line that is no JSON object."""
    number = 0
    for path in paths:
        with Path(path).open("rb") as lines:
            for line in filter(bytes.strip, lines):
                number += 1
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise Failed("INVALID_ARGUMENT", f"DATASET_INVALID: row {number} is not a JSON object")
                yield row


def evaluate(folder: Path, job: Json) -> Json:
    """Score every row and put the results beside the rows, in their order."""
    rows = folder / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        total = sum(file.write(json.dumps(row) + "\n") > 0 for row in rows_of(job["dataset"]))
    progress(folder, "running", 0, total)
    told: Json = {}
    results: dict[int, Json] = {}
    try:
        said_by = converse(Path(job["source"]), job["entries"], rows, SCORE, unconfined=unconfined(job))
        for said in said_by:
            if "row" not in said:
                told = said
            else:
                results[int(said["row"])] = dict(said["result"])
                progress(folder, "running", len(results), total)
    except (Broken, KeyError, TypeError, ValueError) as error:
        raise Failed("FAILED_PRECONDITION", str(error)) from error
    if set(results) != set(range(total)):
        raise Failed("FAILED_PRECONDITION", f"the evaluator scored {len(results)} of {total} rows")
    progress(folder, "writing", total, total)
    with (folder / "results.jsonl").open("w", encoding="utf-8") as file, rows.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            file.write(json.dumps(json.loads(line) | {"evaluation_result": results[number]}) + "\n")
    return {"ok": True, "rows": total, **summarize(list(results.values()), told)}


KINDS = {"build": build, "evaluation": evaluate}


def main(folder: Path) -> int:
    if (folder / "result.json").exists():
        return 0
    job = json.loads((folder / "job.json").read_text())
    progress(folder, "validating")
    try:
        result = KINDS[job["kind"]](folder, job)
    except MemoryError:
        message = f"the work needs more than {MEMORY} bytes of memory"
        result = {"ok": False, "code": "RESOURCE_EXHAUSTED", "message": message}
    except Failed as error:
        sys.stdout.write(f"{error}\n")
        result = {"ok": False, "code": error.code, "message": str(error)}
    write(folder / "result.json", result)
    return 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # it reads what strangers uploaded
    raise SystemExit(main(Path(sys.argv[1])))
