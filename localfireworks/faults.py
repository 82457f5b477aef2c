"""Fault switches: what goes wrong on purpose, where, how often (docs/local-fireworks.md, Faults).

Switches are kept in the database's facts, so they survive a restart. Whether one strikes depends only on its
seed and on how many matching requests it has seen: the same requests meet the same faults.
"""

from __future__ import annotations

import hashlib
import json
import logging
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from localfireworks.errors import first_fault, invalid, not_found
from localfireworks.names import new_id
from localfireworks.store import Store

log = logging.getLogger("localfireworks")
PREFIX = "fault:"
REQUEST_KINDS = {
    "latency": "answers `seconds` later",
    "rate-limited": "429, with `retry-after` when retryAfter is given",
    "quota-exceeded": "403 with quota_required and quota_available",
    "suspended": "412, as for a suspended account",
    "server-error": "500 Internal error",
    "bad-gateway": "502 with an HTML body",
    "unavailable": "503",
    "fault-filter-abort": "404 with the text `fault filter abort`",
    "reset": "resets the connection before anything was done",
    "lost-answer": "does all that was asked, then closes the connection without an answer",
    "cut-answer": "closes the connection within the answer: half of it, or the first piece of a stream",
}
JOB_KINDS = {
    "job-stall": "RUNNING at 0 % for `seconds`; 0: until it is cancelled",
    "job-dataset-invalid": "FAILED with DATASET_INVALID",
    "job-requeued": "RE_QUEUEING once after `seconds` of RUNNING, then it trains",
    "job-paused": "PAUSED after `seconds` of RUNNING, until :resume",
    "job-exhausted": "FAILED with RESOURCE_EXHAUSTED while it waits for GPUs",
    "job-internal": "FAILED with INTERNAL, `Internal error`, after `seconds` of RUNNING",
}
KINDS = REQUEST_KINDS | JOB_KINDS
MOST_SECONDS = 86_400.0  # a day
LARGEST = 2**31 - 1


class Strict(BaseModel):
    """What a person writes: a misspelt field is refused, not dropped."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Parameters(Strict):
    """Seconds of waiting; the figures of a refusal."""

    seconds: float = Field(1.0, ge=0, le=MOST_SECONDS, allow_inf_nan=False)
    retry_after: float | None = Field(None, ge=0, le=MOST_SECONDS, allow_inf_nan=False)
    quota_required: int = Field(8, ge=0, le=LARGEST)
    quota_available: int = Field(0, ge=0, le=LARGEST)


class Fault(Strict):
    """One switch. `path` is a glob in which `*` also matches slashes; `count` 0: without end."""

    id: str = Field("", pattern=r"^[a-zA-Z0-9_-]{0,63}$")
    method: str = "*"
    path: str = Field("*", min_length=1)
    kind: str
    probability: float = Field(1.0, ge=0, le=1)
    count: int = Field(0, ge=0, le=LARGEST)
    after: int = Field(0, ge=0, le=LARGEST)
    seed: int = Field(0, ge=-LARGEST, le=LARGEST)
    parameters: Parameters = Parameters()
    seen: int = Field(0, ge=0)
    hits: int = Field(0, ge=0)

    @field_validator("kind")
    @classmethod
    def known_kind(cls, value: str) -> str:
        if value not in KINDS:
            raise ValueError(f"unknown kind {value!r}: one of {', '.join(KINDS)}")
        return value

    @field_validator("method")
    @classmethod
    def upper(cls, value: str) -> str:
        return value.upper() or "*"

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and fnmatchcase(path, self.path)

    def strikes(self) -> bool:
        """Count one matching request; whether this one is struck."""
        self.seen += 1
        spent = self.count and self.hits >= self.count
        struck = self.seen > self.after and not spent and self._chance() < self.probability
        self.hits += struck
        return struck

    def _chance(self) -> float:
        """In [0, 1), drawn from the seed for the request of this number."""
        digest = hashlib.sha256(f"{self.seed}/{self.seen}".encode()).digest()
        return int.from_bytes(digest[:7]) / 2**56

    def body(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True)


def all_faults(store: Store) -> list[Fault]:
    """In the order of their ids; one that cannot be read is left out, and can be removed by its id."""
    found = []
    for key, text in store.facts(PREFIX).items():
        try:
            found.append(Fault.model_validate_json(text))
        except ValidationError as error:
            log.warning("%s cannot be read and is skipped: %s", key, ": ".join(first_fault(error)))
    return found


def keep(store: Store, fault: Fault) -> Fault:
    """Add a switch, or replace the one of the same id."""
    fault.id = fault.id or new_id()
    store.keep_fact(PREFIX + fault.id, fault.model_dump_json())
    return fault


def remove(store: Store, id_: str) -> None:
    if not store.drop_fact(PREFIX + id_):
        raise not_found(f"faults/{id_}")


def remove_all(store: Store) -> None:
    for key in store.facts(PREFIX):
        store.drop_fact(key)


def drawn(store: Store, method: str, path: str, kinds: dict[str, str]) -> list[Fault]:
    """The switches that strike this request (or job); each match is counted in the database."""
    struck = []
    for fault in all_faults(store):
        if fault.kind in kinds and fault.matches(method, path):
            if fault.strikes():
                struck.append(fault)
            keep(store, fault)
    return struck


def read_faults(file: Path) -> list[Fault]:
    """A JSON list of switches, or `{"faults": […]}`; INVALID_ARGUMENT says what is wrong.

    Switches without an id get one from their place, so that a restart replaces and does not double them.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        given = content["faults"] if isinstance(content, dict) else content
        faults = [Fault.model_validate(each) for each in given]
    except ValidationError as error:
        raise invalid(f"{file}: " + ": ".join(first_fault(error))) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise invalid(f"{file}: not a file of faults: {error}") from error
    for number, fault in enumerate(faults, 1):
        fault.id = fault.id or f"file-{number}"
    return faults
