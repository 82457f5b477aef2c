"""Inspection of a JSONL file of a gigabyte, side by side with others that only read it.

Target: 150 MB/s or more on one core with memory below 250 MB, for the whole inspection: rules, roles, tokens,
copies and near copies. pandas, polars and Hugging Face `datasets` do nothing but read the same file, each in
a process of its own on the same core. polars and `datasets` are no dependencies of the portal: where they are
missing, the results say so; BENCHMARK_PACKAGES names a folder of packages to take them from. That the
inspection counts right is checked first, on a smaller file, against loops that ask the same questions row by
row.

Run with `make bench`, or `PYTHONPATH=. python benchmarks/inspection.py [MEGABYTES]`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER, keep, taken
from workflows.data.inspection import inspect
from workflows.data.problems import ERROR
from workflows.data.rules import row_findings
from workflows.data.tokens import of_sample

sys.path += [each for each in os.environ.get("BENCHMARK_PACKAGES", "").split(os.pathsep) if each]

ROUNDS = 3
CHECKED = 40  # MB of the file on which all must agree
TARGET_SPEED, TARGET_MEMORY = 150, 250  # MB/s, MB
LIMITED = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS", "HF_HUB_OFFLINE")
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
Found = dict[str, Any]
Table = dict[str, dict[str, float]]


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        small, long, short = (Path(folder) / f"{name}.jsonl" for name in ("small", "chat", "short"))
        generate(small, CHECKED, words=30)
        check(small)
        rows = {long: generate(long, megabytes, words=60), short: generate(short, megabytes // 4, words=12)}
        tables = {path: measure(path) for path in (long, short)}
        sizes = {path: path.stat().st_size for path in tables}
    numbers = {
        f"{path.stem}_{name}_{unit}": value
        for path, table in tables.items()
        for name, row in table.items()
        for unit, value in row.items()
    }
    keep("inspection", numbers)
    (FOLDER / "inspection.md").write_text(report(tables, rows, sizes))


def generate(path: Path, megabytes: int, words: int) -> int:
    """Seeded chat rows of 1 to 3 turns; every 500th is a copy of the row before it."""
    random.seed(42)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(3000)]
    size = rows = 0
    line = b""
    with path.open("wb") as file:
        while size < megabytes * 1_000_000:
            if rows % 500 != 3:
                line = json.dumps(row(rows, vocabulary, words), ensure_ascii=rows % 2 == 0).encode() + b"\n"
            size, rows = size + file.write(line), rows + 1
    return rows


def row(number: int, vocabulary: list[str], words: int) -> Found:
    """A row; of a hundred, 67 have a system message, 12 accents, 5 tools and 1 a fault."""
    messages = [{"role": "system", "content": "You answer questions about invoices."}] if number % 3 else []
    end = " – voilà, größer, 日本語.\n" if number % 8 == 1 else ".\n"
    for _ in range(random.randint(1, 3)):
        question, answer = (" ".join(random.choices(vocabulary, k=count)) for count in (words // 3, words))
        messages += [
            {"role": "user", "content": f"{question}?"},
            {"role": "assistant", "content": answer + end},
        ]
    if number % 100 == 7:
        messages[-1]["role"] = "bot"
    return {"messages": messages, **({"tools": TOOLS} if number % 20 == 0 else {})}


def by_portal(path: Path) -> Found:
    found = inspect(path)
    return {
        "samples": found.samples,
        "roles": {role: count for role, count in found.roles.items() if role != "other"},
        "tokens": found.tokens.total,
        "duplicates": found.duplicates,
        "bad": found.samples - found.usable_samples,
    }


def by_loop(rows: Iterable[Any]) -> Found:
    """The same questions asked row by row, with the same rules."""
    roles: Counter[str] = Counter()
    seen: set[bytes] = set()
    samples = tokens = bad = duplicates = 0
    for each in rows:
        samples += 1
        digest = hashlib.md5(json.dumps(each).encode(), usedforsecurity=False).digest()
        duplicates += digest in seen
        seen.add(digest)
        roles.update(message["role"] for message in each["messages"])
        if any(finding.level == ERROR for finding in row_findings(each)):
            bad += 1
        else:
            tokens += of_sample(each)
    del roles["bot"]
    return {
        "samples": samples,
        "roles": dict(sorted(roles.items())),
        "tokens": tokens,
        "duplicates": duplicates,
        "bad": bad,
    }


def json_rows(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def pandas_rows(path: Path) -> Iterator[Any]:
    import pandas

    with pandas.read_json(path, lines=True, chunksize=10_000) as frames:
        for frame in frames:
            for record in frame.to_dict("records"):
                yield {key: value for key, value in record.items() if isinstance(value, list)}


def pandas_read(path: Path) -> int:
    import pandas

    with pandas.read_json(path, lines=True, chunksize=10_000) as frames:
        return sum(len(frame) for frame in frames)


def polars_read(path: Path) -> int:
    return len(importlib.import_module("polars").read_ndjson(path))


def datasets_read(path: Path) -> int:
    with tempfile.TemporaryDirectory() as cache:
        loader = importlib.import_module("datasets").load_dataset
        return len(loader("json", data_files=str(path), split="train", cache_dir=cache))


SAME: dict[str, Callable[[Path], Found]] = {
    "portal": by_portal,
    "stdlib_json": lambda path: by_loop(json_rows(path)),
    "pandas_chunks": lambda path: by_loop(pandas_rows(path)),
}
READERS: dict[str, Callable[[Path], int]] = {
    "pandas": pandas_read,
    "polars": polars_read,
    "datasets": datasets_read,
}
WAYS: dict[str, Callable[[Path], Any]] = {**SAME, **{f"{name}_read": way for name, way in READERS.items()}}


def check(path: Path) -> None:
    """Raises when the inspection and the loops do not find the same."""
    results = {json.dumps(apart(name, path)["found"], sort_keys=True) for name in SAME}
    if len(results) > 1:
        raise SystemExit("the ways disagree:\n" + "\n".join(sorted(results)))


def measure(path: Path) -> Table:
    """Best speed and worst peak memory of the inspection and of each reader there is; they take turns."""
    ways = ["portal", *(f"{name}_read" for name in READERS if importlib.util.find_spec(name))]
    runs: dict[str, list[Found]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name in ways:
            runs[name].append(apart(name, path))
    size = path.stat().st_size / 1e6
    return {
        name: {
            "mb_per_s": round(size / min(run["seconds"] for run in each), 1),
            "mb_per_cpu_s": round(size / min(run["cpu"] for run in each), 1),
            "peak_mb": round(max(run["peak_mb"] for run in each)),
        }
        for name, each in runs.items()
    }


def apart(name: str, path: Path) -> Found:
    """One way in a fresh process on one core: result, seconds without start-up, peak memory."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(path)],
        capture_output=True,
        env={**os.environ, **dict.fromkeys(LIMITED, "1")},
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def one(name: str, path: Path) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    begun, used = time.perf_counter(), time.process_time()
    found = WAYS[name](path)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    print(json.dumps({"found": found, "seconds": seconds, "cpu": cpu, "peak_mb": peak}))


def report(tables: dict[Path, Table], rows: dict[Path, int], sizes: dict[Path, int]) -> str:
    """The figures as Markdown."""
    machine = taken()
    missing = [name for name in READERS if not importlib.util.find_spec(name)]
    text = [
        "# Inspection of JSONL",
        "",
        f"{machine['cores']} cores, load {machine['load_at_the_end']} at the end (above the cores: others",
        f"were at work, and the CPU second is the fairer measure), Python {machine['python']},",
        f"{machine['at'][:10]}. Best of {ROUNDS} runs that take turns, each in a process of its own on one",
        "core. `portal` inspects: rules, roles, tokens, copies, near copies. The others only read the file.",
        f"Target: the portal at {TARGET_SPEED} MB/s or more, memory below {TARGET_MEMORY} MB.",
        "Made by `benchmarks/inspection.py`.",
        *([f"Not installed, so not measured: {', '.join(missing)}."] if missing else []),
    ]
    for path, table in tables.items():
        size = sizes[path]
        text += [
            "",
            f"## {size / 1e6:.0f} MB, {rows[path]:,} rows of {size // rows[path]} bytes on average",
            "",
        ]
        text += ["| way | MB/s | MB per CPU second | peak memory, MB |", "|---|---:|---:|---:|"]
        text += [
            f"| {name} | {row['mb_per_s']} | {row['mb_per_cpu_s']} | {row['peak_mb']} |"
            for name, row in table.items()
        ]
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
