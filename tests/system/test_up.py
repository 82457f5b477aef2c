"""`manage.py up`: everything comes up, a killed part comes back, and nothing stays behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.system.portal import PARTS, PATIENCE, ROOT, Portal

MakePortal = Callable[..., Portal]


def test_everything_comes_up_and_the_address_is_printed(portal: Portal) -> None:
    health = portal.health()
    assert (health["database"], health["broker"], health["rehearsal"]) == ("ok", "ok", True)
    assert health["fireworks"] == f"http://127.0.0.1:{portal.port + 1}"
    portal.until(lambda: f"Open {portal.address}" in portal.said(), PATIENCE, "the address")
    assert httpx.get(portal.address, follow_redirects=True).status_code == 200


def test_models_are_listed_without_waiting_for_the_minute(portal: Portal) -> None:
    def listed() -> bool:
        return "qwen3-8b" in httpx.get(f"{portal.address}/models/").text

    assert portal.until(listed, PATIENCE, "the models")


def test_other_commands_find_its_redis_whatever_the_port(portal: Portal) -> None:
    environment = {name: value for name, value in portal.environment.items() if name != "PORT"}
    asked = "from fwportal import heartbeat; print('alive:', heartbeat.alive())"
    argv = [sys.executable, "manage.py", "shell", "-c", asked]
    answer = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "alive: 1" in answer.stdout


def test_it_listens_on_loopback_only(portal: Portal) -> None:
    listening = [
        connection.laddr
        for process in portal.members()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {at.port for at in listening} >= {portal.port, portal.port + 1, portal.port + 2}
    assert {at.ip for at in listening} == {"127.0.0.1"}


def test_the_secrets_on_disk_are_the_owners_only(portal: Portal) -> None:
    for name in ("secret.key", "redis.secret", "up.json", "redis/redis.conf"):
        assert (portal.data / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_and_its_orphans_go(portal: Portal, part: str) -> None:
    before = portal.members(part)
    killed = portal.kill(part)
    portal.until(lambda: portal.pid(part) not in (None, killed), PATIENCE, f"a new {part}")
    portal.until(portal.is_well, PATIENCE, "the portal to be well again")
    assert [one for one in before if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    assert f"{part:<10} was killed (signal 9); starting it again" in portal.said()


def test_a_second_start_on_the_same_data_folder_is_refused(portal: Portal, make_portal: MakePortal) -> None:
    second = make_portal(FWPORTAL_DATA=str(portal.data))
    assert second.launch().wait(timeout=30) == 1
    assert "already runs on the data folder" in second.said()
    portal.until(portal.is_well, PATIENCE, "the first portal to be well still")


def test_ctrl_c_ends_everything_in_order_and_the_next_start_works(make_portal: MakePortal) -> None:
    portal = make_portal().start()
    everyone = portal.members()
    assert portal.stop(signal.SIGINT) == 0
    assert [one for one in everyone if one.is_running()] == []
    assert "Traceback" not in portal.said()
    portal.start()
    assert portal.stop(signal.SIGTERM) == 0
    assert portal.members() == []


def test_a_killed_supervisor_does_not_block_the_next_start(make_portal: MakePortal) -> None:
    portal = make_portal().start()
    assert portal.stop(signal.SIGKILL) == -signal.SIGKILL
    portal.start()
    assert {name: len(portal.leaders()) for name in PARTS} == dict.fromkeys(PARTS, len(PARTS))
