"""What can be wrong before the start: one clear line with the remedy, exit code 1, nothing left running."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from tests.system.portal import Portal

MakePortal = Callable[..., Portal]


def refusal(portal: Portal) -> str:
    """The last line of a start that was refused."""
    assert portal.launch().wait(timeout=60) == 1
    assert "Traceback" not in portal.said()
    assert portal.members() == []
    return portal.said().strip().split("\n")[-1]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as taken:
        yield taken


@pytest.mark.parametrize(("step", "user"), [(0, "the pages"), (1, "local Fireworks"), (2, "Redis")])
def test_a_taken_port(make_portal: MakePortal, listener: socket.socket, step: int, user: str) -> None:
    portal = make_portal()
    listener.bind(("127.0.0.1", portal.port + step))
    listener.listen()
    line = refusal(portal)
    assert f"Port {portal.port + step} (for {user}) is taken." in line
    assert "make run PORT=" in line


def test_a_redis_that_does_not_answer(make_portal: MakePortal) -> None:
    line = refusal(make_portal(REDIS_URL="redis://:hidden-word@127.0.0.1:9/0"))
    assert "Redis at 127.0.0.1:9/0 does not answer" in line
    assert "unset REDIS_URL" in line
    assert "hidden-word" not in line


def test_a_redis_address_that_is_none(make_portal: MakePortal) -> None:
    assert "REDIS_URL must look like redis://" in refusal(make_portal(REDIS_URL="localhost"))


def test_a_database_that_cannot_be_reached(make_portal: MakePortal) -> None:
    line = refusal(make_portal(DATABASE_URL="postgresql://me:hidden-word@127.0.0.1:9/portal"))
    assert "The database portal at 127.0.0.1:9 cannot be used" in line
    assert "unset DATABASE_URL" in line
    assert "hidden-word" not in line


def test_a_database_file_that_is_none(make_portal: MakePortal) -> None:
    portal = make_portal()
    portal.data.mkdir()
    (portal.data / "portal.sqlite3").write_text(
        "this is a letter, not a database, and long enough to show it" * 20
    )
    assert "portal.sqlite3 cannot be used: file is not a database." in refusal(portal)


def test_a_database_of_another_version(make_portal: MakePortal) -> None:
    """A history that cannot have been: a later migration is recorded without the one it needs."""
    portal = make_portal()
    portal.data.mkdir()
    with sqlite3.connect(portal.data / "portal.sqlite3") as database:
        database.execute(
            "CREATE TABLE django_migrations (id integer PRIMARY KEY, app text, name text, applied text)"
        )
        database.execute("INSERT INTO django_migrations VALUES (1, 'tuning', '0001_initial', '2026-01-01')")
    database.close()
    line = refusal(portal)
    assert "does not fit this version" in line
    assert "another FWPORTAL_DATA" in line


def test_a_data_folder_that_is_a_file(make_portal: MakePortal) -> None:
    portal = make_portal()
    portal.data.write_text("")
    assert "Set FWPORTAL_DATA to another" in refusal(portal)


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PORT": "http"}, "PORT is 'http'. Set it to a whole number"),
        ({"FWPORTAL_MODE": "production"}, "Set it to one of: local, server."),
        ({"FWPORTAL_MODE": "server"}, "SECRET_KEY is not set."),
        ({"FIREWORKS_BASE_URL": "https://proxy.example"}, "FIREWORKS_BASE_URL is set but no key."),
        ({"FWPORTAL_TOKEN_BUDGET": "much"}, "FWPORTAL_TOKEN_BUDGET is 'much'."),
    ],
)
def test_a_variable_that_cannot_be(make_portal: MakePortal, environment: dict[str, str], line: str) -> None:
    assert line in refusal(make_portal(**environment))


def test_up_is_not_for_servers(make_portal: MakePortal) -> None:
    portal = make_portal(
        FWPORTAL_MODE="server", SECRET_KEY="s" * 60, FIREWORKS_API_KEY="k", ALLOWED_HOSTS="p.example"
    )
    assert "On a server use docker compose" in refusal(portal)
