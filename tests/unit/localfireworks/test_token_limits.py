"""Inference answers name the token limits; other answers do not."""

from __future__ import annotations

import pytest

from tests.unit.localfireworks.conftest import Server


@pytest.mark.parametrize("path", ["/inference/v1/chat/completions", "/v1/completions"])
async def test_inference_answers_name_their_limits(server: Server, path: str) -> None:
    headers = (await server.http.post(path, json={})).headers
    names = ("prompt", "cache-adjusted-prompt", "generated")
    found = [headers[f"x-ratelimit-limit-tokens-{name}"] for name in names]
    assert found == ["216000000", "54000000", "2160000"]


async def test_other_answers_name_no_limits(server: Server) -> None:
    headers = (await server.http.get("/v1/accounts/rehearsal/datasets")).headers
    assert not any(name.startswith("x-ratelimit") for name in headers)
