"""A local Fireworks on a real socket in a thread of this process, and the official SDK as its client."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fireworks import AsyncFireworks, Fireworks
from openai import AsyncOpenAI, OpenAI

from localfireworks.__main__ import listen
from localfireworks.app import create_app
from localfireworks.backend import Backend, JaxEngine
from localfireworks.fault_middleware import BreakableHttp
from localfireworks.processes import Processes
from localfireworks.service import build_service
from localfireworks.settings import Settings
from tests.integration.sdk.world import World
from workflows.fireworks.client import Fireworks as OurClient

JOB = (sys.executable, "-m", "tests.integration.sdk.quick_job")
KEY = "fw_any"
ONE_LOOP = pytest.mark.asyncio(loop_scope="session")  # a client with its connections belongs to one loop


class Server:
    """Without samples; its jobs only pretend to train. All of it lives in the thread that calls `run`."""

    def __init__(self, data: Path, **tls: str) -> None:
        self.data, self.tls, self.socket = data, tls, listen("127.0.0.1", 0)
        self.socket.listen()  # what is asked before the server is up waits in the queue
        self.server: uvicorn.Server | None = None

    def run(self) -> None:
        settings = Settings(
            self.data,
            job_command=JOB,
            samples=False,
            jobs=8,
            state_seconds=0,
            deploy_seconds=0,
            tick_seconds=0.02,
        )
        backend = Backend(JaxEngine(self.data / "cache"), settings.loaded_models)
        service = build_service(settings, backend, Processes(settings.job_command), time.time)
        app = create_app(service)
        config = uvicorn.Config(app, http=BreakableHttp, log_level="error", lifespan="on", **self.tls)  # type: ignore[arg-type]
        self.server = uvicorn.Server(config)
        self.server.run(sockets=[self.socket])

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its base URL, while it runs."""
        thread = threading.Thread(target=self.run, name="local-fireworks")
        thread.start()
        try:
            yield f"http{'s' if self.tls else ''}://127.0.0.1:{self.socket.getsockname()[1]}"
        finally:
            if self.server:
                self.server.should_exit = True
            thread.join(120)


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Server(tmp_path_factory.mktemp("sdk")).running() as base:
        yield base


@pytest.fixture(scope="package")
def admin(address: str) -> Iterator[httpx.Client]:
    """The switches of the server."""
    with httpx.Client(base_url=address, timeout=120) as client:
        yield client


@pytest.fixture(scope="package")
def sdk(address: str) -> Iterator[Fireworks]:
    """The SDK as it is, but for the strict reading of answers."""
    with Fireworks(
        api_key=KEY, account_id="rehearsal", base_url=address, _strict_response_validation=True
    ) as client:
        yield client


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def asynchronous(address: str) -> AsyncIterator[AsyncFireworks]:
    """The SDK's other client."""
    async with AsyncFireworks(
        api_key=KEY, account_id="rehearsal", base_url=address, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture(scope="package")
def world(sdk: Fireworks) -> World:
    return World(sdk)


@pytest.fixture
def ours(address: str) -> Iterator[OurClient]:
    """Our own client on the same server; everything is its own and may be asked."""
    with OurClient(address, KEY, "rehearsal", owns=lambda name: True, asks=bool) as client:
        yield client


@pytest.fixture(scope="package")
def openai_client(address: str) -> Iterator[OpenAI]:
    base = f"{address}/inference/v1"
    with OpenAI(api_key=KEY, base_url=base, max_retries=0, _strict_response_validation=True) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def openai_async(address: str) -> AsyncIterator[AsyncOpenAI]:
    base = f"{address}/inference/v1"
    async with AsyncOpenAI(api_key=KEY, base_url=base, _strict_response_validation=True) as made:
        yield made
