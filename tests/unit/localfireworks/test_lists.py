"""Paging, filters, order and read masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localfireworks.errors import ApiError
from localfireworks.filters import camel, compile_filter
from localfireworks.listing import order_terms, ordered, page_of, page_size, read_mask, stored_page
from localfireworks.store import ORDERS, Resource, Store
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

    def arranged(order: str) -> list[tuple[str, int]]:
        return [(row["n"], row["k"]) for row in ordered(rows, rows, order_terms(order))]

    assert arranged("n") == [("9", 1), ("9", 2), ("10", 1)]
    assert arranged("n desc") == [("10", 1), ("9", 1), ("9", 2)]
    assert arranged("k desc,n") == [("9", 2), ("9", 1), ("10", 1)]
    with pytest.raises(ApiError, match="invalid orderBy"):
        order_terms("n up")


@pytest.mark.parametrize(
    ("values", "sorted_"),
    [
        (["10", "9", ""], ["", "9", "10"]),
        (["b", "", "a"], ["", "a", "b"]),
        (["a", 2, None, "10", True], [None, True, 2, "10", "a"]),
        ([2.5, 1, True], [1, True, 2.5]),
        (
            [{"units": "2", "nanos": 0}, {"units": "0", "nanos": 5}, {"code": "OK"}, [1]],
            [{"code": "OK"}, [1], {"units": "0", "nanos": 5}, {"units": "2", "nanos": 0}],
        ),
    ],
)
def test_values_of_any_type_have_an_order(values: list[Any], sorted_: list[Any]) -> None:
    rows = [{"v": value} for value in values]
    assert [row["v"] for row in ordered(rows, rows, order_terms("v"))] == sorted_


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


QUERIES: list[dict[str, str]] = [
    {},
    {"orderBy": "name desc"},
    {"orderBy": "createTime desc"},
    {"filter": "kind=b"},
    {"filter": 'state="READY" AND kind=a', "orderBy": "create_time desc"},
    {"orderBy": "kind desc,name"},
    {"orderBy": "size desc"},
    {"filter": "size>=6", "orderBy": "size", "showDeleted": "true"},
    {"filter": "NOT (kind=b OR size=7) OR name:t09 OR state=READY AND size=8", "orderBy": "size desc,kind"},
]


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store(":memory:")
    for number in range(12):
        body = {"kind": "ab"[number % 2], "size": str(number % 5)}
        row = Resource("things", "a", f"t{number:02}", "READY", body, float(number // 3), 1.0)
        row.state = "READY" if number % 3 else "UPLOADING"
        row.deleted = 5.0 if number == 7 else None
        made.insert(row)
    yield made
    made.close()


def render(row: Resource) -> dict[str, Any]:
    return {"name": row.name, "state": row.state, **row.body, "size": int(row.body["size"]) + 5}


@pytest.mark.parametrize("query", QUERIES)
def test_lists_from_memory_equal_lists_that_render_every_row(store: Store, query: dict[str, str]) -> None:
    quick = stored_page(store, "things", "a", query, render)
    plain = camel(query.get("orderBy", "name"))
    order = plain if plain in ORDERS else "name"
    rows = store.page("things", "a", order=order, deleted="showDeleted" in query)
    asked = {"filter": query.get("filter", ""), "orderBy": "" if plain in ORDERS else plain}
    whole = page_of("things", [render(row) for row in rows], asked)
    assert quick == whole
    assert quick["totalSize"] >= len(quick["things"]) > 0


def test_what_runs_is_filtered_and_sorted_by_how_far_it_is(store: Store) -> None:
    def full(row: Resource) -> dict[str, Any]:
        return render(row) | {"percent": 7 if row.private.get("running") else 0}

    def names(**query: str) -> list[str]:
        page = stored_page(store, "things", "a", query, lambda row: render(row) | {"percent": 0}, full)
        return [row["name"][-3:] for row in page["things"]]

    assert names(filter="percent>0") == []
    row = store.get("accounts/a/things/t04")
    assert row is not None
    row.private["running"] = True
    store.save(row, was=row.state)
    assert names(filter="percent>0") == ["t04"] == names(orderBy="percent desc", pageSize="1")
    row.private["running"] = False
    store.save(row, was=row.state)
    assert names(filter="percent>0") == []


def test_a_list_from_memory_follows_every_write(store: Store) -> None:
    def kinds_of(kind: str) -> list[str]:
        page = stored_page(store, "things", "a", {"filter": f"kind={kind}"}, render)
        return [row["name"][-3:] for row in page["things"]]

    assert kinds_of("c") == []
    row = store.get("accounts/a/things/t03")
    assert row is not None
    row.body["kind"] = "c"
    assert kinds_of("c") == []  # changed by its holder, not yet stored
    assert store.save(row, was="GONE") is False
    assert kinds_of("c") == []
    assert store.save(row, was="UPLOADING") is True
    assert kinds_of("c") == ["t03"]
    store.insert(Resource("things", "a", "t99", "READY", {"kind": "c", "size": "1"}, 1.0, 1.0))
    assert kinds_of("c") == ["t03", "t99"]
    late = Resource("things", "a", "t98", "READY", {"kind": "c", "size": "1"}, 1.0, 1.0)
    with pytest.raises(ApiError), store.transaction():
        store.insert(store.insert(late))
    store.delete("accounts/a/things/t99")
    assert kinds_of("c") == ["t03"]
