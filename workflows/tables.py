"""Loss curves as CSV for other programs. Empty cells are values that nobody reported."""

from __future__ import annotations

from collections.abc import Iterable

from sessions.models import Candidate

POINT = ("candidate", "step", "epoch", "train_loss", "eval_loss", "lr", "tokens")


def curves(candidates: Iterable[Candidate]) -> str:
    """Every reported point of every loss curve, one row each."""
    import pandas as pd  # here, as it takes longer than all of the portal and most processes write no table

    rows = [{"candidate": each.number, **point} for each in candidates for point in each.curve]
    frame = pd.DataFrame(rows, columns=list(POINT)).convert_dtypes()
    return str(frame.to_csv(index=False, lineterminator="\n"))
