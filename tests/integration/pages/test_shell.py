"""What stands around every page: banner, header, error pages, sign-in."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.views.csrf import csrf_failure

from tests.factories import make_account, make_gate, make_session, make_user
from tests.integration.pages.conftest import body, text

PAGES = ["/", "/new/", "/models/"]


@pytest.mark.parametrize("path", PAGES)
def test_rehearsal_is_unmistakable_on_every_page(client: Client, path: str) -> None:
    assert "local Fireworks with stand-in models; nothing is spent" in text(client.get(path))


@pytest.mark.parametrize("path", PAGES)
def test_with_a_key_there_is_no_rehearsal_banner(client: Client, settings, path: str) -> None:
    settings.FIREWORKS = {**settings.FIREWORKS, "rehearsal": False, "account": "acme"}
    page = text(client.get(path))
    assert "nothing is spent." not in page
    assert "acme" in page


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_scripts_or_handlers(client: Client, path: str) -> None:
    page = body(client.get(path))
    assert not re.findall(r"<script(?![^>]*\bsrc=)", page)
    assert not re.findall(r"\son\w+=", page)
    assert not re.findall(r"hx-on|javascript:", page)
    assert '"allowEval": false' in page


@pytest.mark.parametrize("path", PAGES)
def test_the_current_page_is_marked(client: Client, path: str) -> None:
    page = body(client.get(path))
    marked = re.findall(r'<a href="([^"]+)"\s+aria-current="page"', page)
    assert marked == [path]


def test_the_header_counts_what_waits(client: Client) -> None:
    make_gate(make_session())
    assert "1 waiting for you" in text(client.get("/models/"))


def test_the_header_counts_nobody_elses_gates(client: Client) -> None:
    make_gate(make_session(make_user()))
    assert "waiting for you" not in text(client.get("/models/"))


def test_trouble_with_the_account_is_on_every_page(client: Client) -> None:
    make_account(trouble="401 the key was revoked")
    assert 'title="401 the key was revoked"' in body(client.get("/"))


def test_an_unknown_address_says_so_in_the_portals_words(client: Client) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in text(answer)
    assert "Go to Home" in text(answer)


def test_a_form_without_its_token_is_refused_kindly() -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/new/", {"action": "start"})
    assert answer.status_code == 403
    assert "This form was too old to be sent" in text(answer)


def test_the_page_for_a_csrf_failure_names_no_internals(rf: RequestFactory) -> None:
    assert "CSRF" not in text(csrf_failure(rf.get("/"), reason="CSRF cookie not set."))


def test_the_page_for_our_own_mistakes_needs_no_context() -> None:
    page = render_to_string("500.html")
    assert "The portal made a mistake" in page
    assert "Sessions that are running go on" in page


def test_signing_in_keeps_the_name_and_says_what_was_wrong(client: Client) -> None:
    User.objects.create_user("ada", password="a long enough one")
    answer = client.post("/login/", {"username": "ada", "password": "wrong", "next": "/models/"})
    page = body(answer)
    assert "do not match an active account" in text(answer)
    assert 'value="ada"' in page
    assert 'value="/models/"' in page


def test_signing_in_goes_where_one_wanted_to(client: Client) -> None:
    User.objects.create_user("ada", password="a long enough one")
    answer = client.post("/login/", {"username": "ada", "password": "a long enough one", "next": "/models/"})
    assert answer.headers["Location"] == "/models/"
