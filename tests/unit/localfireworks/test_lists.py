"""Paging, filters, order and read masks."""

from __future__ import annotations

from typing import Any

import pytest

from localfireworks.errors import ApiError
from localfireworks.filters import compile_filter
from localfireworks.listing import ordered, page_size, read_mask
from tests.unit.localfireworks.conftest import Server

BODY = {
    "name": "accounts/a/models/m-1",
    "supportsLora": True,
    "contextLength": 4096,
    "parameterCount": "8000",
    "baseModelDetails": {"moe": False},
    "tags": ["fast", "small"],
    "displayName": 'A "good" one',
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("supports_lora=true", True),
        ("supportsLora = false", False),
        ("supports_lora=true AND context_length>5000", False),
        ("supports_lora=true context_length>=4096", True),
        ("context_length<4096 OR parameter_count > 900", True),
        ("NOT supports_lora=true", False),
        ("(supports_lora=false OR context_length=4096) AND parameter_count<9000", True),
        ('name="accounts/a/models/m-1"', True),
        ("name='accounts/a/*'", True),
        ('name!="accounts/a/models/m-2"', True),
        ("base_model_details.moe=false", True),
        ("base_model_details.missing=true", False),
        ("missing=false", True),
        ("missing>3", False),
        ("tags:fast", True),
        ("tags:slow", False),
        ("base_model_details:moe", True),
        ("name:models", True),
        ("parameter_count:*", True),
        (r'display_name="A \"good\" one"', True),
    ],
)
def test_filters(text: str, expected: bool) -> None:
    assert compile_filter(text)(BODY) is expected


@pytest.mark.parametrize("text", ["name", "name=", "name=1 AND", "(name=1", "=1", 'name="open', "a=1)"])
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="invalid filter"):
        compile_filter(text)


def test_order_is_numeric_for_numbers_in_text_and_stable() -> None:
    rows: list[dict[str, Any]] = [{"n": "10", "k": 1}, {"n": "9", "k": 1}, {"n": "9", "k": 2}]
    assert [row["n"] for row in ordered(rows, "n")] == ["9", "9", "10"]
    assert ordered(rows, "k desc,n")[0] == {"n": "9", "k": 2}
    with pytest.raises(ApiError, match="invalid orderBy"):
        ordered(rows, "n up")


def test_page_size_has_a_default_and_a_most() -> None:
    assert [page_size({"pageSize": given}) for given in ("", "0", "7", "200", "5000")] == [
        50,
        50,
        7,
        200,
        200,
    ]
    with pytest.raises(ApiError, match="pageSize"):
        page_size({"pageSize": "many"})


def test_read_masks_take_both_spellings_and_paths() -> None:
    assert read_mask(BODY, "name,base_model_details.moe,unknown") == {
        "name": BODY["name"],
        "baseModelDetails": {"moe": False},
    }
    assert read_mask(BODY, "*") == BODY == read_mask(BODY, None)


async def test_pages_follow_each_other_to_the_end(server: Server) -> None:
    for number in range(5):
        await server.post("/datasets", {"datasetId": f"d{number}", "dataset": {}})
    seen: list[str] = []
    query: dict[str, Any] = {"pageSize": 2}
    while True:
        page = await server.get("/datasets", **query)
        assert page["totalSize"] == 5
        seen += [row["name"].rsplit("/")[-1] for row in page["datasets"]]
        if not page["nextPageToken"]:
            break
        query["pageToken"] = page["nextPageToken"]
    assert seen == ["d0", "d1", "d2", "d3", "d4"]


async def test_lists_are_ordered_by_time_or_by_any_field(server: Server) -> None:
    for id_, title in (("b", "x"), ("a", "z"), ("c", "y")):
        server.clock.now += 1
        await server.post("/datasets", {"datasetId": id_, "dataset": {"displayName": title}})

    async def ids(order: str) -> str:
        rows = (await server.get("/datasets", orderBy=order))["datasets"]
        return "".join(row["name"][-1] for row in rows)

    orders = ("", "name desc", "create_time", "createTime desc", "display_name", "display_name desc")
    assert [await ids(order) for order in orders] == ["abc", "cba", "bac", "cab", "bca", "acb"]


async def test_a_page_token_is_bound_to_its_query(server: Server) -> None:
    for number in range(3):
        await server.post("/datasets", {"datasetId": f"d{number}", "dataset": {"displayName": "x"}})
    page = await server.get("/datasets", pageSize=1, filter='display_name="x"')
    token = page["nextPageToken"]
    status, message = await server.refused("/datasets", method="GET", pageToken=token, filter="format=CHAT")
    assert (status, "must stay the same" in message) == (400, True)
    assert (await server.refused("/datasets", method="GET", pageToken="%%"))[0] == 400
