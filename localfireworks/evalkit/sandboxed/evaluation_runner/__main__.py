"""`python -I __main__.py TASK.json`: makes this folder's packages importable, then runs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    raise SystemExit(importlib.import_module("evaluation_runner.run").main(sys.argv[1]))
