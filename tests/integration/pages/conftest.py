"""What the pages' tests share: a database, a client, and ways to read a page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every page test uses the database."""


def body(response: HttpResponse) -> str:
    return response.content.decode()


def text(response: HttpResponse) -> str:
    """The page as a person reads it: no tags, single spaces."""
    plain = re.sub(r"<(script|style)\b.*?</\1>", " ", body(response), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", plain))).strip()


def tag(response: HttpResponse, pattern: str) -> str:
    """The first tag in which the pattern occurs."""
    found = re.search(rf"<[^<>]*{pattern}[^<>]*>", body(response))
    assert found, f"no tag with {pattern}"
    return found[0]


def value(response: HttpResponse, name: str) -> str:
    """The value of an input box."""
    found = re.search(r'value="([^"]*)"', tag(response, rf'name="{name}"'))
    return unescape(found[1]) if found else ""


def sentence(response: HttpResponse) -> str:
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", body(response), flags=re.DOTALL)
    assert found
    return unescape(found[1])


def post(client: Client, action: str, *, htmx: bool = False, **fields: Any) -> Any:
    """Send the form of a new session."""
    headers = HTMX if htmx else {}
    return client.post("/new/", {"action": action, "form_token": "a-token", **fields}, headers=headers)
