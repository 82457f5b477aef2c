"""The deployment for several people: logins, HTTPS, no rehearsal by accident."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.system.portal import PATIENCE, ROOT, answers, clean_environment, wait_until

HOST = "portal.example.org"
PASSWORD = "a long pass phrase 17"  # of a user who exists in this test only


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("server")
    return {
        **clean_environment(),
        "FWPORTAL_MODE": "server",
        "SECRET_KEY": "known to this test only, 0123456789 abcdefghijklmnop",
        "ALLOWED_HOSTS": HOST,
        "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
        "FWPORTAL_FIREWORKS_URL": "http://127.0.0.1:9",
        "FWPORTAL_DATA": str(folder / "data"),
        "STATIC_ROOT": str(folder / "static"),
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def address(environment: dict[str, str]) -> Iterator[str]:
    """A web in server mode, as the Dockerfile starts it, with one user named `ada`."""
    Path(environment["FWPORTAL_DATA"]).mkdir()
    manage(environment, "migrate", "--noinput")
    manage(environment, "collectstatic", "--noinput")
    manage(environment, "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org")
    port = free_port(3)
    argv = [
        sys.executable,
        "-m",
        "uvicorn",
        "fwportal.asgi:application",
        "--port",
        str(port),
        "--lifespan",
        "off",
    ]
    with subprocess.Popen(argv, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as web:
        wait_until(lambda: answers(port) or web.poll() is not None, PATIENCE, "the web in server mode")
        yield f"http://127.0.0.1:{port}"
        web.terminate()


@pytest.fixture
def browser(address: str) -> Iterator[httpx.Client]:
    """As the proxy in front forwards a person's requests."""
    headers = {"Host": HOST, "X-Forwarded-Proto": "https"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        yield client


def test_djangos_deployment_check_finds_nothing(environment: dict[str, str]) -> None:
    assert "no issues" in manage(environment, "check", "--deploy", "--fail-level", "WARNING")


def test_nobody_is_let_in_without_a_login(browser: httpx.Client) -> None:
    answer = browser.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/")


def test_health_is_told_to_probes_that_have_no_login(address: str) -> None:
    answer = httpx.get(f"{address}/healthz", headers={"Host": HOST})
    assert answer.status_code == 503
    assert answer.json()["broker"] == "unreachable"


def test_other_names_are_refused(address: str) -> None:
    assert httpx.get(f"{address}/healthz", headers={"Host": "127.0.0.1"}).status_code == 400


def test_plain_http_is_sent_to_https(address: str) -> None:
    answer = httpx.get(f"{address}/login/", headers={"Host": HOST})
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}/login/")


def test_a_person_signs_in_and_gets_secure_cookies(browser: httpx.Client) -> None:
    form = browser.get("/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    assert token
    cookie = form.headers["Set-Cookie"].split(";")[0]
    answer = browser.post(
        "/login/",
        data={"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": token[1]},
        headers={"Cookie": cookie, "Origin": f"https://{HOST}"},
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    for one in answer.headers.get_list("set-cookie"):
        assert "; Secure" in one
    signed_in = "; ".join(one.split(";")[0] for one in answer.headers.get_list("set-cookie"))
    assert browser.get("/", headers={"Cookie": signed_in}).status_code == 200


def test_static_files_have_names_that_browsers_may_keep(browser: httpx.Client) -> None:
    sheet = re.search(r'href="(/static/css/[^"]+)"', browser.get("/login/").text)
    assert sheet
    answer = browser.get(sheet[1], headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
