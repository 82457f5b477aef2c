"""Names the server answers to."""

from __future__ import annotations

import dataclasses

import pytest

from localfireworks.options import parser, settings_of
from tests.unit.localfireworks.conftest import Server


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8001", 200),
        ("127.0.0.1:8001", 200),
        ("[::1]:8001", 200),
        ("Fireworks:8001", 200),
        ("evil.example:8001", 403),
        ("localhost.evil.example", 403),
        ("[", 403),
    ],
)
@pytest.mark.parametrize("path", ["/admin/faults", "/inference/v1/models"])
async def test_only_known_names_are_answered(server: Server, host: str, path: str, status: int) -> None:
    options = parser().parse_args(["--data", "unused", "--allow-host", "fireworks"])
    server.service.settings = dataclasses.replace(server.service.settings, hosts=settings_of(options).hosts)
    answer = await server.http.get(path, headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == status
