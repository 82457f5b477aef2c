"""`python -m localfireworks`: start the server."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import socket
import sys
import time
from pathlib import Path

import uvicorn

from localfireworks.app import create_app, fill_shelves
from localfireworks.backend import Backend, JaxEngine
from localfireworks.catalogue import add_folder
from localfireworks.fault_middleware import BreakableHttp
from localfireworks.faults import keep
from localfireworks.judge import Bias, JudgingEngine
from localfireworks.options import faults_of, parser, settings_of
from localfireworks.processes import Processes
from localfireworks.reader import ReadingEngine
from localfireworks.service import build_service


def offer(models: list[tuple[str, Path]]) -> None:
    """List the folders of `--model`; leaves with one line when one cannot be used."""
    if not models:
        return
    from localfireworks.engine.folder import NotAModel
    from localfireworks.engine.template import checked_folder

    for id_, path in models:
        try:
            found = checked_folder(path)
        except NotAModel as error:
            sys.exit(f"localfireworks: --model {id_}: {error}")
        add_folder(id_, str(path), found.parameters, found.config.max_position_embeddings)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; leaves with one line when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it on, each answer
    # waits 40 ms for the client's delayed acknowledgement.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        sys.exit(f"localfireworks: cannot listen on {host}:{port}: {error.strerror}. Choose another --port.")
    return made


def claim(data: Path) -> int:
    """Hold the data folder for this process; leaves with one line when another server has it."""
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / "server.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"localfireworks: another server uses {data}. Stop it or choose another --data.")
    return handle


def main() -> None:
    options = parser().parse_args()
    settings, faults = settings_of(options), faults_of(options)
    offer(options.model)
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(name)s %(message)s")
    server_socket = listen(options.host, options.port)
    claim(settings.data)
    bias = Bias(options.judge_bias, options.judge_noise)
    engine = ReadingEngine(JudgingEngine(JaxEngine(settings.data / "cache", settings.compute), bias))
    backend = Backend(engine, settings.loaded_models)
    service = build_service(settings, backend, Processes(settings.job_command), time.time)
    for fault in faults:
        keep(service.store, fault)
    fill_shelves(service)
    gc.freeze()  # looking for garbage among 20,000 rows would hold up some answers for 100 ms
    config = uvicorn.Config(
        create_app(service),
        http=BreakableHttp,
        log_level=options.log_level,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    sys.stderr.write(
        f"Local Fireworks on http://{options.host}:{options.port}/ "
        f"(account {settings.account}, any key, data in {settings.data})\n"
    )
    uvicorn.Server(config).run(sockets=[server_socket])


if __name__ == "__main__":
    main()
