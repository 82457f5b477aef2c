"""The calls that may be made at all, as data. Everything else is refused before a byte leaves.

A row says what the call does to the world (`Effect`) and when it may be repeated (`Repeat`). A call that
creates, changes or deletes also says where the name of the touched resource stands (`name_in`), so
that the client can ask whether that name was recorded as ours beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any


class Effect(Enum):
    """What a call does to the world."""

    READ = "read"
    INFER = "infer"
    CREATE = "create"
    CHANGE = "change"


class Repeat(Enum):
    """When the client may send the same call again by itself."""

    ALWAYS = "always"  # reads, and calls whose second sending changes nothing
    UNTOUCHED = "untouched"  # only when the first one surely had no effect


@dataclass(frozen=True)
class Call:
    """One allowed call. `{x}` in `path` stands for one path segment without a colon."""

    method: str
    path: str
    effect: Effect = Effect.READ
    repeat: Repeat = Repeat.ALWAYS
    name_in: str = ""  # "path", "query:KEY" or "body:KEY"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path template as an anchored expression."""
        parts = re.split(r"\{(\w+)\}", self.path)
        return re.compile(
            "".join(
                rf"(?P<{part}>{_SEGMENT})" if at % 2 else re.escape(part) for at, part in enumerate(parts)
            )
        )

    def target(self, path: str, query: Mapping[str, Any], body: Any) -> str:
        """Full name of the resource that the call creates or changes, `accounts/a/datasets/d`; "" if none."""
        where, _, key = self.name_in.partition(":")
        if where == "path":
            return path.removeprefix("/v1/").partition(":")[0]
        holder = query if where == "query" else body if where == "body" else {}
        identifier = holder.get(key) if isinstance(holder, Mapping) else None
        return f"{path.removeprefix('/v1/')}/{identifier}" if identifier else ""


_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.@-]*"
_A = "/v1/accounts/{account}"
_DATASET, _SFT, _DEPLOYMENT = f"{_A}/datasets", f"{_A}/supervisedFineTuningJobs", f"{_A}/deployments"


def _create(path: str, name_in: str) -> Call:
    return Call("POST", path, Effect.CREATE, Repeat.UNTOUCHED, name_in)


def _change(method: str, path: str, repeat: Repeat = Repeat.ALWAYS) -> Call:
    return Call(method, path, Effect.CHANGE, repeat, "path")


MANIFEST: tuple[Call, ...] = (
    Call("GET", "/verifyApiKey"),
    Call("GET", "/v1/accounts"),
    Call("GET", _A),
    Call("GET", f"{_A}/quotas"),
    # models: only read, they are made by jobs
    Call("GET", f"{_A}/models"),
    Call("GET", f"{_A}/models/{{model}}"),
    # datasets: made and filled under our own names, never changed afterwards, never deleted
    Call("GET", _DATASET),
    Call("GET", f"{_DATASET}/{{dataset}}"),
    Call("GET", f"{_DATASET}/{{dataset}}:getDownloadEndpoint"),
    _create(_DATASET, "body:datasetId"),
    _change("POST", f"{_DATASET}/{{dataset}}:upload", Repeat.UNTOUCHED),
    _change("POST", f"{_DATASET}/{{dataset}}:getUploadEndpoint"),
    _change("POST", f"{_DATASET}/{{dataset}}:validateUpload"),
    # supervised fine-tuning jobs; the estimate is a question that happens to be a POST
    Call("GET", _SFT),
    Call("GET", f"{_SFT}/{{job}}"),
    Call("POST", f"{_SFT}:estimateCost"),
    _create(_SFT, "query:supervisedFineTuningJobId"),
    _change("POST", f"{_SFT}/{{job}}:cancel"),
    _change("POST", f"{_SFT}/{{job}}:resume", Repeat.UNTOUCHED),
    # deployments: the one thing we delete, because it costs money while it stands
    Call("GET", _DEPLOYMENT),
    Call("GET", f"{_DEPLOYMENT}/{{deployment}}"),
    _create(_DEPLOYMENT, "query:deploymentId"),
    _change("PATCH", f"{_DEPLOYMENT}/{{deployment}}:scale"),
    _change("DELETE", f"{_DEPLOYMENT}/{{deployment}}"),
    # inference: costs tokens, so a lost answer is reported, not asked for twice
    Call("POST", "/inference/v1/chat/completions", Effect.INFER, Repeat.UNTOUCHED),
)


def allowed(method: str, path: str) -> Call | None:
    """The manifest's row for this call, or None when it is not allowed."""
    for row in MANIFEST:
        if row.method == method and row.pattern.fullmatch(path):
            return row
    return None
