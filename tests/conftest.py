"""Rooms: the folder gives a test its marker, and each room has its limits.

unit: no database, no sockets. The others: loopback only. No test can reach a real account: the keys are
taken out of the environment and the settings before the first test.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket
from django.conf import settings as django_settings

from fwportal import env

ROOMS = ("unit", "integration", "system", "browser")
TESTS = Path(__file__).parent
SHARED = TESTS.parent.parent / "shared"  # the real data and source documents that came with the task
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
# Port 9 (discard) is never served here: a test that forgets to bring its own Fireworks fails at once.
NOWHERE = "http://127.0.0.1:9"
QUICK_COMPILATION = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("FIREWORKS_")]:
        del os.environ[name]
    django_settings.FIREWORKS = env.fireworks(os.environ, NOWHERE)
    # A password's hash is slow on purpose, which protects nobody here.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each of the hundreds of processes that tests start would compile our sources anew.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if hasattr(config, "workerinput"):  # one of several processes: it has what their parent set
        return
    # Every server of a test has a data folder of its own; what XLA compiled for one serves all.
    compiled = tempfile.TemporaryDirectory(prefix="fwportal-compiled-")
    config.add_cleanup(compiled.cleanup)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled.name
    # Tests run each program a few times: compiling it well takes longer than running it badly.
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK_COMPILATION}".strip()


def pytest_report_header() -> list[str]:
    if SHARED.is_dir():
        return []
    return [f"{SHARED} is not here: tests on its real data and source documents are skipped"]


def room(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(getattr(pytest.mark, room(item)))
        if room(item) == "unit" and item.get_closest_marker("django_db"):
            raise pytest.UsageError(f"{item.nodeid}: the unit room has no database; move it to integration.")
    items.sort(key=lambda item: ROOMS.index(room(item)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    # Unix sockets stay open everywhere: every asyncio loop makes a pair of them.
    if room(item) == "unit":
        pytest_socket.disable_socket(allow_unix_socket=True)
    else:
        pytest_socket.socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(autouse=True)
def own_data_folder(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test writes into the person's own `var/`."""
    if room(request.node) == "unit":
        yield
        return
    settings, folder = request.getfixturevalue("settings"), request.getfixturevalue("tmp_path")
    settings.DATA, settings.MEDIA_ROOT = folder, folder / "uploads"
    yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; a test that needs one is skipped where there is none."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    if found is None:
        pytest.skip("no chromium on the path: install it with `apt-get install chromium`")
    return found


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository; a test that needs it is skipped where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the real data in ../shared/data is not here")
    return folder
