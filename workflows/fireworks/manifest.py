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
    # Where the name of the touched resource stands. "path": it is the path. "query:KEY", "body:KEY": an id in
    # the path's collection. "within:KEY": the body's full name of what the new thing becomes a part of.
    name_in: str = ""
    collection: str = ""  # where the named things live, when it is not where they are made
    only_validates: bool = False  # whether Fireworks is known to create nothing with `validateOnly=true`

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
        holder = query if where == "query" else body
        named = holder.get(key) if isinstance(holder, Mapping) else None
        if not named or where == "within":
            return str(named or "")
        parent, _, collection = path.removeprefix("/v1/").rpartition("/")
        return f"{parent}/{self.collection or collection}/{named}"


_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.@-]*"
_A = "/v1/accounts/{account}"
_DATASET, _SFT, _DPO = f"{_A}/datasets", f"{_A}/supervisedFineTuningJobs", f"{_A}/dpoJobs"
_DEPLOYMENT, _DEPLOYED, _BATCH = f"{_A}/deployments", f"{_A}/deployedModels", f"{_A}/batchInferenceJobs"
_EVALUATOR, _EVALUATION = f"{_A}/evaluators", f"{_A}/evaluationJobs"


def _create(path: str, name_in: str, collection: str = "", *, only_validates: bool = False) -> Call:
    return Call("POST", path, Effect.CREATE, Repeat.UNTOUCHED, name_in, collection, only_validates)


def _change(method: str, path: str, repeat: Repeat = Repeat.ALWAYS) -> Call:
    return Call(method, path, Effect.CHANGE, repeat, "path")


MANIFEST: tuple[Call, ...] = (
    Call("GET", "/verifyApiKey"),
    Call("GET", "/v1/accounts"),
    Call("GET", _A),
    Call("GET", f"{_A}/quotas"),
    Call("POST", f"{_A}/usageCosts:query"),  # a question, in spite of the POST
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
    # supervised fine-tuning jobs; the estimate is such a question too
    Call("GET", _SFT),
    Call("GET", f"{_SFT}/{{job}}"),
    Call("POST", f"{_SFT}:estimateCost"),
    _create(_SFT, "query:supervisedFineTuningJobId"),
    _change("POST", f"{_SFT}/{{job}}:cancel"),
    _change("POST", f"{_SFT}/{{job}}:resume", Repeat.UNTOUCHED),
    # preference jobs
    Call("GET", _DPO),
    Call("GET", f"{_DPO}/{{job}}"),
    Call("GET", f"{_DPO}/{{job}}:getMetricsFileEndpoint"),
    _create(_DPO, "query:dpoJobId"),
    _change("POST", f"{_DPO}/{{job}}:cancel"),
    _change("POST", f"{_DPO}/{{job}}:resume", Repeat.UNTOUCHED),
    # batch inference: a job that ends by itself; the API documents no way to cancel one
    Call("GET", _BATCH),
    Call("GET", f"{_BATCH}/{{job}}"),
    _create(_BATCH, "query:batchInferenceJobId"),
    # evaluators: made and filled under our own names; each content is a new one
    Call("GET", f"{_EVALUATOR}/{{evaluator}}"),
    Call("GET", f"{_EVALUATOR}/{{evaluator}}:getSourceCodeSignedUrl"),
    Call("GET", f"{_EVALUATOR}/{{evaluator}}:getBuildLogEndpoint"),
    _create(f"{_A}/evaluatorsV2", "body:evaluatorId", "evaluators"),
    _change("POST", f"{_EVALUATOR}/{{evaluator}}:getUploadEndpoint"),
    _change("POST", f"{_EVALUATOR}/{{evaluator}}:validateUpload"),
    Call("GET", _EVALUATION),
    Call("GET", f"{_EVALUATION}/{{job}}"),
    Call("GET", f"{_EVALUATION}/{{job}}:getExecutionLogEndpoint"),
    _create(_EVALUATION, "body:evaluationJobId"),
    # deployments, and models loaded onto them: all that we delete, because they cost money while they stand
    Call("GET", _DEPLOYMENT),
    Call("GET", f"{_DEPLOYMENT}/{{deployment}}"),
    _create(_DEPLOYMENT, "query:deploymentId", only_validates=True),
    _change("PATCH", f"{_DEPLOYMENT}/{{deployment}}:scale"),
    _change("DELETE", f"{_DEPLOYMENT}/{{deployment}}"),
    # the server names a loaded model, so loading asks for the deployment to be ours, unloading for the name
    Call("GET", _DEPLOYED),
    Call("GET", f"{_DEPLOYED}/{{model}}"),
    _create(_DEPLOYED, "within:deployment"),
    _change("DELETE", f"{_DEPLOYED}/{{model}}"),
    # inference: costs tokens, so a lost answer is reported, not asked for twice
    Call("POST", "/inference/v1/chat/completions", Effect.INFER, Repeat.UNTOUCHED),
)


def allowed(method: str, path: str) -> Call | None:
    """The manifest's row for this call, or None when it is not allowed."""
    for row in MANIFEST:
        if row.method == method and row.pattern.fullmatch(path):
            return row
    return None
