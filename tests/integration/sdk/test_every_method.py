"""Every method of the official SDK answers, strictly parsed: directly, and raw in the asynchronous client."""

from __future__ import annotations

import inspect

import fireworks
import pytest
from fireworks import AsyncFireworks, Fireworks

from tests.integration.sdk.conftest import ONE_LOOP
from tests.integration.sdk.every_example import EXAMPLES
from tests.integration.sdk.methods import UNSUPPORTED, all_methods, reason, required, resolve
from tests.integration.sdk.world import World

METHODS = all_methods()
OFFERED = sorted(name for name in METHODS if not reason(name))
REFUSED = sorted(name for name in METHODS if reason(name))
RESOURCES = {name.rpartition(".")[0] for name in METHODS}


def test_the_sdk_was_really_looked_through():
    assert {"chat.completions", "lora", "deployment_shape_versions", "evaluation_jobs"} <= RESOURCES
    assert len(METHODS) > 90


def test_every_offered_method_has_an_example_and_every_exception_a_method():
    assert set(EXAMPLES) == set(OFFERED)
    assert all(any(name == kept or name.startswith(f"{kept}.") for name in REFUSED) for kept in UNSUPPORTED)


@pytest.mark.parametrize("method", OFFERED)
def test_it_answers(sdk: Fireworks, world: World, method: str):
    asked = EXAMPLES[method](world)
    answer = resolve(sdk, method)(*asked.given, **asked.named)
    assert asked.right(list(answer) if method.endswith(".list") else answer), answer


@ONE_LOOP
@pytest.mark.parametrize("method", OFFERED)
async def test_it_answers_asynchronously_and_raw(asynchronous: AsyncFireworks, world: World, method: str):
    resource, _, verb = method.rpartition(".")
    raw = getattr(resolve(asynchronous, resource).with_raw_response, verb, None)
    if raw is None:
        assert method == "deployment_shape_versions.match_for_model"  # the SDK's own shorthand for match
        return
    asked = EXAMPLES[method](world)
    response = await raw(*asked.given, **asked.named)
    assert response.headers["content-type"] == "application/json"
    answer = await response.parse()
    assert asked.right([item async for item in answer] if method.endswith(".list") else answer), answer


@pytest.mark.parametrize("method", REFUSED)
def test_what_is_not_offered_says_so(sdk: Fireworks, method: str):
    function = resolve(sdk, method)
    values = {one.name: "x" for one in required(METHODS[method])}
    by_place = [name for name in values if _by_place(method, name)]
    given = [values.pop(name) for name in by_place]
    with pytest.raises(fireworks.APIStatusError) as caught:
        function(*given, **values)
    assert caught.value.status_code in (404, 405)


def _by_place(method: str, name: str) -> bool:
    kind = inspect.signature(METHODS[method]).parameters[name].kind
    return kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
