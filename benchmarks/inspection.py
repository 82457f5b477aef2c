"""Inspection of a 200 MB JSONL file, side by side with what one would write without the portal.

Target: 100 MB/s or more with memory below 200 MB. Every way reads the same file, in a process of its own,
and must come to the same samples, roles, estimated tokens, duplicates and bad rows. Run with `make bench`, or
`PYTHONPATH=. python benchmarks/inspection.py [MEGABYTES]`.
"""

from __future__ import annotations

import hashlib
import json
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

ROUNDS = 3
TARGET_SPEED, TARGET_MEMORY = 100, 200  # MB/s, MB
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
Found = dict[str, Any]


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder) / "chat.jsonl", Path(folder) / "short.jsonl"
        rows = {long: generate(long, megabytes, words=60), short: generate(short, megabytes // 4, words=12)}
        tables = {path: measure(path) for path in (long, short)}
        numbers = {
            f"{path.stem}_{name}_{unit}": value
            for path, table in tables.items()
            for name, row in table.items()
            for unit, value in row.items()
        }
        keep("inspection", numbers)
        (FOLDER / "inspection.md").write_text(report(tables, rows))


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


WAYS: dict[str, Callable[[Path], Found]] = {
    "portal": by_portal,
    "stdlib_json": lambda path: by_loop(json_rows(path)),
    "pandas_chunks": lambda path: by_loop(pandas_rows(path)),
}


def measure(path: Path) -> dict[str, dict[str, float]]:
    """Best speed and worst peak memory of each way; the ways take turns. Raises when results differ."""
    runs: dict[str, list[Found]] = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        for name in WAYS:
            runs[name].append(apart(name, path))
    results = {json.dumps(run["found"], sort_keys=True) for each in runs.values() for run in each}
    if len(results) > 1:
        raise SystemExit("the ways disagree:\n" + "\n".join(sorted(results)))
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
    """One way in a fresh process: result, seconds without start-up, peak memory of the process."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(path)], capture_output=True, check=True
    )
    return dict(json.loads(done.stdout))


def one(name: str, path: Path) -> None:
    begun, used = time.perf_counter(), time.process_time()
    found = WAYS[name](path)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    print(json.dumps({"found": found, "seconds": seconds, "cpu": cpu, "peak_mb": peak}))


def report(tables: dict[Path, dict[str, dict[str, float]]], rows: dict[Path, int]) -> str:
    """The figures as Markdown."""
    machine = taken()
    text = [
        "# Inspection of JSONL",
        "",
        f"{machine['cores']} cores, Python {machine['python']}, {machine['at'][:10]}. Best of {ROUNDS} runs",
        "that take turns, each in a process of its own, on one core. All must find the same samples, roles,",
        "tokens, duplicates and bad rows. Target: the portal at",
        f"{TARGET_SPEED} MB/s or more on the first file, memory below {TARGET_MEMORY} MB.",
        "Made by `benchmarks/inspection.py`.",
    ]
    for path, table in tables.items():
        size = path.stat().st_size
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
