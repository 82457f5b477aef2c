"""Signed storage URLs: one hour, one method, one path, fixed headers (fireworks-api.md, 2)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

LIFETIME = 3600
MOST_DIGITS = 15  # of a time or a size that makes sense
UPLOAD_TYPE = "application/octet-stream"
RANGE_HEADER = "x-goog-content-length-range"
UPLOAD_HEADERS = f"content-type;{RANGE_HEADER}"
QUOTED_UPLOAD_HEADERS = quote(UPLOAD_HEADERS)


class StorageError(Exception):
    """A refusal of the storage service, which answers in XML."""

    def __init__(self, http: int, code: str, message: str) -> None:
        super().__init__(message)
        self.http, self.code, self.message = http, code, message

    def response(self) -> Response:
        text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{self.code}</Code>"
        return Response(
            f"{text}<Message>{self.message}</Message></Error>", self.http, None, "application/xml"
        )


@dataclass(frozen=True)
class Signer:
    """Signs and checks URLs below `/storage/` with one secret of this server."""

    secret: bytes
    clock: Callable[[], float]

    def sign(self, base: str, method: str, path: str, size: int | None = None) -> str:
        """A URL for one method on one storage path; `size` in bytes binds an upload to its length."""
        expires = int(self.clock()) + LIFETIME
        headers = QUOTED_UPLOAD_HEADERS if size is not None else "host"
        query = (
            f"X-Goog-Expires={LIFETIME}&X-Goog-Date={expires - LIFETIME}&X-Goog-SignedHeaders={headers}"
            f"&X-Goog-Signature={self._signature(method, path, expires, size)}"
        )
        return f"{base.rstrip('/')}/storage/{quote(path)}?{query}"

    def check(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> int | None:
        """The signed length in bytes of an upload, None for a download; StorageError when anything is off."""
        if "authorization" in headers or "x-api-key" in headers:
            raise StorageError(400, "InvalidArgument", "A signed URL takes no API key.")
        date = query.get("X-Goog-Date", "")
        if not date.isdecimal() or len(date) > MOST_DIGITS:
            raise StorageError(403, "AccessDenied", "Anonymous caller does not have access.")
        size = self._upload_size(headers) if query.get("X-Goog-SignedHeaders") == UPLOAD_HEADERS else None
        expires = int(date) + LIFETIME
        if self.clock() > expires:
            raise StorageError(400, "ExpiredToken", "The provided token has expired.")
        wanted = self._signature(method, path, expires, size)
        if not hmac.compare_digest(wanted.encode(), query.get("X-Goog-Signature", "").encode()):
            raise StorageError(403, "SignatureDoesNotMatch", "The signature does not match the request.")
        return size

    def _upload_size(self, headers: Mapping[str, str]) -> int:
        lower, _, upper = headers.get(RANGE_HEADER, "").partition(",")
        typed = headers.get("content-type") == UPLOAD_TYPE
        if not typed or lower != upper or not lower.isdecimal() or len(lower) > MOST_DIGITS:
            raise StorageError(
                400, "MalformedSecurityHeader", f"Send content-type {UPLOAD_TYPE} and {RANGE_HEADER} n,n."
            )
        return int(lower)

    def _signature(self, method: str, path: str, expires: int, size: int | None) -> str:
        text = f"{method}\n{path}\n{expires}\n{'' if size is None else size}"
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
