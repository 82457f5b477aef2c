"""The calls that every kind of job has alike, made once a collection. Source: facts sheet 1.3, 4, 5."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .client import Fireworks

Job = TypeVar("Job")


@dataclass(frozen=True, slots=True)
class JobCalls(Generic[Job]):
    """Calls on the jobs of one `collection`; `parse` makes one from its JSON."""

    collection: str
    parse: Callable[[Mapping[str, Any]], Job]

    def get(self, fireworks: Fireworks, name: str) -> Job:
        """One job by id or full name. Raises `NotFound`."""
        return self.parse(fireworks.get(fireworks.path(self.collection, name)))

    def list_all(self, fireworks: Fireworks) -> Iterator[Job]:
        """All jobs of the account, page by page."""
        for raw in fireworks.pages(fireworks.path(self.collection), self.collection):
            yield self.parse(raw)

    def cancel(self, fireworks: Fireworks, name: str) -> None:
        """Ask for the end of a job of ours; look with `get` until it is over."""
        fireworks.call("POST", fireworks.path(self.collection, name, "cancel"), body={})

    def resume(self, fireworks: Fireworks, name: str) -> None:
        """Continue a PAUSED job of ours."""
        fireworks.call("POST", fireworks.path(self.collection, name, "resume"), body={})
