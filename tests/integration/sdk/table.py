"""One call made twice: by our client and by the official SDK, which must send the same.

`ours(function, …)` calls a function of `workflows.fireworks`, `sdk("resource.method", …)` a method of
fireworks-ai 1.2.28. Where the SDK has no such method, or does not know a field, the case says so with its
source in the facts sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workflows.fireworks.client import Fireworks
from workflows.fireworks.job_calls import JobCalls

ACCOUNT = "acme"
HOME = f"/v1/accounts/{ACCOUNT}"
AT = "/v1/accounts/{account}"  # as the manifest writes it
ROWS = Path(__file__).parent / "files" / "rows.jsonl"
CODE = Path(__file__)  # uploads look at name and size only
QWEN, TUNED = "accounts/fireworks/models/qwen3-8b", f"accounts/{ACCOUNT}/models/tuned"
TRAIN, HELD = f"accounts/{ACCOUNT}/datasets/train", f"accounts/{ACCOUNT}/datasets/held"
PLACE = f"accounts/{ACCOUNT}/deployments/p"


@dataclass(frozen=True)
class Ours:
    """A call of our client: a function that takes the client first."""

    function: Callable[..., Any]
    given: tuple[Any, ...]
    named: Mapping[str, Any]

    @property
    def name(self) -> str:
        """`datasets.get`; a method of the client itself as `client.verify`."""
        calls = getattr(self.function, "__self__", None)  # shared calls belong to the module of their kind
        module = (calls.parse if isinstance(calls, JobCalls) else self.function).__module__
        return f"{module.rpartition('.')[2]}.{self.function.__name__}"

    def __call__(self, fireworks: Fireworks) -> None:
        result = self.function(fireworks, *self.given, **self.named)
        if isinstance(result, Iterator):
            list(result)  # a list is asked for page by page, as it is read


@dataclass(frozen=True)
class Sdk:
    """The SDK's call for the same; an empty `method` says that it has none."""

    method: str
    given: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, client: Any) -> None:
        function = client
        for part in self.method.split("."):
            function = getattr(function, part)
        result = function(*self.given, **self.named)
        if self.method.endswith(".list"):
            list(result)


@dataclass(frozen=True)
class Case:
    """One call twice. `section` is the facts sheet's; `because` says why the SDK lacks or does not know it.

    `answers` are what the other side says, by "METHOD path"; without one, a plain resource or list.
    """

    method: str
    path: str  # of the manifest
    ours: Ours
    sdk: Sdk
    section: str
    because: str = ""
    label: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, self.path.rpartition("}/")[2], self.label)))


def ours(function: Callable[..., Any], *given: Any, **named: Any) -> Ours:
    return Ours(function, given, named)


def sdk(method: str, *given: Any, **named: Any) -> Sdk:
    return Sdk(method, given, named)


NONE = Sdk("")
LIST = {"page_size": 200}
NOTHING: dict[str, Any] = {}


def upload_urls(name: str) -> dict[str, Any]:
    return {"filenameToSignedUrls": {name: f"https://store.test/{name}?sig=s"}}
