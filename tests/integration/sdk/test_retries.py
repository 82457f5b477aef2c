"""Faults that are switched on, as the SDK meets them: repeated where it repeats, typed where it gives up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import fireworks
import httpx
import pytest
from fireworks import AsyncFireworks, Fireworks

from tests.integration.sdk.conftest import ONE_LOOP
from tests.integration.sdk.world import SFT, World
from workflows.fireworks import jobs
from workflows.fireworks.client import Fireworks as OurClient
from workflows.fireworks.errors import AccountSuspended, QuotaReached

Switch = Callable[..., None]
ACCOUNT = "/v1/accounts/rehearsal"
JOBS = f"{ACCOUNT}/supervisedFineTuningJobs"


@pytest.fixture
def switch(admin: httpx.Client) -> Iterator[Switch]:
    """Switches a fault on, for the next request unless told otherwise; all are off again afterwards."""

    def on(kind: str, path: str = ACCOUNT, **more: Any) -> None:
        fault = {"kind": kind, "path": path, "count": 1, **more}
        admin.post("/admin/faults", json=fault).raise_for_status()

    yield on
    admin.delete("/admin/faults").raise_for_status()


@pytest.mark.parametrize("kind", ["rate-limited", "server-error", "reset"])
def test_what_passes_is_asked_again(sdk: Fireworks, switch: Switch, kind: str):
    switch(kind, parameters={"retryAfter": 0.01} if kind == "rate-limited" else {})
    response = sdk.accounts.with_raw_response.get()
    assert (response.retries_taken, response.parse().state) == (1, "READY")


@ONE_LOOP
async def test_the_other_client_asks_again_too(asynchronous: AsyncFireworks, switch: Switch):
    switch("rate-limited", count=2, parameters={"retryAfter": 0.01})
    response = await asynchronous.accounts.with_raw_response.get()
    assert response.retries_taken == 2


REFUSALS = [
    ("rate-limited", fireworks.RateLimitError, 429),
    ("quota-exceeded", fireworks.PermissionDeniedError, 403),
    ("suspended", fireworks.APIStatusError, 412),
    ("server-error", fireworks.InternalServerError, 500),
    ("bad-gateway", fireworks.InternalServerError, 502),
    ("unavailable", fireworks.InternalServerError, 503),
    ("fault-filter-abort", fireworks.NotFoundError, 404),
]


@pytest.mark.parametrize(("kind", "error", "status"), REFUSALS)
def test_a_refusal_has_its_type(sdk: Fireworks, switch: Switch, kind: str, error: Any, status: int):
    switch(kind)
    with pytest.raises(error) as caught:
        sdk.with_options(max_retries=0).accounts.get()
    assert caught.value.status_code == status


@pytest.mark.parametrize("kind", ["reset", "lost-answer"])
def test_no_answer_is_a_connection_error(sdk: Fireworks, switch: Switch, kind: str):
    switch(kind)
    with pytest.raises(fireworks.APIConnectionError):
        sdk.with_options(max_retries=0).accounts.get()


def test_the_sdk_meets_its_own_first_success_after_a_lost_answer(
    sdk: Fireworks, world: World, switch: Switch
):
    id_ = world.fresh("job")
    switch("lost-answer", JOBS, method="POST")
    with pytest.raises(fireworks.ConflictError):
        sdk.with_options(max_retries=1).supervised_fine_tuning_jobs.create(**SFT.asked(world, id_))
    assert sdk.supervised_fine_tuning_jobs.get(id_).name == SFT.name(id_)


def test_our_client_adopts_it_instead(ours: OurClient, world: World, switch: Switch):
    asked = SFT.asked(world, world.fresh("job"))
    training = jobs.Training(asked["dataset"], asked["output_model"], asked["base_model"])
    switch("lost-answer", JOBS, method="POST")
    made = jobs.create(ours, asked[SFT.id_field], training)
    assert made.name == SFT.name(asked[SFT.id_field])


@pytest.mark.parametrize(
    ("kind", "error"), [("quota-exceeded", QuotaReached), ("suspended", AccountSuspended)]
)
def test_our_client_tells_who_must_act(ours: OurClient, switch: Switch, kind: str, error: Any):
    switch(kind)
    with pytest.raises(error):
        ours.get(ACCOUNT)
