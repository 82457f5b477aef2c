"""Who is let in, and what every answer carries."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from fwportal import middleware

pytestmark = pytest.mark.django_db


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


def asked(**meta: Any) -> HttpRequest:
    return RequestFactory().get("/", **meta)


def test_the_person_at_the_keyboard_is_the_owner() -> None:
    response = middleware.signed_in_owner(answer)(asked())
    assert response.content == b"owner"


def test_the_owner_is_made_once_and_has_no_password() -> None:
    assert middleware.owner() == middleware.owner()
    assert User.objects.get().has_usable_password() is False


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.2", "", "::ffff:10.0.0.7"])
def test_other_machines_are_refused(client: Client, address: str) -> None:
    response = client.get("/healthz", REMOTE_ADDR=address)
    assert response.status_code == 403


@pytest.mark.parametrize(
    "host", ["portal.example.org", "localhost.evil.example", "127.0.0.1.nip.example", "10.0.0.7:8000"]
)
def test_other_host_names_are_refused(client: Client, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8100", "[::1]:8000"])
def test_loopback_names_are_served_on_any_port(client: Client, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code in (200, 503)


def test_every_answer_carries_a_policy_without_inline_scripts(client: Client) -> None:
    policy = client.get("/healthz")["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self'"
    assert "frame-ancestors 'none'" in policy


def test_a_page_may_bring_its_own_policy() -> None:
    own = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
    response = middleware.content_security_policy(lambda _request: own)(asked())
    assert response["Content-Security-Policy"] == "default-src 'none'"


def test_a_static_file_comes_whole_with_its_type(client: Client) -> None:
    response = client.get("/static/django_htmx/django-htmx.js")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/javascript")
    assert len(response.content) == int(response["Content-Length"]) > 0


def test_a_known_static_file_is_not_sent_twice(client: Client) -> None:
    first = client.get("/static/django_htmx/django-htmx.js")
    again = client.get(
        "/static/django_htmx/django-htmx.js", headers={"if-modified-since": first["Last-Modified"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db(transaction=True)
def test_a_stream_passes_every_middleware_without_holding_a_thread() -> None:
    """All of ours stay asynchronous around an asynchronous view, and its stream arrives unread."""

    async def stream(request: HttpRequest) -> StreamingHttpResponse:
        user = await request.auser()

        async def lines() -> Any:
            yield user.get_username().encode()

        return StreamingHttpResponse(lines())

    async def journey() -> bytes:
        handler: Any = stream
        for wrap in (middleware.signed_in_owner, middleware.static_files, middleware.content_security_policy):
            handler = wrap(handler)
            assert iscoroutinefunction(handler)
        response = await handler(await sync_to_async(asked)())
        assert "Content-Security-Policy" in response.headers
        body = io.BytesIO()
        async for part in response:
            body.write(part)
        return body.getvalue()

    assert asyncio.run(journey()) == b"owner"
