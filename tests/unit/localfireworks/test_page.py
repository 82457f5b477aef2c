"""The page of the local server: what it shows, and forms that work without scripts."""

from __future__ import annotations

import re

from localfireworks.faults import Fault, keep
from tests.unit.localfireworks.conftest import QWEN, ROOT, Server


async def words(server: Server) -> str:
    """The page's text without its tags and its style."""
    page = (await server.http.get("/")).text
    return " ".join(re.sub("<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


async def test_an_empty_server_says_so_and_needs_no_script(server: Server) -> None:
    page = (await server.http.get("/")).text
    text = await words(server)
    for empty in (
        "everything works",
        "No job yet",
        "No deployment yet",
        "No dataset yet",
        "Nothing was used",
    ):
        assert empty in text
    assert "<script" not in page
    assert set(re.findall(r"<form method='(\w+)'", page)) == {"post"}


async def test_it_shows_jobs_deployments_datasets_and_costs(server: Server) -> None:
    await server.trained()
    await server.post("/deployments", {"baseModel": QWEN, "deploymentShape": "default"}, deploymentId="dep")
    await server.settled()
    text = await words(server)
    assert f"job-1 SFT {QWEN} COMPLETED" in text
    assert f"accounts/rehearsal/deployments/dep {QWEN} READY 1" in text
    assert "accounts/rehearsal/datasets/for-job-1" in text
    assert f"Training {QWEN} 1,000,000 training tokens $0.3704" in text


async def test_switches_are_shown_with_words_and_each_can_be_removed(server: Server) -> None:
    store = server.service.store
    keep(store, Fault(id="a", kind="reset", path="/v1/<b>", method="POST", count=1, after=3))
    keep(store, Fault(id="b", kind="rate-limited", probability=0.25, seed=9, parameters={"retryAfter": 2}))
    keep(store, Fault(id="c", kind="quota-exceeded"))
    await server.http.get(f"{ROOT}/datasets")
    text, page = await words(server), (await server.http.get("/")).text
    assert "reset POST /v1/&lt;b&gt; always, once, after the first 3 0 of 0 Remove" in text
    assert re.search(r"rate-limited any \* 25% \(seed 9\) retry-after 2 [01] of 1 Remove", text)
    assert "8 required, 0 available" in text
    assert [action for action in re.findall(r"action='([^']+)'", page) if action.endswith(":remove")] == [
        "/admin/faults/a:remove",
        "/admin/faults/b:remove",
        "/admin/faults/c:remove",
    ]


async def test_a_refused_form_comes_back_as_it_was_filled_in(server: Server) -> None:
    form = {"kind": "reset", "path": "/v1/mine", "probability": "often", "parameters.seconds": "3"}
    answer = await server.http.post("/admin/faults", data=form)
    assert (answer.status_code, answer.headers["content-type"][:9]) == (400, "text/html")
    assert "role='alert'>probability: Input should be a valid number" in answer.text
    for kept in ("value='/v1/mine'", "value='often'", "<option value='reset' selected>", "<details open>"):
        assert kept in answer.text
    wrong = await server.http.post("/admin/account", data={"suspendState": "SAD"})
    assert (wrong.status_code, "invalid suspendState" in wrong.text) == (400, True)
