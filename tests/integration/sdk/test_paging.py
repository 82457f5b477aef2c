"""Lists over several pages, as the SDK's own pager walks them."""

from __future__ import annotations

import fireworks
import pytest
from fireworks import AsyncFireworks, Fireworks

from tests.integration.sdk.conftest import ONE_LOOP
from tests.integration.sdk.every_example import EXAMPLES
from tests.integration.sdk.methods import resolve
from tests.integration.sdk.world import World

LISTS = sorted(name for name in EXAMPLES if name.endswith(".list"))


@pytest.fixture(scope="module")
def sixty(world: World) -> set[str]:
    """Names of more datasets than the 50 that one page has unless told otherwise."""
    for number in range(60):
        fields = {"display_name": "one of sixty", "example_count": str(number), "user_uploaded": {}}
        world.sdk.datasets.create(dataset_id=f"sixty-{number:02}", dataset=fields)
    return {world.name("datasets", f"sixty-{number:02}") for number in range(60)}


SIXTY = {"filter": 'display_name="one of sixty"', "order_by": "example_count desc"}


def test_more_than_one_page_of_the_usual_length(sdk: Fireworks, sixty: set[str]):
    first = sdk.datasets.list(**SIXTY)
    assert (len(first.datasets), first.has_next_page()) == (50, True)
    found = list(first)
    assert {one.name for one in found} == sixty
    assert [int(one.example_count) for one in found] == list(reversed(range(60)))


@ONE_LOOP
async def test_the_other_client_pages_too(asynchronous: AsyncFireworks, sixty: set[str]):
    pages = [page async for page in (await asynchronous.datasets.list(page_size=25, **SIXTY)).iter_pages()]
    assert [len(page.datasets) for page in pages] == [25, 25, 10]
    assert {one.name for page in pages for one in page.datasets} == sixty


@pytest.mark.parametrize("method", LISTS)
def test_short_pages_hold_what_long_ones_hold(sdk: Fireworks, world: World, method: str):
    asked = EXAMPLES[method](world)
    ask = resolve(sdk, method)
    whole = [item.name for item in ask(*asked.given, **asked.named, page_size=200)]
    size = max(1, len(whole) // 3)
    assert [item.name for item in ask(*asked.given, **asked.named, page_size=size)] == whole
    assert len(set(whole)) == len(whole) > 0


def test_a_token_of_another_question_is_refused(sdk: Fireworks, sixty: set[str]):
    token = sdk.datasets.list(**SIXTY).next_page_token
    with pytest.raises(fireworks.BadRequestError, match="pageToken"):
        sdk.datasets.list(page_token=token, filter='display_name="another"')


def test_only_the_masked_fields_come(sdk: Fireworks, sixty: set[str]):
    one = sdk.datasets.list(page_size=1, read_mask="name,example_count", **SIXTY).datasets[0]
    assert one.to_dict() == {"name": "accounts/rehearsal/datasets/sixty-59", "exampleCount": "59"}
