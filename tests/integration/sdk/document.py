"""Writes `docs/fireworks-calls.md` from the manifest and the table of calls.

python -m tests.integration.sdk.document
"""

from __future__ import annotations

from pathlib import Path

from tests.integration.sdk.calls import CASES
from tests.integration.sdk.table import AT
from workflows.fireworks.manifest import MANIFEST, Call, Repeat

PATH = Path(__file__).parents[3] / "docs" / "fireworks-calls.md"
HEAD = """# Calls to Fireworks

Every call that the portal may make. `workflows/fireworks/manifest.py` refuses all others before a byte
leaves. This page is written by `python -m tests.integration.sdk.document`; a test compares each call with the
request that the official SDK (fireworks-ai 1.2.28) sends for the same.

Effect: *read* changes nothing, *infer* costs tokens, *create* and *change* need a name that was recorded as
ours before; deleting is possible for deployments and loaded models only. `validateOnly` is refused where the
table does not say it. Again: *always* repeats a call after
any temporary fault; *if untouched* only when the first one surely had no effect (no connection, 429, 503),
else we look before asking again. Paths without a first slash are below `/v1/accounts/{account}/`; § is the
section of the facts sheet.

| Call | Effect | Again | Ours | SDK | § |
|---|---|---|---|---|---|
"""


def line(row: Call) -> str:
    """One row of the page."""
    cases = [case for case in CASES if (case.method, case.path) == (row.method, row.path)]
    ours = dict.fromkeys(f"`{case.ours.name}`" for case in cases)
    theirs = dict.fromkeys(f"`{case.sdk.method}`" for case in cases if case.sdk.method)
    remarks = [
        f"{case.label}: {case.because}" if case.label else case.because for case in cases if case.because
    ]
    cells = [
        f"`{row.method} {row.path.removeprefix(AT + '/')}`",
        row.effect.value + ("; read with `validateOnly=true`" if row.only_validates else ""),
        "always" if row.repeat is Repeat.ALWAYS else "if untouched",
        ", ".join(ours),
        "; ".join([", ".join(theirs), *remarks] if theirs else remarks),
        ", ".join(dict.fromkeys(case.section for case in cases)),
    ]
    return f"| {' | '.join(cells)} |\n"


def render() -> str:
    """The whole page."""
    return HEAD + "".join(line(row) for row in MANIFEST)


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
