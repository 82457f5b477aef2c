"""Keeps secrets out of logs, errors, events and pages: API keys, bearer tokens, signed URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
_BEARER = re.compile(r"(?i)\b(bearer\s+)[^\s\"',;]+")
_KEY = re.compile(r"\bfw_[A-Za-z0-9_-]{8,}")
_URL_QUERY = re.compile(r"(https?://[^\s\"'<>?#]+)\?[^\s\"'<>]+")
_SECRET_FIELDS = frozenset(
    ["apikey", "api_key", "credentialssecret", "iamrolearn", "authorization", "password", "token", "secret"]
)


def redact(text: str, *secrets: str) -> str:
    """`text` without the given secrets, bearer tokens, Fireworks keys and the query of any URL."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    text = _KEY.sub(HIDDEN, text)
    return _URL_QUERY.sub(rf"\1?{HIDDEN}", text)


def redact_body(body: Any) -> Any:
    """A copy of a JSON body with the values of secret-bearing fields hidden (facts sheet 11.22)."""
    if isinstance(body, Mapping):
        return {
            key: HIDDEN if str(key).lower() in _SECRET_FIELDS and value else redact_body(value)
            for key, value in body.items()
        }
    if isinstance(body, list | tuple):
        return [redact_body(item) for item in body]
    return body
