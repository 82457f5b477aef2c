"""Our client asks what the official SDK would ask: method, address, query, body, headers that matter."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import message_from_bytes
from typing import Any

import fireworks
import httpx
import pytest

from tests.integration.sdk import document
from tests.integration.sdk.calls import CASES
from tests.integration.sdk.table import ACCOUNT, Case
from workflows.fireworks.client import Fireworks
from workflows.fireworks.manifest import MANIFEST, allowed
from workflows.fireworks.retrying import NO_RETRIES

KEY = "fw_0123456789"
REAL = "https://api.fireworks.ai"  # never reached: every transport here is a mock
HEADERS = ("authorization", "accept", "content-type", "fireworks-deployment")


class Witness:
    """Answers a case's calls, keeps its requests, and says what one of them asked."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        row = allowed(request.method, request.url.path)
        if row and (row.method, row.path) == (self.case.method, self.case.path):
            self.asked.append(seen(request))
        answer = self.case.answers.get(f"{request.method} {request.url.path}")
        return httpx.Response(200, json=self._plain(request) if answer is None else answer)

    def _plain(self, request: httpx.Request) -> dict[str, Any]:
        """A list of two pages, or a resource that says nothing."""
        if not self.case.sdk.method.endswith(".list") or request.method != "GET":
            return {"rows": []}
        page = {self.case.path.rpartition("/")[2]: [{"name": "x"}]}
        return page if "pageToken" in request.url.params else {**page, "nextPageToken": "2"}


def seen(request: httpx.Request) -> dict[str, Any]:
    """What a request asks, in a form that can be compared."""
    content, kind = request.read(), request.headers.get("content-type", "")
    headers = {name: request.headers.get(name) for name in HEADERS}
    body: Any = json.loads(content) if kind == "application/json" and content else content
    if kind.startswith("multipart/"):
        headers["content-type"] = "multipart"  # the boundary is drawn by lot
        parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + content).get_payload()
        body = [(part["content-disposition"], part.get_payload(decode=True)) for part in parts]
    return {
        "method": request.method,
        "url": str(request.url.copy_with(query=None)),
        "query": dict(request.url.params),
        "body": body,
        "headers": headers if content else {**headers, "content-type": None},
    }


def requests_of(case: Case, client: Callable[[httpx.MockTransport], Any], call: Callable[[Any], None]) -> Any:
    witness = Witness(case)
    with client(httpx.MockTransport(witness)) as made:
        call(made)
    return witness.asked


def our_client(transport: httpx.MockTransport) -> Fireworks:
    return Fireworks(
        REAL,
        KEY,
        ACCOUNT,
        transport=transport,
        owns=lambda name: True,
        retries=NO_RETRIES,
        asks=lambda model: True,
    )


def their_client(transport: httpx.MockTransport) -> fireworks.Fireworks:
    http = httpx.Client(transport=transport)
    return fireworks.Fireworks(api_key=KEY, account_id=ACCOUNT, http_client=http, max_retries=0)


@pytest.mark.parametrize("case", [case for case in CASES if case.sdk.method], ids=str)
def test_the_same_call_is_the_same_request(case):
    theirs = requests_of(case, their_client, case.sdk)
    assert theirs
    assert requests_of(case, our_client, case.ours) == theirs


@pytest.mark.parametrize("case", [case for case in CASES if not case.sdk.method], ids=str)
def test_what_the_sdk_cannot_ask_is_asked_and_explained(case):
    assert requests_of(case, our_client, case.ours)
    assert case.because


def test_the_manifest_and_the_table_cover_each_other():
    assert {(row.method, row.path) for row in MANIFEST} == {(case.method, case.path) for case in CASES}


def test_no_two_cases_have_one_name():
    names = [str(case) for case in CASES]
    assert len(names) == len(set(names))


def test_the_page_of_calls_is_up_to_date():
    assert document.PATH.read_text(encoding="utf-8") == document.render(), (
        "run python -m tests.integration.sdk.document"
    )
