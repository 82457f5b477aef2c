"""The parts of `up` that need no process: what is started, what is printed, how long a restart waits."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fwportal.supervisor import broker, leftovers, parts
from fwportal.supervisor.child import DELAYS, LONG_LIFE, Child, Part
from fwportal.supervisor.screen import Screen

HOUSE = parts.House(
    data=Path("data"),
    port=8100,
    redis_url="redis://:word@127.0.0.1:8102/0",
    redis_binary="redis-server",
    fireworks_url="http://127.0.0.1:8101",
    token_budget=200_000,
    worker_processes=2,
)


def option(part: Part, name: str) -> str:
    return part.argv[part.argv.index(name) + 1]


def test_the_port_moves_the_web_and_with_it_the_rest() -> None:
    fireworks = parts.fireworks(HOUSE)
    assert fireworks is not None
    assert (option(parts.web(HOUSE), "--port"), option(fireworks, "--port")) == ("8100", "8101")
    assert HOUSE.environment()["FWPORTAL_FIREWORKS_URL"] == "http://127.0.0.1:8101"


def test_everything_binds_to_loopback() -> None:
    fireworks = parts.fireworks(HOUSE)
    assert fireworks is not None
    assert {option(part, "--host") for part in (parts.web(HOUSE), fireworks)} == {"127.0.0.1"}


def test_the_web_believes_no_forwarded_address() -> None:
    """Else whoever sends X-Forwarded-For from elsewhere could pass for the person at the keyboard."""
    assert "--no-proxy-headers" in parts.web(HOUSE).argv


def test_no_secret_is_on_a_command_line() -> None:
    built = [parts.web(HOUSE), parts.worker(HOUSE), parts.beat(HOUSE), parts.fireworks(HOUSE)]
    assert [part.argv for part in built if part and any("word" in word for word in part.argv)] == []


def test_a_redis_of_others_is_not_started() -> None:
    assert parts.redis(replace(HOUSE, redis_binary=None), Path("redis.conf")) is None


def test_with_a_real_account_local_fireworks_is_not_started() -> None:
    real = replace(HOUSE, fireworks_url=None)
    assert parts.fireworks(real) is None
    assert "FWPORTAL_FIREWORKS_URL" not in real.environment()


def test_all_of_it_ends_within_ten_seconds() -> None:
    graces = [part.grace for part in (parts.web(HOUSE), parts.fireworks(HOUSE)) if part]
    together = max(parts.worker(HOUSE).grace, parts.beat(HOUSE).grace)
    redis = parts.redis(HOUSE, Path("redis.conf"))
    assert redis is not None
    assert sum(graces) + together + redis.grace < 10


def test_the_redis_configuration_is_private_and_local(tmp_path: Path) -> None:
    path = broker.write_config(tmp_path, 8102)
    said = path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert "bind 127.0.0.1\nport 8102\n" in said
    assert f"requirepass {broker.password(tmp_path)}\n" in said


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://:word@db.example:7000/3", "db.example:7000/3"),
        ("redis://localhost", "localhost:6379"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
    ],
)
def test_a_redis_is_named_without_its_password(url: str, place: str) -> None:
    assert broker.place(url) == place


def sleeper(tmp_path: Path) -> Child:
    return Child(Part("web", [sys.executable], grace=1), tmp_path, tmp_path)


def test_quick_deaths_wait_longer_each_time_up_to_a_limit(tmp_path: Path) -> None:
    child = sleeper(tmp_path)
    assert [child.plan_restart(now=1.0) for _death in range(7)] == [*DELAYS, DELAYS[-1], DELAYS[-1]]


def test_a_death_after_a_long_life_starts_over(tmp_path: Path) -> None:
    child = sleeper(tmp_path)
    for _death in range(4):
        child.plan_restart(now=1.0)
    assert child.plan_restart(now=LONG_LIFE + 1.0) == DELAYS[0]
    assert child.quick_deaths == 1


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (b"", ""),
        (b"one\ntwo\n\n", "two"),
        (b"\xff\xfe broken\n", "\ufffd\ufffd broken"),
        (b"x" * 9000, "x" * 300),
    ],
)
def test_the_last_words_are_the_last_line_that_says_something(tmp_path: Path, log: bytes, words: str) -> None:
    child = sleeper(tmp_path)
    assert child.last_words() == ""
    child.log.parent.mkdir()
    child.log.write_bytes(log)
    assert child.last_words() == words


def test_a_screen_that_is_no_terminal_gets_no_colours() -> None:
    stream = io.StringIO()
    Screen(stream).bad("web", "ended")
    assert stream.getvalue() == "web        ended\n"


def test_marks_tell_folders_and_parts_apart() -> None:
    assert leftovers.marks(Path("a"), "web") != leftovers.marks(Path("b"), "web")
    assert leftovers.marks(Path("a"), "web") != leftovers.marks(Path("a"), "beat")
