"""The one HTTP client that speaks to Fireworks (control plane and inference).

One call at a time over httpx, safe to share between threads; many at once in an event loop (`among`). The
transport can be passed in. Before a byte leaves, the call must be in the manifest, and a call that creates,
changes or deletes must be about a name that was recorded as ours. The key is sent to the base URL only and is
never shown.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from .errors import (
    BadAnswer,
    CallForbidden,
    FireworksError,
    KeyRefused,
    Permanent,
)
from .manifest import Call, Effect, Repeat, allowed
from .names import DEPLOYMENT_HEADER, deployment_named
from .pool import pool
from .reading import no_answer, read
from .redaction import redact, redact_body
from .retrying import Retries, Tries, repeatable, sort_lost
from .steps import Steps, run, run_among
from .wire import (
    HEADERS,
    Answer,
    Exchange,
    Json,
    Received,
    Sending,
    Timeouts,
    checked_base,
    checked_key,
    is_loopback,
    owns_nothing,
)

logger = logging.getLogger(__name__)
# httpx logs whole URLs at INFO, and a signed URL is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)

T = TypeVar("T")
PUBLIC_ACCOUNT = "fireworks"
PAGE_SIZE = 200
MAX_PAGES = 1000
CONNECTIONS = 100  # kept open as long as they are used: a new TLS handshake costs more than a short answer


class Fireworks:
    """Client for one account.

    `owns(full_name)` says whether a resource name (`accounts/a/datasets/d`) was recorded as ours before
    the call; `asks(model)` whether an approval covers asking a model that is served to everyone; what is
    asked of a deployment needs that to be ours. `observe` is told of every finished exchange. `account` may
    be left empty until `verify`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        account: str = "",
        *,
        transport: httpx.BaseTransport | None = None,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        owns: Callable[[str], bool] = owns_nothing,
        asks: Callable[[str], bool] = owns_nothing,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.base_url = checked_base(base_url)
        self.account = account.removeprefix("accounts/")
        self.timeouts = timeouts or Timeouts()
        self.retries = retries or Retries()
        self.local = is_loopback(self.base_url.host)
        self._key = checked_key(api_key)
        self._owns, self._asks, self._observe, self._passed = owns, asks, observe, transport is not None
        self._granted: set[tuple[str, str]] = set()  # forms of address that were found to be covered
        self._http = httpx.Client(
            transport=transport,
            timeout=self.timeouts.httpx(),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
            trust_env=not self.local,
            headers=HEADERS,
        )

    def __repr__(self) -> str:
        return f"Fireworks({str(self.base_url)!r}, account={self.account!r})"

    def __enter__(self) -> Fireworks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def http(self) -> httpx.Client:
        """The bare connection pool, without any key: for signed URLs only."""
        return self._http

    @property
    def inference_url(self) -> str:
        """Base of the OpenAI-compatible API, for snippets."""
        return f"{self.base_url}/inference/v1"

    def path(self, collection: str, identifier: str = "", verb: str = "") -> str:
        """`/v1/accounts/{account}/{collection}/{id}:verb`; an identifier that is a full name is kept."""
        if identifier.startswith("accounts/"):
            path = f"/v1/{identifier}"
        else:
            if not self.account:
                raise ValueError("the account is not known yet: call verify() first")
            path = f"/v1/accounts/{self.account}/{collection}"
            path += f"/{identifier}" if identifier else ""
        return f"{path}:{verb}" if verb else path

    def redact(self, text: str) -> str:
        """`text` without our key and other secrets."""
        return redact(text, self._key)

    def permit(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        """The manifest's row of an allowed call; raises `CallForbidden`. Sends nothing."""
        row = allowed(method, path)
        if row is None:
            raise CallForbidden(f"{method} {self.redact(path)} is not in the manifest of allowed calls")
        if row.effect is Effect.READ:
            return row
        if row.effect is Effect.INFER:
            self.permit_asking(str(body.get("model", "")), (headers or {}).get(DEPLOYMENT_HEADER, ""))
            return row
        if query.get("validateOnly", "false") != "false":
            if not row.only_validates or query["validateOnly"] != "true":
                raise CallForbidden(f"{method} {path}: nobody knows whether validateOnly is heeded here")
            return replace(row, effect=Effect.READ, repeat=Repeat.ALWAYS)
        target, home = row.target(path, query, body), f"accounts/{self.account}/"
        at_home = self.account and target.startswith(home) and path.startswith(f"/v1/{home}")
        if not at_home or not self._owns(target):
            raise CallForbidden(
                f"{method} {path}: {target or 'a resource without a name of ours'} is not ours"
            )
        return row

    def permit_asking(self, model: str, deployment: str = "") -> None:
        """Raise `CallForbidden` unless an approval covers asking `model`, or the deployment it is addressed
        on is ours. What was covered once stays so: with many calls under way it is not looked up again."""
        if (model, deployment) in self._granted:
            return
        named = deployment_named(self.account, model, deployment)
        if not (self._owns(named) if named else self._asks(model)):
            raise CallForbidden(f"asking {model or 'no model'}: no approval covers it")
        self._granted.add((model, deployment))

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
    ) -> Answer:
        """Make one allowed call, repeated where that is safe. Raises `FireworksError`."""
        options = {"query": query, "body": body, "files": files, "headers": headers, "timeouts": timeouts}
        return self.run(self.steps(method, path, **options))

    def run(self, steps: Steps[T]) -> T:
        """Take the steps of a call, or of several after another. Raises what they raise."""
        return run(steps, self._send, self.retries.sleep)

    @asynccontextmanager
    async def among(self, at_once: int) -> AsyncIterator[Callable[[Steps[T]], Awaitable[T]]]:
        """As `run`, for up to `at_once` calls under way together in an event loop, with connections of its
        own. A transport that was passed in is used from as many threads instead."""
        async with AsyncExitStack() as stack:
            send: Callable[[Sending], Awaitable[Received]]
            if self._passed:
                threads = stack.enter_context(ThreadPoolExecutor(at_once, thread_name_prefix="call"))
                loop = asyncio.get_running_loop()
                send = lambda sending: loop.run_in_executor(threads, self._send, sending)  # noqa: E731
            else:
                send = (await stack.enter_async_context(pool(at_once, trust_env=not self.local))).send
            yield lambda steps: run_among(steps, send, self.retries.sleep_among)

    def steps(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
    ) -> Steps[Answer]:
        """The steps of one allowed call. Raises `FireworksError`."""
        sent_query = dict(query or {})
        row = self.permit(method, path, sent_query, body, headers)
        content = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        tries = Tries(self.retries, lambda error: repeatable(error, row.repeat))
        sending = Sending(
            method,
            f"{self.base_url}{path}",
            sent_query,
            {
                "Authorization": f"Bearer {self._key}",
                **({"Content-Type": "application/json"} if content is not None else {}),
                **(headers or {}),
            },
            content,
            files,
            timeouts or self.timeouts,
        )
        while True:
            try:
                return (yield from self._exchange(sending, path, body))
            except FireworksError as error:
                pause = tries.pause(sort_lost(error, row.effect, row.repeat))
            yield pause

    def get(self, path: str, **query: str) -> Json:
        """GET returning the JSON object."""
        return self.call("GET", path, query=query).json

    def pages(self, path: str, collection: str, **query: str) -> Iterator[Json]:
        """All items of a list, page by page (facts sheet 1.4)."""
        token = ""
        for _ in range(MAX_PAGES):
            asked = {"pageSize": str(PAGE_SIZE), **query, **({"pageToken": token} if token else {})}
            page = self.get(path, **asked)
            items = page.get(collection)
            yield from (item for item in (items if isinstance(items, list) else []) if isinstance(item, dict))
            token = str(page.get("nextPageToken") or "")
            if not token or not items:
                return
        raise BadAnswer(f"GET {path}: more than {MAX_PAGES} pages")

    def verify(self) -> str:
        """Account id of the key; also kept as `account` when that was empty.

        `/verifyApiKey` names it in a header; else the list of accounts must hold exactly one (facts 1.1).
        Raises `KeyRefused` for a bad key, `Permanent` when the account must be named.
        """
        found = self._account_by_header() or self._account_by_list()
        self.account = self.account or found
        return found

    def _account_by_header(self) -> str:
        try:
            answer = self.call("GET", "/verifyApiKey")
        except KeyRefused:
            raise
        except Permanent:  # an older or private gateway has no such route
            return ""
        return answer.headers.get("x-fireworks-account-id", "").removeprefix("accounts/")

    def _account_by_list(self) -> str:
        accounts = self.get("/v1/accounts", pageSize="2").get("accounts") or []
        if len(accounts) != 1:
            raise Permanent(
                f"the key sees {len(accounts)} accounts: name the one to use (FIREWORKS_ACCOUNT_ID)"
            )
        return str(accounts[0].get("name", "")).removeprefix("accounts/")

    def _send(self, sending: Sending) -> Received:
        request = self._http.build_request(
            sending.method,
            sending.url,
            params=sending.query or None,
            content=sending.content,
            files=sending.files,
            headers=sending.headers,
            timeout=sending.timeouts.httpx(),
        )
        response = self._http.send(request)
        return Received(response.status_code, response.headers, response.content)

    def _exchange(self, sending: Sending, path: str, body: Any) -> Steps[Answer]:
        started, status, doing = time.perf_counter(), 0, f"{sending.method} {path}"
        try:
            received: Received = yield sending
            status = received.status
        except httpx.TransportError as fault:
            raise no_answer(fault, doing, self.base_url.host, self.redact) from fault
        except httpx.DecodingError as fault:
            raise BadAnswer(f"{doing}: the answer's encoding is broken") from fault
        finally:
            took = round((time.perf_counter() - started) * 1000)
            logger.info("fireworks %s %s %d ms", doing, status or "no answer", took)
            if self._observe:
                asked = (sending.method, sending.url, sending.query, redact_body(body))
                self._observe(Exchange(*asked, status, took, _file_name(sending.files)))
        return read(received, doing, self.redact)


def _file_name(files: Mapping[str, Any] | None) -> str:
    return str(files["file"][0]) if files and "file" in files else ""
