"""A job's state between epochs: facts as JSON and a tree of arrays, in one .npz."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np


def pack(facts: dict[str, Any], state: Any) -> bytes:
    """The content of a checkpoint file."""
    arrays = {f"leaf{number}": np.asarray(leaf) for number, leaf in enumerate(jax.tree.leaves(state))}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, facts=np.asarray(json.dumps(facts)), **arrays)
    return content.getvalue()


def read(path: Path, like: Any) -> tuple[dict[str, Any], Any] | None:
    """Facts and state of a file, in the structure of `like`; None when there is none."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as saved:
        facts = json.loads(str(saved["facts"]))
        leaves = [saved[f"leaf{number}"] for number in range(len(jax.tree.leaves(like)))]
    return facts, jax.tree.unflatten(jax.tree.structure(like), leaves)
