"""The one HTTP client that speaks to Fireworks (control plane and inference).

Synchronous, over httpx, safe to share between threads; the transport can be passed in. Before a byte leaves,
the call must be in the manifest, and a call that creates, changes or deletes must be about a name that was
recorded as ours. The key is sent to the base URL only and is never shown.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from .errors import (
    BadAnswer,
    CallForbidden,
    Fault,
    FireworksError,
    KeyRefused,
    Permanent,
    Temporary,
    Unreachable,
    error_for,
    parse_fault,
)
from .manifest import Call, Effect, Repeat, allowed
from .redaction import redact, redact_body
from .retrying import Retries, attempt, repeatable, sort_lost, wait_asked
from .wire import Answer, Exchange, Json, Timeouts, checked_base, checked_key, is_loopback, owns_nothing

logger = logging.getLogger(__name__)
# httpx logs whole URLs at INFO, and a signed URL is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)

PUBLIC_ACCOUNT = "fireworks"
PAGE_SIZE = 200
MAX_PAGES = 1000
CONNECTIONS = 100  # kept open as long as they are used: a new TLS handshake costs more than a short answer


class Fireworks:
    """Client for one account.

    `owns(full_name)` says whether a resource name (`accounts/a/datasets/d`) was recorded as ours before
    the call; `observe` is told of every finished exchange. `account` may be left empty until `verify`.
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
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.base_url = checked_base(base_url)
        self.account = account.removeprefix("accounts/")
        self.timeouts = timeouts or Timeouts()
        self.retries = retries or Retries()
        self.local = is_loopback(self.base_url.host)
        self._key = checked_key(api_key)
        self._owns, self._observe = owns, observe
        self._http = httpx.Client(
            transport=transport,
            timeout=self.timeouts.httpx(),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
            trust_env=not self.local,
            headers={"User-Agent": "fwportal", "Accept": "application/json"},
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

    def permit(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Call:
        """The manifest's row of an allowed call; raises `CallForbidden`. Sends nothing."""
        row = allowed(method, path)
        if row is None:
            raise CallForbidden(f"{method} {self.redact(path)} is not in the manifest of allowed calls")
        if row.effect in (Effect.READ, Effect.INFER):
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
        sent_query = dict(query or {})
        row = self.permit(method, path, sent_query, body)
        content = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()

        def once() -> Answer:
            request = self._http.build_request(
                method,
                f"{self.base_url}{path}",
                params=sent_query or None,
                content=content,
                files=files,
                headers={
                    "Authorization": f"Bearer {self._key}",
                    **({"Content-Type": "application/json"} if content is not None else {}),
                    **(headers or {}),
                },
                timeout=(timeouts or self.timeouts).httpx(),
            )
            try:
                return self._exchange(request, path, body, _file_name(files))
            except FireworksError as error:
                raise sort_lost(error, row.effect, row.repeat) from error

        return attempt(once, self.retries, lambda error: repeatable(error, row.repeat))

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

    def _exchange(self, request: httpx.Request, path: str, body: Any, file: str) -> Answer:
        started, status = time.perf_counter(), 0
        try:
            response = self._http.send(request)
            status = response.status_code
        except httpx.TransportError as fault:
            raise self._no_answer(fault, f"{request.method} {path}") from fault
        except httpx.DecodingError as fault:
            raise BadAnswer(f"{request.method} {path}: the answer's encoding is broken") from fault
        finally:
            took = round((time.perf_counter() - started) * 1000)
            logger.info("fireworks %s %s %s %d ms", request.method, path, status or "no answer", took)
            if self._observe:
                query, url = dict(request.url.params), f"{self.base_url}{path}"
                self._observe(Exchange(request.method, url, query, redact_body(body), status, took, file))
        return self._read(response, f"{request.method} {path}")

    def _no_answer(self, fault: httpx.TransportError, doing: str) -> FireworksError:
        words = self.redact(str(fault)) or type(fault).__name__
        unsent = isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        if unsent:
            return Unreachable(f"{doing}: {self.base_url.host} cannot be reached: {words}")
        return Temporary(f"{doing}: no answer came: {words}")

    def _read(self, response: httpx.Response, doing: str) -> Answer:
        try:
            decoded = response.json() if response.content.strip() else {}
        except ValueError:
            decoded = None
        if not response.is_success:
            raise self._refusal(response, decoded, doing)
        if not isinstance(decoded, dict):
            raise BadAnswer(f"{doing}: the answer is not a JSON object", Fault(status=response.status_code))
        return Answer(response.status_code, decoded, {k.lower(): v for k, v in response.headers.items()})

    def _refusal(self, response: httpx.Response, decoded: Any, doing: str) -> FireworksError:
        fault = parse_fault(response.status_code, decoded, response.text if decoded is None else "")
        return error_for(
            replace(
                fault,
                message=self.redact(fault.message),
                request_id=response.headers.get("x-request-id", ""),
                retry_after=wait_asked(response.headers),
            ),
            doing,
        )


def _file_name(files: Mapping[str, Any] | None) -> str:
    return str(files["file"][0]) if files and "file" in files else ""
