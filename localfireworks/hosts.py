"""Which names this server answers to, so that no page of another site reaches it by a name of its own."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from localfireworks.errors import ApiError, InferenceError, is_inference
from localfireworks.service import Service


def name_of(host: str) -> str:
    """The `Host` header without its port, in lower case; empty when it cannot be read."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def allowed(host: str, names: tuple[str, ...]) -> bool:
    """Names that were allowed, localhost, and addresses: no foreign DNS leads a browser to these."""
    name = name_of(host)
    if name == "localhost" or name in (each.lower() for each in names):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class HostCheck:
    """403 for a request that came by a name which the server was not told of."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._allowed(scope):
            await self.app(scope, receive, send)
        else:
            await self._refusal(scope["path"])(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        service: Service = scope["app"].state.service
        names, host = service.settings.hosts, Headers(scope=scope).get("host", "")
        return names is None or allowed(host, names)

    def _refusal(self, path: str) -> JSONResponse:
        message = "this server does not answer to this name: start it with --allow-host NAME"
        if is_inference(path):
            return JSONResponse(InferenceError(403, "PERMISSION_DENIED", message).body(), 403)
        return JSONResponse(ApiError("PERMISSION_DENIED", message).body(), 403)
