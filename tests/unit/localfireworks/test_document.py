"""docs/local-fireworks.md names every call, every fault and every option that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from localfireworks.faults import KINDS
from localfireworks.options import parser
from tests.unit.localfireworks.conftest import Server

DOCUMENT = Path(__file__).parents[3] / "docs" / "local-fireworks.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


async def test_the_table_of_calls_is_that_of_the_server(server: Server, text: str) -> None:
    transport = server.http._transport
    routes = transport.app.routes  # type: ignore[attr-defined]
    served = {
        (method, re.sub(r"\{(\w+)(?::\w+)?\}", r"{\1}", route.path))
        for route in routes
        for method in route.methods - {"HEAD"}
    }
    rows = re.findall(r"^\| `([A-Z ]+) (\S+)` \|", section(text, "Calls"), re.MULTILINE)
    written = {
        (method, path.replace("…", "/v1/accounts/{account}"))
        for methods, path in rows
        for method in methods.split()
    }
    assert sorted(served - written) == []
    assert sorted(written - served) == []


def test_every_fault_is_explained(text: str) -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section(text, "Faults"), re.MULTILINE)) == set(KINDS)


def test_every_option_has_a_help_and_every_one_in_the_text_exists(text: str) -> None:
    actions = {option: action for action in parser()._actions for option in action.option_strings}
    assert all(action.help for action in actions.values())
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= set(actions)
