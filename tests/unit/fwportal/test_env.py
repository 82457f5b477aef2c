"""Environment variables: read with their type, refused with the variable's name and the remedy."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from fwportal import env


def test_a_port_is_a_whole_number_with_room_for_two_neighbours() -> None:
    assert env.port({}) == 8000
    assert env.port({"PORT": " 8100 "}) == 8100


@pytest.mark.parametrize("raw", ["65534", "0", "-1", "80.5", "http", "٣٣"])
def test_a_bad_port_names_itself(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"PORT is .* from 1 to 65533"):
        env.port({"PORT": raw})


@pytest.mark.parametrize(
    ("raw", "value"), [("1", True), ("yes", True), ("Off", False), ("", True), ("0", False)]
)
def test_flags(raw: str, value: bool) -> None:
    assert env.flag({"X": raw}, "X", default=True) is value


def test_a_word_that_is_no_flag_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="X is 'maybe'"):
        env.flag({"X": "maybe"}, "X", default=True)


def test_a_mode_outside_the_choices_is_refused_and_the_choices_are_named() -> None:
    assert env.choice({}, "M", ("local", "server")) == "local"
    with pytest.raises(ImproperlyConfigured, match="one of: local, server"):
        env.choice({"M": "production"}, "M", ("local", "server"))


def test_lists_lose_blanks() -> None:
    assert env.names({"ALLOWED_HOSTS": " a.example ,, b.example"}, "ALLOWED_HOSTS") == [
        "a.example",
        "b.example",
    ]


def test_what_is_required_names_itself_and_its_purpose() -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"SECRET_KEY is not set\. It is the key that signs logins"
    ):
        env.required({"SECRET_KEY": "  "}, "SECRET_KEY", "the key that signs logins")


def test_without_an_address_the_database_is_sqlite_with_a_write_ahead_log(tmp_path: Path) -> None:
    found = env.database({}, tmp_path)
    assert found["NAME"] == tmp_path / "portal.sqlite3"
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]


def test_a_database_address_is_taken_apart_and_unquoted(tmp_path: Path) -> None:
    url = "postgres://me:p%40ss@db.example:5433/portal?sslmode=require"
    found = env.database({"DATABASE_URL": url}, tmp_path)
    assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("me", "p@ss", "db.example")
    assert (found["PORT"], found["NAME"], found["OPTIONS"]["sslmode"]) == ("5433", "portal", "require")


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql://host", "postgresql://host:port/name", "sqlite"])
def test_a_bad_database_address_is_refused_without_repeating_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="must look like postgresql://") as caught:
        env.database({"DATABASE_URL": url}, tmp_path)
    assert "host:port/name" not in str(caught.value).replace("host:5432/name", "")


def test_without_a_key_the_portal_rehearses() -> None:
    found = env.fireworks({}, "http://127.0.0.1:8001")
    assert (found["rehearsal"], found["base_url"], found["account"]) == (
        True,
        "http://127.0.0.1:8001",
        "rehearsal",
    )
    assert found["key"]() == "rehearsal"


def test_the_agent_key_comes_first_and_is_never_printed() -> None:
    keys = {"FIREWORKS_API_KEY": "fw_second", "FIREWORKS_AGENT_API_KEY": "fw_first"}
    found = env.fireworks(keys, "http://127.0.0.1:8001")
    assert (found["rehearsal"], found["base_url"]) == (False, "https://api.fireworks.ai")
    assert found["key"]() == "fw_first"
    assert "fw_" not in repr(found)


def test_a_blank_key_is_no_key() -> None:
    assert env.fireworks({"FIREWORKS_API_KEY": "  "}, "http://x")["rehearsal"] is True


def test_an_address_without_a_key_is_a_fault_rather_than_a_silent_rehearsal() -> None:
    with pytest.raises(ImproperlyConfigured, match="FIREWORKS_BASE_URL is set but no key"):
        env.fireworks({"FIREWORKS_BASE_URL": "https://proxy.example"}, "http://x")


@pytest.mark.parametrize("raw", ["api.fireworks.ai", "ftp://x", "https://"])
def test_a_bad_web_address_is_refused(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="FIREWORKS_BASE_URL is not a web address"):
        env.fireworks({"FIREWORKS_API_KEY": "k", "FIREWORKS_BASE_URL": raw}, "http://x")


def test_a_server_rehearses_only_when_it_is_told_where() -> None:
    with pytest.raises(ImproperlyConfigured, match="FWPORTAL_FIREWORKS_URL is not set"):
        env.rehearsal_of_a_server({})
    assert env.rehearsal_of_a_server({"FWPORTAL_FIREWORKS_URL": "http://fw:8001/"}) == "http://fw:8001"
    assert env.rehearsal_of_a_server({"FIREWORKS_API_KEY": "k"}) == ""


def test_a_kept_secret_is_long_stays_the_same_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    first = env.kept_secret(path)
    assert len(first) >= 50
    assert env.kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_a_data_folder_that_cannot_be_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match="Set FWPORTAL_DATA to another"):
        env.kept_secret(tmp_path / "file" / "secret.key")


@pytest.mark.parametrize("content", [None, "{broken", "[1]"])
def test_whereabouts_that_cannot_be_read_count_as_none(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "up.json").write_text(content)
    assert env.running(tmp_path) == {}
