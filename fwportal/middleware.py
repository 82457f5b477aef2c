"""What every request passes: static files, the content policy, and in local mode the signed-in owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.models import AbstractBaseUser, User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseForbidden
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject
from whitenoise.middleware import WhiteNoiseMiddleware

Handler = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]

OWNER = "owner"
LOOPBACK = ("127.0.0.1", "::1")
# Charts are SVG drawn by matplotlib, whose elements carry style attributes.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def wrapped(
    get_response: Any,
    before: Callable[[HttpRequest], HttpResponseBase | None],
    after: Callable[[HttpResponseBase], HttpResponseBase] = lambda response: response,
) -> Handler:
    """A middleware for both worlds, so that an event stream never holds a thread."""
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            return after(before(request) or await get_response(request))

        return asynchronous
    return lambda request: after(before(request) or get_response(request))


@sync_and_async_middleware
def static_files(get_response: Any) -> Handler:
    """WhiteNoise's files and headers; its own middleware is synchronous only."""
    shelf = WhiteNoiseMiddleware(get_response)

    def serve(request: HttpRequest) -> HttpResponse | None:
        file = shelf.files.get(request.path_info)
        if file is None:
            return None
        found = shelf.serve(file, request)
        try:
            body = b"".join(found.streaming_content)
        finally:
            found.close()
        return HttpResponse(body, status=found.status_code, headers=dict(found.items()))

    return wrapped(get_response, serve)


@sync_and_async_middleware
def content_security_policy(get_response: Any) -> Handler:
    def mark(response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return wrapped(get_response, lambda _request: None, mark)


def owner() -> User:
    """The one user of local mode; without a password, so that no login form can be used for it."""
    user, fresh = User.objects.get_or_create(username=OWNER)
    if fresh:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


async def owner_later() -> AbstractBaseUser:
    return await sync_to_async(owner)()


@sync_and_async_middleware
def signed_in_owner(get_response: Any) -> Handler:
    """Signs in whoever asks from this machine; nobody else is let in. Only `local` mode installs this."""

    def admit(request: HttpRequest) -> HttpResponse | None:
        if request.META.get("REMOTE_ADDR") not in LOOPBACK:
            # Plain text: the portal's own error page shows what only its owner may see.
            refusal = "This portal runs in local mode and answers only this machine.\n"
            return HttpResponseForbidden(refusal, content_type="text/plain; charset=utf-8")
        request.user = cast(User, SimpleLazyObject(owner))
        request.auser = owner_later  # type: ignore[assignment]
        return None

    return wrapped(get_response, admit)
